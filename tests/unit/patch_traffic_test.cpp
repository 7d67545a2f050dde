// SPDX-License-Identifier: MIT
// A convolution moves every input byte once, however many taps see it: im2col is done by the array's address generator,
// on the patch in the scratchpad.
#include <cstdint>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "sim/lowering/lowering.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

// 32 channels are one block of memory: 16 bytes a pixel in 4 bits.
constexpr Convolution three_by_three{.n = 1,
                                     .c = 32,
                                     .h = 16,
                                     .w = 16,
                                     .k = 32,
                                     .r = 3,
                                     .s = 3,
                                     .pad_top = 1,
                                     .pad_bottom = 1,
                                     .pad_left = 1,
                                     .pad_right = 1};
constexpr std::uint64_t image_bytes = 16 * 16 * 32 / 2;      // x, or dy, in 4 bits
constexpr std::uint64_t weight_bytes = 32 * 32 * 3 * 3 / 2;  // in INT4

constexpr std::uint64_t row_bytes = 16 * 32 / 2;

struct Loaded {
    std::uint64_t bytes = 0;
    std::uint64_t tiles = 0;
};

/// What one phase of the convolution loads on a machine with that much room for tiles.
Loaded loaded(Phase phase, std::uint64_t tile_bytes) {
    test::StepTrace trace;
    const TensorId w = trace.tensor(weight, 32 * 32 * 9);
    if (phase == Phase::forward) {
        const TensorId x = trace.tensor(activation, 16 * 16 * 32);
        const TensorId y = trace.tensor(activation, 16 * 16 * 32);
        trace.add(phase, "conv", three_by_three, {x, w}, {y});
    } else {
        const TensorId y = trace.tensor(activation, 16 * 16 * 32);
        const TensorId dy = trace.tensor(gradient, 16 * 16 * 32);
        trace.vector(16 * 16 * 32, {y}, {dy}, "loss");
        if (phase == Phase::dx) {
            trace.add(phase, "conv", three_by_three, {dy, w}, {trace.tensor(gradient, 16 * 16 * 32)});
        } else {
            const TensorId x = trace.tensor(activation, 16 * 16 * 32);
            trace.add(phase, "conv", three_by_three, {x, dy}, {trace.tensor(weight_gradient, 32 * 32 * 9)});
        }
    }
    const test::TraceFile file(trace.finish());
    MachineParameters machine = test::small_machine();
    machine.clock_period_ps = 10;  // so fast that memory decides, and tilings with the least traffic are chosen
    machine.scratchpad.resident_bytes = 0;
    machine.scratchpad.capacity_bytes = tile_bytes;
    machine.mac_array.accumulator_bytes = 1 << 20;
    LoweringOptions options;
    options.recipe = find_recipe("int4-fp4");
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    Lowering program(file.path(), plan, machine, options);
    Loaded last;
    for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
        if (std::holds_alternative<OperationBegin>(item)) {
            last = {};
        } else if (const auto* end = std::get_if<OperationEnd>(&item)) {
            last.bytes = end->statement.dram_bytes_read;
        } else if (std::get<Command>(item).unit == Unit::mac_array) {
            ++last.tiles;
        }
    }
    return last;
}

// With room for everything, tiles are some rows of pixels with all channels. Neighbours share r - 1 = 2 rows of what
// the taps see; all else is moved once.
TEST(PatchTraffic, TilesShareTheirHaloOnly) {
    const auto halo = [](const Loaded& all) { return (all.tiles - 1) * 2 * row_bytes; };
    const Loaded forward = loaded(Phase::forward, 1 << 20);
    EXPECT_EQ(forward.bytes, image_bytes + halo(forward) + weight_bytes);
    const Loaded dx = loaded(Phase::dx, 1 << 20);
    EXPECT_EQ(dx.bytes, image_bytes + halo(dx) + weight_bytes);
    const Loaded dw = loaded(Phase::dw, 1 << 20);
    EXPECT_EQ(dw.bytes, image_bytes + halo(dw) + image_bytes);
    for (const Loaded& each : {forward, dx, dw}) {
        EXPECT_LE(each.tiles, 16U) << "of one row or more";
    }
}

// However little room: even tiles of one row move each row three times, never nine.
TEST(PatchTraffic, TapsAreNotMovedOneByOne) {
    for (const std::uint64_t kilobytes : {16U, 20U, 24U, 32U, 48U}) {
        const Loaded forward = loaded(Phase::forward, kilobytes << 10U);
        EXPECT_GE(forward.bytes, image_bytes + weight_bytes) << kilobytes;
        EXPECT_LE(forward.bytes, 3 * image_bytes + weight_bytes) << kilobytes;
    }
}

}  // namespace
}  // namespace nibble
