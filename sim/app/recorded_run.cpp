// SPDX-License-Identifier: MIT
#include "sim/app/recorded_run.h"

#include <optional>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/explore/json_reader.h"
#include "sim/explore/run_result.h"
#include "sim/import/import_options.h"

namespace nibble {

namespace {

std::optional<std::uint64_t> count_or_nothing(const JsonValue& value) {
    return value.is_null() ? std::nullopt : std::optional(value.count());
}

TraceRequest read_trace(const JsonValue& provenance) {
    if (!provenance.has("source")) {
        provenance.refuse("made by an earlier nibblesim, which did not say how to run it again: run it anew");
    }
    const JsonValue source = provenance["source"];
    TraceRequest request;
    request.name = provenance["trace"].text();
    request.from = source["from"].text();
    request.fuse = source["fusion"].truth();
    request.options.batch = count_or_nothing(source["batch"]);
    request.options.iteration = count_or_nothing(source["iteration"]);
    request.options.training = static_cast<Training>(source["training"].one_of(training_names));
    return request;
}

std::filesystem::path beside(const std::filesystem::path& result, const char* name) {
    const std::filesystem::path path = std::filesystem::path(result).replace_filename(name);
    require_regular_file(path, fmt::format("{} beside {}", name, printable(result.filename().string())));
    return path;
}

}  // namespace

RecordedRun read_recorded_run(const std::filesystem::path& path) {
    const std::filesystem::path file = result_file(path);
    const JsonValue document = read_result_document(file);
    const JsonValue provenance = document["provenance"];
    return {.file = file.string(),
            .trace = read_trace(provenance),
            .trace_hash = provenance["trace_hash"].text(),
            .phases = provenance["phases"].text(),
            .layers = provenance["layers"].text(),
            .recipe = provenance["recipe"].text(),
            .machine = beside(file, "machine.yaml"),
            .mappings = beside(file, "mappings.yaml"),
            .cycles = document["totals"]["cycles"].count()};
}

}  // namespace nibble
