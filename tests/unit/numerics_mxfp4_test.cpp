// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/half.h"
#include "models/numerics/mxfp4.h"

namespace nibble {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr double e2m1[] = {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0};

std::vector<float> rounded(const std::vector<float>& tensor, const BlockLayout& layout,
                           E2m1Rounding rounding = E2m1Rounding::nearest, std::uint64_t seed = 0) {
    std::vector<float> values(tensor.size());
    decode_mxfp4(encode_mxfp4(tensor, layout, rounding, seed), values);
    return values;
}

std::vector<float> rounded_row(const std::vector<float>& tensor) {
    return rounded(tensor, {.outer = 1, .length = tensor.size(), .inner = 1});
}

/// The specification's conversion (sec. 6.3) with binary64 logarithms and a search for the nearest element.
double reference(double x, double largest) {
    const double shared = largest == 0.0 ? -127.0 : std::fmax(std::floor(std::log2(largest)) - 2.0, -127.0);
    const double scaled = std::fabs(x) / std::exp2(shared);
    int best = 0;
    for (int code = 1; code < 8; ++code) {
        const double distance = std::fabs(scaled - e2m1[code]);
        const double shortest = std::fabs(scaled - e2m1[best]);
        if (distance < shortest || (distance == shortest && code % 2 == 0)) {
            best = code;
        }
    }
    return std::copysign(e2m1[best] * std::exp2(shared), x);
}

/// Sec. 5.4.1 of the specification; jax-ml/ml_dtypes, README.md, float8_e8m0fnu: exponents -127..127, one NaN, 0xff.
TEST(Mxfp4, DecodesEveryScale) {
    for (int code = 0; code < 255; ++code) {
        ASSERT_EQ(static_cast<double>(decode_e8m0(static_cast<std::uint8_t>(code))), std::ldexp(1.0, code - 127));
    }
    EXPECT_TRUE(std::isnan(decode_e8m0(e8m0_nan)));
}

TEST(Mxfp4, TheScalePutsTheLargestIntoTheTopBinade) {
    const auto scale = [](float largest) { return mxfp4_scale(magnitude_bits(largest)) - 127; };
    EXPECT_EQ(scale(4.0F), 0);
    EXPECT_EQ(scale(7.99F), 0);
    EXPECT_EQ(scale(8.0F), 1);
    EXPECT_EQ(scale(std::nextafter(4.0F, 0.0F)), -1);
    EXPECT_EQ(scale(std::numeric_limits<float>::max()), 125);
    EXPECT_EQ(scale(std::ldexp(1.0F, -125)), -127);
    EXPECT_EQ(scale(std::ldexp(1.0F, -126)), -127);  // limited: -128 does not exist
    EXPECT_EQ(scale(std::numeric_limits<float>::denorm_min()), -127);
    EXPECT_EQ(scale(0.0F), -127);
    EXPECT_EQ(mxfp4_scale(magnitude_bits(infinity)), e8m0_nan);
    EXPECT_EQ(mxfp4_scale(magnitude_bits(nan_value)), e8m0_nan);
}

/// Every half, beside each of three largest elements, against the reference.
TEST(Mxfp4, RoundsEveryHalf) {
    for (const float largest : {6.0F, 7.9F, 1000.0F}) {
        for (unsigned bits = 0; bits < 0x7c00; ++bits) {
            const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
            const double shared = static_cast<double>(std::max(x, largest));
            const std::vector<float> values = rounded_row({-x, largest});
            ASSERT_EQ(static_cast<double>(values[0]), reference(static_cast<double>(-x), shared)) << x;
            ASSERT_EQ(static_cast<double>(values[1]), reference(static_cast<double>(largest), shared)) << x;
        }
    }
}

/// In (6, 8) times the scale the largest element saturates: a bias of the format, up to a quarter.
TEST(Mxfp4, TheLargestElementMaySaturate) {
    EXPECT_EQ(rounded_row({7.9F, 5.0F, 0.2F}), (std::vector<float>{6.0F, 4.0F, 0.0F}));
    EXPECT_EQ(rounded_row({8.0F, 5.0F, 0.2F}), (std::vector<float>{8.0F, 4.0F, 0.0F}));
}

/// microsoft/microxcaling, mx/tests/test_corners_mx.py, test_mx_nans: {v, 0, 2^127, 0} in one block is all NaN for NaN
/// and both infinities.
TEST(Mxfp4, NanAndInfinityPoisonTheirBlock) {
    for (const float bad : {nan_value, infinity, -infinity}) {
        for (const float value : rounded_row({bad, 0.0F, std::ldexp(1.0F, 127), 0.0F})) {
            EXPECT_TRUE(std::isnan(value)) << bad;
        }
        // And no other block.
        std::vector<float> tensor(64, 1.0F);
        tensor[31] = bad;
        const std::vector<float> values = rounded_row(tensor);
        for (std::size_t i = 0; i < 64; ++i) {
            EXPECT_EQ(std::isnan(values[i]), i < 32) << i;
        }
        EXPECT_EQ(values[32], 1.0F);
    }
}

TEST(Mxfp4, ExtremesOfBinary32AreHeld) {
    const float most = std::ldexp(1.5F, 127);    // 6 * 2^125
    const float least = std::ldexp(1.0F, -128);  // 0.5 * 2^-127
    EXPECT_EQ(rounded_row({most, std::numeric_limits<float>::max()}), (std::vector<float>{most, most}));
    EXPECT_EQ(rounded_row({least, -least / 2, 0.0F}), (std::vector<float>{least, -0.0F, 0.0F}));
}

/// Blocks along each axis of a tensor of 3 x 70 x 5: the last of the middle axis has 6 elements. A block's elements are
/// gathered by a loop of the test's own.
TEST(Mxfp4, BlocksRunAlongAnyAxis) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    const std::size_t shape[] = {3, 70, 5};
    std::vector<float> tensor(3 * 70 * 5);
    for (float& x : tensor) {
        x = normal(random) * std::exp(2.0F * normal(random));
    }
    for (int axis = 0; axis < 3; ++axis) {
        const BlockLayout layout{.outer = axis == 0   ? 1u
                                          : axis == 1 ? 3u
                                                      : 210u,
                                 .length = shape[axis],
                                 .inner = axis == 0   ? 350u
                                          : axis == 1 ? 5u
                                                      : 1u};
        ASSERT_EQ(layout.elements(), tensor.size());
        const Mxfp4Tensor coded = encode_mxfp4(tensor, layout, E2m1Rounding::nearest);
        const std::vector<float> values = rounded(tensor, layout);
        std::size_t blocks = 1;
        for (int other = 0; other < 3; ++other) {
            blocks *= other == axis ? (shape[other] + 31) / 32 : shape[other];
        }
        EXPECT_EQ(coded.scales.size(), blocks);
        for (std::size_t i = 0; i < tensor.size(); ++i) {
            std::size_t place[] = {i / 350, i / 5 % 70, i % 5};
            const std::size_t begin = place[axis] / 32 * 32;
            double largest = 0.0;
            for (place[axis] = begin; place[axis] < std::min(begin + 32, shape[axis]); ++place[axis]) {
                const float x = tensor[(place[0] * 70 + place[1]) * 5 + place[2]];
                largest = std::fmax(largest, std::fabs(static_cast<double>(x)));
            }
            ASSERT_EQ(static_cast<double>(values[i]), reference(static_cast<double>(tensor[i]), largest)) << i;
        }
    }
}

TEST(Mxfp4, EmptyTensorsAreFine) {
    EXPECT_TRUE(rounded({}, {.outer = 3, .length = 0, .inner = 4}).empty());
}

/// Stochastic rounding of n elements 0.3 in blocks whose scale is 1 (a 4 leads each): 0 or 0.5, 0.5 with probability
/// 0.6. The count deviates by sqrt(n p (1 - p)); five times that is allowed. The 4, an element's value, never moves.
TEST(Mxfp4, StochasticRoundingIsRightInExpectation) {
    constexpr std::size_t blocks = 5000;
    std::vector<float> tensor(blocks * 32, 0.3F);
    for (std::size_t block = 0; block < blocks; ++block) {
        tensor[block * 32] = 4.0F;
    }
    const BlockLayout layout{.outer = blocks, .length = 32, .inner = 1};
    const std::vector<float> values = rounded(tensor, layout, E2m1Rounding::stochastic, 9);
    double up = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i % 32 == 0) {
            ASSERT_EQ(values[i], 4.0F);
        } else {
            ASSERT_TRUE(values[i] == 0.0F || values[i] == 0.5F) << values[i];
            up += values[i] == 0.5F ? 1 : 0;
        }
    }
    const double count = blocks * 31.0;
    EXPECT_NEAR(up, count * 0.6, 5 * std::sqrt(count * 0.6 * 0.4));
    EXPECT_EQ(values, rounded(tensor, layout, E2m1Rounding::stochastic, 9));
    EXPECT_NE(values, rounded(tensor, layout, E2m1Rounding::stochastic, 10));
}

}  // namespace
}  // namespace nibble
