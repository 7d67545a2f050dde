// SPDX-License-Identifier: MIT
#include "models/mac_array/mac_array.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/mac_array/tile_timing.h"
#include "sim/base/error.h"
#include "tests/support/bench.h"
#include "tests/support/line_requests.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

using Tiles = std::vector<MatmulCommand>;

CommandPtr command_of(const MatmulCommand& tile) {
    auto command = std::make_shared<Command>();
    command->unit = Unit::mac_array;
    command->work = tile;
    return command;
}

MatmulCommand tile_of(ArrayMode mode, Dataflow dataflow, const std::vector<MatmulPass>& passes) {
    MatmulCommand tile;
    tile.mode = mode;
    tile.dataflow = dataflow;
    tile.passes = passes;
    return tile;
}

constexpr std::uint32_t line_bytes = 32;

using Lines = test::Server<ScratchpadRequest, ScratchpadDone>;

struct Seen {
    std::vector<std::uint64_t> completions;  // cycles in which they arrived
    std::vector<ScratchpadRequest> requests;
    ActivityCycles activity{};
    std::uint64_t streaming = 0;
    std::uint64_t cycles = 0;
};

/// Runs tiles one after the other through an array between stubs; `check` sees what happened and what was counted.
/// `served` says how long the scratchpad takes for a tile's lines.
std::string run(const MacArrayParameters& params, const Tiles& tiles, const test::BenchOptions& options,
                const std::function<void(const Seen&, test::Books&)>& check,
                const Lines::Latency& served = test::at_own_pace) {
    return test::simulate([&] {
        test::Books books;
        Clock clock("clock", 1000, options.skipping);
        Channel<CommandPtr> commands("commands", 2);
        Channel<Completion> completions("completions", 2);
        Channel<ScratchpadRequest> requests("requests", 2);
        Channel<ScratchpadDone> done("done", 2);
        std::vector<CommandPtr> given;
        for (const MatmulCommand& tile : tiles) {
            given.push_back(command_of(tile));
        }
        test::Countdown countdown(tiles.size());
        std::unique_ptr<MacArray> array;
        const auto make_array = [&] {
            array = std::make_unique<MacArray>("array", clock, params, line_bytes, books.ledger);
        };
        if (!options.stubs_first) {
            make_array();
        }
        test::Source<CommandPtr> source("source", clock, test::at_once(given), options.source_stalls);
        test::Sink<Completion> sink("sink", clock, countdown, options.sink_stalls);
        Lines memory("memory", clock, served);
        if (options.stubs_first) {
            make_array();
        }
        source.out(commands);
        array->command_in(commands);
        array->completion_out(completions);
        sink.in(completions);
        array->scratchpad_request_out(requests);
        memory.in(requests);
        memory.out(done);
        array->scratchpad_done_in(done);
        Seen seen;
        test::Watch watch([&](std::uint64_t cycles) { seen.streaming += array->streaming() ? cycles : 0; });
        clock.set_observer(watch);
        clock.run();
        seen.completions = sink.cycles();
        for (const auto& taken : memory.taken) {
            seen.requests.push_back(taken.request);
        }
        seen.activity = array->activity_cycles();
        seen.cycles = clock.now() + 1;
        EXPECT_EQ(test::sum_of(seen.activity), seen.cycles);
        check(seen, books);
        return fmt::format("{} | {} | {} | {}", fmt::join(seen.completions, " "), test::text_of(seen.activity),
                           seen.streaming, seen.cycles);
    });
}

TileTiming timing_of(const MacArrayParameters& params, const MatmulCommand& tile) {
    return params.ideal ? TileTiming{}
                        : tile_timing(*params.modes[static_cast<std::size_t>(tile.mode)], tile.dataflow,
                                      FoldRule{.overlap = params.overlap}, tile.passes, tile.accumulate);
}

/// Cycles of a tile whose lines nobody else delays. Its operands and results, in whole lines, are asked for at the
/// slowest whole pace that keeps up with the stream; the request takes a cycle to the scratchpad, and the last operand
/// one from there, which the fill hides unless there is none. An ideal array asks for its lines as fast as four banks
/// can serve them, and hides neither of the two cycles.
std::uint64_t undisturbed_cycles(const MacArrayParameters& params, const MatmulCommand& tile) {
    const TileTiming timing = timing_of(params, tile);
    const TileTraffic traffic = tile_traffic(*params.modes[static_cast<std::size_t>(tile.mode)], tile);
    const auto up = [](std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; };
    std::uint64_t line_cycles = 0;
    for (const std::uint64_t bytes : {traffic.left_bytes, traffic.right_bytes, traffic.result_bytes}) {
        const std::uint64_t lines = up(bytes, line_bytes);
        const std::uint64_t per_cycle = params.ideal ? lines : up(lines, timing.stream);
        line_cycles = std::max(line_cycles, lines == 0 ? 0 : up(lines, per_cycle));
    }
    if (params.ideal) {
        return line_cycles + 2;
    }
    return std::max(timing.fill + timing.stream, line_cycles + 1) + timing.drain;
}

Tiles random_tiles(test::RandomCase& random, std::size_t count) {
    Tiles tiles(count);
    for (MatmulCommand& tile : tiles) {
        tile.mode = random.one_of<ArrayMode>({ArrayMode::int4, ArrayMode::int4_fp4, ArrayMode::fp8, ArrayMode::fp16});
        tile.dataflow = random.one_of<Dataflow>(
            {Dataflow::output_stationary, Dataflow::weight_stationary, Dataflow::input_stationary});
        tile.left_bits = random.one_of<std::uint32_t>({4, 8, 16});
        tile.right_bits = random.one_of<std::uint32_t>({4, 8, 16});
        tile.left_transposed = random.coin();
        tile.accumulate = random.coin();
        tile.finish = random.coin();
        tile.passes.resize(random.number(1, 3));
        for (MatmulPass& pass : tile.passes) {
            pass = {random.number(1, 30), random.number(1, 30), random.number(1, 40)};
        }
    }
    return tiles;
}

// A command pushed in cycle 0 is popped in 1, its completion, pushed in the last cycle of the tile, popped one later:
// the n-th completion arrives in cycle 1 + the sum of the first n tiles. Back to back, no cycle is lost between tiles.
TEST(MacArray, TilesTakeExactlyTheirTimingBackToBack) {
    test::RandomCase random(81);
    for (int n = 0; n < 20; ++n) {
        const MacArrayParameters params = random.machine().mac_array;
        const Tiles tiles = random_tiles(random, 25);
        std::vector<std::uint64_t> arrivals;
        std::uint64_t at = 1;
        std::uint64_t stream = 0;
        for (const MatmulCommand& tile : tiles) {
            at += undisturbed_cycles(params, tile);
            stream += timing_of(params, tile).stream;
            arrivals.push_back(at);
        }
        for (const bool skipping : {false, true}) {
            SCOPED_TRACE(fmt::format("case {} skipping {}", n, skipping));
            run(params, tiles, {.skipping = skipping}, [&](const Seen& seen, test::Books&) {
                EXPECT_EQ(seen.completions, arrivals);
                EXPECT_EQ(seen.streaming, stream);
                // Waits for the first command in cycle 0, and for another one in the last.
                EXPECT_EQ(seen.activity, (ActivityCycles{at - 1, 2, 0, 0}));
            });
        }
    }
}

// 8x8 PEs, FP16 at 4 cycles a step: 8 x 8 x 10 output-stationary: skew 14, 10 steps of 4, drain 8: 62 cycles.
TEST(MacArray, OneTileFromIdle) {
    const MacArrayParameters params = test::small_machine().mac_array;
    const Tiles one{tile_of(ArrayMode::fp16, Dataflow::output_stationary, {{8, 8, 10}})};
    run(params, one, {}, [](const Seen& seen, test::Books&) {
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1 + 14 + 40 + 8}));
        EXPECT_EQ(seen.streaming, 40U);
    });
}

// One PE at work for one step of one cycle: there is no skew to hide that the first operand comes two cycles after it
// was asked for: 2 cycles to the end of the stream instead of 1, then 1 of drain.
TEST(MacArray, AFoldOfOnePeWaitsForItsOperand) {
    MacArrayParameters params = test::small_machine().mac_array;
    params.modes[static_cast<std::size_t>(ArrayMode::fp16)]->cycles_per_step = 1;
    const Tiles one{tile_of(ArrayMode::fp16, Dataflow::output_stationary, {{1, 1, 1}})};
    EXPECT_EQ(timing_of(params, one[0]), (TileTiming{0, 1, 1}));
    run(params, one, {},
        [](const Seen& seen, test::Books&) { EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1 + 2 + 1})); });
}

// An 8 x 8 x 8 product in INT4 storage at 4 MACs a PE: skew 14, 2 steps, drain 8. Left and right are 32 bytes = 1 line
// of 32 each, results 128 bytes = 4 lines: 1, 1 and 2 a cycle keep up with two steps. Popped in cycle 1, the tile
// streams to cycle 16 and drains from 17. Asked in 1, the scratchpad serves from 2 on, so that 15 cycles of lines are
// there in cycle 17, and every further cycle delays the drain by one.
TEST(MacArray, AScratchpadTooSlowDelaysTheDrain) {
    const MacArrayParameters params = test::small_machine().mac_array;
    Tiles one{tile_of(ArrayMode::int4, Dataflow::output_stationary, {{8, 8, 8}})};
    one[0].left_bits = 4;
    one[0].right_bits = 4;
    one[0].left_part = ScratchpadPart::resident;
    for (const auto& [served, late] :
         {std::pair{2U, 0U}, std::pair{15U, 0U}, std::pair{16U, 1U}, std::pair{100U, 85U}}) {
        for (const bool skipping : {false, true}) {
            run(
                params, one, {.skipping = skipping},
                [&](const Seen& seen, test::Books&) {
                    EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1U + 14 + 2 + late + 8})) << served;
                    EXPECT_EQ(seen.streaming, 2U) << "waiting is no streaming";
                    ASSERT_EQ(seen.requests.size(), 1U);
                    const auto streams = seen.requests[0].streams();
                    ASSERT_EQ(streams.size(), 3U);
                    EXPECT_EQ(streams[0], (LineStream{ScratchpadPart::resident, LineAccess::read, 1, 0, 1}));
                    EXPECT_EQ(streams[1], (LineStream{ScratchpadPart::right, LineAccess::read, 1, 0, 1}));
                    EXPECT_EQ(streams[2], (LineStream{ScratchpadPart::output, LineAccess::write, 2, 0, 4}));
                },
                [served = served](const ScratchpadRequest&) { return served - 1; });
        }
    }
}

// The product of the test before, asked of an ideal array: 1, 1 and 4 lines at once. Popped and asked for in cycle 1,
// served in 2 by a scratchpad as wide, heard of and complete in 3. No cycle streams.
TEST(MacArray, AnIdealArrayTakesAsLongAsItsLines) {
    MacArrayParameters params = test::small_machine().mac_array;
    params.ideal = true;
    Tiles one{tile_of(ArrayMode::int4, Dataflow::output_stationary, {{8, 8, 8}})};
    one[0].left_bits = 4;
    one[0].right_bits = 4;
    for (const bool skipping : {false, true}) {
        run(params, one, {.skipping = skipping}, [&](const Seen& seen, test::Books& books) {
            EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{4}));
            EXPECT_EQ(seen.streaming, 0U);
            EXPECT_EQ(books.counted(Counter::mac_int4), 512U);
            const auto streams = seen.requests[0].streams();
            ASSERT_EQ(streams.size(), 3U);
            EXPECT_EQ(streams[2], (LineStream{ScratchpadPart::output, LineAccess::write, 4, 0, 4}));
        });
    }
}

TEST(MacArray, CountsWhatTheTilesAskFor) {
    test::RandomCase random(82);
    for (int n = 0; n < 5; ++n) {
        const MacArrayParameters params = random.machine().mac_array;
        const Tiles tiles = random_tiles(random, 20);
        CounterValues expected{};
        for (const MatmulCommand& tile : tiles) {
            const auto mode = static_cast<std::size_t>(tile.mode);
            for (const MatmulPass& pass : tile.passes) {
                expected[index_of(Counter::mac_int4) + mode] += pass.m * pass.n * pass.k;
            }
            const TileTraffic traffic = tile_traffic(*params.modes[mode], tile);
            expected[index_of(Counter::accumulator_read_bytes)] += traffic.accumulator_read_bytes;
            expected[index_of(Counter::accumulator_write_bytes)] += traffic.accumulator_write_bytes;
            expected[index_of(Counter::transposed_bytes)] += traffic.transposed_bytes;
        }
        run(params, tiles, {}, [&](const Seen& seen, test::Books& books) {
            EXPECT_EQ(books.close().front().counters, expected);
            EXPECT_EQ(seen.requests.size(), tiles.size());
        });
    }
}

// Commands that come late and completions that are fetched late: each tile still takes its time, and nothing is lost.
TEST(MacArray, UnderStallsTilesStillTakeTheirTimeInWhateverOrderUnitsAreBuilt) {
    test::RandomCase random(83);
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const MacArrayParameters params = random.machine().mac_array;
        const Tiles tiles = random_tiles(random, 25);
        test::BenchOptions options;
        options.source_stalls = {seed, 95};
        options.sink_stalls = {seed + 1000, 95};
        std::uint64_t total = 0;
        for (const MatmulCommand& tile : tiles) {
            total += undisturbed_cycles(params, tile);
        }
        const auto check = [&](const Seen& seen, test::Books&) {
            EXPECT_EQ(seen.completions.size(), tiles.size());
            EXPECT_GE(seen.activity[0], total);
        };
        const std::string story = run(params, tiles, options, check);
        options.stubs_first = true;
        EXPECT_EQ(story, run(params, tiles, options, check)) << "seed " << seed;
        options.skipping = false;
        EXPECT_EQ(story, run(params, tiles, options, check)) << "seed " << seed;
    }
}

TEST(MacArray, AModeThatTheArrayLacksIsAModelError) {
    test::simulate([] {
        MacArrayParameters params = test::small_machine().mac_array;
        params.modes[static_cast<std::size_t>(ArrayMode::fp8)].reset();
        test::Books books;
        Clock clock("clock", 1000, true);
        Channel<CommandPtr> commands("commands", 2);
        Channel<Completion> completions("completions", 2);
        Channel<ScratchpadRequest> requests("requests", 2);
        Channel<ScratchpadDone> done("done", 2);
        MacArray array("array", clock, params, line_bytes, books.ledger);
        test::Source<CommandPtr> source(
            "source", clock, {{0, command_of(tile_of(ArrayMode::fp8, Dataflow::output_stationary, {{1, 1, 1}}))}});
        source.out(commands);
        array.command_in(commands);
        array.completion_out(completions);
        array.scratchpad_request_out(requests);
        array.scratchpad_done_in(done);
        try {
            clock.run();
            ADD_FAILURE() << "the array has no FP8";
        } catch (const ModelError& error) {
            EXPECT_STREQ(error.what(), "array: a tile in mode fp8, which the array does not have");
        }
        return std::string{};
    });
}

}  // namespace
}  // namespace nibble
