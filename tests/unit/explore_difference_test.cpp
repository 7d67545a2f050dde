// SPDX-License-Identifier: MIT
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/explore/machine_difference.h"
#include "sim/explore/result_difference.h"
#include "sim/explore/run_result.h"
#include "tests/support/memory_file.h"

namespace nibble {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Cycles by cause in the order of cause_names.
json cost(const CauseCycles& causes, double energy_pj) {
    json by_cause;
    for (std::size_t i = 0; i < cause_count; ++i) {
        by_cause[std::string(cause_names[i])] = causes[i];
    }
    return {{"cycles", std::accumulate(causes.begin(), causes.end(), std::uint64_t{0})},
            {"energy_pj", energy_pj},
            {"causes", by_cause}};
}

json operation(std::uint64_t index, std::string_view layer, std::string_view phase, const CauseCycles& causes,
               double energy_pj) {
    json op = cost(causes, energy_pj);
    op["index"] = index;
    op["layer"] = layer;
    op["phase"] = phase;
    op["kind"] = phase == "vector" ? "relu" : "gemm";
    return op;
}

/// A result whose totals and phases follow from its operations.
json result(const std::vector<json>& operations) {
    std::map<std::string, std::pair<CauseCycles, double>> sums;
    for (const json& op : operations) {
        for (const std::string& part : {std::string("all"), op["phase"].get<std::string>()}) {
            for (std::size_t i = 0; i < cause_count; ++i) {
                sums[part].first[i] += op["causes"][std::string(cause_names[i])].get<std::uint64_t>();
            }
            sums[part].second += op["energy_pj"].get<double>();
        }
    }
    json phases = json::array();
    for (const auto& [phase, sum] : sums) {
        if (phase != "all") {
            phases.push_back(cost(sum.first, sum.second));
            phases.back()["phase"] = phase;
        }
    }
    json totals = cost(sums["all"].first, sums["all"].second);
    totals["seconds"] = totals["cycles"].get<double>() * 1e-9;
    for (const std::string_view component : energy_component_names) {
        totals["energy"]["by_component"][std::string(component)] = 0;
    }
    totals["energy"]["by_component"]["dram"] = sums["all"].second;
    return {{"schema", "nibblesim-result-2"},
            {"provenance",
             {{"program", "nibblesim 1"},
              {"trace", "net.trace"},
              {"network", "net"},
              {"batch", 1},
              {"phases", "all"},
              {"layers", "*"},
              {"machine", "edge"},
              {"recipe", "int4-fp4"},
              {"technology", "7nm"},
              {"baseline", nullptr}}},
            {"speedup", nullptr},
            {"energy_gain", nullptr},
            {"totals", totals},
            {"phases", phases},
            {"ops", operations}};
}

json first_run() {
    return result({operation(0, "conv1", "forward", {100, 5, 0, 0, 20, 1}, 10),
                   operation(0, "conv1", "dw", {50, 5, 0, 0, 0, 0}, 4),
                   operation(1, "fc", "forward", {7, 0, 0, 0, 3, 0}, 1),
                   operation(2, "relu", "vector", {0, 0, 0, 9, 1, 0}, 2)});
}

/// DRAM twice as slow for conv1, another layer in the place of fc, and no relu.
json second_run() {
    return result({operation(0, "conv1", "forward", {90, 5, 0, 0, 45, 1}, 12.5),
                   operation(0, "conv1", "dw", {50, 5, 0, 0, 0, 0}, 4.25),
                   operation(1, "head", "forward", {8, 0, 0, 0, 3, 0}, 1)});
}

RunResult read(const json& document) {
    const test::MemoryFile file(document.dump());
    return read_run_result(file.path());
}

std::string problem_of(const json& document) {
    try {
        static_cast<void>(read(document));
    } catch (const InputError& error) {
        return error.what();
    }
    return "none";
}

TEST(ResultDifference, SaysWhatMovedAndWhy) {
    const ResultDifference difference = difference_of(read(first_run()), read(second_run()));
    EXPECT_EQ(difference.whole.cycles(), 207 - 201);
    ASSERT_EQ(difference.operations.size(), 5U);
    const OperationChange& conv = difference.operations[0];
    EXPECT_EQ(conv.layer, "conv1");
    EXPECT_EQ(conv.phase, "forward");
    EXPECT_EQ(conv.change.cycles(), 15);
    EXPECT_EQ(cause_names[conv.change.cause().value()], "memory");
    EXPECT_EQ(conv.change.energy_pj(), 2.5);
    EXPECT_EQ(difference.operations[1].layer, "head");
    EXPECT_TRUE(difference.operations[1].in_b && !difference.operations[1].in_a);
    EXPECT_EQ(difference.operations[1].change.cycles(), 11);
    EXPECT_EQ(difference.operations[2].layer, "relu");  // as far as fc, but more energy
    EXPECT_EQ(difference.operations[3].layer, "fc");
    EXPECT_EQ(difference.operations[3].change.cycles(), -10);
    EXPECT_EQ(difference.operations[4].change.cycles(), 0);
    EXPECT_FALSE(difference.operations[4].change.cause().has_value());
    ASSERT_EQ(difference.phases.size(), 3U);
    EXPECT_EQ(difference.phases[2].phase, "vector");
    EXPECT_EQ(difference.phases[2].change.cycles(), -10);
}

TEST(ResultDifference, PartsAddUpToTheWhole) {
    const ResultDifference difference = difference_of(read(first_run()), read(second_run()));
    std::int64_t by_cause = 0;
    for (std::size_t i = 0; i < cause_count; ++i) {
        std::int64_t of_operations = 0;
        for (const OperationChange& op : difference.operations) {
            of_operations += op.change.cycles(i);
        }
        EXPECT_EQ(of_operations, difference.whole.cycles(i)) << cause_names[i];
        by_cause += difference.whole.cycles(i);
    }
    EXPECT_EQ(by_cause, difference.whole.cycles());
    std::int64_t by_phase = 0;
    double energy_by_phase = 0;
    for (const PhaseChange& phase : difference.phases) {
        by_phase += phase.change.cycles();
        energy_by_phase += phase.change.energy_pj();
    }
    EXPECT_EQ(by_phase, difference.whole.cycles());
    EXPECT_EQ(energy_by_phase, difference.whole.energy_pj());  // numbers of this test are exact in binary
    EXPECT_EQ(difference.whole.energy_pj(), 17.75 - 17);
}

TEST(ResultDifference, OfEqualRunsIsNothing) {
    const ResultDifference difference = difference_of(read(first_run()), read(first_run()));
    EXPECT_TRUE(difference.setup.empty());
    EXPECT_EQ(difference.whole.cycles(), 0);
    for (const OperationChange& op : difference.operations) {
        EXPECT_TRUE(op.in_a && op.in_b);
        EXPECT_EQ(op.change.cycles(), 0);
    }
}

TEST(ResultDifference, OperationsOfTheSameNameAreMatchedInOrder) {
    const CauseCycles ten{10, 0, 0, 0, 0, 0};
    const CauseCycles two{2, 0, 0, 0, 0, 0};
    const json twice = result({operation(0, "a", "dw", ten, 1), operation(0, "a", "dw", two, 1)});
    const json once = result({operation(0, "a", "dw", ten, 1)});
    const ResultDifference difference = difference_of(read(twice), read(once));
    ASSERT_EQ(difference.operations.size(), 2U);
    EXPECT_EQ(difference.operations[0].change.cycles(), -2);
    EXPECT_FALSE(difference.operations[0].in_b);
    EXPECT_EQ(difference.operations[1].change.cycles(), 0);
    for (const OperationChange& op : difference_of(read(twice), read(twice)).operations) {
        EXPECT_EQ(op.change.cycles(), 0);
    }
}

TEST(ResultDifference, OperationsAreFoundWhereverTheyStand) {
    const CauseCycles ten{10, 0, 0, 0, 0, 0};
    const json all = result({operation(0, "a", "forward", ten, 1), operation(1, "b", "forward", ten, 1)});
    const json some = result({operation(0, "b", "forward", ten, 1)});
    const ResultDifference difference = difference_of(read(all), read(some));
    ASSERT_EQ(difference.operations.size(), 2U);
    EXPECT_EQ(difference.operations[0].layer, "a");
    EXPECT_FALSE(difference.operations[0].in_b);
    EXPECT_EQ(difference.operations[1].layer, "b");
    EXPECT_TRUE(difference.operations[1].in_a && difference.operations[1].in_b);
}

TEST(ResultDifference, SaysWhatElseWasRun) {
    json other = second_run();
    other["provenance"]["program"] = "nibblesim 2";
    other["provenance"]["batch"] = 4;
    other["provenance"]["baseline"] = {{"rule", "iso-macs"}};
    const ResultDifference difference = difference_of(read(first_run()), read(other));
    ASSERT_EQ(difference.setup.size(), 3U);
    EXPECT_EQ(difference.setup[0].what, "program");
    EXPECT_EQ(difference.setup[1].what, "batch");
    EXPECT_EQ(difference.setup[1].a, "1");
    EXPECT_EQ(difference.setup[1].b, "4");
    EXPECT_EQ(difference.setup[2].b, "iso-macs");
}

TEST(RunResult, RefusesWhatDoesNotAddUp) {
    EXPECT_EQ(problem_of(first_run()), "none");
    json bad = first_run();
    bad["ops"][1]["causes"]["memory"] = 1;
    EXPECT_THAT(problem_of(bad), HasSubstr("ops[1].causes: damaged: causes sum to 56 of 55 cycles"));
    bad = first_run();
    bad["ops"].erase(1);
    EXPECT_THAT(problem_of(bad), HasSubstr("ops: damaged: 146 cycles do not add up to the 201 of the run"));
    bad = first_run();
    bad["ops"].push_back(bad["ops"][0]);
    EXPECT_THAT(problem_of(bad), HasSubstr("ops[4]: damaged: more cycles so far than the 201 of the run"));
    bad = first_run();
    bad["phases"].erase(0);
    EXPECT_THAT(problem_of(bad), HasSubstr("phases: damaged"));
    bad = first_run();
    bad["totals"]["energy"]["by_component"]["dma"] = 1;
    EXPECT_THAT(problem_of(bad), HasSubstr("by_component: damaged: 18 pJ are not the 17 pJ of the run"));
    bad = first_run();
    bad["totals"]["energy_pj"] = -1;
    EXPECT_THAT(problem_of(bad), HasSubstr("expected no less than 0"));
    bad = first_run();
    bad["totals"]["cycles"] = std::uint64_t{1} << 60U;
    EXPECT_THAT(problem_of(bad), HasSubstr("totals.cycles: more than"));
    bad = first_run();
    bad["schema"] = "nibblesim-points-1";
    EXPECT_THAT(problem_of(bad), HasSubstr("schema: expected 'nibblesim-result-2'"));
    bad = first_run();
    bad.erase("phases");
    EXPECT_THAT(problem_of(bad), HasSubstr("'phases' is missing"));
    EXPECT_THAT(problem_of(json::array()), HasSubstr("expected an object"));
}

TEST(MachineDifference, NamesParameters) {
    const test::MemoryFile a("name: a\nclock_period_ps: 1000\nmac_array:\n  rows: 32\n  modes: [x, y]\ndma: {}\n");
    const test::MemoryFile b("name: b\nclock_period_ps: 1000\nmac_array:\n  rows: 64\n  modes: [x]\n  chunk: 8\n");
    const auto changes = machine_differences(a.path(), b.path());
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_EQ(changes[0].parameter, "mac_array.rows");
    EXPECT_EQ(changes[0].a, "32");
    EXPECT_EQ(changes[0].b, "64");
    EXPECT_EQ(changes[1].parameter, "mac_array.modes[1]");
    EXPECT_EQ(changes[1].b, std::nullopt);
    EXPECT_EQ(changes[2].parameter, "mac_array.chunk");
    EXPECT_EQ(changes[2].a, std::nullopt);
    EXPECT_TRUE(machine_differences(a.path(), a.path()).empty());
    const test::MemoryFile bad("a: [");
    EXPECT_THROW(machine_differences(a.path(), bad.path()), InputError);
}

}  // namespace
}  // namespace nibble
