// SPDX-License-Identifier: MIT
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/explore/point_table.h"
#include "tests/support/memory_file.h"
#include "tests/unit/explore_samples.h"

namespace nibble {
namespace {

using test::point;
using testing::HasSubstr;

PointTable table_from(std::string_view text) {
    const test::MemoryFile file(text);
    return read_points_json(file.path());
}

std::string json_of(const PointTable& table) {
    std::ostringstream out;
    write_points_json(out, table);
    return out.str();
}

std::string problem_of(std::string_view text) {
    try {
        static_cast<void>(table_from(text));
    } catch (const InputError& error) {
        return error.what();
    }
    return "none";
}

PointTable varied_table() {
    PointTable table = test::small_table();
    table.rows.push_back(point(0, {"32", "25.6"}, {0.1 + 0.2, 1e30}));
    table.rows.push_back(point(1, {"64", "\"<&,\n\x01"}, {std::nullopt, -0.0}, "=cmd,\"x\""));
    table.rows.push_back(point(UINT64_MAX, {"", "ä"}, {std::nullopt, std::nullopt}));
    table.rows[2].status = PointStatus::invalid;
    table.rows[2].fidelity = std::nullopt;
    table.rows[2].reason = "rows: expected 32 or 64, found ''";
    return table;
}

/// `text` with the first `from` replaced.
std::string with(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(PointTable, ReadsWhatItWrote) {
    const PointTable table = varied_table();
    const PointTable back = table_from(json_of(table));
    EXPECT_EQ(back.study, table.study);
    EXPECT_EQ(back.axes, table.axes);
    EXPECT_EQ(back.metrics, table.metrics);
    ASSERT_EQ(back.objectives.size(), 2U);
    EXPECT_EQ(back.objectives[1].metric, "speedup");
    EXPECT_TRUE(back.objectives[1].maximize);
    ASSERT_EQ(back.rows.size(), table.rows.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        EXPECT_EQ(back.rows[i].design, table.rows[i].design);
        EXPECT_EQ(back.rows[i].machine, table.rows[i].machine);
        EXPECT_EQ(back.rows[i].workload, table.rows[i].workload);
        EXPECT_EQ(back.rows[i].values, table.rows[i].values);
        EXPECT_EQ(back.rows[i].status, table.rows[i].status);
        EXPECT_EQ(back.rows[i].fidelity, table.rows[i].fidelity);
        EXPECT_EQ(back.rows[i].key, table.rows[i].key);
        EXPECT_EQ(back.rows[i].reason, table.rows[i].reason);
        EXPECT_EQ(back.rows[i].metrics, table.rows[i].metrics);
    }
    EXPECT_EQ(json_of(back), json_of(table));
}

TEST(PointTable, APointIsALine) {
    const std::string text = json_of(varied_table());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7 + 3 + 2);  // head, points, end
    EXPECT_THAT(text, HasSubstr("\"energy_pj\": 0.30000000000000004, \"speedup\": 1e+30}"));
}

TEST(PointTable, EmptyTableIsATable) {
    EXPECT_TRUE(table_from(json_of(test::small_table())).rows.empty());
}

TEST(PointTable, NumbersThatAreNoneAreABugOfOurs) {
    PointTable table = test::small_table();
    table.rows.push_back(point(0, {"1", "2"}, {std::numeric_limits<double>::quiet_NaN(), 1}));
    EXPECT_THROW(json_of(table), ModelError);
    table.rows[0].metrics[0] = std::numeric_limits<double>::infinity();
    EXPECT_THROW(json_of(table), ModelError);
}

TEST(PointTable, CsvQuotesAndDisarms) {
    PointTable table = varied_table();
    table.rows[0].values = {"-1", "-x"};
    std::ostringstream out;
    write_points_csv(out, table);
    EXPECT_THAT(out.str(),
                testing::StartsWith("design,machine,workload,rows,bw,status,fidelity,energy_pj,speedup,key,"
                                    "reason\r\n0,base,net,-1,'-x,ok,composed,0.30000000000000004,1e+30,"
                                    "0123,\r\n1,base,\"'=cmd,\"\"x\"\"\",64,\"\"\"<&,\n\x01\",ok,composed,,0,"
                                    "0123,\r\n"));
    EXPECT_THAT(out.str(), HasSubstr(",invalid,,,,0123,\"rows: expected 32 or 64, found ''\"\r\n"));
}

TEST(PointTable, RefusesWhatIsWrongAndSaysWhere) {
    const std::string good = json_of(varied_table());
    EXPECT_THAT(problem_of(with(good, "points-1", "points-9")), HasSubstr("schema: expected 'nibblesim-points-1'"));
    EXPECT_THAT(problem_of(with(good, "\"study\"", "\"studi\"")),
                HasSubstr("unknown key 'studi' (did you mean 'study'?)"));
    EXPECT_THAT(problem_of(with(good, "\"rows\": \"32\", ", "")), HasSubstr("points[0].values: 'rows' is missing"));
    EXPECT_THAT(problem_of(with(good, "\"rows\": \"32\"", "\"rows\": 32")),
                HasSubstr("points[0].values.rows: expected text, found 32"));
    EXPECT_THAT(problem_of(with(good, "\"ok\"", "\"okay\"")), HasSubstr("points[0].status: expected one of ok"));
    EXPECT_THAT(problem_of(with(good, "\"composed\"", "\"simulatd\"")), HasSubstr("did you mean 'simulated'?"));
    EXPECT_THAT(problem_of(with(good, "\"design\": 0", "\"design\": -1")), HasSubstr("expected a count, found -1"));
    EXPECT_THAT(problem_of(with(good, "1e+30", "1e+309")), HasSubstr("a number is too large"));
    EXPECT_THAT(problem_of(with(good, "1e+30", "-1e+101")),
                HasSubstr("points[0].metrics.speedup: expected a number no"));
    EXPECT_THAT(problem_of(with(good, "1e+30", "NaN")), HasSubstr(":8:"));  // the first point's line
    EXPECT_THAT(problem_of(with(good, "1e+30", "\"1\"")),
                HasSubstr("points[0].metrics.speedup: expected a number, found \"1\""));
    EXPECT_THAT(problem_of(with(good, "[\"rows\", \"bw\"]", "[\"rows\", \"rows\"]")), HasSubstr("is there twice"));
    EXPECT_THAT(problem_of(with(good, "{\"metric\": \"speedup\"", "{\"metric\": \"speedups\"")),
                HasSubstr("there is no metric 'speedups' (did you mean 'speedup'?)"));
    EXPECT_THAT(problem_of(with(good, "\"design\": 0,", "\"design\": 0, \"design\": 0,")),
                HasSubstr("key 'design' is there twice"));
    EXPECT_THAT(problem_of(std::string(100'000, '[')), HasSubstr("nested deeper than 32 levels"));
    EXPECT_THAT(problem_of("[]"), HasSubstr("expected an object"));
    EXPECT_THAT(problem_of(""), HasSubstr("the file is empty"));
    EXPECT_THAT(problem_of("\xff"), HasSubstr("expected text in UTF-8"));
    EXPECT_THROW(static_cast<void>(read_points_json("/nowhere/points.json")), InputError);
}

TEST(PointTable, DamagedBytesAreReadOrRefused) {
    const std::string good = json_of(varied_table());
    std::mt19937_64 random(1);
    constexpr std::string_view spice = "{}[]\",:0e-+.nul\\tf \x01\xff";
    int read = 0;
    for (int i = 0; i < 5000; ++i) {
        std::string bad = good;
        for (std::uint64_t changes = random() % 3 + 1; changes > 0; --changes) {
            const std::size_t at = random() % bad.size();
            switch (random() % 4) {
                case 0:
                    bad[at] = static_cast<char>(random());
                    break;
                case 1:
                    bad[at] = spice[random() % spice.size()];
                    break;
                case 2:
                    bad.erase(at, random() % 40);
                    break;
                default:
                    bad.insert(at, bad.substr(random() % bad.size(), 20));
                    break;
            }
        }
        try {
            const PointTable table = table_from(bad);
            static_cast<void>(json_of(table));  // has the shape of a table
            ++read;
        } catch (const InputError&) {
            continue;
        }
    }
    EXPECT_GT(read, 0);     // changed digits and names
    EXPECT_LT(read, 4000);  // most changes are damage
    for (std::size_t length = 1; length < good.size() - 2; ++length) {
        EXPECT_NE(problem_of(good.substr(0, length)), "none") << length;
    }
}

}  // namespace
}  // namespace nibble
