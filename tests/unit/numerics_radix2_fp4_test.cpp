// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/half.h"
#include "models/numerics/radix2_fp4.h"

namespace nibble {
namespace {

constexpr std::array<double, 8> levels{0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0};
constexpr float infinity = std::numeric_limits<float>::infinity();

/// The nearest level, the larger of two at the same distance; but the format takes 2^-3 from the midpoint of 2^-4 and
/// 2^-3 on, as if there were a level below the lowest.
int reference(double magnitude) {
    if (magnitude < (0.0625 + 0.125) / 2) {
        return 0;
    }
    int best = 1;
    for (int code = 2; code < 8; ++code) {
        const auto level = [](int c) { return levels[static_cast<std::size_t>(c)]; };
        if (std::fabs(magnitude - level(code)) <= std::fabs(magnitude - level(best))) {
            best = code;
        }
    }
    return best;
}

TEST(Radix2Fp4, DecodesEveryCode) {
    for (std::uint8_t code = 0; code < 16; ++code) {
        const double expected = code < 8 ? levels[code] : -levels[code - 8u];
        EXPECT_EQ(static_cast<double>(decode_radix2_fp4(code)), expected) << int{code};
    }
}

TEST(Radix2Fp4, RoundsEveryHalfAtEveryScale) {
    for (int scale = -20; scale <= 30; ++scale) {
        for (unsigned bits = 0; bits < 0x7c00; ++bits) {
            const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
            const int expected = reference(std::ldexp(static_cast<double>(x), scale));
            ASSERT_EQ(encode_radix2_fp4(x, scale), expected) << x << " at 2^" << scale;
            ASSERT_EQ(encode_radix2_fp4(-x, scale), expected + 8) << -x << " at 2^" << scale;
        }
    }
}

/// Each threshold is three quarters of the level above it; a tie goes up, the number before it down.
TEST(Radix2Fp4, RoundsUpFromEveryThreshold) {
    const std::array<float, 7> thresholds{0.09375F, 0.1875F, 0.375F, 0.75F, 1.5F, 3.0F, 6.0F};
    for (int code = 1; code < 8; ++code) {
        const float threshold = thresholds[static_cast<std::size_t>(code - 1)];
        EXPECT_EQ(encode_radix2_fp4(threshold, 0), code);
        EXPECT_EQ(encode_radix2_fp4(std::nextafter(threshold, 0.0F), 0), code - 1);
        EXPECT_EQ(encode_radix2_fp4(std::ldexp(threshold, -100), 100), code);
    }
}

TEST(Radix2Fp4, SpecialCases) {
    for (const int scale : {-2000000000, -300, 0, 300, 2000000000}) {
        EXPECT_EQ(encode_radix2_fp4(0.0F, scale), 0) << scale;
        EXPECT_EQ(encode_radix2_fp4(-0.0F, scale), 8) << scale;
        EXPECT_EQ(encode_radix2_fp4(infinity, scale), 7) << scale;
        EXPECT_EQ(encode_radix2_fp4(-infinity, scale), 15) << scale;
        EXPECT_EQ(encode_radix2_fp4(std::numeric_limits<float>::quiet_NaN(), scale), 7) << scale;
    }
    EXPECT_EQ(encode_radix2_fp4(std::numeric_limits<float>::denorm_min(), 149), 4);
    EXPECT_EQ(encode_radix2_fp4(std::numeric_limits<float>::max(), -300), 0);
    EXPECT_EQ(encode_radix2_fp4(std::numeric_limits<float>::denorm_min(), 300), 7);
}

TEST(Radix2Fp4, RoundsATensorInItsOwnUnits) {
    const std::vector<float> tensor{0.0F, -0.011F, 0.03F, 100.0F};
    std::vector<float> values(tensor.size());
    // Scaled by 16: 0, -0.176 -> -1/8 (below 0.1875), 0.48 -> 1/2, 1600 -> 8; back: 1/128, 1/32, 1/2.
    round_to_radix2_fp4(tensor, 4, values);
    EXPECT_EQ(values, (std::vector<float>{0.0F, -0.0078125F, 0.03125F, 0.5F}));
}

}  // namespace
}  // namespace nibble
