// SPDX-License-Identifier: MIT
// What room in the scratchpad the commands of an operation take and free, written out.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/lowering/operation_alone.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

GemmTask product(std::uint64_t m, std::uint64_t n, std::uint64_t k) {
    Operation operation;
    operation.work = Matmul{1, m, n, k, false, false};
    return {.problem = {operation, m * k, k * n}, .stored = {{16, ScratchpadPart::output}}};
}

Tiling tiles(std::uint64_t i, std::uint64_t j, std::uint64_t l, LoopOrder order = LoopOrder::ijl) {
    return {.batch = 1, .i = i, .j = j, .l = l, .order = order};
}

/// "load +64 -0", and what is taken to stay.
std::vector<std::string> rooms_of(ProgramSource& program) {
    std::vector<std::string> rooms;
    for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
        if (const auto* command = std::get_if<Command>(&item)) {
            const ScratchpadRoom& room = command->room;
            EXPECT_EQ(room.takes_to_stay_bytes, 0U);  // what runs alone leaves nothing behind
            rooms.push_back(fmt::format("{} +{} -{}", unit_names[static_cast<std::size_t>(command->unit)],
                                        room.takes_bytes, room.frees_bytes));
        }
    }
    return rooms;
}

std::vector<std::string> rooms_of(const OperationTask& operation) {
    const MachineParameters machine = test::small_machine();
    OperationAlone program(operation, machine);
    return rooms_of(program);
}

// 8 x 16 times 16 x 4 in FP16: tiles of the left operand are 4 x 8 and of the right 8 x 4, 64 bytes each, results 4 x
// 4, 32 bytes. Every product is the last user of both its tiles; the second of a reduction takes the results.
TEST(CommandRoom, TilesAreFreedByTheirLastProductAndResultsByTheirStore) {
    const std::vector<std::string> one_output{"load +64 -0", "load +64 -0",        "mac_array +0 -128", "load +64 -0",
                                              "load +64 -0", "mac_array +32 -128", "store +0 -32"};
    std::vector<std::string> both = one_output;
    both.insert(both.end(), one_output.begin(), one_output.end());
    EXPECT_EQ(rooms_of(MappedGemm{product(8, 4, 16), tiles(4, 4, 8)}), both);
}

// The left operand, 8 x 16 in one tile of 256 bytes, stays in its buffer while columns go by, two at a time: 64 bytes
// of the right operand, 32 of results.
TEST(CommandRoom, ATileThatTheNextProductUsesStays) {
    EXPECT_EQ(rooms_of(MappedGemm{product(8, 4, 16), tiles(8, 2, 16)}),
              (std::vector<std::string>{"load +256 -0", "load +64 -0", "mac_array +32 -64", "store +0 -32",
                                        "load +64 -0", "mac_array +32 -320", "store +0 -32"}));
}

// Nine results: 18 bytes that the array writes, as many of an input of the epilogue, and an INT4 copy of 4 bits each:
// 9 x (16 + 16 + 4) bits are 41 bytes, so that the copy takes 5 more. Codes of 4 bits have a buffer of their own: 5
// bytes. The second of the two stores frees all 46. 3 x 2 and 2 x 3 operands are 12 bytes each. A bias of 12 bytes is
// there from its load to the last command, sums of 8 bytes from the first command of the vector unit to their own
// store.
TEST(CommandRoom, TheLastCommandOfATileFreesAllOfIt) {
    GemmTask task = product(3, 3, 2);
    task.side_inputs = {{.bits = 16}};
    task.stored = {{4, ScratchpadPart::output}, {4, ScratchpadPart::gradient}};
    task.whole_inputs = {{12, ScratchpadPart::output}};
    task.whole_outputs = {{8, ScratchpadPart::output}};
    task.result_bits = 36;
    task.code_bits = 4;
    task.lane_ops = 1;
    EXPECT_EQ(rooms_of(MappedGemm{task, tiles(3, 3, 2)}),
              (std::vector<std::string>{"load +12 -0", "load +12 -0", "load +12 -0", "mac_array +18 -24", "load +18 -0",
                                        "vector_unit +13 -0", "log_gradient +5 -0", "store +0 -0", "store +0 -58",
                                        "store +0 -8"}));
    // Without stores conversion is the last, without codes the vector unit, without that the array.
    task.stored.clear();
    task.whole_inputs.clear();
    task.whole_outputs.clear();
    EXPECT_EQ(rooms_of(MappedGemm{task, tiles(3, 3, 2)}),
              (std::vector<std::string>{"load +12 -0", "load +12 -0", "mac_array +18 -24", "load +18 -0",
                                        "vector_unit +5 -0", "log_gradient +5 -46"}));
    task.code_bits = 0;
    EXPECT_EQ(rooms_of(MappedGemm{task, tiles(3, 3, 2)}).back(), "vector_unit +5 -41");
    task.side_inputs.clear();
    task.result_bits = 16;
    task.lane_ops = 0;
    EXPECT_EQ(rooms_of(MappedGemm{task, tiles(3, 3, 2)}).back(), "mac_array +18 -42");
}

// What stays, or is there, takes no room among the tiles: of results only 4 of 20 bits then, of codes none. A gradient
// that is there is rounded into a buffer of its own: 3 x 2 codes of 4 bits are 3 bytes; one that is loaded, in its
// place.
TEST(CommandRoom, WhatStaysIsNoTile) {
    GemmTask task = product(3, 3, 2);
    task.left = {.bits = 16, .on_chip = true, .rounded_bits = 4};
    task.right = {.bits = 16, .rounded_bits = 4};
    task.stored = {{4, ScratchpadPart::output}};
    task.result_part = ScratchpadPart::resident;
    task.code_part = ScratchpadPart::resident;
    task.result_bits = 20;
    task.kept_result_bits = 16;
    task.code_bits = 4;
    task.kept_code_bits = 4;
    task.lane_ops = 1;
    EXPECT_EQ(rooms_of(MappedGemm{task, tiles(3, 3, 2)}),
              (std::vector<std::string>{"log_gradient +3 -0", "load +12 -0", "log_gradient +0 -0", "mac_array +0 -15",
                                        "vector_unit +5 -0", "log_gradient +0 -0", "store +0 -5"}));
}

// dx of a 1 x 1 convolution of one pixel with stride 2 and padding 1: outputs look at rows and columns -1 and 1, and no
// output reaches the pixel. Both operands come, 2 bytes each, and nothing uses them; a zero is stored.
TEST(CommandRoom, TilesThatNoProductUsesAreFreedWhenTheyHaveCome) {
    Operation operation;
    operation.phase = Phase::dx;
    Convolution c;
    c.n = 1;
    c.c = c.k = 1;
    c.h = c.w = 1;
    c.r = c.s = 1;
    c.stride_h = c.stride_w = 2;
    c.pad_top = c.pad_bottom = c.pad_left = c.pad_right = 1;
    operation.work = c;
    GemmTask task{.problem = {operation, 1, 1}, .stored = {{16, ScratchpadPart::output}}};
    const std::vector<std::string> rooms = rooms_of(MappedGemm{task, tiles(1, 1, 1)});
    ASSERT_FALSE(rooms.empty());
    EXPECT_EQ(rooms.back(), "store +2 -2");
    for (const std::string& room : rooms) {
        EXPECT_FALSE(room.starts_with("mac_array"));
    }
    EXPECT_EQ(rooms.front(), "load +2 -2");
}

// Two chunks. Of 16 KiB in and 16 KiB out each takes half; 100 bytes that are small are there from the first chunk to
// the last, in and out. 4096 gradients of 2 bytes pass by in halves, their codes of 4 bits are 2 KiB, thus small, and
// stored at the end: 2 KiB from the first conversion on.
TEST(CommandRoom, ChunksAreFreedWhenTheyAreWorkedOnAndStored) {
    constexpr std::uint64_t kib = 1024;
    VectorTask task;
    task.inputs = {{.bytes = 16 * kib}, {.bytes = 100, .part = ScratchpadPart::right}};
    task.results = {{.bytes = 16 * kib, .part = ScratchpadPart::output},
                    {.bytes = 100, .part = ScratchpadPart::output}};
    task.codes = {{.bytes = 2 * kib, .part = ScratchpadPart::gradient}};
    task.gradients = task.passing = 4096;
    task.code_bits = 4;
    task.chunks = 2;
    EXPECT_EQ(rooms_of(task), (std::vector<std::string>{"load +8192 -0", "load +100 -0",  // chunk 0
                                                        "vector_unit +12388 -8192",       // 8192 + 100 + 2048 x 2
                                                        "store +0 -8192", "log_gradient +2048 -4096",  //
                                                        "load +8192 -0",                               // chunk 1
                                                        "vector_unit +12288 -8292",  // 8192 + 4096; the small input too
                                                        "store +0 -8192", "store +0 -100",  //
                                                        "log_gradient +0 -4096", "store +0 -2048"}));
}

}  // namespace
}  // namespace nibble
