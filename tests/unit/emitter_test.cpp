// SPDX-License-Identifier: MIT
#include "sim/lowering/emitter.h"

#include <cstdint>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "models/dma/slice_walker.h"
#include "models/dram/dram_standard.h"
#include "tests/support/random_case.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

OpRecord operation(std::uint64_t index) {
    OpRecord record;
    record.index = index;
    return record;
}

Command pop_command(Emitter& emitter) {
    return std::get<Command>(emitter.pop());
}

Slice random_slice(test::RandomCase& random) {
    Slice slice;
    slice.address = random.coin() ? random.number(0, 4000) : 64 * random.number(0, 60);
    slice.run_bytes = random.number(1, 300);
    const std::uint64_t unit = random.one_of<std::uint64_t>({1, 16, 32, 64});
    for (Slice::Dimension& dimension : slice.outer) {
        dimension = {random.number(1, 4), unit * random.number(0, 12)};
    }
    return slice;
}

/// Bytes of the bursts that the requests of a DMA engine touch.
std::uint64_t requested(const Slice& slice, std::uint32_t most, std::uint64_t burst) {
    std::uint64_t bytes = 0;
    for (SliceWalker walker(slice, most); !walker.done();) {
        const Extent extent = walker.next();
        for (std::uint64_t at = extent.address / burst * burst; at < extent.address + extent.bytes; at += burst) {
            bytes += burst;
        }
    }
    return bytes;
}

TEST(BusBytes, AreThoseOfTheBurstsThatRequestsTouch) {
    test::RandomCase random(61);
    const MachineParameters machine = test::small_machine();
    const Emitter emitter(machine);
    const std::uint64_t burst = find_dram_standard(machine.dram.standard)->burst_bytes();
    EXPECT_EQ(burst, 32U);  // LPDDR5: 16 bits, 16 beats
    for (int i = 0; i < 3000; ++i) {
        const Slice slice = random_slice(random);
        // However requests are cut, at multiples of whole bursts no burst is moved twice.
        for (const std::uint32_t most : {32U, 64U, 1024U}) {
            EXPECT_EQ(emitter.bus_bytes(slice), requested(slice, most, burst)) << "case " << i;
        }
    }
}

TEST(Emitter, CountsWhatEachUnitIsGiven) {
    Emitter emitter(test::small_machine());
    emitter.begin(operation(0));
    const Slice slice{.address = 0, .run_bytes = 64};
    emitter.load(slice, ScratchpadPart::left, {});
    emitter.load(slice, ScratchpadPart::left, {});
    const Dependencies two_loads{2, 0, 0, 0, 0};
    EXPECT_EQ(emitter.issued(Unit::load), two_loads);
    MatmulCommand tile;
    tile.passes = {{2, 3, 4}, {1, 1, 5}};
    emitter.matmul(tile, emitter.issued(Unit::load));
    emitter.convert(ConvertCommand{}, {});
    emitter.vector({.lane_ops = 9, .read_bytes = {}, .write_bytes = {}, .macs = 6}, {});
    emitter.store(slice, ScratchpadPart::output, emitter.issued());
    EXPECT_EQ(emitter.issued(), (Dependencies{2, 1, 1, 1, 1}));
    EXPECT_EQ(emitter.issued(Unit::store), (Dependencies{0, 0, 0, 0, 1}));
    emitter.end();

    EXPECT_TRUE(std::holds_alternative<OperationBegin>(emitter.pop()));
    EXPECT_EQ(pop_command(emitter).unit, Unit::load);
    EXPECT_EQ(pop_command(emitter).unit, Unit::load);
    const Command matmul = pop_command(emitter);
    EXPECT_EQ(matmul.unit, Unit::mac_array);
    EXPECT_EQ(matmul.needs, two_loads);
    EXPECT_EQ(pop_command(emitter).unit, Unit::log_gradient);
    EXPECT_EQ(pop_command(emitter).unit, Unit::vector_unit);
    const Command store = pop_command(emitter);
    EXPECT_EQ(store.unit, Unit::store);
    EXPECT_EQ(store.needs, (Dependencies{2, 1, 1, 1, 0}));
    EXPECT_EQ(std::get<TransferCommand>(store.work).part, ScratchpadPart::output);
    const OperationStatement statement = std::get<OperationEnd>(emitter.pop()).statement;
    EXPECT_EQ(statement.macs, 2U * 3 * 4 + 5 + 6);
    EXPECT_EQ(statement.dram_bytes_read, 128U);
    EXPECT_EQ(statement.dram_bytes_written, 64U);
    EXPECT_TRUE(emitter.empty());
}

TEST(Emitter, CommandsBelongToTheirOperation) {
    Emitter emitter(test::small_machine());
    for (std::uint64_t index = 0; index < 3; ++index) {
        emitter.begin(operation(index));
        emitter.load({.address = 0, .run_bytes = 1}, ScratchpadPart::left, {});
        emitter.end();
    }
    for (std::uint64_t index = 0; index < 3; ++index) {
        const OpRecord record = std::get<OperationBegin>(emitter.pop()).record;
        EXPECT_EQ(record.index, index);
        EXPECT_EQ(pop_command(emitter).operation, index);
        EXPECT_EQ(std::get<OperationEnd>(emitter.pop()).statement.dram_bytes_read, 32U);
    }
    EXPECT_EQ(emitter.issued(Unit::load)[0], 3U) << "counts go on from one operation to the next";
}

TEST(Emitter, MovesNothingWhereThereIsNothingToMove) {
    Emitter emitter(test::small_machine());
    emitter.begin(operation(0));
    emitter.load({}, ScratchpadPart::left, {});
    emitter.store({.address = 8, .run_bytes = 8, .outer = {{{0, 1}, {}, {}}}}, ScratchpadPart::output, {});
    emitter.end();
    static_cast<void>(emitter.pop());
    EXPECT_TRUE(std::holds_alternative<OperationEnd>(emitter.pop()));
    EXPECT_TRUE(emitter.empty());
    EXPECT_EQ(emitter.issued(), Dependencies{});
}

TEST(Emitter, IdealMemoryHasNoTransfers) {
    MachineParameters machine = test::small_machine();
    machine.ideal_memory = true;
    Emitter emitter(machine);
    emitter.begin(operation(0));
    emitter.load({.address = 0, .run_bytes = 64}, ScratchpadPart::left, {});
    emitter.store({.address = 0, .run_bytes = 64}, ScratchpadPart::output, {});
    emitter.end();
    static_cast<void>(emitter.pop());
    const OperationStatement statement = std::get<OperationEnd>(emitter.pop()).statement;
    EXPECT_EQ(statement.dram_bytes_read + statement.dram_bytes_written, 0U);
    EXPECT_TRUE(emitter.empty());
}

TEST(Later, IsTheLaterOfEachUnit) {
    EXPECT_EQ(later({1, 5, 0, 2, 9}, {3, 4, 0, 2, 1}), (Dependencies{3, 5, 0, 2, 9}));
}

}  // namespace
}  // namespace nibble
