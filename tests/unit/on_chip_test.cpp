// SPDX-License-Identifier: MIT
// What staying on chip spares: traffic without it, less traffic with it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/lowering/lowering.h"
#include "tests/support/random_case.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

/// What a program states of its DRAM traffic, and what it says it was spared.
struct Traffic {
    std::uint64_t loaded = 0;
    std::uint64_t stored = 0;
    OnChipRecord on_chip;
};

/// The scratchpad has `resident_bytes` for tensors, and always the same room for tiles.
Traffic traffic_of(const test::TraceFile& file, std::uint64_t resident_bytes, const std::string& recipe = "fp16") {
    MachineParameters machine = test::small_machine();
    machine.scratchpad.resident_bytes = resident_bytes;
    machine.scratchpad.capacity_bytes = resident_bytes + (256 << 10U);
    LoweringOptions options;
    options.recipe = find_recipe(recipe);
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    Lowering program(file.path(), plan, machine, options);
    Traffic traffic;
    for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
        if (const auto* end = std::get_if<OperationEnd>(&item)) {
            traffic.loaded += end->statement.dram_bytes_read;
            traffic.stored += end->statement.dram_bytes_written;
        }
    }
    traffic.on_chip = program.on_chip();
    return traffic;
}

const OnChipKind& kind(const Traffic& traffic, TensorRole role) {
    return traffic.on_chip.kinds[static_cast<std::size_t>(role)];
}

// Bytes of 64 elements: 32 in INT4, 128 in 16 bits, 256 in 32 bits. Bursts are 32 bytes.
TEST(OnChip, ASmallStepByHand) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 64);
    const TensorId w = trace.tensor(weight, 64);
    const TensorId y = trace.tensor(activation, 64);
    const TensorId z = trace.tensor(activation, 64);
    const TensorId moment = trace.tensor(state, 64);
    trace.add(Phase::forward, "a", Matmul{1, 8, 8, 8, false, true}, {x, w},
              {y});              // loads x, w (INT4); stores y, 16 bits
    trace.vector(64, {y}, {z});  // loads y, 16 bits; stores z in INT4 and 16 bits
    trace.add(Phase::forward, "b", Matmul{1, 8, 8, 8, false, true}, {z, w}, {y});  // loads z, w (INT4); stores y
    trace.vector(64, {z, y, moment}, {moment});  // loads z and y in 16 bits, moment in 32; stores it
    const test::TraceFile file(trace.finish());

    const Traffic without = traffic_of(file, 0, "int4-fp4");
    EXPECT_EQ(without.loaded, (32U + 32U) + 128U + (32U + 32U) + (128U + 128U + 256U));
    EXPECT_EQ(without.stored, 128U + (32U + 128U) + 128U + 256U);
    EXPECT_EQ(without.on_chip.all().tensors, 0U);
    EXPECT_EQ(without.on_chip.all().load_bytes, 0);
    EXPECT_EQ(without.on_chip.all().store_bytes, 0);

    // What is read for the first time is loaded; w, y, z and y again are not; moment must be stored.
    const Traffic with = traffic_of(file, 4096, "int4-fp4");
    EXPECT_EQ(with.loaded, (32U + 32U) + 256U);
    EXPECT_EQ(with.stored, 256U);
    EXPECT_EQ(kind(with, activation).tensors, 2U);
    EXPECT_EQ(kind(with, activation).load_bytes, 128 + 32 + 128 + 128);
    EXPECT_EQ(kind(with, activation).store_bytes, 128 + (32 + 128) + 128);
    EXPECT_EQ(kind(with, weight).tensors, 1U);
    EXPECT_EQ(kind(with, weight).load_bytes, 32);
    EXPECT_EQ(kind(with, weight).store_bytes, 0);
    EXPECT_EQ(kind(with, state).tensors, 0U);
}

// So that the second operation finds all of x on chip, the first one loads all of it: 1024 bytes, and not the 512 of
// the rows that a strided convolution reads.
TEST(OnChip, WhatIsLoadedInExcessIsTakenOff) {
    const Convolution strided{.n = 1, .c = 8, .h = 8, .w = 8, .k = 8, .stride_h = 2, .stride_w = 2};
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 512);
    const TensorId w = trace.tensor(weight, 64);
    const TensorId y = trace.tensor(activation, 128);
    const TensorId z = trace.tensor(activation, 512);
    trace.add(Phase::forward, "a", strided, {x, w}, {y});
    trace.vector(512, {x}, {z});
    const test::TraceFile file(trace.finish());
    const Traffic without = traffic_of(file, 0);
    const Traffic with = traffic_of(file, 1024);
    EXPECT_EQ(without.loaded, 512U + 128U + 1024U);
    EXPECT_EQ(with.loaded, 1024U + 128U);
    EXPECT_EQ(kind(with, activation).load_bytes, (512 - 1024) + 1024);
}

// Steps of element-wise work, in which no tiling can differ: traffic spared and moved add up to that of a machine that
// keeps nothing, whatever stays.
TEST(OnChip, SparedAndMovedAddUp) {
    test::RandomCase random(91);
    std::int64_t spared = 0;
    for (int n = 0; n < 200; ++n) {
        test::StepTrace trace;
        const std::uint64_t tensors = random.number(2, 8);
        for (std::uint64_t i = 0; i < tensors; ++i) {
            trace.tensor(random.one_of<TensorRole>({activation, state, statistic, weight}), random.number(1, 10'000));
        }
        for (int i = 0; i < 30; ++i) {
            const auto some = [&] {
                std::vector<TensorId> ids(random.number(1, 3));
                std::ranges::generate(ids, [&] { return static_cast<TensorId>(random.number(0, tensors - 1)); });
                return ids;
            };
            trace.vector(10'000, some(), {static_cast<TensorId>(random.number(0, tensors - 1))});
        }
        const test::TraceFile file(trace.finish());
        const Traffic without = traffic_of(file, 0);
        const Traffic with = traffic_of(file, random.number(0, 60'000));
        EXPECT_EQ(static_cast<std::int64_t>(without.loaded - with.loaded), with.on_chip.all().load_bytes);
        EXPECT_EQ(static_cast<std::int64_t>(without.stored - with.stored), with.on_chip.all().store_bytes);
        spared += with.on_chip.all().load_bytes;
    }
    EXPECT_GT(spared, 1'000'000);
}

}  // namespace
}  // namespace nibble
