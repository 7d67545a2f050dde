// SPDX-License-Identifier: MIT
// How far loads run ahead of the work: the room for tiles bounds it (scratchpad.buffering), and the queue of the load
// engine (sequencer.queue_entries).
#include <algorithm>
#include <cstdint>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/run_trace.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

struct Times {
    std::uint64_t cycles = 0;
    std::uint64_t lane_cycles = 0;
    std::uint64_t memory_cycles = 0;  // that its bytes take at peak
};

/// One pass of element-wise work over 2 MiB, in chunks of 128 KiB: two operands come, one goes.
Times run(std::uint32_t buffering, std::uint32_t queue_entries, std::uint32_t channels = 1) {
    test::StepTrace trace;
    constexpr std::uint64_t elements = 1 << 18;
    const TensorId a = trace.tensor(TensorRole::state, elements);
    const TensorId b = trace.tensor(TensorRole::activation, elements);
    const TensorId c = trace.tensor(TensorRole::activation, elements);
    trace.vector(elements, {a, b}, {c});
    const test::TraceFile file(trace.finish());
    MachineParameters machine = test::small_machine();
    machine.dram.channels = channels;
    machine.scratchpad.capacity_bytes = 1 << 20;
    machine.scratchpad.resident_bytes = 0;
    machine.scratchpad.buffering = buffering;
    machine.sequencer.queue_entries = queue_entries;
    machine.dma = {.max_request_bytes = 4096, .max_outstanding = 16, .lines_per_cycle = 4};
    machine.vector_unit.lanes = 2;
    LoweringOptions options;
    options.recipe = find_recipe("fp16");
    std::istringstream told(test::simulate([&] {
        const test::TraceRun done = test::run_here(file.path(), machine, options);
        const auto count = [&](Counter counter) { return done.summary.counters[index_of(counter)]; };
        // One 16-bit channel of LPDDR5-6400: 12.8 bytes in a cycle of 1 ns.
        const std::uint64_t bytes = count(Counter::dram_bytes_read) + count(Counter::dram_bytes_written);
        return fmt::format("{} {} {}", done.summary.cycles, count(Counter::vector_lane_ops) / machine.vector_unit.lanes,
                           bytes * 10 / 128);
    }));
    Times result;
    told >> result.cycles >> result.lane_cycles >> result.memory_cycles;
    return result;
}

// While the vector unit works on the only buffers there are, nothing can move: the times add up. With two, moving hides
// behind work or work behind moving, all but the first load and the last store: one chunk of 16 each. DRAM reaches at
// least 80% of its peak on such streams, in which reads and writes take turns.
TEST(Prefetch, RoomForTwoChunksLetsLoadsRunAhead) {
    const Times one = run(1, 8);
    EXPECT_EQ(one.memory_cycles, (std::uint64_t{2} << 20) * 10 / 128);
    EXPECT_GE(one.cycles, one.memory_cycles + one.lane_cycles);
    const Times two = run(2, 8);
    const auto longer = static_cast<double>(std::max(two.memory_cycles, two.lane_cycles));
    EXPECT_GE(static_cast<double>(two.cycles), longer);
    EXPECT_LE(static_cast<double>(two.cycles), (longer + static_cast<double>(two.lane_cycles) / 8) / 0.8);
    EXPECT_LT(two.cycles, one.cycles);
}

// Commands are fetched in order. A queue of one entry holds them up behind the load that does not fit in. Eight
// channels, so that the lanes are the limit: where memory is, more loads at once may also cost it row conflicts.
TEST(Prefetch, AShortQueueHoldsLoadsBack) {
    const Times shallow = run(4, 1, 8);
    const Times deep = run(4, 16, 8);
    EXPECT_LE(deep.cycles, shallow.cycles);
    EXPECT_LT(deep.cycles, run(1, 16, 8).cycles);
}

}  // namespace
}  // namespace nibble
