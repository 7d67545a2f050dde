// SPDX-License-Identifier: MIT
#include "sim/lowering/result_check.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/lowering/recorded_values.h"
#include "sim/lowering/tiling.h"
#include "tests/support/for_each_tile.h"

namespace nibble {
namespace {

using testing::ElementsAre;

Operation convolution(Phase phase, const Convolution& work) {
    Operation operation;
    operation.phase = phase;
    operation.work = work;
    return operation;
}

Operation product(std::uint64_t m, std::uint64_t n) {
    Operation operation;
    operation.work = Matmul{.m = m, .n = n, .k = 4};
    return operation;
}

/// Elements of the result that all tiles deliver together, how often each.
std::vector<int> times_delivered(const Operation& operation, const Tiling& tiling) {
    const GemmProblem problem(operation, 0, 0);
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : result_shape(operation)) {
        elements *= extent;
    }
    std::vector<int> times(elements);
    for_each_tile(problem, tiling, [&](const TileRange& tile, bool, bool last) {
        if (last) {
            for (const std::uint64_t element : delivered_elements(operation, problem, tile)) {
                ++times.at(element);
            }
        }
    });
    return times;
}

// 2 images of 2 output pixels (1 row of 2) and 2 channels, in tiles of one channel: channels come first in the file.
TEST(DeliveredElements, OfATileOfOneChannel) {
    const Operation forward = convolution(Phase::forward, {.n = 2, .c = 1, .h = 1, .w = 2, .k = 2});
    const GemmProblem problem(forward, 0, 0);
    EXPECT_THAT(delivered_elements(forward, problem, {{0, 1}, {0, 2}, {1, 2}, {0, 1}}), ElementsAre(2, 3, 6, 7));
}

TEST(DeliveredElements, EveryElementOnce) {
    const Convolution work{.n = 2,
                           .c = 8,
                           .h = 7,
                           .w = 5,
                           .k = 12,
                           .r = 3,
                           .s = 2,
                           .stride_h = 2,
                           .pad_top = 1,
                           .pad_left = 1,
                           .groups = 2};
    const Tiling tiling{.i = 3, .j = 2, .l = 2};
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw}) {
        for (const bool transposed : {false, true}) {
            Convolution either = work;
            either.transposed = transposed;
            EXPECT_THAT(times_delivered(convolution(phase, either), tiling), testing::Each(1));
        }
    }
    EXPECT_THAT(times_delivered(product(7, 5), tiling), testing::Each(1));
}

// A 1x1 filter with stride 2 reads every other pixel of every other row: the gradients of the others are zero, and
// nothing is delivered for them.
TEST(DeliveredElements, PixelsThatNoTapReachesAreLeftOut) {
    const Operation dx = convolution(Phase::dx, {.c = 1, .h = 2, .w = 3, .k = 1, .stride_h = 2, .stride_w = 2});
    EXPECT_THAT(times_delivered(dx, {.i = 1, .j = 1, .l = 1}), ElementsAre(1, 0, 1, 0, 0, 0));
}

// The unit is just above the midpoint of 1 and the next binary32 number and becomes 1 + 2^-23. Three times that is 3 +
// 1.5 steps of 2^-22: a tie, to the even 3 + 2 steps. In binary64 it would be 3 + 0.75 steps, and become 3 + 1.
TEST(ScaledResult, RoundsTheUnitAndThenTheProduct) {
    EXPECT_EQ(scaled_result(3, 1 + 0x1p-24 + 0x1p-40), 3 + 0x1p-21F);
}

TEST(ResultCheck, FindsAPlantedDifference) {
    const Operation operation = product(2, 2);
    const GemmProblem problem(operation, 0, 0);
    const std::vector<float> sums{1, 2, 3, 4};
    const TileRange tile{{0, 1}, {0, 2}, {0, 2}, {0, 4}};
    ResultComparison found;
    ResultCheck(operation, problem, {0.5F, 1, 1.5F, 2}).compare(tile, sums, 0.5, found);
    EXPECT_EQ(found.outputs_compared, 4U);
    EXPECT_EQ(found.outputs_different, 0U);
    ResultCheck(operation, problem, {0.5F, 1, 1.75F, std::nextafter(2.0F, 3.0F)}).compare(tile, sums, 0.5, found);
    EXPECT_EQ(found.outputs_compared, 8U);
    EXPECT_EQ(found.outputs_different, 2U);
    EXPECT_EQ(found.largest_difference, 0.25);
    // -0 and 0 differ in their bits, by nothing.
    found = {};
    ResultCheck(operation, problem, {-0.0F, 1, 1.5F, 2}).compare(tile, std::vector<float>{0, 2, 3, 4}, 0.5, found);
    EXPECT_EQ(found.outputs_different, 1U);
    EXPECT_EQ(found.largest_difference, 0);
    found = {};
    const float infinite = std::numeric_limits<float>::infinity();
    ResultCheck(operation, problem, {0.5F, 1, 1.5F, 2})
        .compare(tile, std::vector<float>{infinite, 2, 3, 4}, 0.5, found);
    EXPECT_EQ(found.outputs_different, 1U);
    EXPECT_EQ(found.largest_difference, infinite);
}

}  // namespace
}  // namespace nibble
