// SPDX-License-Identifier: MIT
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "sim/report/metrics.h"
#include "sim/report/waterfall.h"
#include "tests/unit/report_samples.h"

namespace nibble {
namespace {

TEST(Waterfall, StepsAreRatiosOfHypotheticalTimes) {
    // Times in ns, machine (1 ns a cycle) and baseline (2 ns a cycle):
    //   array        2000 / 16 = 125                    2 * 2000 / 8 = 500
    //   precision    1600 / 16 + 400 / 4 = 200          500
    //   utilization  120 + 100 = 220                    2 * (220 + 60) = 560
    //   fill_drain   220 + 10 + 10 = 240                2 * (280 + 5) = 570
    //   memory       240 + 20 = 260                     2 * (285 + 25) = 620
    //   conversion   260 + 5 = 265                      620
    //   vector       265 + 10 + 30 = 305                2 * (310 + 10 + 30) = 700
    //   control      305 + 1 + 4 = 310                  2 * (350 + 6) = 712
    const std::map<std::string, double> expected{
        {"paper", 4 / 0.55},          {"array", 500.0 / 125},      {"precision", 500.0 / 200},
        {"utilization", 560.0 / 220}, {"fill_drain", 570.0 / 240}, {"memory", 620.0 / 260},
        {"conversion", 620.0 / 265},  {"vector", 700.0 / 305},     {"control", 712.0 / 310}};
    const std::vector<WaterfallStep> steps = waterfall_of(samples::result());
    ASSERT_EQ(steps.size(), expected.size());
    for (const WaterfallStep& step : steps) {
        EXPECT_DOUBLE_EQ(step.speedup, expected.at(step.name)) << step.name;
    }
}

TEST(Waterfall, ProductOfFactorsIsTheMeasuredSpeedup) {
    const Result result = samples::result();
    double product = 1;
    for (const WaterfallStep& step : waterfall_of(result)) {
        product *= step.factor;
        EXPECT_NEAR(product, step.speedup, 1e-12) << step.name;
    }
    EXPECT_NEAR(product, speedup(whole_run(result), result.setup), 1e-12);
}

TEST(Waterfall, NothingToSayWithoutBaselineOrMacs) {
    EXPECT_TRUE(waterfall_of(samples::result(false)).empty());
    Result vector_only = samples::result();
    for (Outcome* outcome : {&vector_only.machine, &*vector_only.baseline}) {
        outcome->totals.counters[index_of(Counter::mac_int4)] = 0;
        outcome->totals.counters[index_of(Counter::mac_fp16)] = 0;
    }
    EXPECT_TRUE(waterfall_of(vector_only).empty());
}

TEST(Metrics, Totals) {
    const Result result = samples::result();
    const Comparison all = whole_run(result);
    EXPECT_DOUBLE_EQ(speedup(all, result.setup), 712.0 / 310);
    // Machine: 1600 x 1 + 400 x 8 + 300 x 2 + 310 x 0.5; baseline: 2000 x 8 + 300 x 2 + 356 x 0.5.
    EXPECT_DOUBLE_EQ(energy_pj(all.machine, result.setup.machine), 5555);
    EXPECT_DOUBLE_EQ(energy_pj(all.baseline, *result.setup.baseline), 16778);
    EXPECT_DOUBLE_EQ(energy_gain(all, result.setup), 16778.0 / 5555);
    EXPECT_DOUBLE_EQ(utilization_of(all.machine, result.setup.machine.machine), 200.0 / 310);
}

TEST(Metrics, UtilizationOfAnOperation) {
    OpRecord record = samples::machine_records()[0];
    EXPECT_DOUBLE_EQ(utilization_of(record), 100.0 / 150);  // 1600 MACs at 16 a cycle
    samples::set(record, Counter::cycles, 60);              // it began under its predecessor
    EXPECT_DOUBLE_EQ(utilization_of(record), 1);
    samples::set(record, Counter::cycles, 0);
    EXPECT_DOUBLE_EQ(utilization_of(record), 1);
    EXPECT_DOUBLE_EQ(utilization_of(samples::machine_records()[2]), 0);
}

TEST(Metrics, FastestMode) {
    EXPECT_EQ(fastest_mode(samples::four_bit_machine()), ArrayMode::int4_fp4);
    EXPECT_EQ(fastest_mode(samples::sixteen_bit_machine()), ArrayMode::fp16);
}

TEST(Metrics, DramBandwidth) {
    MachineParameters machine = samples::four_bit_machine();
    EXPECT_FALSE(dram_bytes_per_second(machine));
    machine.ideal_memory = false;
    machine.dram.channels = 4;
    EXPECT_NEAR(*dram_bytes_per_second(machine), 51.2e9, 1);  // 4 x 16 bits x 6.4 GT/s
}

}  // namespace
}  // namespace nibble
