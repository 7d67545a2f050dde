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

/// A scratchpad so wide that it never slows a tile down.
constexpr ScratchpadParameters wide{.capacity_bytes = 1 << 20, .resident_bytes = 0, .banks = 1 << 20, .line_bytes = 32};

struct Seen {
    std::vector<std::uint64_t> completions;  // cycles in which they arrived
    std::vector<ScratchpadRequest> requests;
    ActivityCycles activity{};
    std::uint64_t streaming = 0;
    std::uint64_t cycles = 0;
};

/// Runs tiles one after the other through an array between stubs; `check` sees what happened and what was counted.
std::string run(const MacArrayParameters& params, const ScratchpadParameters& scratchpad, const Tiles& tiles,
                const test::BenchOptions& options, const std::function<void(const Seen&, test::Books&)>& check) {
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
            array = std::make_unique<MacArray>("array", clock, params, scratchpad, books.ledger);
        };
        if (!options.stubs_first) {
            make_array();
        }
        test::Source<CommandPtr> source("source", clock, test::at_once(given), options.source_stalls);
        test::Sink<Completion> sink("sink", clock, countdown, options.sink_stalls);
        // Serves a stream at its own pace, as the scratchpad does for the client of the highest priority.
        test::Server<ScratchpadRequest, ScratchpadDone> memory("memory", clock, [](const ScratchpadRequest& request) {
            return (request.lines_read + request.lines_written + request.lines_per_cycle - 1) /
                       request.lines_per_cycle -
                   1;
        });
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
    return tile_timing(*params.modes[static_cast<std::size_t>(tile.mode)], tile.dataflow,
                       FoldRule{.overlap = params.overlap}, tile.passes, tile.accumulate);
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
            at += timing_of(params, tile).total();
            stream += timing_of(params, tile).stream;
            arrivals.push_back(at);
        }
        for (const bool skipping : {false, true}) {
            SCOPED_TRACE(fmt::format("case {} skipping {}", n, skipping));
            run(params, wide, tiles, {.skipping = skipping}, [&](const Seen& seen, test::Books&) {
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
    run(params, wide, one, {}, [](const Seen& seen, test::Books&) {
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1 + 14 + 40 + 8}));
        EXPECT_EQ(seen.streaming, 40U);
    });
}

// An 8 x 8 x 8 product in INT4 storage at 4 MACs a PE: skew 14, 2 steps, drain 8. Left and right are 32 bytes = 1 line
// of 32 each, results 128 bytes = 4: 6 lines. One bank delivers them in 6 cycles, more than the 2 that the array needs;
// six banks in 1: then the array's 2 cycles count and 3 lines move in each.
TEST(MacArray, AScratchpadTooSlowStretchesTheStream) {
    const MacArrayParameters params = test::small_machine().mac_array;
    Tiles one{tile_of(ArrayMode::int4, Dataflow::output_stationary, {{8, 8, 8}})};
    one[0].left_bits = 4;
    one[0].right_bits = 4;
    for (const auto& [banks, stream, per_cycle] :
         {std::tuple{1U, 6U, 1U}, std::tuple{4U, 2U, 3U}, std::tuple{6U, 2U, 3U}}) {
        ScratchpadParameters scratchpad = wide;
        scratchpad.banks = banks;
        run(params, scratchpad, one, {}, [&](const Seen& seen, test::Books&) {
            EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1U + 14 + stream + 8})) << banks << " banks";
            EXPECT_EQ(seen.streaming, stream);
            ASSERT_EQ(seen.requests.size(), 1U);
            EXPECT_EQ(seen.requests[0].lines_read, 2U);
            EXPECT_EQ(seen.requests[0].lines_written, 4U);
            EXPECT_EQ(seen.requests[0].lines_per_cycle, per_cycle);
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
        run(params, wide, tiles, {}, [&](const Seen& seen, test::Books& books) {
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
            total += timing_of(params, tile).total();
        }
        const auto check = [&](const Seen& seen, test::Books&) {
            EXPECT_EQ(seen.completions.size(), tiles.size());
            EXPECT_GE(seen.activity[0], total);
        };
        const std::string story = run(params, wide, tiles, options, check);
        options.stubs_first = true;
        EXPECT_EQ(story, run(params, wide, tiles, options, check)) << "seed " << seed;
        options.skipping = false;
        EXPECT_EQ(story, run(params, wide, tiles, options, check)) << "seed " << seed;
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
        MacArray array("array", clock, params, wide, books.ledger);
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
