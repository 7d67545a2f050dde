// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/half.h"
#include "models/numerics/log5.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Miyashita et al.: Clip(Round(log |x|), ...), with the logarithm of the C library in binary80.
int reference(float magnitude, int full_scale_log2, int steps) {
    if (magnitude == 0.0F) {
        return 0;
    }
    const long double logarithm = steps * std::log2(static_cast<long double>(magnitude));
    const long double code = std::round(logarithm) - steps * full_scale_log2 + 15;
    return static_cast<int>(std::fmin(std::fmax(code, 0.0L), 15.0L));
}

TEST(Log5, DecodesEveryCode) {
    for (int below_top = 0; below_top < 15; ++below_top) {
        const auto code = static_cast<std::uint8_t>(15 - below_top);
        const auto negative = static_cast<std::uint8_t>(code + 16);
        const Log5Grid two(3);
        EXPECT_EQ(two.decode(code), std::ldexp(1.0F, 3 - below_top));
        EXPECT_EQ(two.decode(negative), -std::ldexp(1.0F, 3 - below_top));
        const Log5Grid root(3, Log5Base::root_two);
        EXPECT_EQ(root.decode(code), static_cast<float>(std::exp2(3 - below_top / 2.0L)));
        EXPECT_EQ(root.decode(negative), -root.decode(code));
    }
    EXPECT_EQ(Log5Grid(3).decode(0), 0.0F);
    EXPECT_EQ(Log5Grid(3).decode(16), 0.0F);
}

TEST(Log5, RoundsTheExponentOfEveryHalf) {
    for (const int full_scale : {-12, -3, 0, 5, 15}) {
        const Log5Grid two(full_scale);
        const Log5Grid root(full_scale, Log5Base::root_two);
        for (unsigned bits = 0; bits < 0x7c00; ++bits) {
            const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
            ASSERT_EQ(two.encode(x), reference(x, full_scale, 1)) << x;
            ASSERT_EQ(root.encode(x), reference(x, full_scale, 2)) << x;
            ASSERT_EQ(two.encode(-x), reference(x, full_scale, 1) + 16) << x;
        }
    }
}

/// Thresholds are geometric means: 2^(n - 1/2), and 2^(n - 1/4) and 2^(n - 3/4) in base sqrt(2). The binary32 numbers
/// on both sides of each.
TEST(Log5, TurnsAtGeometricMeans) {
    const auto expect_turn = [](const Log5Grid& grid, long double threshold, int lower_code) {
        auto below = static_cast<float>(threshold);
        if (static_cast<long double>(below) > threshold) {
            below = std::nextafter(below, 0.0F);
        }
        EXPECT_EQ(grid.encode(below), lower_code) << below;
        EXPECT_EQ(grid.encode(std::nextafter(below, infinity)), lower_code + 1) << below;
    };
    for (int below_top = 0; below_top < 15; ++below_top) {
        expect_turn(Log5Grid(4), std::exp2(4 - below_top - 0.5L), 14 - below_top);
        expect_turn(Log5Grid(4, Log5Base::root_two), std::exp2(4 - below_top / 2.0L - 0.25L), 14 - below_top);
    }
}

TEST(Log5, SpecialCases) {
    for (const int full_scale : {-149, 0, 127}) {
        for (const Log5Base base : {Log5Base::two, Log5Base::root_two}) {
            const Log5Grid grid(full_scale, base);
            EXPECT_EQ(grid.encode(0.0F), 0);
            EXPECT_EQ(grid.encode(-0.0F), 16);
            EXPECT_EQ(grid.encode(infinity), 15);
            EXPECT_EQ(grid.encode(-infinity), 31);
            EXPECT_EQ(grid.encode(std::numeric_limits<float>::quiet_NaN()), 15);
        }
    }
    EXPECT_EQ(Log5Grid(-149).encode(std::numeric_limits<float>::denorm_min()), 15);
    EXPECT_EQ(Log5Grid(-149).decode(15), std::numeric_limits<float>::denorm_min());
    EXPECT_EQ(Log5Grid(127).encode(std::numeric_limits<float>::max()), 15);
    EXPECT_THROW(Log5Grid(128), ModelError);
    EXPECT_THROW(Log5Grid(-150), ModelError);
}

/// The largest element, rounded as all elements are, must not lie beyond the full scale, which is a whole power of two.
TEST(Log5, StretchesToTheLargestMagnitude) {
    const auto full_scale = [](float largest, Log5Base base) {
        return Log5Grid::stretched_to(std::vector<float>{0.0F, -largest, infinity}, base).full_scale_log2();
    };
    EXPECT_EQ(full_scale(0.7F, Log5Base::two), -1);        // log2 0.7 = -0.51
    EXPECT_EQ(full_scale(0.71F, Log5Base::two), 0);        // log2 0.71 = -0.49
    EXPECT_EQ(full_scale(0.7F, Log5Base::root_two), 0);    // -0.51 rounds to -0.5
    EXPECT_EQ(full_scale(0.55F, Log5Base::root_two), -1);  // -0.86 rounds to -1
    EXPECT_EQ(full_scale(1.0F, Log5Base::root_two), 0);
    EXPECT_EQ(full_scale(1.2F, Log5Base::root_two), 1);  // log2 1.2 = 0.26 rounds to 0.5
    EXPECT_EQ(full_scale(0.0F, Log5Base::two), 0);
    EXPECT_EQ(full_scale(std::numeric_limits<float>::max(), Log5Base::two), 127);
}

TEST(Log5, RoundsATensor) {
    const std::vector<float> tensor{4.0F, -3.0F, 1.4F, 0.0001F, 0.0F};
    std::vector<float> values(tensor.size());
    Log5Grid::stretched_to(tensor).round(tensor, values);
    // Full scale 2^2, the lowest level 2^-12 = 0.000244, zero below 2^-12.5 = 0.000173. log2 3 = 1.58, log2 1.4 = 0.49.
    EXPECT_EQ(values, (std::vector<float>{4.0F, -4.0F, 1.0F, 0.0F, 0.0F}));
}

}  // namespace
}  // namespace nibble
