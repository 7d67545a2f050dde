// SPDX-License-Identifier: MIT
#include "sim/app/recorded_run.h"

#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/explore/json_reader.h"
#include "sim/import/import_options.h"
#include "sim/report/result_json.h"

namespace nibble {

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 30;

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
    std::error_code error;
    const auto file = std::filesystem::is_directory(path, error) ? path / "result.json" : path;
    const JsonValue document = JsonValue::read(file, most_bytes);
    if (const JsonValue schema = document["schema"]; schema.text() != result_schema_name) {
        schema.refuse(fmt::format("expected '{}', found '{}'", result_schema_name, printable(schema.text())));
    }
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
