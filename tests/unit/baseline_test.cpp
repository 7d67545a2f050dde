// SPDX-License-Identifier: MIT
#include "sim/energy/baseline.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/energy/technology.h"

namespace nibble {
namespace {

using testing::ElementsAre;

/// FPU 100, 4-way unit 55, log-gradient lane 40; the rest does not matter to a baseline.
AreaTable round_table() {
    AreaTable table;
    const auto set = [&](AreaUnit unit, double um2) {
        table.rows[static_cast<std::size_t>(unit)] = {SquareMicrometres(um2), "test"};
    };
    set(AreaUnit::fp16_fpu, 100);
    set(AreaUnit::int4_fp4_4way, 55);
    set(AreaUnit::fp8_mac, 50);
    set(AreaUnit::vector_lane, 300);
    set(AreaUnit::log_gradient_lane, 40);
    set(AreaUnit::dma_engine, 1000);
    set(AreaUnit::sequencer_entry, 7);
    return table;
}

/// rows x cols PEs of one 4-way unit only, 55% of an FPU each.
MachineParameters four_bit_machine(std::uint32_t rows, std::uint32_t cols) {
    MachineParameters machine;
    machine.name = "four";
    machine.clock_period_ps = 1000;
    machine.scratchpad = {.capacity_bytes = 4096, .resident_bytes = 64, .banks = 2, .line_bytes = 16};
    machine.log_gradient.lanes = 8;
    machine.vector_unit.lanes = 16;
    MacArrayParameters& array = machine.mac_array;
    array.rows = rows;
    array.cols = cols;
    array.pe = {.int4_fp4_4way = 1, .fp8 = 0, .fp16 = 0};
    const ArrayGeometry geometry{.rows = rows, .cols = cols, .macs_per_pe = 4};
    array.modes[static_cast<std::size_t>(ArrayMode::int4)] = geometry;
    array.modes[static_cast<std::size_t>(ArrayMode::int4_fp4)] = geometry;
    array.dataflows = {Dataflow::output_stationary};
    array.accumulator_bytes = 1 << 20;
    return machine;
}

const ArrayGeometry& fp16_geometry(const MachineParameters& machine) {
    return machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::fp16)].value();
}

TEST(BaselineTest, SameMacAreaTradesFourBitUnitsForFpus) {
    // 20 x 20 units of 55 um2 are 22,000 um2 = 220 FPUs. With 16 columns 13 rows fit: 208; with 8, 16 rows: 128.
    const MachineParameters machine = four_bit_machine(20, 20);
    const Baseline baseline = make_baseline(machine, BaselineRule::iso_mac_area, round_table());
    EXPECT_EQ(baseline.machine.name, "four-fp16-iso-mac-area");
    EXPECT_EQ(baseline.machine.mac_array.rows, 13U);
    EXPECT_EQ(baseline.machine.mac_array.cols, 16U);
    EXPECT_THAT(baseline.notes, ElementsAre("same MAC area: 22000 um2 hold 220 FP16 FPUs of 100.0 um2",
                                            "220 FPUs fit, 13 x 16 = 208 built (5.5% lost to rounding)"));
    // 4 MACs in 55% of an FPU: 7.27 before rounding, 1600 / 208 after it.
    EXPECT_DOUBLE_EQ(promised_speedup(machine, baseline.machine), 1600.0 / 208);
}

TEST(BaselineTest, AnExactFitLosesNothing) {
    // 32 x 80 units of 55 um2 are 1408 FPUs: 44 x 32.
    const MachineParameters machine = four_bit_machine(32, 80);
    const Baseline baseline = make_baseline(machine, BaselineRule::iso_mac_area, round_table());
    EXPECT_EQ(baseline.machine.mac_array.rows, 44U);
    EXPECT_EQ(baseline.machine.mac_array.cols, 32U);
    EXPECT_DOUBLE_EQ(promised_speedup(machine, baseline.machine), 4 / 0.55);
    EXPECT_DOUBLE_EQ(density_promised_by_sun, 4 / 0.55);
    EXPECT_NEAR(density_promised_by_sun, 7.27, 0.005);
}

TEST(BaselineTest, SameCoreAreaAddsTheLogGradientUnit) {
    // 22,000 um2 and 8 lanes of 40 um2: 223.2 FPUs. 13 x 16 again; with 500 lanes, 420 FPUs: 26 x 16 or 13 x 32, of
    // which only the first keeps the aspect ratio.
    MachineParameters machine = four_bit_machine(20, 20);
    EXPECT_THAT(
        make_baseline(machine, BaselineRule::iso_core_area, round_table()).notes.front(),
        "same core area: 22000 um2 of MACs and 320 um2 of the log-gradient unit hold 223 FP16 FPUs of 100.0 um2");
    machine.log_gradient.lanes = 500;
    const Baseline baseline = make_baseline(machine, BaselineRule::iso_core_area, round_table());
    EXPECT_EQ(baseline.machine.mac_array.rows, 26U);
    EXPECT_EQ(baseline.machine.mac_array.cols, 16U);
}

TEST(BaselineTest, SameMacsTakesOneFpuForEachFourBitMac) {
    // 20 x 20 x 4 = 1600 FPUs: 50 x 32 = 1600 = 25 x 64, of which only the first keeps the aspect ratio.
    const MachineParameters machine = four_bit_machine(20, 20);
    const Baseline baseline = make_baseline(machine, BaselineRule::iso_macs, round_table());
    EXPECT_EQ(baseline.machine.mac_array.rows, 50U);
    EXPECT_EQ(baseline.machine.mac_array.cols, 32U);
    EXPECT_DOUBLE_EQ(promised_speedup(machine, baseline.machine), 1);
    EXPECT_EQ(baseline.notes.front(), "same MACs: one FP16 FPU for each of 1600 4-bit MACs a cycle");
}

TEST(BaselineTest, KeepsEverythingThatIsNotArithmetic) {
    MachineParameters machine = load_machine("edge-int4");
    const Baseline baseline =
        make_baseline(machine, BaselineRule::iso_mac_area, load_technology(machine.technology).area);
    // What the rule says, applied to the machine's own text, gives the baseline's text.
    const MachineParameters& built = baseline.machine;
    machine.name = built.name;
    machine.description = built.description;
    machine.log_gradient.lanes = 0;
    machine.mac_array.rows = built.mac_array.rows;
    machine.mac_array.cols = built.mac_array.cols;
    machine.mac_array.pe = {.int4_fp4_4way = 0, .fp8 = 0, .fp16 = 1};
    machine.mac_array.modes = built.mac_array.modes;
    machine.mac_array.accumulation.chunk = built.mac_array.accumulation.chunk;
    EXPECT_EQ(effective_yaml(built), effective_yaml(machine));
}

TEST(BaselineTest, BuildsGridsThatSuitNetworks) {
    const auto grid = [](std::uint32_t units) {
        // `units` FPUs allowed: iso_macs with that many 1-MAC PEs.
        MachineParameters machine = four_bit_machine(1, units);
        machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::int4)] = ArrayGeometry{.rows = 1, .cols = units};
        const Baseline baseline = make_baseline(machine, BaselineRule::iso_macs, round_table());
        return std::pair(baseline.machine.mac_array.rows, baseline.machine.mac_array.cols);
    };
    EXPECT_EQ(grid(1), std::pair(1U, 1U));
    EXPECT_EQ(grid(2), std::pair(2U, 1U));
    EXPECT_EQ(grid(7), std::pair(3U, 2U));
    EXPECT_EQ(grid(819), std::pair(25U, 32U));
    EXPECT_EQ(grid(1024), std::pair(32U, 32U));
    EXPECT_EQ(grid(1127), std::pair(35U, 32U));
    EXPECT_EQ(grid(2150), std::pair(33U, 64U));  // 2112; 32 columns could use 64 rows: 2048
    for (std::uint32_t n = 1; n < 5000; ++n) {
        const auto [rows, cols] = grid(n);
        ASSERT_LE(rows * cols, n);
        ASSERT_LE(std::max(rows, cols), 2 * std::min(rows, cols)) << n;
        ASSERT_EQ(cols & (cols - 1), 0U) << n;
        // Less than one row is lost, and a row is at most sqrt(2n) long.
        ASSERT_LT((n - rows * cols) * (n - rows * cols), 2 * n) << n;
    }
}

TEST(BaselineTest, ShortensTheChunkWhereAFoldWouldCutIt) {
    MachineParameters machine = four_bit_machine(20, 20);
    machine.mac_array.accumulation.chunk = 64;
    EXPECT_EQ(make_baseline(machine, BaselineRule::iso_mac_area, round_table()).machine.mac_array.accumulation.chunk,
              64U);
    machine.mac_array.dataflows.push_back(Dataflow::weight_stationary);
    const Baseline area = make_baseline(machine, BaselineRule::iso_mac_area, round_table());  // 13 rows
    EXPECT_EQ(area.machine.mac_array.accumulation.chunk, 13U);
    EXPECT_EQ(area.notes.back(), "accumulation chunk 13 instead of 64: it divides the 13 rows (orders values only)");
    machine.mac_array.accumulation.chunk = 32;
    const Baseline macs = make_baseline(machine, BaselineRule::iso_macs, round_table());  // 50 rows: 25 is the largest
    EXPECT_EQ(macs.machine.mac_array.accumulation.chunk, 25U);
}

// 20 columns of partial sums in lines of 80 bytes; iso-macs builds 50 x 32 PEs, whose columns make 128 bytes a step.
TEST(BaselineTest, AccumulatorsAreWidenedOnlyWhereTheyCannotKeepUp) {
    MachineParameters machine = four_bit_machine(20, 20);
    machine.mac_array.accumulator_banks = 2;
    machine.mac_array.accumulator_line_bytes = 80;
    machine.mac_array.accumulator_ports = BankPorts::one_read_or_write;
    const Baseline same = make_baseline(machine, BaselineRule::iso_macs, round_table());
    EXPECT_EQ(same.machine.mac_array.accumulator_line_bytes, 80U) << "2 x 80 bytes a cycle take 128";
    machine.mac_array.accumulator_banks = 1;
    const Baseline widened = make_baseline(machine, BaselineRule::iso_macs, round_table());
    EXPECT_EQ(fp16_geometry(widened.machine).cols, 32U);
    const SramMacro accumulators = accumulators_of(widened.machine.mac_array);
    EXPECT_EQ(accumulators.line_bytes, 128U);
    EXPECT_EQ(accumulators.banks, 2U);
    EXPECT_EQ(widened.notes.back(), "accumulators in two banks of 128 bytes, as wide as 32 columns");
}

TEST(BaselineTest, RefusesWhatTheRuleCannotBuild) {
    MachineParameters machine = four_bit_machine(1, 1);
    try {
        static_cast<void>(make_baseline(machine, BaselineRule::iso_mac_area, round_table()));
        FAIL() << "expected an InputError";
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "baseline iso-mac-area: the area of machine 'four' does not hold one FP16 FPU");
    }
    machine.mac_array.modes = {};
    try {
        static_cast<void>(make_baseline(machine, BaselineRule::iso_macs, round_table()));
        FAIL() << "expected an InputError";
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(),
                     "baseline iso-macs: machine 'four' has no 4-bit mode to take the number of MACs from");
    }
}

TEST(BaselineTest, PresetBaselinesAreValidMachinesWithinTheirArea) {
    for (const std::string& name : data_names(DataKind::preset)) {
        const MachineParameters machine = load_machine(name);
        const AreaTable table = load_technology(machine.technology).area;
        for (std::size_t rule = 0; rule < baseline_rule_count; ++rule) {
            const Baseline baseline = make_baseline(machine, static_cast<BaselineRule>(rule), table);
            const std::string text = effective_yaml(baseline.machine);
            EXPECT_EQ(effective_yaml(parse_machine(text, baseline.machine.name)), text);
            EXPECT_EQ(fp16_geometry(baseline.machine).rows, baseline.machine.mac_array.rows);
        }
        const MachineParameters by_macs = make_baseline(machine, BaselineRule::iso_mac_area, table).machine;
        EXPECT_LE(mac_area_of(by_macs.mac_array, table), mac_area_of(machine.mac_array, table)) << name;
        const MachineParameters by_core = make_baseline(machine, BaselineRule::iso_core_area, table).machine;
        EXPECT_LE(area_of(by_core, table).total(), area_of(machine, table).total()) << name;
    }
    // ideal-memory is built on 1024 FPUs; its 7424 four-bit MACs promise 7.25.
    const MachineParameters ideal = load_machine("ideal-memory");
    const Baseline baseline = make_baseline(ideal, BaselineRule::iso_mac_area, load_technology("7nm").area);
    EXPECT_EQ(fp16_geometry(baseline.machine).rows, 32U);
    EXPECT_EQ(fp16_geometry(baseline.machine).cols, 32U);
    EXPECT_DOUBLE_EQ(promised_speedup(ideal, baseline.machine), 7.25);
}

TEST(BaselineTest, PromisedSpeedupCountsTheClockAndNeedsBothModes) {
    const MachineParameters machine = four_bit_machine(20, 20);
    MachineParameters baseline = make_baseline(machine, BaselineRule::iso_macs, round_table()).machine;
    baseline.clock_period_ps = 2000;
    EXPECT_DOUBLE_EQ(promised_speedup(machine, baseline), 2);
    EXPECT_EQ(promised_speedup(baseline, baseline), 0);
    EXPECT_EQ(promised_speedup(machine, machine), 0);
}

}  // namespace
}  // namespace nibble
