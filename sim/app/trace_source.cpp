// SPDX-License-Identifier: MIT
#include "sim/app/trace_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"
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

TraceSource::TraceSource(const std::string& name, std::optional<std::uint64_t> batch) : name_(name), path_(name) {
    if (!names_workload(name)) {
        std::error_code error;
        if (!fs::exists(name, error) && name.find('/') == std::string::npos) {
            throw InputError(fmt::format("'{}' is neither a trace file nor a built-in workload{}", printable(name),
                                         suggestion(name, data_names(DataKind::workload))));
        }
        require_regular_file(path_, "a trace");
        if (batch) {
            throw InputError("--batch is for workloads: a trace says its batch itself");
        }
        return;
    }
    temporary_ = std::make_unique<TemporaryFile>();
    path_ = temporary_->path();
    std::ofstream file(path_, std::ios::binary);
    write_workload_trace(name, batch.value_or(default_batch), file);
    if (!file.flush()) {
        throw InputError(fmt::format("temporary file for the trace of '{}' cannot be written: {}", printable(name),
                                     std::strerror(errno)));
    }
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
