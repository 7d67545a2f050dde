// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/fp8.h"
#include "models/numerics/half.h"

namespace nibble {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The value of a magnitude code if it were finite.
double finite(const Fp8Format& format, int magnitude) {
    const int per_binade = 1 << format.fraction_bits;
    const int field = magnitude / per_binade;
    const int fraction = magnitude % per_binade;
    return field == 0 ? std::ldexp(fraction, 1 - format.bias - format.fraction_bits)
                      : std::ldexp(per_binade + fraction, field - format.bias - format.fraction_bits);
}

std::vector<Fp8Format> formats() {
    return {fp8_143(), fp8_152(), fp8_143(4), fp8_143(11), fp8_152(16)};
}

TEST(Fp8, Decodes143) {
    for (const int bias : {4, 7, 11}) {
        const Fp8Format format = fp8_143(bias);
        for (int code = 0; code < 0x7f; ++code) {
            ASSERT_EQ(static_cast<double>(decode_fp8(format, static_cast<std::uint8_t>(code))), finite(format, code));
            ASSERT_EQ(static_cast<double>(decode_fp8(format, static_cast<std::uint8_t>(code | 0x80))),
                      -finite(format, code));
        }
        EXPECT_TRUE(std::isnan(decode_fp8(format, 0x7f)));
        EXPECT_TRUE(std::isnan(decode_fp8(format, 0xff)));
    }
    EXPECT_TRUE(std::signbit(decode_fp8(fp8_143(), 0x80)));
}

TEST(Fp8, Decodes152) {
    const Fp8Format format = fp8_152();
    for (int code = 0; code < 0x7c; ++code) {
        ASSERT_EQ(static_cast<double>(decode_fp8(format, static_cast<std::uint8_t>(code))), finite(format, code));
        ASSERT_EQ(static_cast<double>(decode_fp8(format, static_cast<std::uint8_t>(code | 0x80))),
                  -finite(format, code));
    }
    EXPECT_EQ(static_cast<double>(decode_fp8(format, 0x7c)), infinity);
    EXPECT_EQ(static_cast<double>(decode_fp8(format, 0xfc)), -infinity);
    for (const int code : {0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff}) {
        EXPECT_TRUE(std::isnan(decode_fp8(format, static_cast<std::uint8_t>(code)))) << code;
    }
}

TEST(Fp8, HasThePublishedRanges) {
    // Micikevicius et al. 2022, table 1.
    EXPECT_EQ(decode_fp8(fp8_143(), 0x7e), 448.0F);
    EXPECT_EQ(static_cast<double>(decode_fp8(fp8_143(), 0x08)), std::ldexp(1.0, -6));
    EXPECT_EQ(static_cast<double>(decode_fp8(fp8_143(), 0x01)), std::ldexp(1.0, -9));
    EXPECT_EQ(decode_fp8(fp8_152(), 0x7b), 57344.0F);
    EXPECT_EQ(static_cast<double>(decode_fp8(fp8_152(), 0x04)), std::ldexp(1.0, -14));
    EXPECT_EQ(static_cast<double>(decode_fp8(fp8_152(), 0x01)), std::ldexp(1.0, -16));
}

TEST(Fp8, TheBiasIsAPowerOfTwo) {
    for (int code = 0; code < 0x7f; ++code) {
        const auto bits = static_cast<std::uint8_t>(code);
        ASSERT_EQ(decode_fp8(fp8_143(4), bits), 8.0F * decode_fp8(fp8_143(7), bits));
    }
}

/// Nearest finite value by search, ties to the even code; beyond the largest, the largest.
int nearest(const Fp8Format& format, double magnitude) {
    int best = 0;
    for (int code = 1; code <= format.max_code(); ++code) {
        const double gain = std::fabs(finite(format, best) - magnitude) - std::fabs(finite(format, code) - magnitude);
        if (gain > 0.0 || (gain == 0.0 && code % 2 == 0)) {
            best = code;
        }
    }
    return best;
}

TEST(Fp8, EncodesEveryHalf) {
    for (const Fp8Format& format : formats()) {
        for (unsigned bits = 0; bits < 0x7c00; ++bits) {
            const auto value = static_cast<double>(decode_half(Half{static_cast<std::uint16_t>(bits)}));
            const int expected = nearest(format, value);
            ASSERT_EQ(encode_fp8(format, value), expected) << value;
            ASSERT_EQ(encode_fp8(format, -value), expected | 0x80) << value;
        }
    }
}

TEST(Fp8, RoundsToNearestEvenAtEveryBoundary) {
    for (const Fp8Format& format : formats()) {
        for (int code = 0; code < format.max_code(); ++code) {
            const double middle = (finite(format, code) + finite(format, code + 1)) / 2;
            ASSERT_EQ(encode_fp8(format, middle), code % 2 == 0 ? code : code + 1);
            ASSERT_EQ(encode_fp8(format, std::nextafter(middle, 0.0)), code);
            ASSERT_EQ(encode_fp8(format, std::nextafter(middle, infinity)), code + 1);
        }
    }
}

TEST(Fp8, EncodingSaturatesAndKeepsNaN) {
    for (const Fp8Format& format : formats()) {
        const int largest = format.max_code();
        EXPECT_EQ(encode_fp8(format, infinity), largest);
        EXPECT_EQ(encode_fp8(format, -infinity), largest | 0x80);
        EXPECT_EQ(encode_fp8(format, 1e300), largest);
        EXPECT_EQ(encode_fp8(format, std::nextafter(finite(format, largest), infinity)), largest);
        EXPECT_EQ(encode_fp8(format, std::numeric_limits<double>::quiet_NaN()), 0x7f);
        EXPECT_EQ(encode_fp8(format, -0.0), 0x80);
        EXPECT_EQ(encode_fp8(format, std::numeric_limits<double>::denorm_min()), 0);
    }
    EXPECT_EQ(fp8_143().max_code(), 0x7e);
    EXPECT_EQ(fp8_152().max_code(), 0x7b);
}

}  // namespace
}  // namespace nibble
