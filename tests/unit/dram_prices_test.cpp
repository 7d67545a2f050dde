// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/energy/dram_currents.h"
#include "sim/energy/dram_energy.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/energy/energy_model.h"

namespace nibble {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// ---- Formulas, by hand

/// Micron's 8 Gb x8 DDR4-2400, as in the table.
const DramSupply ddr4{.name = "VDD",
                      .volts = 1.2,
                      .idd0_ma = 48,
                      .idd2n_ma = 34,
                      .idd2p_ma = 25,
                      .idd3n_ma = 43,
                      .idd3p_ma = 37,
                      .idd4r_ma = 135,
                      .idd4w_ma = 123,
                      .idd5_ma = 250};
const DramCurrents ddr4_2400{
    .data_bits = 8, .data_rate_mtps = 2400, .t_ras_ns = 32.5, .t_rp_ns = 14.17, .t_rfc_ns = 350, .supplies = {ddr4}};

TEST(DramCurrents, AnActivateIsWhatIdd0HasBeyondStandby) {
    // 1.2 V x (5 mA x 32.5 ns + 14 mA x 14.17 ns) = 195 + 238.056 pJ: 0.43 nJ.
    EXPECT_NEAR(activate_energy(ddr4, ddr4_2400).count(), 433.056, 1e-9);
}

TEST(DramCurrents, AByteIsWhatIdd4HasBeyondStandbyForItsTimeOnTheBus) {
    // Eight bits at 2.4 GT/s take 1 / 2.4 ns a byte: 1.2 V x 92 mA / 2.4 and 1.2 V x 80 mA / 2.4.
    EXPECT_NEAR(read_energy_per_byte(ddr4, ddr4_2400).count(), 46, 1e-9);
    EXPECT_NEAR(write_energy_per_byte(ddr4, ddr4_2400).count(), 40, 1e-9);
    // Twice the width or twice the rate at the same current: half the energy.
    DramCurrents other = ddr4_2400;
    other.data_bits = 16;
    EXPECT_NEAR(read_energy_per_byte(ddr4, other).count(), 23, 1e-9);
    other.data_rate_mtps = 4800;
    EXPECT_NEAR(write_energy_per_byte(ddr4, other).count(), 10, 1e-9);
}

TEST(DramCurrents, ARefreshIsWhatIdd5HasBeyondStandby) {
    EXPECT_NEAR(refresh_energy(ddr4, ddr4_2400).count(), 1.2 * 207 * 350, 1e-6);
}

TEST(DramCurrents, StatesDrawTheirCurrents) {
    EXPECT_NEAR(active_standby_mw(ddr4), 1.2 * 43, 1e-12);
    EXPECT_NEAR(precharge_standby_mw(ddr4), 1.2 * 34, 1e-12);
    EXPECT_NEAR(active_power_down_mw(ddr4), 1.2 * 37, 1e-12);
    EXPECT_NEAR(precharge_power_down_mw(ddr4), 1.2 * 25, 1e-12);
}

// The loop by which IDD0 is measured, added up from its parts: an ACT, tRAS with an open row, tRP without one.
TEST(DramCurrents, CommandsAndStatesAddUpToTheMeasuredLoops) {
    const double t_ras = ddr4_2400.t_ras_ns;
    const double t_rp = ddr4_2400.t_rp_ns;
    EXPECT_NEAR(
        activate_energy(ddr4, ddr4_2400).count() + active_standby_mw(ddr4) * t_ras + precharge_standby_mw(ddr4) * t_rp,
        1.2 * 48 * (t_ras + t_rp), 1e-9);
    // IDD4R and IDD4W: bytes without a gap, rows open. 2.4 bytes a nanosecond.
    EXPECT_NEAR(read_energy_per_byte(ddr4, ddr4_2400).count() * 2.4 + active_standby_mw(ddr4), 1.2 * 135, 1e-9);
    EXPECT_NEAR(write_energy_per_byte(ddr4, ddr4_2400).count() * 2.4 + active_standby_mw(ddr4), 1.2 * 123, 1e-9);
}

// ---- Prices of a rank

/// Two supplies, the second of the data pins; one device is half of a channel of LPDDR5-6400 (16 bits).
DramEnergyEntry two_supplies() {
    const DramSupply core{.name = "VDD2",
                          .volts = 1,
                          .idd0_ma = 30,
                          .idd2n_ma = 10,
                          .idd2p_ma = 2,
                          .idd3n_ma = 20,
                          .idd3p_ma = 8,
                          .idd4r_ma = 120,
                          .idd4w_ma = 84,
                          .idd5_ma = 70};
    const DramSupply pins{.name = "VDDQ",
                          .volts = 0.5,
                          .data_pins = true,
                          .idd0_ma = 4,
                          .idd2n_ma = 4,
                          .idd2p_ma = 4,
                          .idd3n_ma = 4,
                          .idd3p_ma = 4,
                          .idd4r_ma = 68,
                          .idd4w_ma = 36,
                          .idd5_ma = 4};
    return {.standard = "LPDDR5-6400",
            .device = "made up",
            .basis = DramPriceBasis::data_sheet,
            .data_pins = DramDataPins::own_supply,
            .currents = {.data_bits = 8,
                         .data_rate_mtps = 8000,
                         .t_ras_ns = 40,
                         .t_rp_ns = 10,
                         .t_rfc_ns = 200,
                         .supplies = {core, pins}},
            .source = "s"};
}

TEST(DramPrices, ARankIsAsManyDevicesAsFillTheDataBus) {
    // Clock 1.25 ns, bursts of 32 bytes, 16 banks; two devices of 8 bits, each moving 8 bytes a nanosecond.
    const DramPrices prices(two_supplies(), *find_dram_standard("LPDDR5-6400"));
    const auto each = [&](DramEnergyTerm term) { return prices.each(term).count(); };
    EXPECT_NEAR(each(DramEnergyTerm::activate), 2 * (10 * 40 + 20 * 10), 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::read), 32 * 100 / 8.0, 1e-9);  // every byte comes from one of the devices
    EXPECT_NEAR(each(DramEnergyTerm::write), 32 * 64 / 8.0, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::read_data_pins), 32 * 0.5 * 64 / 8.0, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::write_data_pins), 32 * 0.5 * 32 / 8.0, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::refresh), 2 * 50 * 200.0, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::bank_refresh) * 16, each(DramEnergyTerm::refresh), 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::active_standby), 2 * (20 + 2) * 1.25, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::precharge_standby), 2 * (10 + 2) * 1.25, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::active_power_down), 2 * (8 + 2) * 1.25, 1e-9);
    EXPECT_NEAR(each(DramEnergyTerm::precharge_power_down), 2 * (2 + 2) * 1.25, 1e-9);
}

TEST(DramPrices, EveryCountIsPricedOnce) {
    DramCounters counters;
    counters.activates = 2;
    counters.reads = 3;
    counters.writes = 5;
    counters.refreshes = 7;
    counters.bank_refreshes = 11;
    counters.active_standby_cycles = 13;
    counters.precharge_standby_cycles = 17;
    counters.active_power_down_cycles = 19;
    counters.precharge_power_down_cycles = 23;
    const std::vector<std::uint64_t> counts{2, 3, 5, 3, 5, 7, 11, 13, 17, 19, 23};
    const DramPrices prices(two_supplies(), *find_dram_standard("LPDDR5-6400"));
    const DramEnergyBreakdown energy = prices.price(counters);
    double total = 0;
    for (std::size_t i = 0; i < dram_energy_term_count; ++i) {
        const auto term = static_cast<DramEnergyTerm>(i);
        EXPECT_EQ(count_of(counters, term), counts[i]) << dram_energy_term_names[i];
        EXPECT_EQ(energy[term], prices.each(term) * static_cast<double>(counts[i]));
        total += energy[term].count();
    }
    EXPECT_DOUBLE_EQ(energy.total().count(), total);
}

// The machine's model sees bytes where the memory alone counts bursts: the same energy.
TEST(DramPrices, AMachineAndAMemoryAlonePayTheSame) {
    MachineParameters machine = load_machine("edge-int4");
    const DramEnergyTable table = load_dram_energy();
    const EnergyModel model(load_technology(machine.technology), table, machine);
    const DramStandard& standard = *find_dram_standard(machine.dram.standard);
    DramCounters counters;
    CounterValues values{};
    std::uint64_t next = 1'000'003;
    const auto set = [&](Counter counter, std::uint64_t DramCounters::*count, std::uint64_t unit = 1) {
        counters.*count = next;
        values[index_of(counter)] = next * unit;
        next = next * 3 / 2;
    };
    set(Counter::dram_activates, &DramCounters::activates);
    set(Counter::dram_bytes_read, &DramCounters::reads, standard.burst_bytes());
    set(Counter::dram_bytes_written, &DramCounters::writes, standard.burst_bytes());
    set(Counter::dram_refreshes, &DramCounters::refreshes);
    set(Counter::dram_bank_refreshes, &DramCounters::bank_refreshes);
    set(Counter::dram_active_standby_cycles, &DramCounters::active_standby_cycles);
    set(Counter::dram_precharge_standby_cycles, &DramCounters::precharge_standby_cycles);
    set(Counter::dram_active_power_down_cycles, &DramCounters::active_power_down_cycles);
    set(Counter::dram_precharge_power_down_cycles, &DramCounters::precharge_power_down_cycles);
    const double alone = DramPrices(table.of(machine.dram.standard), standard).price(counters).total().count();
    EXPECT_NEAR(model.price(values)[EnergyComponent::dram].count() / alone, 1, 1e-12);
}

// ---- The table

TEST(DramEnergyTableTest, EveryStandardHasEnergies) {
    const DramEnergyTable table = load_dram_energy();
    for (const std::string& name : dram_standard_names()) {
        const DramEnergyEntry& entry = table.of(name);
        const DramPrices prices(entry, *find_dram_standard(name));
        for (const DramEnergyTerm term :
             {DramEnergyTerm::activate, DramEnergyTerm::read, DramEnergyTerm::write, DramEnergyTerm::refresh,
              DramEnergyTerm::bank_refresh, DramEnergyTerm::active_standby, DramEnergyTerm::precharge_standby,
              DramEnergyTerm::active_power_down, DramEnergyTerm::precharge_power_down}) {
            EXPECT_GT(prices.each(term).count(), 0) << name;
        }
        EXPECT_EQ(prices.each(DramEnergyTerm::read_data_pins).count() > 0, entry.data_pins == DramDataPins::own_supply)
            << name;
        EXPECT_GE(prices.each(DramEnergyTerm::active_standby), prices.each(DramEnergyTerm::active_power_down)) << name;
        EXPECT_GE(prices.each(DramEnergyTerm::precharge_standby), prices.each(DramEnergyTerm::precharge_power_down))
            << name;
    }
    EXPECT_EQ(table.entries.size(), dram_standard_names().size());
}

TEST(DramEnergyTableTest, Lpddr5CostsWhatTheDataSheetOfLpddr4Says) {
    // DRAMSys, JEDEC_8Gb_LPDDR4-3200_16bit.json; 16 bits at 3.2 GT/s are 6.4 bytes a nanosecond.
    const DramPrices prices(load_dram_energy().of("LPDDR5-6400"), *find_dram_standard("LPDDR5-6400"));
    const auto each = [&](DramEnergyTerm term) { return prices.each(term).count(); };
    EXPECT_NEAR(each(DramEnergyTerm::read), 1.1 * (275 - 30) / 6.4 * 32, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::read_data_pins), 1.1 * (150 - 0.75) / 6.4 * 32, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::write), 1.1 * (210 - 30) / 6.4 * 32, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::write_data_pins), 1.1 * (55 - 0.75) / 6.4 * 32, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::activate), (1.8 * 1.25 + 1.1 * 15) * 42.5 + (1.8 * 1.5 + 1.1 * 18) * 18.125, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::refresh), (1.8 * 7.75 + 1.1 * 60) * 280, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::active_standby), (1.8 * 2.25 + 1.1 * 30 + 1.1 * 0.75) * 1.25, 1e-6);
    EXPECT_NEAR(each(DramEnergyTerm::precharge_standby), (1.8 * 2 + 1.1 * 27 + 1.1 * 0.75) * 1.25, 1e-6);
}

// O'Connor et al., "Fine-Grained DRAM", MICRO 2017, table 3, by another way (a model of the die, not measurements): 909
// pJ for an activate of a row of 1 KB; 2.68 pJ a bit on the die and 0.80 at the pins with half of the bits changing.
TEST(DramEnergyTableTest, Hbm2IsNearWhatFineGrainedDramEstimates) {
    const DramPrices prices(load_dram_energy().of("HBM2-2000"), *find_dram_standard("HBM2-2000"));
    const auto report = [](const char* what, double ours, double published) {
        const std::string text =
            fmt::format("{:.2f}, published {:.2f}, deviation {:+.0f}%", ours, published, 100 * (ours / published - 1));
        fmt::print("{}: {}\n", what, text);
        testing::Test::RecordProperty(what, text);
        return ours / published;
    };
    EXPECT_NEAR(report("activate_pj", prices.each(DramEnergyTerm::activate).count(), 909), 1, 0.05);
    EXPECT_NEAR(report("read_pj_a_bit", prices.each(DramEnergyTerm::read).count() / (8 * 32), 2.68 + 0.80), 1, 0.4);
}

TEST(DramEnergyTableTest, SaysWhatThePricesAreMadeFrom) {
    DramEnergyEntry entry = two_supplies();
    EXPECT_EQ(basis_text(entry), "IDD values of a data sheet (made up); data pins apart");
    entry.basis = DramPriceBasis::other_standard;
    entry.data_pins = DramDataPins::left_out;
    EXPECT_EQ(basis_text(entry),
              "[assumption] IDD values of another standard's data sheet (made up); data pins left out");
    entry.basis = DramPriceBasis::measured;
    entry.data_pins = DramDataPins::included;
    EXPECT_EQ(basis_text(entry), "measured currents (made up); data pins included");
    entry.basis = DramPriceBasis::extrapolated;
    EXPECT_THAT(basis_text(entry), testing::StartsWith("currents extrapolated from measured ones (made up)"));
}

// ---- Wrong tables

constexpr const char* good_supply =
    "{name: VDD, volts: 1, idd0_ma: 5, idd2n_ma: 1, idd2p_ma: 1, idd3n_ma: 2, idd3p_ma: 1, idd4r_ma: 9, idd4w_ma: 9, "
    "idd5_ma: 9}";

/// A table of one standard, one key a line from line 2 on, with `from` replaced by `to`.
std::vector<std::string> problems_with(const std::string& from, const std::string& to) {
    std::string text = fmt::format(
        "standards:\n  - standard: LPDDR5-6400\n    device: d\n    basis: data_sheet\n    data_pins: included\n"
        "    data_bits: 16\n    data_rate_mtps: 6400\n    t_ras_ns: 40\n    t_rp_ns: 20\n    t_rfc_ns: 300\n"
        "    supplies:\n      - {}\n    source: s\n",
        good_supply);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::vector<std::string> lines;
    try {
        static_cast<void>(parse_dram_energy(text, "t.yaml"));
    } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) {
            lines.push_back(to_string(problem));
        }
    }
    return lines;
}

TEST(DramEnergyTableTest, RefusesWhatMakesNoSense) {
    EXPECT_THAT(problems_with("source: s", "source: s"), testing::IsEmpty());
    EXPECT_THAT(problems_with("LPDDR5-6400", "LPDDR5-640"),
                ElementsAre("t.yaml:2:15: standards[0].standard: there is no DRAM standard 'LPDDR5-640' (did you mean "
                            "'LPDDR5-6400'?)"));
    EXPECT_THAT(problems_with("basis: data_sheet", "basis: guessed"),
                ElementsAre(HasSubstr("t.yaml:4:12: standards[0].basis: expected one of data_sheet, measured")));
    EXPECT_THAT(problems_with("data_bits: 16", "data_bits: 0"),
                ElementsAre(HasSubstr("t.yaml:6:16: standards[0].data_bits")));
    EXPECT_THAT(problems_with("    t_ras_ns: 40\n", ""), ElementsAre(HasSubstr("missing key 't_ras_ns'")));
    EXPECT_THAT(problems_with("source: s", "source: ''"), ElementsAre(HasSubstr("every number needs its source")));
    EXPECT_THAT(problems_with("idd4r_ma: 9", "idd4r_ma: -9"),
                Contains(HasSubstr("idd4r_ma: expected a number of at least 0")));
    EXPECT_THAT(problems_with("idd5_ma: 9", "idd5_ma: 9, idd7_ma: 3"), ElementsAre(HasSubstr("unknown key 'idd7_ma'")));
}

TEST(DramEnergyTableTest, RefusesCommandsThatTakeLessThanStandby) {
    EXPECT_THAT(problems_with("idd0_ma: 5", "idd0_ma: 1.5"),
                ElementsAre(HasSubstr("supplies[0].idd0_ma: expected at least 2, the active standby")));
    EXPECT_THAT(problems_with("idd2n_ma: 1", "idd2n_ma: 6"),
                ElementsAre(HasSubstr("supplies[0].idd0_ma: expected at least 6, the precharge standby")));
    for (const char* key : {"idd4r_ma", "idd4w_ma", "idd5_ma"}) {
        EXPECT_THAT(
            problems_with(fmt::format("{}: 9", key), fmt::format("{}: 1", key)),
            ElementsAre(HasSubstr(fmt::format("supplies[0].{}: expected at least 2, the active standby", key))));
    }
}

TEST(DramEnergyTableTest, DataPinsAndSuppliesAgree) {
    EXPECT_THAT(
        problems_with("data_pins: included", "data_pins: own_supply"),
        ElementsAre(HasSubstr("t.yaml:5:16: standards[0].data_pins: no supply is marked with data_pins: true")));
    EXPECT_THAT(problems_with("volts: 1,", "volts: 1, data_pins: true,"),
                ElementsAre(HasSubstr("standards[0].data_pins: expected own_supply")));
}

TEST(DramEnergyTableTest, AStandardHasOneEntry) {
    const std::string entry = fmt::format(
        "  - {{standard: LPDDR5-6400, device: d, basis: measured, data_pins: included, data_bits: 16, data_rate_mtps: "
        "1, "
        "t_ras_ns: 1, t_rp_ns: 1, t_rfc_ns: 1, supplies: [{}], source: s}}\n",
        good_supply);
    EXPECT_EQ(parse_dram_energy("standards:\n" + entry, "t.yaml").entries.size(), 1U);
    EXPECT_THROW(static_cast<void>(parse_dram_energy("standards:\n" + entry + entry, "t.yaml")), InputError);
}

}  // namespace
}  // namespace nibble
