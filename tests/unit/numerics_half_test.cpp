// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "models/numerics/half.h"

namespace nibble {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Half half(unsigned bits) {
    return Half{static_cast<std::uint16_t>(bits)};
}

/// IEEE 754-2019, sec. 3.4, with w = 5, t = 10, bias = 15.
double reference(unsigned bits) {
    const int field = static_cast<int>(bits >> 10 & 31);
    const int fraction = static_cast<int>(bits & 1023);
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (field == 31) {
        return fraction == 0 ? sign * infinity : std::numeric_limits<double>::quiet_NaN();
    }
    return sign * (field == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, field - 25));
}

TEST(Half, DecodesEveryCode) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const double decoded = static_cast<double>(decode_half(half(bits)));
        if (std::isnan(reference(bits))) {
            ASSERT_TRUE(std::isnan(decoded)) << bits;
        } else {
            ASSERT_EQ(decoded, reference(bits)) << bits;
            ASSERT_EQ(std::signbit(decoded), bits >= 0x8000) << bits;
        }
    }
}

TEST(Half, EncodesEveryValueToItsCode) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const Half expected = std::isnan(reference(bits)) ? half_nan : half(bits);
        ASSERT_EQ(encode_half(reference(bits)), expected) << bits;
        ASSERT_EQ(encode_half(static_cast<float>(reference(bits))), expected) << bits;
    }
}

/// Encoding is monotonic, so it is right everywhere if it is right on both sides of every midpoint. The midpoint above
/// 65504 is 65520, where infinity begins: the code after the largest is infinity's, and that code is even.
TEST(Half, RoundsToNearestEvenAtEveryBoundary) {
    for (unsigned bits = 0; bits < 0x7c00; ++bits) {
        const double above = bits == 0x7bff ? 65536.0 : reference(bits + 1);
        const double middle = (reference(bits) + above) / 2;
        const unsigned even = bits % 2 == 0 ? bits : bits + 1;
        ASSERT_EQ(encode_half(middle), half(even)) << bits;
        ASSERT_EQ(encode_half(-middle), half(even | 0x8000)) << bits;
        ASSERT_EQ(encode_half(std::nextafter(middle, 0.0)), half(bits)) << bits;
        ASSERT_EQ(encode_half(std::nextafter(middle, infinity)), half(bits + 1)) << bits;
        const auto narrow = static_cast<float>(middle);
        ASSERT_EQ(static_cast<double>(narrow), middle);
        ASSERT_EQ(encode_half(narrow), half(even)) << bits;
        ASSERT_EQ(encode_half(std::nextafter(narrow, 0.0F)), half(bits)) << bits;
        ASSERT_EQ(encode_half(std::nextafter(narrow, 1e9F)), half(bits + 1)) << bits;
    }
}

TEST(Half, EncodesTheExtremesOfItsSources) {
    EXPECT_EQ(encode_half(std::numeric_limits<double>::max()), half_infinity);
    EXPECT_EQ(encode_half(std::numeric_limits<float>::max()), half_infinity);
    EXPECT_EQ(encode_half(-infinity), half(0xfc00));
    EXPECT_EQ(encode_half(std::numeric_limits<double>::denorm_min()), half(0));
    EXPECT_EQ(encode_half(-std::numeric_limits<float>::denorm_min()), half(0x8000));
    EXPECT_EQ(encode_half(-0.0), half(0x8000));
    EXPECT_EQ(encode_half(-std::numeric_limits<double>::quiet_NaN()), half_nan);
    EXPECT_EQ(encode_half(std::numeric_limits<float>::quiet_NaN()), half_nan);
}

TEST(Half, RoundingAValueIsEncodingAndDecodingIt) {
    for (unsigned bits = 0; bits < 0x10000; bits += 3) {
        for (const double value : {reference(bits) * 1.0004, reference(bits) * 0.9997}) {
            const float encoded = decode_half(encode_half(value));
            if (std::isnan(value)) {
                ASSERT_TRUE(std::isnan(round_to_half(value)));
            } else {
                ASSERT_EQ(round_to_half(value), static_cast<double>(encoded)) << value;
                ASSERT_EQ(std::signbit(round_to_half(value)), std::signbit(encoded)) << value;
            }
        }
    }
}

}  // namespace
}  // namespace nibble
