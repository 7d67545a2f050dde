// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/energy/energy_model.h"
#include "sim/energy/technology.h"
#include "tests/support/plain_sram.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ---- Tables

/// What the SRAM model prices.
bool accesses_sram(const CounterInfo& info) {
    return info.component == "scratchpad" || info.name.starts_with("accumulator");
}

/// A complete table in which every action costs 1 pJ and every unit takes 1 um2, but for SRAM, one row a line. Line 3
/// is the first energy row.
std::string plain_table() {
    std::string text = "technology: plain\nenergy:\n";
    for (const CounterInfo& info : counter_info) {
        if (info.priced && info.component != "dram" && !accesses_sram(info)) {
            text += fmt::format("  - {{component: {}, action: {}, pj: 1, source: s}}\n", info.component, info.name);
        }
    }
    text += "area:\n";
    for (const std::string_view unit : area_unit_names) {
        text += fmt::format("  - {{unit: {}, um2: 1, source: s}}\n", unit);
    }
    text += "sram: {table: cacti7, node_nm: 22, energy: 1, leakage: 1, area: 1, source: s}\n";
    return text;
}

/// LPDDR5-6400 from devices that draw 10 mA at 1 V in standby, whatever the state, and nothing more for any command.
DramEnergyTable plain_dram() {
    const DramSupply supply{.name = "VDD",
                            .volts = 1,
                            .idd0_ma = 10,
                            .idd2n_ma = 10,
                            .idd2p_ma = 10,
                            .idd3n_ma = 10,
                            .idd3p_ma = 10,
                            .idd4r_ma = 10,
                            .idd4w_ma = 10,
                            .idd5_ma = 10};
    const DramCurrents currents{
        .data_bits = 16, .data_rate_mtps = 6400, .t_ras_ns = 40, .t_rp_ns = 20, .t_rfc_ns = 300, .supplies = {supply}};
    return {{{.standard = "LPDDR5-6400", .device = "a plain one", .currents = currents, .source = "s"}}};
}

/// plain_table() with the line that holds `part` replaced; "" removes it.
std::string plain_table_with(const std::string& part, const std::string& replacement) {
    std::string text = plain_table();
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    const std::size_t start = text.rfind('\n', at) + 1;
    const std::size_t end = text.find('\n', at) + 1;
    return text.replace(start, end - start, replacement.empty() ? "" : replacement + "\n");
}

std::vector<std::string> problems_of(const std::string& text) {
    std::vector<std::string> lines;
    try {
        static_cast<void>(parse_technology(text, "t.yaml"));
    } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) {
            lines.push_back(to_string(problem));
        }
    }
    return lines;
}

TEST(TechnologyTest, EveryTechnologyIsCompleteAndNothingInItIsUnused) {
    EXPECT_THAT(data_names(DataKind::energy), ElementsAre("45nm", "7nm"));
    for (const std::string& name : data_names(DataKind::energy)) {
        const Technology technology = load_technology(name);
        EXPECT_EQ(technology.name, name);
        EXPECT_THAT(technology.warnings, testing::IsEmpty());
        const EnergyModel model(technology, load_dram_energy(), load_machine("server-int4"));
        for (std::size_t i = 0; i < counter_count; ++i) {
            const double each = model.price_of(static_cast<Counter>(i)).count();
            EXPECT_EQ(each > 0, counter_info[i].priced) << name << ' ' << counter_info[i].name;
        }
    }
}

TEST(TechnologyTest, FourBitMacsFollowThePublishedRatio) {
    // Sun et al. 2020, section 6: a 4-way INT4 x FP4 unit takes 0.55 of an FP16 FPU; FP8 has 2.05 times its density.
    for (const std::string& name : data_names(DataKind::energy)) {
        const Technology technology = load_technology(name);
        const auto area = [&](AreaUnit unit) { return technology.area.each(unit).count(); };
        EXPECT_NEAR(area(AreaUnit::int4_fp4_4way) / area(AreaUnit::fp16_fpu), 0.55, 1e-4);
        EXPECT_NEAR(area(AreaUnit::fp8_mac) / area(AreaUnit::fp16_fpu), 1 / 2.05, 1e-4);
        const auto pj = [&](Counter counter) {
            for (const EnergyRow& row : technology.energy) {
                if (row.action == counter && row.form == PriceForm::pj) {
                    return row.value;
                }
            }
            return 0.0;
        };
        EXPECT_NEAR(pj(Counter::mac_int4_fp4) / pj(Counter::mac_fp16), 0.55 / 4, 1e-3);
        EXPECT_NEAR(pj(Counter::mac_fp8) / pj(Counter::mac_fp16), 1 / 2.05, 1e-3);
    }
}

TEST(TechnologyTest, ReadsAPlainTable) {
    const Technology technology = parse_technology(plain_table(), "t.yaml");
    EXPECT_EQ(technology.name, "plain");
    EXPECT_THAT(technology.warnings, testing::IsEmpty());
    EXPECT_EQ(technology.area.each(AreaUnit::vector_lane), SquareMicrometres(1));
    EXPECT_EQ(technology.area.rows[0].source, "s");
}

TEST(TechnologyTest, RefusesACounterWithoutAPrice) {
    EXPECT_THAT(problems_of(plain_table_with("mac_fp8", "")),
                ElementsAre("t.yaml:3:3: energy: no row prices 'mac_fp8'"));
    EXPECT_THAT(problems_of(plain_table_with("um2: 1, source: s}", "")),
                ElementsAre(testing::EndsWith(": area: no row gives the area of 'fp16_fpu'")));
}

TEST(TechnologyTest, RefusesAFileWithoutTables) {
    EXPECT_THAT(problems_of("technology: x\n"),
                ElementsAre("t.yaml:1:1: missing key 'energy'", "t.yaml:1:1: missing key 'area'",
                            "t.yaml:1:1: missing key 'sram'"));
}

TEST(TechnologyTest, WarnsOfARowThatPricesNothing) {
    const Technology technology = parse_technology(
        plain_table_with("area:", "  - {component: mac_array, action: mac_int8, pj: 1, source: s}\narea:"), "t.yaml");
    ASSERT_EQ(technology.warnings.size(), 1U);
    EXPECT_EQ(technology.warnings[0].where.column, 36U);
    EXPECT_EQ(technology.warnings[0].what,
              "action: prices nothing: there is no counter 'mac_int8' (did you mean 'mac_int4'?)");
}

TEST(TechnologyTest, RefusesRowsThatMakeNoSense) {
    // The row of mac_int4 is the first one, on line 3.
    const auto with_first_row = [](const std::string& row) {
        return problems_of(plain_table_with("action: mac_int4,", "  - {" + row + "}"));
    };
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, pj: -1, source: s"),
                ElementsAre("t.yaml:3:50: energy[0].pj: expected a number of at least 0, found '-1'"));
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, mw_per_mm2: 1, source: s"),
                ElementsAre("t.yaml:3:58: energy[0].mw_per_mm2: cannot price 'mac_int4', which counts in MAC"));
    EXPECT_THAT(with_first_row("component: dma, action: mac_int4, pj: 1, source: s"),
                ElementsAre("t.yaml:3:17: energy[0].component: expected 'mac_array', found 'dma'"));
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, pj: 1, mw_per_mm2: 1, source: s"),
                ElementsAre("t.yaml:3:65: energy[0].mw_per_mm2: a row has one price; write a second row for another"));
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, source: s"),
                ElementsAre("t.yaml:3:17: energy[0].component: the row has no price: expected one of pj, "
                            "pj_per_register_bit, mw_per_mm2"));
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, pj: 1"),
                ElementsAre("t.yaml:3:5: energy[0]: missing key 'source'"));
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, pj: 1, source: ''"),
                ElementsAre("t.yaml:3:61: energy[0].source: every number needs its source"));
    EXPECT_THAT(with_first_row("component: mac_array, action: mac_int4, pj: 1, source: s, standard: LPDDR5-6400"),
                ElementsAre("t.yaml:3:64: energy[0]: unknown key 'standard'"));
    EXPECT_THAT(with_first_row("component: dram, action: dram_activates, pj: 1, source: s"),
                ElementsAre("t.yaml:3:31: energy[0].action: the energy of DRAM does not depend on the technology: "
                            "'dram_activates' is priced by dram.yaml",
                            "t.yaml:3:3: energy: no row prices 'mac_int4'"));
    const std::string row = "  - {component: mac_array, action: mac_int4, pj: 1, source: s}";
    EXPECT_THAT(problems_of(plain_table_with("action: mac_int4,", row + "\n" + row)),
                ElementsAre("t.yaml:4:36: energy[1].action: 'mac_int4' is priced in pj on line 3 already"));
}

TEST(TechnologyTest, RefusesAPriceForInformation) {
    EXPECT_THAT(problems_of(plain_table_with(
                    "area:", "  - {component: vector_unit, action: vector_macs, pj: 1, source: s}\narea:")),
                ElementsAre(HasSubstr("action: 'vector_macs' is information only and must not be priced")));
}

TEST(TechnologyTest, SramIsPricedByItsSectionAlone) {
    EXPECT_THAT(
        problems_of(plain_table_with("action: mac_int4,",
                                     "  - {component: mac_array, action: mac_int4, pj: 1, source: s}\n  - {component: "
                                     "scratchpad, action: left_lines_read, pj: 1, source: s}")),
        ElementsAre(HasSubstr("action: the price of 'left_lines_read' follows from section sram; remove it")));
    const auto with_section = [](const std::string& section) {
        return problems_of(plain_table_with("sram:", "sram: {" + section + "}"));
    };
    EXPECT_THAT(with_section("table: cacti8, node_nm: 22, energy: 1, leakage: 1, area: 1, source: s"),
                ElementsAre(HasSubstr("sram.table: unknown SRAM table 'cacti8' (did you mean 'cacti7'?)")));
    EXPECT_THAT(with_section("table: cacti7, node_nm: 32, energy: 1, leakage: 1, area: 1, source: s"),
                ElementsAre(HasSubstr("sram.node_nm: the SRAM table has no row at 32 nm; its nodes are: 22, 45")));
    EXPECT_THAT(
        with_section("table: cacti7, node_nm: 22, energy: 0, leakage: 1, area: 1, source: ''"),
        ElementsAre(HasSubstr("sram.energy: expected a number above 0"), HasSubstr("every number needs its source")));
}

TEST(TechnologyTest, RefusesAreasThatMakeNoSense) {
    EXPECT_THAT(problems_of(plain_table_with("um2: 1, source: s}", "  - {unit: fp16_fpu, um2: 0, source: s}")),
                ElementsAre(HasSubstr("area[0].um2: expected a number above 0, found '0'")));
    EXPECT_THAT(problems_of(plain_table_with("unit: vector_lane", "  - {unit: vector_lame, um2: 1, source: s}")),
                testing::Contains(HasSubstr("found 'vector_lame' (did you mean 'vector_lane'?)")));
    const std::string row = "  - {unit: vector_lane, um2: 1, source: s}";
    EXPECT_THAT(problems_of(plain_table_with("unit: vector_lane", row + "\n" + row)),
                ElementsAre(HasSubstr("area[4].unit: 'vector_lane' has an area already")));
}

// ---- Model

/// A machine of round numbers: 4 x 2 PEs, lines of 16 bytes, 2 channels, 500 ps.
MachineParameters round_machine() {
    MachineParameters machine;
    machine.clock_period_ps = 500;
    machine.sequencer.queue_entries = 1;
    machine.dram.channels = 2;
    machine.scratchpad = {.capacity_bytes = 100, .resident_bytes = 0, .banks = 1, .line_bytes = 16};
    machine.mac_array.rows = 4;
    machine.mac_array.cols = 2;
    machine.mac_array.pe = {.int4_fp4_4way = 1, .fp8 = 1, .fp16 = 1};
    machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::int4)] =
        ArrayGeometry{.rows = 4, .cols = 2, .macs_per_pe = 8};
    machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::fp8)] =
        ArrayGeometry{.rows = 4, .cols = 2, .macs_per_pe = 2};
    machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::fp16)] =
        ArrayGeometry{.rows = 4, .cols = 2, .macs_per_pe = 1, .cycles_per_step = 4};
    machine.vector_unit.lanes = 10;
    return machine;
}

TEST(EnergyModelTest, PricesEveryFormForTheMachine) {
    std::string table =
        plain_table_with("action: cycles, pj",
                         "  - {component: static, action: cycles, mw_per_mm2: 1000000, source: s}\n"
                         "  - {component: mac_array, action: mac_int4, pj_per_register_bit: 0.5, source: s}\n"
                         "  - {component: mac_array, action: mac_fp16, pj_per_register_bit: 0.5, source: s}");
    const MachineParameters machine = round_machine();
    Technology technology = parse_technology(table, "t.yaml");
    technology.area.sram = SramModel();  // SRAM that takes nothing
    const EnergyModel model(technology, plain_dram(), machine);
    EXPECT_DOUBLE_EQ(model.price_of(Counter::mac_fp8).count(), 1);
    // 1 pJ, and for 8 MACs in a step 2 operands of 8 x 4 bits and 32 bits of partial sum: 96 / 8 bits a MAC.
    EXPECT_DOUBLE_EQ(model.price_of(Counter::mac_int4).count(), 1 + 0.5 * 12);
    // One MAC in a step, however long: 2 x 16 + 32 bits.
    EXPECT_DOUBLE_EQ(model.price_of(Counter::mac_fp16).count(), 1 + 0.5 * 64);
    // Area: 8 PEs x 3 datapaths, 10 lanes, 2 DMA engines, 5 queues of 1 entry = 41 um2 = 41e-6 mm2, at 1e6 mW/mm2 for
    // 500 ps: 41 mW x 0.5 ns = 20.5 pJ.
    EXPECT_DOUBLE_EQ(model.price_of(Counter::cycles).count(), 20.5);
    // A rank of LPDDR5 is one device: 10 mW for a memory clock of 1.25 ns.
    EXPECT_DOUBLE_EQ(model.price_of(Counter::dram_active_standby_cycles).count(), 12.5);
    CounterValues counters{};
    counters[index_of(Counter::cycles)] = 10;
    counters[index_of(Counter::dram_active_standby_cycles)] = 24;
    const EnergyBreakdown energy = model.price(counters);
    EXPECT_DOUBLE_EQ(energy[EnergyComponent::leakage].count(), 205);
    EXPECT_DOUBLE_EQ(energy[EnergyComponent::dram].count(), 300);
    EXPECT_DOUBLE_EQ(energy.total().count(), 505);
    EXPECT_DOUBLE_EQ(energy.chip().count(), 205);
}

// The plain SRAM takes 2 pJ a byte read and 3 written, and 0.25 mW a byte of capacity.
// An FP16 MAC of 1 pJ, 0.4 pJ of it in the multiplier. Operands toggle 10% and 30% of their bits, 20% in the mean and
// not the 50% of random ones: 0.4 * (0.2 / 0.5 - 1) = -0.24 pJ a MAC.
TEST(EnergyModelTest, MultipliersFollowTheTogglingOfRecordedOperands) {
    std::string text = plain_table();
    const std::string row = "action: mac_fp16, pj: 1,";
    text.replace(text.find(row), row.size(), row + " multiplier_pj: 0.4,");
    const EnergyModel model(parse_technology(text, "t.yaml"), plain_dram(), load_machine("edge-int4"));
    CounterValues counters{};
    counters[index_of(Counter::mac_fp16)] = 100;
    counters[index_of(Counter::mac_int4)] = 1000;
    ValueRecord values;
    values.operands[0].recorded.emplace().toggle_rate = 0.1;
    values.operands[1].recorded.emplace().toggle_rate = 0.3;
    EXPECT_DOUBLE_EQ(model.activity_correction(counters, values).count(), -24);
    // An operand that is not recorded counts as random: (0.1 + 0.5) / 2 = 0.3, -0.16 pJ.
    values.operands[1].recorded.reset();
    EXPECT_DOUBLE_EQ(model.activity_correction(counters, values).count(), -16);
    values.operands[0].recorded->toggle_rate = 0.5;
    EXPECT_EQ(model.activity_correction(counters, values).count(), 0);
}

TEST(TechnologyTest, RefusesAMultiplierThatIsNoPartOfAMac) {
    const auto problem = [](const std::string& row, const std::string& more) -> std::string {
        std::string text = plain_table();
        text.replace(text.find(row), row.size(), row + more);
        try {
            static_cast<void>(parse_technology(text, "t.yaml"));
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(problem("action: mac_fp8, pj: 1,", " multiplier_pj: 1,"), "");
    EXPECT_THAT(problem("action: mac_fp8, pj: 1,", " multiplier_pj: 2,"),
                HasSubstr("expected at most the pj of the row, 1, found 2"));
    EXPECT_THAT(problem("action: commands, pj: 1,", " multiplier_pj: 1,"),
                HasSubstr("only the pj of a MAC has a multiplier in it"));
}

TEST(EnergyModelTest, PricesSramByWhatItIs) {
    Technology technology = parse_technology(plain_table(), "t.yaml");
    technology.area.sram = SramModel(test::plain_sram_table(), 10, {});
    MachineParameters machine = round_machine();
    machine.scratchpad = {.capacity_bytes = 1000, .resident_bytes = 0, .banks = 1, .line_bytes = 16};
    machine.mac_array.accumulator_bytes = 80;
    machine.mac_array.accumulator_ports = BankPorts::one_read_one_write;  // reading 2, writing 3, leakage 4 times
    const EnergyModel shared(technology, plain_dram(), machine);
    for (const auto& [read, written] : line_counters) {
        EXPECT_NEAR(shared.price_of(read).count(), 16 * 2, 1e-9);
        EXPECT_NEAR(shared.price_of(written).count(), 16 * 3, 1e-9);
    }
    EXPECT_NEAR(shared.price_of(Counter::accumulator_read_bytes).count(), 2 * 2, 1e-9) << "a byte of a line";
    EXPECT_NEAR(shared.price_of(Counter::accumulator_write_bytes).count(), 3 * 3, 1e-9);
    // 1000 x 0.25 + 80 x 0.25 x 4 = 330 mW for 0.5 ns, besides the 1 pJ of the row.
    EXPECT_NEAR(shared.price_of(Counter::cycles).count(), 1 + 330 * 0.5, 1e-9);
}

// What counts is the memory that holds a part: the smaller, the cheaper (CACTI's law, 22 nm).
TEST(EnergyModelTest, SmallerBuffersCostLessAnAccess) {
    const Technology technology = parse_technology(plain_table(), "t.yaml");
    MachineParameters machine = round_machine();
    machine.scratchpad = {.capacity_bytes = 1 << 20, .resident_bytes = 1 << 18, .banks = 4, .line_bytes = 64};
    const EnergyModel one(technology, plain_dram(), machine);
    machine.scratchpad.buffers = TileBytes{1 << 19, 1 << 17, 1 << 16, 1 << 16};
    const EnergyModel several(technology, plain_dram(), machine);
    const auto price = [](const EnergyModel& model, Counter counter) { return model.price_of(counter).count(); };
    EXPECT_EQ(price(one, Counter::left_lines_read), price(one, Counter::right_lines_read));
    EXPECT_LT(price(several, Counter::left_lines_read), price(one, Counter::left_lines_read));
    EXPECT_LT(price(several, Counter::resident_lines_read), price(several, Counter::left_lines_read));
    EXPECT_LT(price(several, Counter::right_lines_written), price(several, Counter::resident_lines_written));
    EXPECT_EQ(price(several, Counter::gradient_lines_read), price(several, Counter::output_lines_read));
}

TEST(EnergyModelTest, PutsEachCounterUnderItsComponentAndAddsUpExactly) {
    const EnergyModel model(load_technology("7nm"), load_dram_energy(), load_machine("edge-int4"));
    CounterValues counters{};
    for (std::size_t i = 0; i < counter_count; ++i) {
        counters[i] = 1'000'003 * (i + 1);
    }
    const EnergyBreakdown energy = model.price(counters);
    EnergyBreakdown from_lines;
    Picojoules total;
    for (const EnergyLine& line : model.lines(counters)) {
        from_lines.parts[static_cast<std::size_t>(line.component)] += line.energy;
        const std::string_view component = energy_component_names[static_cast<std::size_t>(line.component)];
        EXPECT_EQ(component, counter_info[index_of(line.counter)].component);
    }
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        EXPECT_EQ(from_lines.parts[i], energy.parts[i]) << energy_component_names[i];
        EXPECT_GT(energy.parts[i].count(), 0) << energy_component_names[i];
        total += energy.parts[i];
    }
    EXPECT_EQ(total, energy.total());
    EnergyBreakdown twice = energy;
    twice += energy;
    EXPECT_EQ(twice.total(), energy.total() * 2);
}

TEST(EnergyModelTest, IdealMemoryCostsNothing) {
    MachineParameters machine = round_machine();
    machine.ideal_memory = true;
    machine.dram.standard = "unpriced";
    Technology technology = parse_technology(plain_table(), "t.yaml");
    technology.area.sram = SramModel();
    const EnergyModel model(technology, {}, machine);
    CounterValues counters;
    counters.fill(7);
    EXPECT_EQ(model.price(counters)[EnergyComponent::dram], Picojoules(0));
    EXPECT_EQ(model.price_of(Counter::cycles), Picojoules(1));
    EXPECT_EQ(model.dram_basis(), "");
}

TEST(EnergyModelTest, RefusesAnUnpricedDramStandard) {
    MachineParameters machine = round_machine();
    machine.dram.standard = "HBM9";
    try {
        const EnergyModel model(parse_technology(plain_table(), "t.yaml"), plain_dram(), machine);
        FAIL() << "expected an InputError";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::StartsWith("there are no energies for DRAM standard 'HBM9' ("));
    }
}

// ---- Calibration

/// Chip energy of one MAC in the steady state of a large output-stationary product on `machine`: each cycle all PEs
/// work and both operands' lines are read; each fold of `k` ends with one 16-bit result a PE written, and commands are
/// few. DRAM devices are not part of a chip's published power.
double steady_picojoules_per_mac(const MachineParameters& machine, ArrayMode mode, Counter mac_counter,
                                 std::uint64_t operand_bits, std::uint64_t k) {
    const ArrayGeometry& geometry = machine.mac_array.modes[static_cast<std::size_t>(mode)].value();
    const std::uint64_t cycles = k / geometry.macs_per_pe;
    const std::uint64_t line_bits = 8 * machine.scratchpad.line_bytes;
    const std::uint64_t pes = geometry.rows * geometry.cols;
    CounterValues counters{};
    counters[index_of(Counter::cycles)] = cycles;
    counters[index_of(mac_counter)] = pes * k;
    counters[index_of(Counter::left_lines_read)] = geometry.rows * k * operand_bits / line_bits;
    counters[index_of(Counter::right_lines_read)] = geometry.cols * k * operand_bits / line_bits;
    counters[index_of(Counter::output_lines_written)] = pes * 16 / line_bits;
    counters[index_of(Counter::commands)] = 1;
    const EnergyModel model(load_technology(machine.technology), load_dram_energy(), machine);
    return model.price(counters).chip().count() / static_cast<double>(pes * k);
}

TEST(EnergyCalibrationTest, ServerCoreComesNearRapidAtPeak) {
    // RaPiD (ISCA 2021, 7 nm): 16.5 TOPS/W INT4 and 3.5 TFLOPS/W HFP8 at the chip; 1 MAC = 2 operations.
    constexpr double published_int4 = 2 / 16.5;  // pJ a MAC
    constexpr double published_hfp8 = 2 / 3.5;
    const MachineParameters server = load_machine("server-int4");
    const double int4 = steady_picojoules_per_mac(server, ArrayMode::int4, Counter::mac_int4, 4, 4096);
    const double fp8 = steady_picojoules_per_mac(server, ArrayMode::fp8, Counter::mac_fp8, 8, 4096);
    const auto report = [](const char* name, double estimate, double published) {
        const std::string text = fmt::format("{:.4f} pJ/MAC, published {:.4f}, deviation {:+.1f}%", estimate, published,
                                             100 * (estimate / published - 1));
        fmt::print("{}: {}\n", name, text);
        testing::Test::RecordProperty(name, text);
    };
    report("int4", int4, published_int4);
    report("hfp8", fp8, published_hfp8);
    EXPECT_NEAR(int4 / published_int4, 1, 0.15);
    EXPECT_NEAR(fp8 / published_hfp8, 1, 0.15);
}

TEST(EnergyCalibrationTest, SteadyStateIsWhatTheTableSaysByHand) {
    // One cycle of server-int4 in INT4: 8192 MACs at 0.0316 pJ; 1024 PEs clocking 2 x 8 x 4 + 32 bits at 0.0027 pJ; two
    // operands of 32 x 8 x 4 bits = 128 bytes, one line each; 118 mW/mm2 on the core's area without its SRAM, and the
    // leakage of that, for 0.64 ns. On top, over the 512 cycles of k = 4096: 16 lines of results, a command at 3.06 pJ.
    const MachineParameters server = load_machine("server-int4");
    const Technology technology = load_technology("7nm");
    const SramCost scratchpad = technology.area.sram.cost({.capacity_bytes = 2097152, .line_bytes = 128, .banks = 16});
    const SramCost accumulators = technology.area.sram.cost({.capacity_bytes = 524288, .line_bytes = 128, .banks = 2});
    const double logic_mm2 =
        (area_of(server, technology.area).total() - scratchpad.area - accumulators.area).count() * 1e-6;
    const double leakage_mw = 118 * logic_mm2 + scratchpad.leakage_mw + accumulators.leakage_mw;
    const double cycle = 8192 * 0.0316 + 1024 * 96 * 0.0027 + 2 * scratchpad.read.count() + leakage_mw * 0.64 +
                         (16 * scratchpad.write.count() + 3.06) / 512;
    EXPECT_NEAR(steady_picojoules_per_mac(server, ArrayMode::int4, Counter::mac_int4, 4, 4096), cycle / 8192, 1e-9);
}

}  // namespace
}  // namespace nibble
