// SPDX-License-Identifier: MIT
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/report/result_json.h"
#include "tests/unit/report_samples.h"

// valijson's headers are not clean under this project's warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace nibble {
namespace {

using Json = nlohmann::json;

/// The document as a user gets it, from records as they stream past.
Json document(bool with_baseline, const std::string& layer = "a") {
    std::vector<OpRecord> machine = samples::machine_records();
    std::vector<OpRecord> baseline = samples::baseline_records();
    Setup setup = samples::setup(with_baseline);
    setup.network = layer;
    ResultCollector collector(std::move(setup));
    std::stringstream ops;
    for (std::size_t i = 0; i < machine.size(); ++i) {
        for (OpRecord* record : {&machine[i], &baseline[i]}) {
            record->layer = record->group = layer;
        }
        const OpRecord* other = with_baseline ? &baseline[i] : nullptr;
        collector.add(machine[i], other);
        ops << op_json(machine[i], other, collector.setup()) << '\n';
    }
    const RunSummary other = samples::summary_of(baseline);
    const Result result = collector.finish(samples::summary_of(machine), with_baseline ? &other : nullptr);
    std::ostringstream out;
    write_result_json(out, result, ops);
    return Json::parse(out.str());
}

/// What the published schema has against the document.
std::string schema_problems(const Json& json) {
    std::ifstream file(NIBBLE_SOURCE_DIR "/sim/report/result.schema.json");
    const Json schema_json = Json::parse(file);
    valijson::Schema schema;
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), schema);
    valijson::ValidationResults results;
    valijson::Validator().validate(schema, valijson::adapters::NlohmannJsonAdapter(json), &results);
    std::string problems;
    for (valijson::ValidationResults::Error error; results.popError(error);) {
        for (const std::string& step : error.context) {
            problems += step;
        }
        problems += ": " + error.description + "\n";
    }
    return problems;
}

TEST(ResultJson, SaysWhatStayedOnChip) {
    const Json json = document(true)["on_chip"];
    EXPECT_EQ(json["all"]["tensors"], 4);
    EXPECT_EQ(json["all"]["load_bytes_spared"], 3072 - 512);
    EXPECT_EQ(json["all"]["store_bytes_spared"], 1024);
    EXPECT_EQ(json["by_kind"]["activation"]["load_bytes_spared"], 3072);
    EXPECT_EQ(json["by_kind"]["state"]["load_bytes_spared"], -512);
    EXPECT_EQ(json["fused_gemms"], 2);
    EXPECT_EQ(json["fused_steps"], 5);
    EXPECT_EQ(json["fused_quantizations"], 1);
}

TEST(ResultJson, SaysWhatWasExpectedOfEachMapping) {
    const Json ops = document(true)["ops"];
    EXPECT_EQ(ops[0]["predicted_cycles"], 145);
    EXPECT_EQ(ops[0]["baseline"]["predicted_cycles"], 0);
}

TEST(ResultJson, SaysHowGemmsWereMapped) {
    const Json ops = document(true)["ops"];
    EXPECT_EQ(ops[0]["mapping"], Json::parse(R"({"tile": {"batch": 1, "i": 32, "j": 4, "l": 2},
                                                 "extent": {"batch": 1, "i": 100, "j": 4, "l": 4},
                                                 "tiles": {"batch": 1, "i": 4, "j": 1, "l": 2}, "order": "jil",
                                                 "buffers": {"left": 1, "right": 2, "output": 3}})"));
    EXPECT_TRUE(ops[2]["mapping"].is_null());
}

TEST(ResultJson, FollowsThePublishedSchema) {
    EXPECT_EQ(schema_problems(document(true)), "");
    EXPECT_EQ(schema_problems(document(false)), "");
}

TEST(ResultJson, ShowsTheRunOverTimeIfItIsThere) {
    EXPECT_FALSE(document(true).contains("series"));
    SeriesRecorder recorder;
    recorder.add(Counter::mac_int4, 0, 2, 10);
    recorder.add(Counter::cycles, 0, 2, 2);
    ResultCollector collector(samples::setup(false));
    for (const OpRecord& record : samples::machine_records()) {
        collector.add(record, nullptr);
    }
    RunSummary summary = samples::summary_of(samples::machine_records());
    summary.series = std::make_shared<const Series>(recorder.series());
    const Result result = collector.finish(std::move(summary), nullptr);
    std::ostringstream out;
    std::istringstream no_operations;
    write_result_json(out, result, no_operations);
    const Json json = Json::parse(out.str());
    EXPECT_EQ(schema_problems(json), "");
    const Json& series = json["series"]["machine"];
    EXPECT_TRUE(json["series"]["baseline"].is_null());
    EXPECT_EQ(series["bucket_cycles"], 1);
    EXPECT_EQ(series["macs"], Json::array({5, 5}));
    EXPECT_EQ(series["units"]["mac_array"], Json::array({0, 0}));
    EXPECT_EQ(series["energy_pj"], Json::array({5.5, 5.5}));  // 1 pJ a MAC, 0.5 pJ a cycle
}

TEST(ResultJson, SchemaIsStrict) {
    Json json = document(true);
    json["ops"][0].erase("cycles");
    EXPECT_NE(schema_problems(json), "");
    json = document(true);
    json["totals"]["cycle"] = 1;
    EXPECT_NE(schema_problems(json), "");
    json = document(true);
    json["schema"] = "nibblesim-result-0";
    EXPECT_NE(schema_problems(json), "");
}

double sum_of(const Json& object) {
    double sum = 0;
    for (const auto& [key, value] : object.items()) {
        sum += value.get<double>();
    }
    return sum;
}

TEST(ResultJson, Headline) {
    const Json json = document(true);
    EXPECT_EQ(json["totals"]["cycles"], 310);
    EXPECT_EQ(json["totals"]["macs"], 2000);
    EXPECT_DOUBLE_EQ(json["totals"]["seconds"], 310e-9);
    EXPECT_DOUBLE_EQ(json["totals"]["energy_pj"], 5555);
    EXPECT_DOUBLE_EQ(json["totals"]["samples_per_second"], 2 / 310e-9);
    EXPECT_DOUBLE_EQ(json["totals"]["tops_per_watt"], 2.0 * 2000 / 5555);  // operations a pJ
    EXPECT_EQ(json["baseline"]["totals"]["cycles"], 356);
    EXPECT_DOUBLE_EQ(json["baseline"]["totals"]["energy_pj"], 16778);
    EXPECT_DOUBLE_EQ(json["speedup"], 712.0 / 310);
    EXPECT_DOUBLE_EQ(json["energy_gain"], 16778.0 / 5555);
    EXPECT_DOUBLE_EQ(json["promised_speedup"], 4);  // 16 MACs in 1 ns against 8 in 2 ns
}

TEST(ResultJson, EnergyPartsAddUpExactly) {
    const Json json = document(true);
    for (const Json& side : {json, json["baseline"]}) {
        const Json& totals = side["totals"];
        double by_component = 0;  // in the document's order, which nlohmann::json does not keep
        for (const std::string_view component : energy_component_names) {
            by_component += totals["energy"]["by_component"][std::string(component)].get<double>();
        }
        EXPECT_EQ(by_component, totals["energy_pj"].get<double>());
        for (const auto& [component, energy] : totals["energy"]["by_component"].items()) {
            double by_counter = 0;
            for (const Json& line : totals["energy"]["by_counter"]) {
                by_counter += line["component"] == component ? line["energy_pj"].get<double>() : 0;
            }
            EXPECT_EQ(by_counter, energy.get<double>()) << component;
        }
    }
}

TEST(ResultJson, OperationsAndTablesAddUpToTotals) {
    const Json json = document(true);
    for (const char* table : {"ops", "phases", "groups", "modes"}) {
        double cycles = 0;
        double energy = 0;
        double baseline_cycles = 0;
        double baseline_energy = 0;
        for (const Json& row : json[table]) {
            cycles += row["cycles"].get<double>();
            energy += row["energy_pj"].get<double>();
            baseline_cycles += row["baseline"]["cycles"].get<double>();
            baseline_energy += row["baseline"]["energy_pj"].get<double>();
            EXPECT_EQ(sum_of(row["causes"]), row["cycles"].get<double>()) << table;
        }
        EXPECT_EQ(cycles, 310) << table;
        EXPECT_EQ(baseline_cycles, 356) << table;
        EXPECT_DOUBLE_EQ(energy, 5555) << table;
        EXPECT_DOUBLE_EQ(baseline_energy, 16778) << table;
    }
    EXPECT_EQ(sum_of(json["totals"]["causes"]), 310);
    EXPECT_EQ(sum_of(json["units"][0]["cycles"]), 310);
}

TEST(ResultJson, WithoutBaseline) {
    const Json json = document(false);
    EXPECT_TRUE(json["baseline"].is_null());
    EXPECT_TRUE(json["speedup"].is_null());
    EXPECT_TRUE(json["energy_gain"].is_null());
    EXPECT_FALSE(json["ops"][0].contains("baseline"));
}

TEST(ResultJson, HostileNamesAreSafe) {
    const std::string name = samples::hostile_name();
    const Json json = document(true, name);
    EXPECT_EQ(schema_problems(json), "");
    std::string expected = name;  // the two bytes that are no UTF-8 are replaced, all else is kept
    expected.replace(expected.find('\x80'), 2, "\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(json["ops"][0]["layer"], expected);
    EXPECT_EQ(json["provenance"]["network"], expected);
}

TEST(ResultJson, ValuesOfGemms) {
    std::vector<OpRecord> machine = samples::machine_records();
    std::vector<OpRecord> baseline = samples::baseline_records();
    machine[0].values = samples::values("fp4_even", {});
    machine[1].values = samples::values("fp4_odd", 0.125);
    baseline[1].values = samples::values("fp16", 0.0);
    const auto setup = samples::setup();
    Json document_with_values = document(true);
    for (std::size_t i = 0; i < machine.size(); ++i) {
        document_with_values["ops"][i] = Json::parse(op_json(machine[i], &baseline[i], setup));
    }
    EXPECT_EQ(schema_problems(document_with_values), "");

    const Json& ops = document_with_values["ops"];
    const Json one = {{"operand", "w"}, {"side", "right"}, {"source", "hashed"}, {"format", "int4_signed"}};
    EXPECT_EQ(ops[0]["values"]["operands"][1], one);
    EXPECT_FALSE(ops[0]["values"].contains("output"));
    EXPECT_FALSE(ops[0]["baseline"].contains("values"));
    const Json recorded = {{"operand", "dy"},   {"side", "left"},        {"source", "recorded"}, {"format", "fp4_odd"},
                           {"elements", 8},     {"range", "grad_scale"}, {"clip", 16.0},         {"scale", 0.25},
                           {"scale_log2", 2},   {"sqnr_db", 20.0},       {"clipped", 0.125},     {"underflowed", 0.25},
                           {"zero_codes", 0.5}, {"non_zero", 0.75},      {"toggle_rate", 0.375}};
    EXPECT_EQ(ops[1]["values"]["operands"][0], recorded);
    EXPECT_TRUE(ops[1]["values"]["operands"][1]["scale_log2"].is_null());
    EXPECT_TRUE(ops[1]["values"]["operands"][1]["sqnr_db"].is_null());
    EXPECT_TRUE(ops[1]["values"]["operands"][1]["toggle_rate"].is_null());
    const Json output = {{"relative_error", 0.125},
                         {"cosine_similarity", 0.5},
                         {"array_relative_error", 0.25},
                         {"array_cosine_similarity", 0.25},
                         {"overflowed", 0.0}};
    EXPECT_EQ(ops[1]["values"]["output"], output);
    EXPECT_EQ(ops[1]["baseline"]["values"]["output"]["relative_error"], 0.0);
    EXPECT_FALSE(ops[2].contains("values"));

    document_with_values["ops"][1]["values"]["operands"][0]["toggle_rate"] = 1.5;
    EXPECT_NE(schema_problems(document_with_values), "");
}

TEST(ResultJson, NoOperationsIsStillADocument) {
    std::stringstream none;
    std::ostringstream out;
    write_result_json(out, samples::result(), none);
    EXPECT_EQ(Json::parse(out.str())["ops"], Json::array());
}

}  // namespace
}  // namespace nibble
