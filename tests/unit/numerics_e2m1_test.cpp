// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "models/numerics/e2m1.h"
#include "models/numerics/half.h"

namespace nibble {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// OCP Microscaling Formats v1.0, sec. 5.3.3: 2^(E-1) (1 + M/2), or M/2 where E = 0. The list of values is also that of
/// jax-ml/ml_dtypes, README.md, float4_e2m1fn: 0, 0.5, 1, 1.5, 2, 3, 4, 6.
double reference(unsigned code) {
    const int exponent = static_cast<int>(code >> 1 & 3);
    const double fraction = (code & 1) / 2.0;
    const double magnitude = exponent == 0 ? fraction : std::ldexp(1.0 + fraction, exponent - 1);
    return (code & 8) != 0 ? -magnitude : magnitude;
}

TEST(E2m1, DecodesEveryCode) {
    for (std::uint8_t code = 0; code < 16; ++code) {
        EXPECT_EQ(static_cast<double>(decode_e2m1(code)), reference(code)) << int{code};
        EXPECT_EQ(std::signbit(decode_e2m1(code)), code >= 8) << int{code};
    }
    EXPECT_EQ(e2m1_max, 6.0F);
}

TEST(E2m1, RoundsEveryHalfToTheNearest) {
    for (unsigned bits = 0; bits < 0x7c00; ++bits) {
        const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
        unsigned best = 0;
        for (unsigned code = 1; code < 8; ++code) {
            const double distance = std::fabs(static_cast<double>(x) - reference(code));
            const double shortest = std::fabs(static_cast<double>(x) - reference(best));
            if (distance < shortest || (distance == shortest && code % 2 == 0)) {
                best = code;
            }
        }
        ASSERT_EQ(encode_e2m1(x), best) << x;
        ASSERT_EQ(encode_e2m1(-x), best + 8) << x;
    }
}

/// The vectors of ml_dtypes, tests/mxfloat_test.cc, ConvertFromRoundToNearest: at each midpoint, and at the binary32
/// numbers next to it.
TEST(E2m1, TurnsAtEveryMidpoint) {
    for (unsigned code = 1; code < 8; ++code) {
        const auto middle = static_cast<float>((reference(code - 1) + reference(code)) / 2);
        EXPECT_EQ(encode_e2m1(middle), code % 2 == 1 ? code - 1 : code) << middle;
        EXPECT_EQ(encode_e2m1(std::nextafter(middle, 0.0F)), code - 1) << middle;
        EXPECT_EQ(encode_e2m1(std::nextafter(middle, 8.0F)), code) << middle;
    }
    const std::array<float, 7> cuts{0.25F, 0.75F, 1.25F, 1.75F, 2.5F, 3.5F, 5.0F};
    for (unsigned code = 1; code < 8; ++code) {
        EXPECT_EQ(static_cast<double>(cuts[code - 1]), (reference(code - 1) + reference(code)) / 2);
    }
}

TEST(E2m1, SpecialCases) {
    EXPECT_EQ(encode_e2m1(0.0F), 0);
    EXPECT_EQ(encode_e2m1(-0.0F), 8);
    EXPECT_EQ(encode_e2m1(infinity), 7);
    EXPECT_EQ(encode_e2m1(-infinity), 15);
    EXPECT_EQ(encode_e2m1(nan_value), 7);
    EXPECT_EQ(encode_e2m1(std::numeric_limits<float>::denorm_min()), 0);
    for (const double u : {0.0, 0.999}) {
        EXPECT_EQ(encode_e2m1_stochastic(infinity, u), 7);
        EXPECT_EQ(encode_e2m1_stochastic(-infinity, u), 15);
        EXPECT_EQ(encode_e2m1_stochastic(nan_value, u), 7);
        EXPECT_EQ(encode_e2m1_stochastic(7.5F, u), 7);
        EXPECT_EQ(encode_e2m1_stochastic(-0.0F, u), 8);
    }
}

/// Over half precision: up if and only if the random number is below the position between the neighbours, which
/// binary64 holds exactly.
TEST(E2m1, TurnsAtTheProbabilityOfEveryHalf) {
    for (unsigned bits = 0; bits < 0x7c00; ++bits) {
        const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
        unsigned lower = 7;
        while (reference(lower) > static_cast<double>(x)) {
            --lower;
        }
        const double gap = lower == 7 ? 1.0 : reference(lower + 1) - reference(lower);
        const double part = lower == 7 ? 0.0 : (static_cast<double>(x) - reference(lower)) / gap;
        ASSERT_EQ(encode_e2m1_stochastic(x, part), lower) << x;
        ASSERT_EQ(encode_e2m1_stochastic(-x, std::nextafter(1.0, 0.0)), lower + 8) << x;
        if (part > 0.0) {
            ASSERT_EQ(encode_e2m1_stochastic(x, std::nextafter(part, 0.0)), lower + 1) << x;
            ASSERT_EQ(encode_e2m1_stochastic(x, 0.0), lower + 1) << x;
        }
    }
}

/// The upper neighbour comes up n p times, with a standard deviation of sqrt(n p (1 - p)); five are allowed.
TEST(E2m1, StochasticRoundingIsRightInExpectation) {
    constexpr std::uint64_t count = 200000;
    const CounterRandom random(11);
    for (const float x : {0.01F, 0.25F, 0.7F, 1.1F, 1.9F, 2.75F, 3.2F, 5.9F, -0.1F, -5.0F}) {
        double sum = 0.0;
        double smallest = 10.0;
        double largest = -10.0;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto value = static_cast<double>(decode_e2m1(encode_e2m1(x, E2m1Rounding::stochastic, random, i)));
            sum += value;
            smallest = std::min(smallest, value);
            largest = std::max(largest, value);
        }
        const double gap = largest - smallest;
        const double p = (static_cast<double>(x) - smallest) / gap;
        EXPECT_LE(gap, 2.0) << x;
        EXPECT_TRUE(p > 0.0 && p < 1.0) << x;
        EXPECT_NEAR(sum / count, static_cast<double>(x), 5 * gap * std::sqrt(p * (1 - p) / count)) << x;
    }
}

}  // namespace
}  // namespace nibble
