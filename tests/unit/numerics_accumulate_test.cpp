// SPDX-License-Identifier: MIT
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "models/numerics/accumulate.h"

namespace nibble {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::array formats = {AccumulatorFormat::fp16, AccumulatorFormat::dlfloat16, AccumulatorFormat::fp32};

// Exact sums as integers in units of 2^-60.
__extension__ using Wide = __int128;
constexpr int unit = -60;

Wide exact(double value) {
    int exponent = 0;
    const auto significand = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), 53));
    const int shift = exponent - 53 - unit;
    // What the tests use has no bits below the unit.
    return shift >= 0 ? Wide{significand} * (Wide{1} << shift) : Wide{significand} / (Wide{1} << -shift);
}

struct Shape {
    int significand_bits;
    int lowest_exponent;  ///< The ulp does not fall below that of 2^lowest_exponent.
    bool ties_to_even;
};

/// The exact magnitude rounded to a multiple of the ulp at its place, written out in integers.
double round_magnitude(Wide magnitude, const Shape& shape) {
    int exponent = unit - 1;
    for (Wide rest = magnitude; rest != 0; rest /= 2) {
        ++exponent;
    }
    const int ulp_log2 = std::max(exponent, shape.lowest_exponent) - shape.significand_bits + 1;
    if (ulp_log2 <= unit) {
        return std::ldexp(static_cast<double>(magnitude), unit);
    }
    const Wide ulp = Wide{1} << (ulp_log2 - unit);
    Wide quotient = magnitude / ulp;
    const Wide rest = magnitude % ulp;
    const bool tie = 2 * rest == ulp;
    const bool up = tie ? !shape.ties_to_even || quotient % 2 != 0 : 2 * rest > ulp;
    quotient += up ? 1 : 0;
    return std::ldexp(static_cast<double>(quotient), ulp_log2);
}

float reference(AccumulatorFormat format, float partial, double chunk_sum) {
    const Wide sum = exact(static_cast<double>(partial)) + exact(chunk_sum);
    const Wide magnitude = sum < 0 ? -sum : sum;
    const double sign = sum < 0 ? -1.0 : 1.0;
    switch (format) {
        case AccumulatorFormat::fp16: {
            const double rounded = round_magnitude(magnitude, {11, -14, true});
            return static_cast<float>(sign * (rounded > 65504.0 ? HUGE_VAL : rounded));
        }
        case AccumulatorFormat::dlfloat16: {
            // Without subnormals there is no lowest ulp, but what rounds below the smallest is zero.
            const double rounded = round_magnitude(magnitude, {10, -1000, false});
            if (rounded < std::ldexp(1.0 + std::ldexp(1.0, -9), -31)) {
                return 0.0F;
            }
            return static_cast<float>(sign * (rounded >= 8581545984.0 ? HUGE_VAL : rounded));
        }
        case AccumulatorFormat::fp32:
            break;
    }
    return static_cast<float>(sign * round_magnitude(magnitude, {24, -126, true}));
}

/// A number of `bits` significant bits with its leading bit at a random place in lowest..highest; now and then zero.
double random_number(std::mt19937_64& random, int bits, int lowest, int highest) {
    const auto places = static_cast<std::uint64_t>(highest - lowest + 1);
    const int exponent = lowest + static_cast<int>(random() % places);
    std::uint64_t significand = (std::uint64_t{1} << (bits - 1)) | (random() >> (65 - bits));
    // Trailing zeros, so that ties occur.
    significand &= ~std::uint64_t{0} << (random() % static_cast<std::uint64_t>(bits));
    const double magnitude = std::ldexp(static_cast<double>(significand), exponent - bits + 1);
    return random() % 50 == 0 ? 0.0 : random() % 2 == 0 ? magnitude : -magnitude;
}

float random_partial(std::mt19937_64& random, AccumulatorFormat format) {
    switch (format) {
        case AccumulatorFormat::fp16:
            return static_cast<float>(round_to_half(random_number(random, 11, -24, 15)));
        case AccumulatorFormat::dlfloat16:
            return static_cast<float>(round_to_dlfloat16(random_number(random, 9, -31, 32)));
        case AccumulatorFormat::fp32:
            break;
    }
    return static_cast<float>(random_number(random, 24, -30, 33));
}

TEST(Accumulate, RoundsTheExactSumOnce) {
    std::mt19937_64 random(1);
    for (const AccumulatorFormat format : formats) {
        for (int trial = 0; trial < 300000; ++trial) {
            const float partial = random_partial(random, format);
            const double wide = random_number(random, 50, -10, 36);
            ASSERT_EQ(accumulate(format, partial, wide), reference(format, partial, wide)) << partial << " + " << wide;
            const double narrow = random_number(random, 24, -36, 36);
            ASSERT_EQ(accumulate(format, partial, narrow), reference(format, partial, narrow))
                << partial << " + " << narrow;
        }
    }
}

TEST(Accumulate, BinarySourcesOfBothWidthsGiveTheSame) {
    std::mt19937_64 random(2);
    for (int trial = 0; trial < 300000; ++trial) {
        const auto sum = static_cast<float>(random_number(random, 24, -48, 38));
        const auto wide = static_cast<double>(sum);
        const float half = random_partial(random, AccumulatorFormat::fp16);
        ASSERT_EQ(accumulate<AccumulatorFormat::fp16>(half, sum), accumulate<AccumulatorFormat::fp16>(half, wide));
        const float dlfloat = random_partial(random, AccumulatorFormat::dlfloat16);
        ASSERT_EQ(accumulate<AccumulatorFormat::dlfloat16>(dlfloat, sum),
                  accumulate<AccumulatorFormat::dlfloat16>(dlfloat, wide));
        const float single = random_partial(random, AccumulatorFormat::fp32);
        ASSERT_EQ(accumulate<AccumulatorFormat::fp32>(single, sum), accumulate<AccumulatorFormat::fp32>(single, wide));
    }
}

TEST(Accumulate, TiesFollowTheFormat) {
    // The ulp of Half at 2048 is 2; that of DLFloat16 is 4.
    EXPECT_EQ(accumulate(AccumulatorFormat::fp16, 2048.0F, 1.0), 2048.0F);
    EXPECT_EQ(accumulate(AccumulatorFormat::fp16, 2050.0F, 1.0), 2052.0F);
    EXPECT_EQ(accumulate(AccumulatorFormat::dlfloat16, 2048.0F, 2.0), 2052.0F);
    EXPECT_EQ(accumulate(AccumulatorFormat::dlfloat16, -2048.0F, -2.0), -2052.0F);
    EXPECT_EQ(accumulate(AccumulatorFormat::fp32, 16777216.0F, 1.0), 16777216.0F);
    EXPECT_EQ(accumulate(AccumulatorFormat::fp32, 16777218.0F, 1.0), 16777220.0F);
}

TEST(Accumulate, ATinyPartialSumDecidesATie) {
    // 2^20 + 2^10 lies between two DLFloat16 values; 2^-30 is lost in a binary64 sum, and must not be.
    const double tie = std::ldexp(1.0, 20) + std::ldexp(1.0, 10);
    const auto tiny = static_cast<float>(std::ldexp(1.0, -30));
    const double far_tie = std::ldexp(tie, 10);
    EXPECT_EQ(static_cast<double>(accumulate(AccumulatorFormat::dlfloat16, -tiny, far_tie)), std::ldexp(1.0, 30));
    EXPECT_EQ(static_cast<double>(accumulate(AccumulatorFormat::dlfloat16, 0.0F, far_tie)),
              std::ldexp(1.0, 30) + std::ldexp(1.0, 21));
    // 2^30 + 2^6 is a tie of binary32, to the even 2^30.
    const double single_tie = std::ldexp(1.0, 30) + std::ldexp(1.0, 6);
    EXPECT_EQ(static_cast<double>(accumulate(AccumulatorFormat::fp32, tiny, single_tie)),
              std::ldexp(1.0, 30) + std::ldexp(1.0, 7));
    EXPECT_EQ(static_cast<double>(accumulate(AccumulatorFormat::fp32, 0.0F, single_tie)), std::ldexp(1.0, 30));
}

TEST(Accumulate, OverflowAndSpecialValues) {
    EXPECT_EQ(accumulate(AccumulatorFormat::fp16, 65504.0F, 15.999), 65504.0F);
    EXPECT_EQ(accumulate(AccumulatorFormat::fp16, 65504.0F, 16.0), infinity);
    EXPECT_EQ(accumulate(AccumulatorFormat::fp16, -infinity, 1e9), -infinity);
    EXPECT_EQ(accumulate(AccumulatorFormat::dlfloat16, 8573157376.0F, 4194304.0), infinity) << "half an ulp, 2^22";
    EXPECT_EQ(accumulate(AccumulatorFormat::dlfloat16, 8573157376.0F, 4194303.0), 8573157376.0F);
    for (const AccumulatorFormat format : {AccumulatorFormat::fp16, AccumulatorFormat::fp32}) {
        for (const float sum : {accumulate(format, infinity, -HUGE_VAL), accumulate(format, -nan, 1.0)}) {
            EXPECT_EQ(std::bit_cast<std::uint32_t>(sum), 0x7fc00000U);
        }
    }
    EXPECT_EQ(accumulate(AccumulatorFormat::dlfloat16, infinity, -HUGE_VAL), infinity);
    EXPECT_EQ(accumulate(AccumulatorFormat::dlfloat16, -infinity, 1.0), -infinity);
    EXPECT_EQ(accumulate<AccumulatorFormat::fp16>(65504.0F, std::numeric_limits<float>::max()), infinity);
}

TEST(Accumulate, RoundingToOdd) {
    EXPECT_EQ(add_round_to_odd(1.0, 2.0), 3.0);
    const double ulp = std::numeric_limits<double>::epsilon();
    // 1 + ulp/4 is inexact: of the neighbours 1 (even) and 1 + ulp (odd) the odd one, from either side.
    EXPECT_EQ(add_round_to_odd(1.0, ulp / 4), 1.0 + ulp);
    EXPECT_EQ(add_round_to_odd(1.0 + 2 * ulp, -ulp / 4), 1.0 + ulp);
    EXPECT_EQ(add_round_to_odd(-1.0, -ulp / 4), -1.0 - ulp);
    EXPECT_EQ(add_round_to_odd(-1.0 - 2 * ulp, ulp / 4), -1.0 - ulp);
    // 1 - ulp/8: below 1 the ulp is half as large; the odd neighbour is 1 - ulp/2.
    EXPECT_EQ(add_round_to_odd(1.0, -ulp / 8), 1.0 - ulp / 2);
    EXPECT_EQ(add_round_to_odd(HUGE_VAL, 1.0), HUGE_VAL);
    EXPECT_TRUE(std::isnan(add_round_to_odd(HUGE_VAL, -HUGE_VAL)));
}

}  // namespace
}  // namespace nibble
