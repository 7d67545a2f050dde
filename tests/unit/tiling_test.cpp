// SPDX-License-Identifier: MIT
#include "sim/lowering/tiling.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/lowering/greedy_tiling.h"
#include "tests/support/for_each_tile.h"
#include "tests/support/random_gemm.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

constexpr std::array<Phase, 3> gemm_phases{Phase::forward, Phase::dx, Phase::dw};

// ---- cutting one dimension

TEST(TileAt, TilesCoverTheDimensionInOrderAndNeverStraddleImages) {
    test::RandomCase random(21);
    for (int i = 0; i < 3000; ++i) {
        const std::uint64_t period = random.number(1, 20);
        const TiledDimension dimension{period * random.number(1, 6), period};
        const std::uint64_t size = test::random_rows(random, dimension);
        const std::uint64_t count = tile_count(dimension, size);
        std::uint64_t next = 0;
        for (std::uint64_t index = 0; index < count; ++index) {
            const Range tile = tile_at(dimension, size, index);
            EXPECT_EQ(tile.begin, next);
            EXPECT_GT(tile.size(), 0U);
            EXPECT_LE(tile.size(), size);
            const bool inside = tile.begin / period == (tile.end - 1) / period;
            EXPECT_TRUE(inside || (tile.begin % period == 0 && tile.end % period == 0));
            next = tile.end;
        }
        EXPECT_EQ(next, dimension.extent) << "size " << size << " period " << period;
    }
}

// 3 images of 7 rows in tiles of 4: 4 and 3 of each image. In tiles of two images: 14 rows and 7.
TEST(TileAt, TheLastTileOfAnImageMayBeSmaller) {
    const TiledDimension rows{21, 7};
    EXPECT_EQ(tile_count(rows, 4), 6U);
    EXPECT_EQ(tile_at(rows, 4, 3), (Range{11, 14}));
    EXPECT_EQ(tile_count(rows, 14), 2U);
    EXPECT_EQ(tile_at(rows, 14, 1), (Range{14, 21}));
}

// ---- walking the tiles

TEST(ForEachTile, VisitsEveryTileOnceInTheStatedOrder) {
    test::RandomCase random(22);
    for (int n = 0; n < 300; ++n) {
        const Operation operation = random.coin() ? test::gemm(test::random_convolution(random), Phase::forward)
                                                  : test::gemm(test::random_matmul(random), Phase::dx);
        const GemmProblem problem = test::problem_of(operation);
        const Tiling tiling = test::random_tiling(random, problem, std::holds_alternative<Matmul>(operation.work));
        const TileCounts counts = tile_counts(problem, tiling);
        const std::string_view order = loop_order_names[static_cast<std::size_t>(tiling.order)];
        // Position of a tile in the walk: the digits of the step's number, the innermost loop's last.
        std::uint64_t visited = 0;
        for_each_tile(problem, tiling, [&](const TileRange& tile, bool first, bool last) {
            std::map<char, std::uint64_t> at;
            std::uint64_t rest = visited++;
            for (std::size_t depth = order.size(); depth-- > 0;) {
                const std::uint64_t tiles = order[depth] == 'i' ? counts.i : order[depth] == 'j' ? counts.j : counts.l;
                at[order[depth]] = rest % tiles;
                rest /= tiles;
            }
            EXPECT_EQ(tile.i, tile_at(problem.i(), tiling.i, at['i']));
            EXPECT_EQ(tile.j, tile_at(problem.j(), tiling.j, at['j']));
            EXPECT_EQ(tile.l, tile_at(problem.l(), tiling.l, at['l']));
            EXPECT_EQ(tile.batch.begin, rest * tiling.batch);
            EXPECT_EQ(tile.batch.end, std::min(problem.batch(), (rest + 1) * tiling.batch));
            EXPECT_EQ(first, at['l'] == 0);
            EXPECT_EQ(last, at['l'] + 1 == counts.l);
        });
        EXPECT_EQ(visited, counts.all());
    }
}

// 2 x 3 x 4 tiles. In the order i, j, l everything changes with l; with l outside of j, left stays while j runs.
TEST(TileLoads, AreThoseOfTheLoopsThatMoveTheOperand) {
    const TileCounts counts{.batch = 1, .i = 2, .j = 3, .l = 4};
    const auto loads = [&](LoopOrder order) {
        const TileLoads times = tile_loads(counts, order);
        return std::pair(times.left, times.right);
    };
    EXPECT_EQ(loads(LoopOrder::ijl), (std::pair<std::uint64_t, std::uint64_t>(24, 24)));
    EXPECT_EQ(loads(LoopOrder::ilj), (std::pair<std::uint64_t, std::uint64_t>(2 * 4, 24)));
    EXPECT_EQ(loads(LoopOrder::lij), (std::pair<std::uint64_t, std::uint64_t>(4 * 2, 24)));
    EXPECT_EQ(loads(LoopOrder::jli), (std::pair<std::uint64_t, std::uint64_t>(24, 3 * 4)));
    // One tile of l: left moves with i only, wherever l stands.
    const TileLoads whole = tile_loads({.batch = 5, .i = 2, .j = 3, .l = 1}, LoopOrder::ijl);
    EXPECT_EQ(whole.left, 5U * 2);
    EXPECT_EQ(whole.right, 5U * 2 * 3);
}

TEST(OpenOutputs, AreThoseInsideTheReduction) {
    const TileCounts counts{.batch = 7, .i = 2, .j = 3, .l = 4};
    EXPECT_EQ(open_outputs(counts, LoopOrder::ijl), 1U);
    EXPECT_EQ(open_outputs(counts, LoopOrder::ilj), 3U);
    EXPECT_EQ(open_outputs(counts, LoopOrder::jli), 2U);
    EXPECT_EQ(open_outputs(counts, LoopOrder::lij), 6U);
    EXPECT_EQ(open_outputs({.batch = 1, .i = 2, .j = 3, .l = 1}, LoopOrder::lij), 1U);
}

// ---- space

/// What one operand's buffers hold while the tiles are walked: a tile is loaded when it is not the one held.
class BufferWalk {
public:
    void need(const Slice& slice) {
        if (held_ != slice) {
            held_ = slice;
            ++loads_;
        }
        largest_ = std::max(largest_, slice.bytes());
    }
    [[nodiscard]] std::uint64_t loads() const { return loads_; }
    [[nodiscard]] std::uint64_t space(std::uint32_t buffers) const {
        return largest_ * std::min<std::uint64_t>(loads_, buffers);
    }

private:
    std::optional<Slice> held_;
    std::uint64_t loads_ = 0, largest_ = 0;
};

GemmTask random_task(test::RandomCase& random, const GemmProblem& problem) {
    GemmTask task{.problem = problem};
    task.left = {random.one_of<std::uint32_t>({4, 8, 16}), random.number(0, 3) == 0};
    task.right = {random.one_of<std::uint32_t>({4, 8, 16}), random.number(0, 3) == 0};
    task.result_bits = random.one_of<std::uint32_t>({16, 24});
    task.code_bits = random.one_of<std::uint32_t>({0, 5, 8});
    return task;
}

TEST(TileSpaceOfATiling, HoldsEveryTileThatTheWalkNeeds) {
    test::RandomCase random(23);
    for (int n = 0; n < 2000; ++n) {
        const bool matmul = random.number(0, 3) == 0;
        const Operation operation = matmul ? test::gemm(test::random_matmul(random), Phase::forward)
                                           : test::gemm(test::random_convolution(random),
                                                        random.one_of<Phase>({gemm_phases.begin(), gemm_phases.end()}));
        const GemmProblem problem = test::problem_of(operation);
        Tiling tiling = test::random_tiling(random, problem, matmul);
        tiling.left_buffers = static_cast<std::uint32_t>(random.number(1, 3));
        tiling.right_buffers = static_cast<std::uint32_t>(random.number(1, 3));
        const GemmTask task = random_task(random, problem);
        BufferWalk left;
        BufferWalk right;
        std::uint64_t outputs = 0;
        std::set<std::array<std::uint64_t, 3>> open;  // output tiles of which the sums wait
        std::size_t most_open = 0;
        for_each_tile(problem, tiling, [&](const TileRange& tile, bool, bool last) {
            left.need(problem.left(tile, task.left.bits));
            right.need(problem.right(tile, task.right.bits));
            outputs = std::max(outputs, problem.out_elements(tile));
            const std::array<std::uint64_t, 3> place{tile.batch.begin, tile.i.begin, tile.j.begin};
            open.insert(place);
            most_open = std::max(most_open, open.size());
            if (last) {
                open.erase(place);
            }
        });
        const TileBytes space = tile_space(task, tiling);
        SCOPED_TRACE(testing::Message() << "case " << n << ' ' << problem.text() << ": " << to_string(tiling, problem));
        if (!task.left.on_chip) {
            EXPECT_GE(of(space, TileBuffer::left), left.space(tiling.left_buffers));
        }
        if (!task.right.on_chip) {
            EXPECT_GE(of(space, TileBuffer::right), right.space(tiling.right_buffers));
        }
        EXPECT_GE(of(space, TileBuffer::output), (outputs * task.result_bits + 7) / 8);
        EXPECT_GE(of(space, TileBuffer::gradient), (outputs * task.code_bits + 7) / 8);
        const TileCounts counts = tile_counts(problem, tiling);
        EXPECT_LE(left.loads(), tile_loads(counts, tiling.order).left);
        EXPECT_LE(right.loads(), tile_loads(counts, tiling.order).right);
        EXPECT_EQ(most_open, open_outputs(counts, tiling.order));
    }
}

// A reduction of 8 in halves over 4 x 4 outputs: 16 sums of 4 bytes wait; with l outermost those of both halves of i.
TEST(AccumulatorBytes, AreThoseOfTheSumsThatWait) {
    const GemmTask task{.problem = test::problem_of(test::gemm(Matmul{1, 8, 4, 8, false, true}, Phase::forward))};
    EXPECT_EQ(accumulator_bytes(task, {1, 4, 4, 4, LoopOrder::ijl}), 16U * 4);
    EXPECT_EQ(accumulator_bytes(task, {1, 4, 4, 4, LoopOrder::lij}), 2U * 16 * 4);
    EXPECT_EQ(accumulator_bytes(task, {1, 4, 4, 8, LoopOrder::ijl}), 0U) << "the PEs hold them";
    EXPECT_EQ(accumulator_bytes(task, {1, 4, 4, 8, LoopOrder::ijl, Dataflow::weight_stationary}), 16U * 4);
}

// ---- the greedy mapping

// 64 KiB less 16 for what is resident; 16-bit operands and results, two buffers of what changes. Everything:
// 256 x 64 x 2 + 64 x 64 x 2 + 256 x 64 x 2 = 73,728 bytes. Half of i: 2 x 16,384 + 8,192 + 2 x 16,384: too much. A
// quarter: 2 x 8,192 + 8,192 + 2 x 8,192 = 40,960 fit.
TEST(GreedyTiling, HalvesUntilItFits) {
    const GemmTask task{.problem = test::problem_of(test::gemm(Matmul{1, 256, 64, 64, false, true}, Phase::forward))};
    EXPECT_EQ(greedy_tiling(task, test::small_machine()),
              (Tiling{1, 64, 64, 64, LoopOrder::ijl, Dataflow::output_stationary, 2, 2, 2}));
}

// Channels are halved first, down to the 8 of the array: rows of dy and of x then take 128 x 8 x 2 = 2048 bytes, and a
// tile reads two more of x. Two buffers of each: with eight rows 2 x 8 x 2048 + 2 x 10 x 2048 = 73,728 bytes do not fit
// 65,520, with four 2 x 4 x 2048 + 2 x 6 x 2048 = 40,960 and two buffers of 8 x 8 x 9 outputs of 2 bytes do.
TEST(GreedyTiling, CutsTheRowsOfASingleImage) {
    const GemmTask task{.problem = test::problem_of(test::gemm(Convolution{.n = 1,
                                                                           .c = 16,
                                                                           .h = 128,
                                                                           .w = 128,
                                                                           .k = 16,
                                                                           .r = 3,
                                                                           .s = 3,
                                                                           .pad_top = 1,
                                                                           .pad_bottom = 1,
                                                                           .pad_left = 1,
                                                                           .pad_right = 1},
                                                               Phase::dw))};
    EXPECT_EQ(greedy_tiling(task, test::small_machine()),
              (Tiling{1, 8, 8, 4, LoopOrder::ijl, Dataflow::output_stationary, 2, 2, 2}));
}

TEST(GreedyTiling, SaysWhenNothingFits) {
    const GemmTask task{.problem = test::problem_of(test::gemm(Matmul{1, 8, 9, 10, false, true}, Phase::forward))};
    MachineParameters machine = test::small_machine();
    machine.scratchpad.capacity_bytes = 10;
    machine.scratchpad.resident_bytes = 0;
    try {
        static_cast<void>(greedy_tiling(task, machine));
        FAIL() << "nothing fits 10 bytes";
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(),
                     "a tile of the product m=8 n=9 k=10 does not fit: 10 bytes of scratchpad for tiles and 16384 of "
                     "accumulators");
    }
}

Operation convolution_of(Phase phase, const Convolution& work) {
    Operation operation;
    operation.phase = phase;
    operation.work = work;
    return operation;
}

bool keeps_order(const GemmProblem& problem, std::uint64_t l, std::uint64_t chunk) {
    return keeps_reduction_order(problem, {.i = 1, .j = 1, .l = l}, chunk);
}

TEST(ReductionOrder, OfAMatrixProductIsKeptByWholeChunks) {
    Operation operation;
    operation.work = Matmul{.m = 8, .n = 8, .k = 200};
    const GemmProblem problem(operation, 1600, 1600);
    EXPECT_TRUE(keeps_order(problem, 64, 64));
    EXPECT_TRUE(keeps_order(problem, 200, 64));  // one tile
    EXPECT_FALSE(keeps_order(problem, 96, 64));
    EXPECT_TRUE(keeps_order(problem, 96, 32));
    // 200 = 8 * 25: blocks of 25 columns, and whole chunks: lcm(25, 64).
    EXPECT_EQ(problem.l_step(), 25U);
    EXPECT_EQ(reduction_step(problem, 64), 1600U);
}

// All channels of a tap come before those of the next: a cut between channels puts the taps of the first part together.
TEST(ReductionOrder, OfAConvolutionIsKeptByCutsOnlyIfItHasOneTap) {
    const GemmProblem wide(
        convolution_of(Phase::forward, {.c = 128, .h = 8, .w = 8, .k = 8, .r = 3, .s = 3, .pad_top = 1}), 0, 0);
    EXPECT_TRUE(keeps_order(wide, 128, 64));
    EXPECT_FALSE(keeps_order(wide, 64, 64));
    const GemmProblem pointwise(convolution_of(Phase::forward, {.c = 128, .h = 8, .w = 8, .k = 8}), 0, 0);
    EXPECT_TRUE(keeps_order(pointwise, 64, 64));
    EXPECT_FALSE(keeps_order(pointwise, 32, 64));
}

// dw adds up pixels: rows of 12, 8 rows an image, 96 pixels an image.
TEST(ReductionOrder, OfAWeightGradientIsKeptByWholeChunksOfPixels) {
    const GemmProblem problem(convolution_of(Phase::dw, {.n = 4, .c = 8, .h = 8, .w = 12, .k = 8}), 0, 0);
    EXPECT_EQ(reduction_step(problem, 32), 8U);  // lcm(12, 32) = 96 = 8 rows
    EXPECT_TRUE(keeps_order(problem, 8, 32));
    EXPECT_FALSE(keeps_order(problem, 4, 32));  // 48 pixels
    EXPECT_FALSE(keeps_order(problem, 8, 64));  // an image is a chunk and a half
    EXPECT_TRUE(keeps_order(problem, 16, 64));  // two images are three chunks
    // Inside an image, tiles of whole chunks are not enough: 96 = 48 + 48, but 5 rows and 3 with chunks of 60.
    EXPECT_FALSE(keeps_order(problem, 5, 60));
    EXPECT_TRUE(keeps_order(problem, 4, 48));
}

TEST(Tiling, SaysHowItCuts) {
    const GemmProblem one = test::problem_of(test::gemm(Matmul{1, 8, 9, 10}, Phase::forward));
    EXPECT_EQ(to_string({1, 4, 9, 5, LoopOrder::jil}, one), "i 4 of 8, j 9 of 9, l 5 of 10, order jil, buffers 2 2 2");
    const GemmProblem four = test::problem_of(test::gemm(Matmul{4, 8, 9, 10}, Phase::forward));
    EXPECT_EQ(to_string({2, 8, 9, 10}, four),
              "i 8 of 8, j 9 of 9, l 10 of 10, 2 of 4 products, order ijl, buffers 2 2 2");
}

}  // namespace
}  // namespace nibble
