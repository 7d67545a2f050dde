// SPDX-License-Identifier: MIT
#include "models/log_gradient/gradient_values.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/half.h"

namespace nibble {
namespace {

GradientValues converted(std::vector<float> gradients, int scale_log2) {
    GradientValues values;
    values.gradients = std::make_shared<const std::vector<float>>(std::move(gradients));
    values.scale_log2 = scale_log2;
    convert(values);
    return values;
}

// Even levels 4^-3..4^3, odd ones half of that; midpoints 4^n/1.6 and half of that (Sun et al. 2020, Eq. 1).
TEST(GradientValues, BothPhasesInOnePass) {
    // 3 lies above 2.5 = 4/1.6: even 4; above 1.25 and below 5: odd 2.
    // -0.5 lies between 0.15625 and 0.625: even -0.25; between 0.3125 and 1.25: odd -0.5.
    const GradientValues values = converted({3.0F, -0.5F, 0.0F}, 0);
    ASSERT_EQ(values.pairs.size(), 3U);
    EXPECT_EQ(decode_fp4(even_code(values.pairs[0]), Fp4Phase::even), 4.0F);
    EXPECT_EQ(decode_fp4(odd_code(values.pairs[0]), Fp4Phase::odd), 2.0F);
    EXPECT_EQ(decode_fp4(even_code(values.pairs[1]), Fp4Phase::even), -0.25F);
    EXPECT_EQ(decode_fp4(odd_code(values.pairs[1]), Fp4Phase::odd), -0.5F);
    EXPECT_EQ(decode_fp4(even_code(values.pairs[2]), Fp4Phase::even), 0.0F);
}

TEST(GradientValues, ScaleIsAPowerOfTwo) {
    // 3 / 1024 scaled by 2^10 is 3 again.
    const GradientValues values = converted({3.0F / 1024}, 10);
    EXPECT_EQ(decode_fp4(even_code(values.pairs[0]), Fp4Phase::even), 4.0F);
    EXPECT_EQ(values.statistics.largest_scaled, 3.0);
}

TEST(GradientValues, StatisticsForGradScale) {
    // 100 saturates both phases (64, 32), 50 only the odd one. 0.008 is below 0.009766 (even) and above 0.004883 (odd);
    // 0.001 is below both.
    const GradientValues values = converted({100.0F, -50.0F, 0.008F, 0.001F, 0.0F}, 0);
    EXPECT_EQ(values.statistics.largest_scaled, 100.0);
    EXPECT_EQ(values.statistics.saturated_even, 1U);
    EXPECT_EQ(values.statistics.saturated_odd, 2U);
    EXPECT_EQ(values.statistics.underflowed_even, 2U);
    EXPECT_EQ(values.statistics.underflowed_odd, 1U);
    EXPECT_EQ(values.statistics.vote(), -1) << "above 64: the scale has to come down";
    EXPECT_EQ(converted({20.0F}, 0).statistics.vote(), 1) << "below 32: it may go up";
    EXPECT_EQ(converted({40.0F}, 0).statistics.vote(), 0);
}

// The conversion of a whole tensor against that of one number, for every FP16 number and scales up to where all
// saturate.
TEST(GradientValues, EveryHalfAtEveryScaleAsOneByOne) {
    std::vector<float> halves;
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        halves.push_back(decode_half(Half{static_cast<std::uint16_t>(bits)}));
    }
    for (const int scale : {-5000, -200, -23, -10, -9, -1, 0, 1, 2, 15, 29, 31, 32, 200, 5000}) {
        const GradientValues values = converted(halves, scale);
        GradientStatistics expected;
        for (unsigned bits = 0; bits < 0x10000; ++bits) {
            const Fp4PairEncoding one = encode_fp4_pair(encode_half(halves[bits]), scale);
            ASSERT_EQ(values.pairs[bits], one.pair) << bits << " at scale " << scale;
            expected.saturated_even += one.even.saturated ? 1U : 0U;
            expected.saturated_odd += one.odd.saturated ? 1U : 0U;
            expected.underflowed_even += one.even.underflowed ? 1U : 0U;
            expected.underflowed_odd += one.odd.underflowed ? 1U : 0U;
        }
        expected.largest_scaled = std::numeric_limits<double>::infinity();
        EXPECT_EQ(values.statistics, expected) << "at scale " << scale;
    }
}

// FP16 rounds 1.2497 up to 1.25, the midpoint of the even levels 1 and 4 at a scale of 2: rounding twice is the unit's
// rule, for its input arrives in FP16.
TEST(GradientValues, RoundsToHalfFirst) {
    const GradientValues values = converted({1.2497F}, 1);
    EXPECT_EQ(decode_fp4(even_code(values.pairs[0]), Fp4Phase::even), 4.0F);
    EXPECT_EQ(encode_fp4(1.2497F, 1, Fp4Phase::even).code.magnitude(), 4) << "1 without FP16";
}

TEST(GradientValues, TellsWhenFinished) {
    GradientValues values;
    values.gradients = std::make_shared<const std::vector<float>>(std::vector<float>{1.0F, 2.0F});
    std::size_t told = 0;
    values.finished = [&](const GradientValues& result) { told = result.pairs.size(); };
    convert(values);
    EXPECT_EQ(told, 2U);
}

}  // namespace
}  // namespace nibble
