// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "models/numerics/product.h"

namespace nibble {
namespace {

constexpr int lowest_int4 = -8;   // of the signed codes
constexpr int highest_int4 = 15;  // of the unsigned codes

/// The fewest bits of two's complement that hold both ends.
int width_of(std::int64_t lowest, std::int64_t highest) {
    int bits = 1;
    while (lowest < -(std::int64_t{1} << (bits - 1)) || highest > (std::int64_t{1} << (bits - 1)) - 1) {
        ++bits;
    }
    return bits;
}

TEST(Product, Int4TimesInt4) {
    int lowest = 0;
    int highest = 0;
    for (int a = lowest_int4; a <= highest_int4; ++a) {
        for (int b = lowest_int4; b <= highest_int4; ++b) {
            ASSERT_EQ(multiply_int4_int4(a, b), a * b);
            lowest = std::min(lowest, a * b);
            highest = std::max(highest, a * b);
        }
    }
    EXPECT_EQ(width_of(lowest, highest), int4_int4_product_bits);
}

TEST(Product, Int4TimesFp4InBothPhases) {
    for (int a = lowest_int4; a <= highest_int4; ++a) {
        for (std::uint8_t bits = 0; bits < 16; ++bits) {
            for (const Fp4Phase phase : {Fp4Phase::even, Fp4Phase::odd}) {
                const double product = a * static_cast<double>(decode_fp4(Fp4Code{bits}, phase));
                ASSERT_EQ(std::ldexp(multiply_int4_fp4(a, Fp4Code{bits}), fp4_unit_log2(phase)), product)
                    << a << " times code " << int{bits};
            }
        }
    }
}

TEST(Product, WidthsOfInt4TimesFp4) {
    // The largest operands: an activation of 15, a weight of 7, a weight of -8; level 64 = 4^6 units of either sign.
    const std::int64_t activation = multiply_int4_fp4(15, Fp4Code{7});
    const std::int64_t weight = multiply_int4_fp4(7, Fp4Code{7});
    const std::int64_t lowest_weight = multiply_int4_fp4(-8, Fp4Code{15});
    EXPECT_EQ(activation, 61440);
    EXPECT_EQ(weight, 28672);
    EXPECT_EQ(lowest_weight, 32768);
    EXPECT_EQ(width_of(-activation, activation), int4_fp4_product_bits);
    EXPECT_EQ(width_of(-weight, weight), 16);
    EXPECT_EQ(width_of(-lowest_weight, lowest_weight), 17);
    EXPECT_EQ(width_of(-4 * activation, 4 * activation), int4_fp4_dot4_bits);
    EXPECT_EQ(width_of(-4 * weight, 4 * weight), 18);
    EXPECT_EQ(width_of(-64 * activation, 64 * activation), int4_fp4_chunk64_bits);
    EXPECT_EQ(width_of(-64 * weight, 64 * weight), 22);
}

TEST(Product, DotProductsAreSumsOfFourProducts) {
    for (int a = lowest_int4; a <= highest_int4; ++a) {
        for (int b = lowest_int4; b <= highest_int4; ++b) {
            ASSERT_EQ(dot4_int4_int4({a, 3, b, -8}, {b, -7, 15, a}), a * b - 21 + 15 * b - 8 * a);
        }
        for (std::uint8_t bits = 0; bits < 16; ++bits) {
            // In units of 2^-6: code 4 is 1 = 64 units, code 9 is -1/64 = -1 unit, code 0 nothing.
            ASSERT_EQ(dot4_int4_fp4({a, a, 5, 15}, {Fp4Code{bits}, Fp4Code{4}, Fp4Code{9}, Fp4Code{0}}),
                      multiply_int4_fp4(a, Fp4Code{bits}) + 64 * a - 5);
        }
    }
    EXPECT_EQ(dot4_int4_fp4({15, 15, 15, 15}, {Fp4Code{7}, Fp4Code{7}, Fp4Code{7}, Fp4Code{7}}), 4 * 15 * 4096);
}

}  // namespace
}  // namespace nibble
