// SPDX-License-Identifier: MIT
#include "sim/page/run_data.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/base/content_hash.h"
#include "sim/base/error.h"
#include "sim/config/text_file.h"
#include "sim/counters/counter.h"
#include "sim/energy/energy_model.h"
#include "sim/explore/json_reader.h"
#include "sim/explore/run_result.h"
#include "sim/page/text_list.h"
#include "sim/report/number_format.h"

namespace nibble {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Keys = std::initializer_list<const char*>;

constexpr std::size_t most_machine_bytes = std::size_t{1} << 20U;

/// A number; whole ones without a point.
Json number_of(const JsonValue& value) {
    const double number = value.number();
    constexpr double exact = 9007199254740992;  // 2^53
    if (std::abs(number) <= exact && number == std::floor(number)) {
        return static_cast<std::int64_t>(number);
    }
    return number;
}

Json number_or_null(const JsonValue& value) {
    return value.is_null() ? Json(nullptr) : number_of(value);
}

Json text_or_null(const JsonValue& value) {
    return value.is_null() ? Json(nullptr) : Json(value.text());
}

void copy_numbers(Json& to, const JsonValue& from, Keys keys) {
    for (const char* key : keys) {
        to[key] = number_of(from[key]);
    }
}

void copy_texts(Json& to, const JsonValue& from, Keys keys) {
    for (const char* key : keys) {
        to[key] = from[key].text();
    }
}

/// An object of numbers, whatever their names are.
Json numbers_of(const JsonValue& from) {
    Json to = Json::object();
    for (const auto& [key, value] : from.members()) {
        to[key] = number_of(value);
    }
    return to;
}

template <class Names>
Json named_numbers(const JsonValue& from, const Names& names) {
    Json to = Json::object();
    for (const auto& name : names) {
        to[std::string(name)] = number_of(from[name]);
    }
    return to;
}

Json list_of_numbers(const JsonValue& from) {
    Json to = Json::array();
    for (const JsonValue& item : from.items()) {
        to.push_back(number_of(item));
    }
    return to;
}

Json list_of_texts(const JsonValue& from) {
    Json to = Json::array();
    for (const JsonValue& item : from.items()) {
        to.push_back(item.text());
    }
    return to;
}

Json provenance_data(const JsonValue& from) {
    Json to;
    copy_texts(to, from,
               {"program", "program_hash", "trace", "trace_hash", "network", "phases", "layers", "clock", "machine",
                "recipe", "technology"});
    copy_numbers(to, from, {"batch"});
    to["values"] = from["values"].truth();
    to["energy_sources"] = list_of_texts(from["energy_sources"]);
    const JsonValue baseline = from["baseline"];
    to["baseline"] = baseline.is_null() ? Json(nullptr) : Json{{"rule", baseline["rule"].text()}};
    if (!baseline.is_null()) {
        to["baseline"]["notes"] = list_of_texts(baseline["notes"]);
    }
    return to;
}

Json totals_data(const JsonValue& from) {
    Json to;
    copy_numbers(
        to, from,
        {"operations", "cycles", "seconds", "macs", "energy_pj", "dram_bytes_read", "dram_bytes_written", "utilization",
         "samples_per_second", "watts", "tops", "tops_per_watt", "chip_tops_per_watt", "activity_pj"});
    to["causes"] = named_numbers(from["causes"], cause_names);
    to["energy"] = named_numbers(from["energy"]["by_component"], energy_component_names);
    return to;
}

/// What result.json says of the machine at its top, and of the baseline inside.
Json side_data(const JsonValue& from) {
    const JsonValue machine = from["machine"];
    Json to;
    copy_texts(to, machine, {"name", "recipe", "technology"});
    copy_numbers(to, machine, {"clock_period_ps", "scratchpad_bytes_per_second"});
    to["peak_macs_per_second"] = numbers_of(machine["peak_macs_per_second"]);
    to["dram_bytes_per_second"] = number_or_null(machine["dram_bytes_per_second"]);
    to["dram_energy"] = text_or_null(machine["dram_energy"]);
    to["totals"] = totals_data(from["totals"]);
    to["units"] = Json::array();
    for (const JsonValue& unit : from["units"].items()) {
        to["units"].push_back(
            {{"unit", unit["unit"].text()}, {"cycles", named_numbers(unit["cycles"], activity_names)}});
    }
    to["area_um2"] = numbers_of(from["area"]["by_unit_um2"]);
    copy_numbers(to["simulation"], from["simulation"], {"wall_seconds", "edges", "values_checked"});
    copy_numbers(to["on_chip"], from["on_chip"]["all"], {"tensors", "load_bytes_spared", "store_bytes_spared"});
    copy_numbers(to["on_chip"], from["on_chip"], {"fused_gemms", "fused_steps", "fused_quantizations"});
    return to;
}

Json mapping_data(const JsonValue& from) {
    if (from.is_null()) {
        return nullptr;
    }
    Json to;
    for (const char* key : {"tile", "extent", "tiles"}) {
        copy_numbers(to[key], from[key], {"batch", "i", "j", "l"});
    }
    copy_texts(to, from, {"order"});
    copy_numbers(to["buffers"], from["buffers"], {"left", "right", "output"});
    return to;
}

/// Operations as rows; texts are places in a list of different ones.
class OperationTable {
public:
    explicit OperationTable(bool with_baseline) : with_baseline_(with_baseline) {
        columns_ = {"index", "layer", "group", "phase", "kind", "batch", "m", "n", "k", "macs"};
        name_measured("");
        if (with_baseline) {
            name_measured("baseline.");
        }
    }

    void add(const JsonValue& op) {
        Json row = Json::array();
        row.push_back(number_of(op["index"]));
        for (const char* key : {"layer", "group", "phase", "kind"}) {
            row.push_back(texts_.place_of(op[key].text()));
        }
        for (const char* key : {"batch", "m", "n", "k", "macs"}) {
            row.push_back(number_of(op[key]));
        }
        add_measured(row, op);
        if (with_baseline_) {
            add_measured(row, op["baseline"]);
        }
        rows_.push_back(std::move(row));
    }

    [[nodiscard]] Json json() && {
        return {{"columns", std::move(columns_)},
                {"text_columns",
                 {"layer", "group", "phase", "kind", "mode", "dataflow", "baseline.mode", "baseline.dataflow"}},
                {"texts", texts_.texts()},
                {"rows", std::move(rows_)}};
    }

private:
    static constexpr const char* measured_texts_[] = {"mode", "dataflow"};
    static constexpr const char* measured_numbers_[] = {"cycles",          "utilization",        "energy_pj",
                                                        "dram_bytes_read", "dram_bytes_written", "scratchpad_bytes",
                                                        "predicted_cycles"};

    void name_measured(const std::string& prefix) {
        for (const char* key : measured_texts_) {
            columns_.push_back(prefix + key);
        }
        for (const char* key : measured_numbers_) {
            columns_.push_back(prefix + key);
        }
        for (const std::string_view cause : cause_names) {
            columns_.push_back(fmt::format("{}causes.{}", prefix, cause));
        }
        for (const std::string_view component : energy_component_names) {
            columns_.push_back(fmt::format("{}energy.{}", prefix, component));
        }
        columns_.push_back(prefix + "mapping");
    }

    void add_measured(Json& row, const JsonValue& part) {
        for (const char* key : measured_texts_) {
            row.push_back(texts_.place_of(part[key].text()));
        }
        for (const char* key : measured_numbers_) {
            row.push_back(number_of(part[key]));
        }
        const JsonValue causes = part["causes"];
        for (const std::string_view cause : cause_names) {
            row.push_back(number_of(causes[cause]));
        }
        const JsonValue energy = part["energy"];
        for (const std::string_view component : energy_component_names) {
            row.push_back(number_of(energy[component]));
        }
        row.push_back(mapping_data(part["mapping"]));
    }

    bool with_baseline_;
    Json columns_ = Json::array();
    TextList texts_;
    Json rows_ = Json::array();
};

Json series_side(const JsonValue& from) {
    Json to;
    const JsonValue bucket = from["bucket_cycles"];
    if (bucket.count() == 0) {
        bucket.refuse("expected at least 1");
    }
    to["bucket_cycles"] = bucket.count();
    to["units"] = Json::object();
    for (const auto& [unit, busy] : from["units"].members()) {
        to["units"][unit] = list_of_numbers(busy);
    }
    for (const char* key : {"dram_bytes_read", "dram_bytes_written", "dram_row_hits", "dram_row_misses"}) {
        to[key] = list_of_numbers(from[key]);
    }
    if (from.has("scratchpad")) {  // results of earlier versions have none
        const JsonValue scratchpad = from["scratchpad"];
        Json& room = to["scratchpad"];
        copy_numbers(room, scratchpad, {"capacity_bytes", "resident_capacity_bytes"});
        for (const char* key : {"tile_byte_cycles", "resident_byte_cycles"}) {
            room[key] = list_of_numbers(scratchpad[key]);
        }
    }
    return to;
}

Json series_data(const JsonValue& document) {
    if (!document.has("series") || document["series"].is_null()) {
        return nullptr;
    }
    const JsonValue from = document["series"];
    Json to = {{"machine", series_side(from["machine"])}, {"baseline", nullptr}};
    if (from.has("baseline") && !from["baseline"].is_null()) {
        to["baseline"] = series_side(from["baseline"]);
    }
    return to;
}

Json waterfall_data(const JsonValue& from) {
    Json to = Json::array();
    for (const JsonValue& step : from.items()) {
        Json json;
        copy_texts(json, step, {"step", "what"});
        copy_numbers(json, step, {"factor", "speedup"});
        to.push_back(std::move(json));
    }
    return to;
}

Json file_data(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json{{"text", text}, {"hash", ContentHash().bytes(text).text()}};
}

/// The run in a sentence.
std::string summary_of(const RunResult& run) {
    constexpr double joules_per_pj = 1e-12;
    std::string text = fmt::format("{}: {} a training step, {}", run.machine, with_prefix(run.seconds, "s"),
                                   with_prefix(run.total.energy_pj * joules_per_pj, "J"));
    if (run.speedup && run.energy_gain) {
        text +=
            fmt::format("; {} as fast as the baseline, {} less energy", ratio(*run.speedup), ratio(*run.energy_gain));
    }
    return text + ".";
}

}  // namespace

RunFiles files_of_run(const fs::path& path) {
    std::error_code error;
    RunFiles files;
    files.result = result_file(path);
    files.name = path.string();
    const auto beside = [&](const char* name) {
        const fs::path file = fs::path(files.result).replace_filename(name);
        return fs::exists(file, error) ? read_text_file(file, most_machine_bytes) : std::string();
    };
    files.machine = beside("machine.yaml");
    files.baseline = beside("baseline.yaml");
    return files;
}

RunPage page_of_run(const RunFiles& files) {
    const JsonValue document = read_result_document(files.result);
    const RunResult run = read_run_result(document, files.result.string());  // throws unless its parts add up
    Json data = {{"name", files.name}, {"result_hash", hash_of_file(files.result)}};
    data["provenance"] = provenance_data(document["provenance"]);
    for (const char* key : {"speedup", "energy_gain", "promised_speedup", "paper_speedup"}) {
        data[key] = number_or_null(document[key]);
    }
    const JsonValue baseline = document["baseline"];
    data["machine"] = side_data(document);
    data["baseline"] = baseline.is_null() ? Json(nullptr) : side_data(baseline);
    data["waterfall"] = waterfall_data(document["waterfall"]);
    OperationTable operations(!baseline.is_null());
    for (const JsonValue& op : document["ops"].items()) {
        operations.add(op);
    }
    data["ops"] = std::move(operations).json();
    data["series"] = series_data(document);
    data["files"] = {{"machine", file_data(files.machine)}, {"baseline", file_data(files.baseline)}};
    return {std::move(data), summary_of(run)};
}

}  // namespace nibble
