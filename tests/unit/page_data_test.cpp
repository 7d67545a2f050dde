// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/page/page_bundle.h"
#include "sim/page/run_data.h"
#include "sim/page/study_data.h"
#include "sim/report/result_json.h"
#include "tests/unit/report_samples.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;

class PageData : public testing::Test {
protected:
    PageData() : folder_(fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()) {
        fs::create_directories(folder_);
    }
    ~PageData() override { fs::remove_all(folder_); }
    PageData(const PageData&) = delete;
    PageData& operator=(const PageData&) = delete;

    fs::path write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }

    /// The samples' result, as result.json has it.
    static Json result(bool with_baseline = true) {
        std::ostringstream lines;
        const auto setup_of_run = samples::setup(with_baseline);
        const auto machine = samples::machine_records();
        const auto baseline = samples::baseline_records();
        for (std::size_t i = 0; i < machine.size(); ++i) {
            lines << op_json(machine[i], with_baseline ? &baseline[i] : nullptr, setup_of_run) << '\n';
        }
        std::istringstream ops(lines.str());
        std::ostringstream out;
        write_result_json(out, samples::result(with_baseline), ops);
        return Json::parse(out.str());
    }

    Json data_of(const Json& result) const {
        write("result.json", result.dump());
        return page_of_run(files_of_run(folder_)).data;
    }

    std::string refusal(const std::function<void(Json&)>& damage) const {
        Json damaged = result();
        damage(damaged);
        try {
            static_cast<void>(data_of(damaged));
        } catch (const InputError& error) {
            return to_string(error.problems().front());
        }
        return "nothing was thrown";
    }

    fs::path folder_;
};

/// A cell of the packed operations.
Json cell(const Json& data, std::size_t row, const std::string& column) {
    const Json& ops = data["ops"];
    const auto is = [&](const Json& one) { return one == column; };
    const auto place = std::find_if(ops["columns"].begin(), ops["columns"].end(), is) - ops["columns"].begin();
    const Json& value = ops["rows"][row][static_cast<std::size_t>(place)];
    const bool text = std::any_of(ops["text_columns"].begin(), ops["text_columns"].end(), is);
    return text ? ops["texts"][value.get<std::size_t>()] : value;
}

TEST_F(PageData, EveryNumberIsThatOfTheResult) {
    const Json result = PageData::result();
    const Json data = data_of(result);
    for (const char* key : {"speedup", "energy_gain", "promised_speedup", "paper_speedup", "waterfall"}) {
        EXPECT_EQ(data[key], result[key]) << key;
    }
    const auto expect_side = [](const Json& side, const Json& original) {
        for (const auto& [key, value] : side["totals"].items()) {
            EXPECT_EQ(value, key == "energy" ? original["totals"]["energy"]["by_component"] : original["totals"][key])
                << key;
        }
        EXPECT_EQ(side["units"], original["units"]);
        // Names stand in another order here.
        EXPECT_EQ(nlohmann::json(side["area_um2"]), nlohmann::json(original["area"]["by_unit_um2"]));
    };
    expect_side(data["machine"], result);
    expect_side(data["baseline"], result["baseline"]);
    ASSERT_EQ(data["ops"]["rows"].size(), result["ops"].size());
    for (std::size_t i = 0; i < result["ops"].size(); ++i) {
        const Json& op = result["ops"][i];
        for (const char* key :
             {"index", "layer", "phase", "kind", "m", "macs", "mode", "cycles", "energy_pj", "scratchpad_bytes"}) {
            EXPECT_EQ(cell(data, i, key), op[key]) << key;
        }
        EXPECT_EQ(cell(data, i, "baseline.cycles"), op["baseline"]["cycles"]);
        EXPECT_EQ(cell(data, i, "baseline.causes.memory"), op["baseline"]["causes"]["memory"]);
        EXPECT_EQ(cell(data, i, "energy.dram"), op["energy"]["dram"]);
        EXPECT_EQ(cell(data, i, "mapping"), op["mapping"]);
    }
    EXPECT_TRUE(data["series"].is_null());
}

TEST_F(PageData, WithoutABaseline) {
    const Json data = data_of(result(false));
    EXPECT_TRUE(data["baseline"].is_null());
    EXPECT_TRUE(data["speedup"].is_null());
    for (const Json& column : data["ops"]["columns"]) {
        EXPECT_FALSE(column.get<std::string>().starts_with("baseline.")) << column;
    }
}

TEST_F(PageData, MachinesBesideTheResultAreTaken) {
    write("machine.yaml", "name: four-bit\n");
    const Json data = data_of(result());
    EXPECT_EQ(data["files"]["machine"]["text"], "name: four-bit\n");
    EXPECT_TRUE(data["files"]["baseline"].is_null());
}

TEST_F(PageData, SeriesAreTaken) {
    const Json side = {{"bucket_cycles", 8},
                       {"units", {{"mac_array", {3, 8}}}},
                       {"dram_bytes_read", {64, 0}},
                       {"dram_bytes_written", {0, 32}},
                       {"dram_row_hits", {1, 0}},
                       {"dram_row_misses", {0, 1}},
                       {"scratchpad",
                        {{"capacity_bytes", 4096},
                         {"resident_capacity_bytes", 1024},
                         {"tile_byte_cycles", {8000, 0}},
                         {"resident_byte_cycles", {0, 512}}}}};
    Json with = result();
    with["series"] = {{"machine", side}, {"baseline", nullptr}};
    EXPECT_EQ(data_of(with)["series"]["machine"], side);
    Json earlier = with;
    earlier["series"]["machine"].erase("scratchpad");
    EXPECT_FALSE(data_of(earlier)["series"]["machine"].contains("scratchpad"));
    earlier = with;
    earlier["series"]["machine"]["scratchpad"].erase("tile_byte_cycles");
    EXPECT_THROW(static_cast<void>(data_of(earlier)), InputError);
    with["series"]["machine"]["bucket_cycles"] = 0;
    EXPECT_THROW(static_cast<void>(data_of(with)), InputError);
    with["series"]["machine"].erase("bucket_cycles");
    EXPECT_THROW(static_cast<void>(data_of(with)), InputError);
}

TEST_F(PageData, WhatIsMissingOrDamagedIsNamed) {
    EXPECT_THAT(refusal([](Json& json) { json["schema"] = "nibblesim-points-1"; }), HasSubstr("nibblesim-result-2"));
    EXPECT_THAT(refusal([](Json& json) { json["machine"].erase("technology"); }),
                HasSubstr("machine: 'technology' is missing"));
    EXPECT_THAT(refusal([](Json& json) { json["baseline"]["units"][0]["cycles"]["busy"] = "many"; }),
                HasSubstr("baseline.units[0].cycles.busy: expected a number"));
    EXPECT_THAT(refusal([](Json& json) { json["ops"][1].erase("mapping"); }),
                HasSubstr("ops[1]: 'mapping' is missing"));
    EXPECT_THAT(refusal([](Json& json) { json["ops"][0].erase("baseline"); }),
                HasSubstr("ops[0]: 'baseline' is missing"));
    EXPECT_THAT(refusal([](Json& json) { json["waterfall"] = 7; }), HasSubstr("waterfall: expected a list"));
    EXPECT_THAT(refusal([](Json& json) { json["totals"]["cycles"] = 1; }), HasSubstr("damaged"));
}

TEST_F(PageData, Studies) {
    PointTable table;
    table.study = "rows";
    table.axes = {"rows"};
    table.metrics = {"energy_pj", "speedup"};
    table.objectives = {{"energy_pj", false}};
    table.rows = {
        {0, "edge", "net", {"16"}, PointStatus::ok, Fidelity::composed, "k0", "", {1.0, 2.0}},
        {1, "edge", "net", {"32"}, PointStatus::ok, Fidelity::composed, "k1", "", {3.0, 2.0}},
        {2, "edge", "net", {"0"}, PointStatus::invalid, std::nullopt, "", "no rows", {std::nullopt, std::nullopt}}};
    const Json data = study_data(table);
    EXPECT_EQ(data["texts"], Json({"16", "edge", "net", "", "32", "0", "no rows"}));
    EXPECT_EQ(data["rows"][1], Json::parse(R"([1, 1, 2, "ok", 1, 3, [4], [3.0, 2.0]])"));
    EXPECT_EQ(data["rows"][2], Json::parse(R"([2, 1, 2, "invalid", null, 6, [5], [null, null]])"));
    EXPECT_EQ(
        data["metrics"][0],
        Json::parse(R"({"name": "energy_pj", "quantity": "energy", "unit": "J", "factor": 1e-12, "prefixes": true})"));
    // Two points, two values: the axis explains all of the energy, (3 - 1) / 2 of its mean apart, and nothing of the
    // speed-up.
    EXPECT_DOUBLE_EQ(data["sensitivity"][0]["effects"][0]["share"].get<double>(), 1);
    EXPECT_DOUBLE_EQ(data["sensitivity"][0]["effects"][0]["range"].get<double>(), 1);
    EXPECT_DOUBLE_EQ(data["sensitivity"][1]["effects"][0]["share"].get<double>(), 0);
}

TEST_F(PageData, BundlesAreChecked) {
    const std::string hash = "sha256-" + std::string(43, 'A') + "=";
    const auto bundle = [&](const std::string& script, const std::string& of_script) {
        write("report.js", script);
        write("report.css", "a{}");
        write("bundle.json", Json{{"script", of_script}, {"style", hash}, {"sources", "00"}}.dump());
        return read_page_bundle(folder_);
    };
    EXPECT_EQ(bundle("a()", hash).script, "a()");
    EXPECT_EQ(bundle("a()", hash).style_hash, hash);
    EXPECT_THROW(bundle("\"</script>\"", hash), InputError);
    EXPECT_THROW(bundle("a()", "sha256-x' 'unsafe-inline"), InputError);
    fs::remove(folder_ / "report.css");
    EXPECT_THROW(static_cast<void>(read_page_bundle(folder_)), InputError);
    EXPECT_FALSE(load_page_bundle().script.empty());
}

}  // namespace
}  // namespace nibble
