// SPDX-License-Identifier: MIT
// SAWB for weights, PACT for activations, and the scale of gradients: what a training step adapts.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/grad_scale.h"
#include "models/numerics/pact.h"
#include "models/numerics/sawb.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Sawb, HasThePublishedCoefficients) {
    // fms_mo/quant/quantizers.py, sawb_params() and sawb_params_code().
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_2_bit).c1, 3.12);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_2_bit).c2, -2.064);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_3_bit).c1, 7.509);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_3_bit).c2, -6.892);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_4_bit).c1, 12.68);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_4_bit).c2, -12.80);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_5_bit).c1, 17.74);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_5_bit).c2, -18.64);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_8_bit).c1, 31.76);
    EXPECT_EQ(sawb_coefficients(SawbLevels::plain_8_bit).c2, -35.04);
    EXPECT_EQ(sawb_coefficients(SawbLevels::zero_aligned_4_bit).c1, 12.035);
    EXPECT_EQ(sawb_coefficients(SawbLevels::zero_aligned_4_bit).c2, -12.03);
}

TEST(Sawb, ClipFollowsFromTheTwoMoments) {
    // E|w| = (3 + 1 + 0 + 0) / 4 = 1; E[w^2] = (9 + 1) / 4 = 2.5.
    const std::vector<float> weights = {3.0F, -1.0F, 0.0F, 0.0F};
    const SawbStatistics statistics = sawb_statistics(weights);
    EXPECT_EQ(statistics.mean_magnitude, 1.0);
    EXPECT_EQ(statistics.mean_square, 2.5);
    EXPECT_DOUBLE_EQ(SawbQuantizer(SawbLevels::zero_aligned_4_bit, statistics).clip(), 12.035 * std::sqrt(2.5) - 12.03);
    EXPECT_DOUBLE_EQ(SawbQuantizer(SawbLevels::plain_4_bit, statistics).clip(), 12.68 * std::sqrt(2.5) - 12.80);
    EXPECT_EQ(sawb_statistics({}).mean_square, 0.0);
}

TEST(Sawb, AClipThatIsNotPositiveFallsBackToTheRootMeanSquare) {
    // All magnitudes 2: (12.68 - 12.80) * 2 < 0.
    const std::vector<float> weights = {2.0F, -2.0F};
    EXPECT_EQ(SawbQuantizer(SawbLevels::plain_4_bit, sawb_statistics(weights)).clip(), 2.0);
    EXPECT_EQ(SawbQuantizer(SawbLevels::plain_4_bit, SawbStatistics{}).clip(), 1.0);
    EXPECT_THROW(SawbQuantizer(SawbLevels::plain_4_bit, 0.0), ModelError);
    EXPECT_THROW(SawbQuantizer(SawbLevels::plain_4_bit, nan), ModelError);
}

TEST(Sawb, ZeroAlignedLevelsFitASignedInt4) {
    const SawbQuantizer sawb(SawbLevels::zero_aligned_4_bit, 3.5);  // A step of 0.5.
    EXPECT_EQ(sawb.outermost(), 7);
    for (int level = -7; level <= 7; ++level) {
        EXPECT_EQ(sawb.decode(level), 0.5 * level);
        EXPECT_EQ(sawb.encode(0.5 * level), level);
        EXPECT_EQ(sawb.encode(0.5 * level + 0.125), level);
        EXPECT_EQ(sawb.encode(0.5 * level - 0.125), level);
    }
    EXPECT_EQ(sawb.encode(100.0), 7);
    EXPECT_EQ(sawb.encode(-infinity), -7);
    EXPECT_EQ(sawb.encode(nan), -7);
}

TEST(Sawb, PlainLevelsAreTheOddIntegersWithoutZero) {
    struct Case {
        SawbLevels levels;
        int bits;
    };
    for (const auto& [levels, bits] :
         {Case{SawbLevels::plain_2_bit, 2}, Case{SawbLevels::plain_3_bit, 3}, Case{SawbLevels::plain_4_bit, 4},
          Case{SawbLevels::plain_5_bit, 5}, Case{SawbLevels::plain_8_bit, 8}}) {
        const int outermost = (1 << bits) - 1;
        const SawbQuantizer sawb(levels, outermost);  // An integer is worth itself.
        EXPECT_EQ(sawb.outermost(), outermost);
        for (int level = -outermost; level <= outermost; level += 2) {
            EXPECT_EQ(sawb.encode(level), level);
            EXPECT_EQ(sawb.encode(level + 0.875), level);
            EXPECT_EQ(sawb.encode(level - 0.875), level);
            EXPECT_EQ(sawb.decode(level), level);
        }
        EXPECT_EQ(sawb.encode(1e9), outermost);
        EXPECT_EQ(sawb.encode(-1e9), -outermost);
        EXPECT_EQ(std::abs(sawb.encode(0.0)), 1);
    }
}

TEST(Sawb, TiesGoToTheEvenIndexFromTheLowestLevel) {
    const SawbQuantizer zero_aligned(SawbLevels::zero_aligned_4_bit, 7.0);
    // -6.5 lies between index 0 (-7) and 1 (-6); -5.5 between 1 and 2 (-5).
    EXPECT_EQ(zero_aligned.encode(-6.5), -7);
    EXPECT_EQ(zero_aligned.encode(-5.5), -5);
    const SawbQuantizer plain(SawbLevels::plain_2_bit, 3.0);
    // Levels -3, -1, 1, 3: the tie at -2 is between index 0 and 1, at 0 between 1 and 2, at 2 between 2 and 3.
    EXPECT_EQ(plain.encode(-2.0), -3);
    EXPECT_EQ(plain.encode(0.0), 1);
    EXPECT_EQ(plain.encode(2.0), 1);
}

TEST(Pact, ClampsAndRoundsToSixteenLevels) {
    const Pact pact(7.5);  // A step of 0.5.
    for (int code = 0; code <= 15; ++code) {
        EXPECT_EQ(pact.encode(0.5 * code), code);
        EXPECT_EQ(pact.encode(0.5 * code + 0.125), code);
        EXPECT_EQ(pact.decode(code), 0.5 * code);
    }
    EXPECT_EQ(pact.encode(0.25), 0) << "a tie between 0 and 1";
    EXPECT_EQ(pact.encode(0.75), 2) << "a tie between 1 and 2";
    EXPECT_EQ(pact.encode(-3.0), 0);
    EXPECT_EQ(pact.encode(100.0), 15);
    EXPECT_EQ(pact.encode(nan), 0);
    EXPECT_THROW(Pact(0.0), ModelError);
    EXPECT_THROW(Pact{nan}, ModelError);
}

TEST(Pact, GradientPassesBetweenZeroAndAlphaAndFromAlphaOn) {
    const Pact pact(2.0);
    struct Case {
        double x;
        double input;
        double alpha;
    };
    for (const auto& [x, input, alpha] :
         {Case{std::nextafter(0.0, -1.0), 0.0, 0.0}, Case{0.0, 3.0, 0.0}, Case{std::nextafter(2.0, 0.0), 3.0, 0.0},
          Case{2.0, 3.0, 3.0}, Case{std::nextafter(2.0, 3.0), 0.0, 3.0}, Case{nan, 0.0, 0.0}}) {
        EXPECT_EQ(pact.gradient(x, 3.0).input, input) << x;
        EXPECT_EQ(pact.gradient(x, 3.0).alpha, alpha) << x;
    }
}

TEST(GradScale, VotesByTheUpperHalfOfTheRange) {
    // Fig. 3a with MAX = 64: [0, 32] -> +1, (32, 64] -> 0, above -> -1.
    EXPECT_EQ(grad_scale_vote(0.0), 1);
    EXPECT_EQ(grad_scale_vote(32.0), 1);
    EXPECT_EQ(grad_scale_vote(std::nextafter(32.0, 33.0)), 0);
    EXPECT_EQ(grad_scale_vote(64.0), 0);
    EXPECT_EQ(grad_scale_vote(std::nextafter(64.0, 65.0)), -1);
    EXPECT_EQ(grad_scale_vote(infinity), -1);
    EXPECT_EQ(grad_scale_vote(nan), -1);
    EXPECT_EQ(grad_scale_vote(17.0, 32.0), 0) << "another MAX";
}

TEST(GradScale, DoublesOrHalvesByTheSignOfTheSum) {
    GradScale scale(13);
    EXPECT_EQ(scale.value(), 8192.0);
    scale.update(0);
    EXPECT_EQ(scale.log2(), 13);
    scale.update(5);
    EXPECT_EQ(scale.log2(), 14);
    EXPECT_EQ(scale.value(), 16384.0);
    scale.update(-1);
    scale.update(-32);
    EXPECT_EQ(scale.log2(), 12);
}

TEST(GradScale, SettlesWhereTheLargestGradientIsInTheWindow) {
    // 3e-5 * 2^20 = 31.5 is at or below 32, 3e-5 * 2^21 = 62.9 is inside (32, 64].
    GradScale scale(0);
    for (int step = 0; step < 40; ++step) {
        scale.update(grad_scale_vote(3e-5 * scale.value()));
    }
    EXPECT_EQ(scale.log2(), 21);
}

TEST(GradScale, StopsAtItsLimits) {
    GradScale scale(1, {.lowest_log2 = 0, .highest_log2 = 2});
    scale.update(1);
    scale.update(1);
    EXPECT_EQ(scale.log2(), 2);
    for (int step = 0; step < 5; ++step) {
        scale.update(-1);
    }
    EXPECT_EQ(scale.log2(), 0);
    EXPECT_THROW(GradScale(3, {.lowest_log2 = 0, .highest_log2 = 2}), ModelError);
    EXPECT_THROW(GradScale(-127), ModelError);
}

}  // namespace
}  // namespace nibble
