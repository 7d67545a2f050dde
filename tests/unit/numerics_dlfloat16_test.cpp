// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "models/numerics/dlfloat16.h"

namespace nibble {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr unsigned merged = 0x7fff;

DlFloat16 code(unsigned bits) {
    return DlFloat16{static_cast<std::uint16_t>(bits)};
}

/// 6 exponent bits, bias 31, 9 fraction bits; magnitude 0 is zero, all ones is NaN and infinity.
double reference(unsigned bits) {
    const unsigned magnitude = bits & 0x7fff;
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (magnitude == 0) {
        return 0.0;
    }
    return sign * (magnitude == merged
                       ? infinity
                       : std::ldexp(512 + (magnitude & 511), static_cast<int>(magnitude >> 9) - 31 - 9));
}

TEST(DlFloat16, DecodesEveryCode) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        ASSERT_EQ(static_cast<double>(decode_dlfloat16(code(bits))), reference(bits)) << bits;
    }
    EXPECT_FALSE(std::signbit(decode_dlfloat16(code(0x8000))));
}

TEST(DlFloat16, HasThePublishedLimits) {
    // fms_mo/custom_ext_kernels/triton_kernels.py: 8581545984 and above is infinity, below 4.6657e-10 is zero.
    EXPECT_EQ(encode_dlfloat16(8581545984.0), dlfloat16_infinity);
    EXPECT_EQ(encode_dlfloat16(8581545984.0F), dlfloat16_infinity);
    EXPECT_EQ(static_cast<double>(decode_dlfloat16(code(merged - 1))), std::ldexp(2.0 - std::ldexp(1.0, -8), 32));
    EXPECT_EQ(dlfloat16_max, std::ldexp(2.0 - std::ldexp(1.0, -8), 32));
    EXPECT_EQ(dlfloat16_min, std::ldexp(1.0 + std::ldexp(1.0, -9), -31));
    EXPECT_NEAR(dlfloat16_min, 4.6657e-10, 0.00005e-10);
    EXPECT_EQ(encode_dlfloat16(dlfloat16_min), code(1));
    EXPECT_EQ(encode_dlfloat16(std::ldexp(1.0, -31)), code(0));
}

TEST(DlFloat16, EncodesEveryValueToItsCode) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const unsigned expected = bits == 0x8000 ? 0 : bits;
        ASSERT_EQ(encode_dlfloat16(reference(bits)), code(expected)) << bits;
        ASSERT_EQ(encode_dlfloat16(static_cast<float>(reference(bits))), code(expected)) << bits;
    }
}

/// Monotonic, so the boundaries say it all. Above the largest value the boundary lies where the significand of the
/// merged code, 2^32 (2 - 2^-9), begins to attract; below the smallest it lies half an ulp below, not half way to zero.
TEST(DlFloat16, RoundsTiesAwayFromZeroAtEveryBoundary) {
    for (unsigned bits = 0; bits < merged; ++bits) {
        const double below = bits == 0 ? std::ldexp(1.0, -31) : reference(bits);
        const double above = bits + 1 == merged ? 8581545984.0 : reference(bits + 1);
        const double middle = (below + above) / 2;
        ASSERT_EQ(encode_dlfloat16(middle), code(bits + 1)) << bits;
        ASSERT_EQ(encode_dlfloat16(-middle), code((bits + 1) | 0x8000)) << bits;
        ASSERT_EQ(encode_dlfloat16(std::nextafter(middle, 0.0)), code(bits)) << bits;
        const auto narrow = static_cast<float>(middle);
        ASSERT_EQ(static_cast<double>(narrow), middle);
        ASSERT_EQ(encode_dlfloat16(narrow), code(bits + 1)) << bits;
        ASSERT_EQ(encode_dlfloat16(std::nextafter(narrow, 0.0F)), code(bits)) << bits;
    }
}

TEST(DlFloat16, HasOneZeroAndOneCodeForNaNAndInfinityOfEachSign) {
    EXPECT_EQ(encode_dlfloat16(-0.0), code(0));
    EXPECT_EQ(encode_dlfloat16(-1e-30), code(0));
    EXPECT_EQ(encode_dlfloat16(std::numeric_limits<double>::denorm_min()), code(0));
    EXPECT_EQ(encode_dlfloat16(infinity), code(0x7fff));
    EXPECT_EQ(encode_dlfloat16(-infinity), code(0xffff));
    EXPECT_EQ(encode_dlfloat16(-1e300), code(0xffff));
    EXPECT_EQ(encode_dlfloat16(std::numeric_limits<double>::quiet_NaN()), code(0x7fff));
    EXPECT_EQ(encode_dlfloat16(-std::numeric_limits<float>::quiet_NaN()), code(0x7fff));
}

TEST(DlFloat16, RoundingAValueIsEncodingAndDecodingIt) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        for (const double value : {reference(bits) * 1.0008, reference(bits) * 0.9996}) {
            ASSERT_EQ(round_to_dlfloat16(value), static_cast<double>(decode_dlfloat16(encode_dlfloat16(value))))
                << value;
        }
    }
}

}  // namespace
}  // namespace nibble
