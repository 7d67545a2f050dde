// SPDX-License-Identifier: MIT
#include "sim/energy/area.h"

#include <gtest/gtest.h>

#include "tests/support/plain_sram.h"

namespace nibble {
namespace {

/// A table of distinct round numbers.
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
    table.sram = test::half_a_square_micrometre_a_byte();
    return table;
}

MachineParameters small_machine() {
    MachineParameters machine;
    machine.mac_array.rows = 4;
    machine.mac_array.cols = 3;
    machine.mac_array.pe = {.int4_fp4_4way = 2, .fp8 = 1, .fp16 = 0.25};
    machine.mac_array.accumulator_bytes = 48;
    machine.log_gradient.lanes = 8;
    machine.vector_unit.lanes = 16;
    machine.mac_array.modes[0] = ArrayGeometry{.rows = 4, .cols = 3};
    machine.scratchpad = {.capacity_bytes = 4096, .resident_bytes = 0, .banks = 2, .line_bytes = 16};
    machine.sequencer.queue_entries = 16;
    return machine;
}

TEST(AreaTest, CountsEveryUnit) {
    const AreaBreakdown area = area_of(small_machine(), round_table());
    EXPECT_DOUBLE_EQ(area[AreaComponent::mac_array].count(), 12 * (2 * 55 + 50 + 25));
    EXPECT_NEAR(area[AreaComponent::accumulators].count(), 24, 1e-9);
    EXPECT_DOUBLE_EQ(area[AreaComponent::log_gradient].count(), 320);
    EXPECT_DOUBLE_EQ(area[AreaComponent::vector_unit].count(), 4800);
    EXPECT_NEAR(area[AreaComponent::scratchpad].count(), 2048, 1e-9);
    EXPECT_DOUBLE_EQ(area[AreaComponent::dma].count(), 2000);              // load and store
    EXPECT_DOUBLE_EQ(area[AreaComponent::sequencer].count(), 5 * 16 * 7);  // a queue for each of five units
}

TEST(AreaTest, SeparateBuffersAreMemoriesOfTheirOwn) {
    MachineParameters machine = small_machine();
    machine.scratchpad.resident_bytes = 1024;
    machine.scratchpad.buffers = TileBytes{1024, 1024, 1024, 0};
    EXPECT_EQ(scratchpad_memories(machine).size(), 4U) << "no codes of gradients, no memory for them";
    EXPECT_NEAR(area_of(machine, round_table())[AreaComponent::scratchpad].count(), 2048, 1e-9);
}

TEST(AreaTest, TotalIsTheSumOfThePartsInTheirOrder) {
    const AreaBreakdown area = area_of(small_machine(), round_table());
    SquareMicrometres sum;
    for (const SquareMicrometres part : area.parts) {
        sum += part;
    }
    EXPECT_EQ(area.total(), sum);
    EXPECT_NEAR(sum.count(), 2220 + 24 + 320 + 4800 + 2048 + 2000 + 560, 1e-9);
}

TEST(AreaTest, MacAreaIsTheDatapathsOnly) {
    const MachineParameters machine = small_machine();
    EXPECT_EQ(mac_area_of(machine.mac_array, round_table()), area_of(machine, round_table())[AreaComponent::mac_array]);
}

}  // namespace
}  // namespace nibble
