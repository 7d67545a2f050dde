// SPDX-License-Identifier: MIT
#include "sim/app/trace_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/app/progress.h"
#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/import/import_trace.h"
#include "sim/input/fusion.h"
#include "sim/input/trace_writer.h"
#include "sim/input/training_step.h"
#include "sim/input/workload_reader.h"

namespace nibble {

namespace fs = std::filesystem;

namespace {

bool is_yaml(const fs::path& path) {
    return path.extension() == ".yaml" || path.extension() == ".yml";
}

}  // namespace

void require_regular_file(const fs::path& path, const std::string& what) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    const auto refuse = [&](const std::string& found) {
        throw InputError({path.string(), 0, 0}, fmt::format("expected {}, {}", what, found));
    };
    if (status.type() == fs::file_type::not_found) {
        refuse("found no such file");
    }
    if (error) {
        refuse(error.message());
    }
    if (fs::is_directory(status)) {
        refuse("found a directory");
    }
    if (!fs::is_regular_file(status)) {
        refuse("found a device or pipe; it is read more than once and must be a regular file");
    }
}

bool names_workload(const std::string& name) {
    return std::ranges::count(data_names(DataKind::workload), name) > 0 || is_yaml(name);
}

std::optional<SourceFormat> source_format(const std::string& path, const std::string& from) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
        require_regular_file(path, "a trace, a workload, or another program's file");
    }
    if (from == "auto") {
        return recognise_source(path);
    }
    const auto found = std::ranges::find(source_format_names, from);
    if (found == source_format_names.end()) {
        const std::vector<std::string> words(source_format_names.begin(), source_format_names.end());
        throw InputError(fmt::format("--from: expected auto, {}; found '{}'{}", fmt::join(words, ", "), printable(from),
                                     suggestion(from, words)));
    }
    return static_cast<SourceFormat>(found - source_format_names.begin());
}

TraceSource::TraceSource(const TraceRequest& request) : name_(request.name), path_(request.name) {
    const ImportOptions& options = request.options;
    const bool built_in = request.from == "auto" && std::ranges::count(data_names(DataKind::workload), name_) > 0;
    std::error_code error;
    if (!built_in && !fs::exists(name_, error) && name_.find('/') == std::string::npos) {
        throw InputError(fmt::format("'{}' is neither a file nor a built-in workload{}", printable(name_),
                                     suggestion(name_, data_names(DataKind::workload))));
    }
    const std::optional<SourceFormat> format = built_in ? std::nullopt : source_format(name_, request.from);
    if (format) {
        write_temporary([&](std::ostream& file) { imported_ = write_imported_trace(request, *format, file); });
        return;
    }
    if (options.iteration || options.training != Training::derive) {
        throw InputError("--iteration and --training are for other programs' files");
    }
    if (names_workload(name_)) {
        write_temporary(
            [&](std::ostream& file) { write_workload_trace(name_, options.batch.value_or(default_batch), file); });
    } else if (options.batch) {
        throw InputError("--batch is for workloads and other programs' files: a trace says its batch itself");
    }
}

void TraceSource::write_temporary(const std::function<void(std::ostream&)>& write) {
    temporary_ = std::make_unique<TemporaryFile>();
    path_ = temporary_->path();
    std::ofstream file(path_, std::ios::binary);
    write(file);
    if (!file.flush()) {
        throw InputError(fmt::format("temporary file for the trace of '{}' cannot be written: {}", printable(name_),
                                     std::strerror(errno)));
    }
}

ImportSummary write_imported_trace(const TraceRequest& request, SourceFormat format, std::ostream& out) {
    ImportOptions options = request.options;
    std::optional<Progress> progress;
    if (!request.quiet && progress_possible()) {
        options.watch = [&](std::uint64_t done, std::uint64_t all) {
            if (!progress) {
                progress.emplace("import " + fs::path(request.name).filename().string(), "bytes", all, true);
            }
            progress->update(done);
        };
    }
    if (!request.fuse) {
        return import_trace(request.name, format, options, out);
    }
    const TemporaryFile unfused;
    std::ofstream file(unfused.path(), std::ios::binary);
    ImportSummary summary = import_trace(request.name, format, options, file);
    file.close();
    if (!file) {
        throw InputError(
            fmt::format("temporary file for the trace of '{}' cannot be written", printable(request.name)));
    }
    const FusionCount count = fuse_trace(unfused.path(), out);
    if (count.fused > 0) {
        summary.notes.push_back(
            fmt::format("{} of {} passes over memory are fused into the operations whose results they work on "
                        "(--no-fusion keeps them)",
                        count.fused, count.passes));
    }
    return summary;
}

void write_workload_trace(const std::string& name, std::uint64_t batch, std::ostream& out) {
    const Workload workload = read_workload(find_data_file(DataKind::workload, name));
    TraceWriter writer(out, {workload.name, batch});
    expand_training_step(workload, batch, [&](const TraceItem& item) { writer.write(item); });
    writer.finish();
}

void TraceSource::checked(const std::function<void()>& read) const {
    try {
        read();
    } catch (const InputError& error) {
        if (temporary_ == nullptr) {
            throw;
        }
        std::vector<Problem> problems = error.problems();
        for (Problem& problem : problems) {
            if (problem.where.file == path()) {
                problem.where.file = fmt::format("training step of {}", name_);
            }
        }
        throw InputError(std::move(problems));
    }
}

}  // namespace nibble
