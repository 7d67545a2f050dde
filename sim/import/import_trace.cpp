// SPDX-License-Identifier: MIT
#include "sim/import/import_trace.h"

#include <algorithm>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/byte_source.h"
#include "sim/import/derive/derive_training.h"
#include "sim/import/onnx/onnx_import.h"
#include "sim/import/pytorch/chakra_reader.h"
#include "sim/import/pytorch/execution_trace_reader.h"
#include "sim/import/pytorch/import_calls.h"
#include "sim/import/pytorch/kineto_reader.h"
#include "sim/import/pytorch/torch_dump_reader.h"
#include "sim/import/tables/scale_sim_reader.h"
#include "sim/import/tables/timeloop_reader.h"
#include "sim/import/tables/zigzag_reader.h"
#include "sim/input/trace_writer.h"

namespace nibble {

namespace {

namespace fs = std::filesystem;

ByteSource open_bytes(const fs::path& path) {
    return {path, may_be_source};
}

/// Opens a file that is read `times` times, and tells how far all of that is.
OpenBytes watched(const fs::path& path, std::uint64_t times, const ImportWatch& watch) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (!watch || error) {
        return [path] { return open_bytes(path); };
    }
    return [path, watch, size, all = size * times, begun = std::make_shared<std::uint64_t>(0)] {
        ByteSource source = open_bytes(path);
        const std::uint64_t before = size * (*begun)++;
        source.tell([=](std::uint64_t bytes) { watch(std::min(before + bytes, all), all); });
        return source;
    };
}

/// The file's name up to its first dot.
std::string network_name(const fs::path& path) {
    const fs::path normal = path.lexically_normal();
    const std::string name = (normal.has_filename() ? normal : normal.parent_path()).filename().string();
    const std::size_t dot = name.find('.', 1);
    return printable(dot == std::string::npos ? name : name.substr(0, dot));
}

/// The problem files of a directory, by name.
std::vector<fs::path> files_of(const fs::path& path) {
    if (!fs::is_directory(path)) {
        return {path};
    }
    constexpr std::size_t most_files = 10'000;
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
        const std::string extension = entry.path().extension().string();
        if (entry.is_regular_file() && (extension == ".yaml" || extension == ".yml")) {
            files.push_back(entry.path());
        }
        if (files.size() > most_files) {
            throw InputError({path.string(), 0, 0}, fmt::format("a directory of more than {} layers", most_files));
        }
    }
    if (files.empty()) {
        throw InputError({path.string(), 0, 0},
                         "expected a file, or a directory of Timeloop problems (*.yaml); found no such file in it");
    }
    return files;
}

StepGraph read_graph(const fs::path& path, SourceFormat format, const ImportOptions& options, ImportSummary& summary) {
    if (format == SourceFormat::timeloop) {
        return read_timeloop(files_of(path), options, summary);
    }
    ByteSource source = watched(path, 1, options.watch)();
    switch (format) {
        case SourceFormat::onnx:
            return read_onnx(source, options, summary);
        case SourceFormat::zigzag:
            return read_zigzag(source, options, summary);
        default:
            return read_scale_sim(source, options, summary);
    }
}

OpenCalls open_calls(const fs::path& path, SourceFormat format, const ImportWatch& watch) {
    // For the survey of its calls and for their translation; others than the dump before that for that of its nodes,
    // and Chakra perhaps twice.
    const OpenBytes bytes = watched(path, format == SourceFormat::torch_dump ? 2 : 3, watch);
    switch (format) {
        case SourceFormat::pytorch_et:
            return open_execution_trace(bytes);
        case SourceFormat::kineto:
            return open_kineto(bytes);
        case SourceFormat::chakra:
            return open_chakra(bytes);
        default:
            return [bytes] { return std::make_unique<TorchDumpReader>(bytes()); };
    }
}

bool is_graph(SourceFormat format) {
    return format == SourceFormat::onnx || format == SourceFormat::scale_sim || format == SourceFormat::zigzag ||
           format == SourceFormat::timeloop;
}

}  // namespace

ImportSummary import_trace(const fs::path& path, SourceFormat format, const ImportOptions& options, std::ostream& out) {
    ImportSummary summary;
    summary.format = name_of(format);
    if (!is_graph(format)) {
        import_calls(open_calls(path, format, options.watch), path.string(), network_name(path), options, out, summary);
        return summary;
    }
    if (options.iteration) {
        throw InputError(
            fmt::format("--iteration is for recordings of several steps; {} describes one", name_of(format)));
    }
    StepGraph graph = read_graph(path, format, options, summary);
    if (graph.header.name.empty()) {
        graph.header.name = network_name(path);
    }
    TraceWriter writer(out, graph.header);
    derive_training(
        std::move(graph), options, [&](const TraceItem& item) { writer.write(item); }, summary);
    writer.finish();
    return summary;
}

}  // namespace nibble
