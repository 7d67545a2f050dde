// SPDX-License-Identifier: MIT
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/report/csv_field.h"
#include "sim/report/ops_csv.h"
#include "tests/unit/report_samples.h"

namespace nibble {
namespace {

TEST(CsvField, PlainTextIsLeftAlone) {
    EXPECT_EQ(csv_field("layer1.0.conv1"), "layer1.0.conv1");
    EXPECT_EQ(csv_field(""), "");
}

TEST(CsvField, QuotesWhereNeeded) {
    EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_field("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
}

TEST(CsvField, DisarmsFormulas) {
    for (const char* start : {"=", "+", "-", "@"}) {
        EXPECT_EQ(csv_field(start + std::string("1+1")), "'" + std::string(start) + "1+1");
    }
    EXPECT_EQ(csv_field("\tx"), "'\tx");
    EXPECT_EQ(csv_field("\rx"), "\"'\rx\"");
    EXPECT_EQ(csv_field("a=1"), "a=1");
}

TEST(CsvField, MakesValidUtf8) {
    EXPECT_EQ(csv_field("a\xff"), "a\xef\xbf\xbd");
    EXPECT_EQ(csv_field("\xc3\xa4"), "\xc3\xa4");
}

/// Rows of fields, by the rules of RFC 4180.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows{{""}};
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string& field = rows.back().back();
        if (quoted) {
            if (text[i] != '"') {
                field += text[i];
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                field += text[++i];
            } else {
                quoted = false;
            }
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == ',') {
            rows.back().emplace_back();
        } else if (text[i] == '\r' && text[i + 1] == '\n') {
            ++i;
            rows.push_back({""});
        } else {
            field += text[i];
        }
    }
    rows.pop_back();
    return rows;
}

std::vector<std::vector<std::string>> ops_csv(bool with_baseline, const std::string& layer = "a") {
    const Setup setup = samples::setup(with_baseline);
    std::ostringstream out;
    OpsCsv csv(out, setup);
    std::vector<OpRecord> machine = samples::machine_records();
    const std::vector<OpRecord> baseline = samples::baseline_records();
    for (std::size_t i = 0; i < machine.size(); ++i) {
        machine[i].layer = layer;
        csv.add(machine[i], with_baseline ? &baseline[i] : nullptr);
    }
    return parse_csv(out.str());
}

std::string cell(const std::vector<std::vector<std::string>>& rows, std::size_t row, const std::string& column) {
    const auto place = std::ranges::find(rows[0], column);
    return place == rows[0].end() ? "no such column" : rows[row][static_cast<std::size_t>(place - rows[0].begin())];
}

TEST(OpsCsv, OneRowAnOperationWithBothMachines) {
    const auto rows = ops_csv(true);
    ASSERT_EQ(rows.size(), 4U);
    for (const auto& row : rows) {
        EXPECT_EQ(row.size(), rows[0].size());
    }
    EXPECT_EQ(cell(rows, 1, "layer"), "a");
    EXPECT_EQ(cell(rows, 1, "mode"), "int4");
    EXPECT_EQ(cell(rows, 1, "cycles"), "150");
    EXPECT_EQ(cell(rows, 1, "energy_pj"), "1675");  // 1600 x 1 + 150 x 0.5
    EXPECT_EQ(cell(rows, 1, "predicted_cycles"), "145");
    EXPECT_EQ(cell(rows, 1, "memory_cycles"), "20");
    EXPECT_EQ(cell(rows, 1, "tile_i"), "32");
    EXPECT_EQ(cell(rows, 1, "extent_l"), "4");
    EXPECT_EQ(cell(rows, 1, "tiles_i"), "4");
    EXPECT_EQ(cell(rows, 1, "loop_order"), "jil");
    EXPECT_EQ(cell(rows, 1, "output_buffers"), "3");
    EXPECT_EQ(cell(rows, 3, "tile_i"), "");  // vector work
    EXPECT_EQ(cell(rows, 1, "baseline_cycles"), "250");
    EXPECT_EQ(cell(rows, 1, "baseline_predicted_cycles"), "0");
    EXPECT_EQ(cell(rows, 2, "gradient_conversion_cycles"), "5");
    EXPECT_EQ(cell(rows, 3, "baseline_control_cycles"), "6");
}

TEST(OpsCsv, BaselineColumnsAreEmptyWithoutOne) {
    const auto rows = ops_csv(false);
    for (const auto& row : rows) {
        EXPECT_EQ(row.size(), rows[0].size());
    }
    EXPECT_EQ(cell(rows, 1, "cycles"), "150");
    EXPECT_EQ(cell(rows, 1, "baseline_cycles"), "");
    EXPECT_EQ(cell(rows, 1, "baseline_loop_order"), "");
}

TEST(OpsCsv, ErrorsOfRecordedValues) {
    const auto setup = samples::setup(true);
    std::ostringstream out;
    OpsCsv csv(out, setup);
    std::vector<OpRecord> machine = samples::machine_records();
    std::vector<OpRecord> baseline = samples::baseline_records();
    machine[0].values = samples::values("fp4_even", {});
    baseline[0].values = samples::values("fp16", 0.25);
    csv.add(machine[0], &baseline[0]);
    const auto rows = parse_csv(out.str());
    EXPECT_EQ(rows[1].size(), rows[0].size());
    EXPECT_EQ(cell(rows, 1, "left_sqnr_db"), "20");
    EXPECT_EQ(cell(rows, 1, "right_sqnr_db"), "");
    EXPECT_EQ(cell(rows, 1, "output_relative_error"), "");
    EXPECT_EQ(cell(rows, 1, "baseline_left_sqnr_db"), "20");
    EXPECT_EQ(cell(rows, 1, "baseline_output_relative_error"), "0.5");
}

TEST(OpsCsv, HostileNamesStayInTheirField) {
    const auto rows = ops_csv(true, samples::hostile_name());
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(cell(rows, 1, "layer").substr(0, 5), "'=cmd");
    EXPECT_EQ(cell(rows, 1, "cycles"), "150");
}

}  // namespace
}  // namespace nibble
