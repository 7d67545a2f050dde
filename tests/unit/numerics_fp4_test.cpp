// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "models/numerics/fp4.h"

namespace nibble {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::array phases = {Fp4Phase::even, Fp4Phase::odd};
constexpr std::array ties = {Fp4Tie::up, Fp4Tie::down};
// Every scale that GradScale shows in the paper (2^13..2^23) and a margin; 2^-8 sends most of binary16 below the range.
constexpr int lowest_scale = -8;
constexpr int highest_scale = 31;

/// The level of exponent code c: 4^(c-4), and half of it in the odd phase.
double level(int c, Fp4Phase phase) {
    return (phase == Fp4Phase::odd ? 0.5 : 1.0) * std::ldexp(1.0, 2 * (c - 4));
}

/// The largest c whose threshold, level / 1.6 = 0.625 level (Eq. 1), the magnitude reaches.
int reference_magnitude(double magnitude, Fp4Phase phase, Fp4Tie tie) {
    int c = 7;
    while (c > 0 && !(tie == Fp4Tie::up ? magnitude >= 0.625 * level(c, phase) : magnitude > 0.625 * level(c, phase))) {
        --c;
    }
    return c;
}

Half half(unsigned bits) {
    return Half{static_cast<std::uint16_t>(bits)};
}

TEST(Fp4, DecodesEveryCode) {
    // Sun et al. 2020, sec. 3.1 and the axis of Fig. 4.
    const std::array even = {0.0, 1.0 / 64, 1.0 / 16, 1.0 / 4, 1.0, 4.0, 16.0, 64.0};
    const std::array odd = {0.0, 1.0 / 128, 1.0 / 32, 1.0 / 8, 1.0 / 2, 2.0, 8.0, 32.0};
    for (std::uint8_t c = 0; c < 8; ++c) {
        EXPECT_EQ(static_cast<double>(decode_fp4(Fp4Code{c}, Fp4Phase::even)), even[c]);
        EXPECT_EQ(static_cast<double>(decode_fp4(Fp4Code{c}, Fp4Phase::odd)), odd[c]);
        const Fp4Code negative{static_cast<std::uint8_t>(c | 8)};
        EXPECT_EQ(static_cast<double>(decode_fp4(negative, Fp4Phase::even)), -even[c]);
        EXPECT_EQ(static_cast<double>(decode_fp4(negative, Fp4Phase::odd)), -odd[c]);
        EXPECT_TRUE(negative.negative());
        EXPECT_EQ(negative.magnitude(), c);
        if (c > 0) {
            EXPECT_EQ(std::ldexp(1.0, fp4_exponent(Fp4Code{c}, Fp4Phase::even)), even[c]);
            EXPECT_EQ(std::ldexp(1.0, fp4_exponent(Fp4Code{c}, Fp4Phase::odd)), odd[c]);
        }
    }
}

TEST(Fp4, ThePapersThresholds) {
    const std::array thresholds = {0.009765625, 0.0390625, 0.15625, 0.625, 2.5, 10.0, 40.0};
    for (int c = 1; c <= 7; ++c) {
        const double threshold = thresholds[static_cast<std::size_t>(c - 1)];
        EXPECT_EQ(encode_fp4(threshold, 0, Fp4Phase::even).code.magnitude(), c) << "Fig. 2c: floor";
        EXPECT_EQ(encode_fp4(threshold, 0, Fp4Phase::even, Fp4Tie::down).code.magnitude(), c - 1) << "Eq. 1: <=";
        EXPECT_EQ(encode_fp4(std::nextafter(threshold, 0.0), 0, Fp4Phase::even).code.magnitude(), c - 1);
        EXPECT_EQ(encode_fp4(std::nextafter(threshold, infinity), 0, Fp4Phase::even, Fp4Tie::down).code.magnitude(), c);
        EXPECT_EQ(encode_fp4(threshold / 2, 0, Fp4Phase::odd).code.magnitude(), c);
        EXPECT_EQ(encode_fp4(std::nextafter(threshold / 2, 0.0), 0, Fp4Phase::odd).code.magnitude(), c - 1);
    }
}

/// All halves at all scales: code, sign and both flags against thresholds written out in doubles, which hold the scaled
/// value exactly.
void check_every_half(Fp4Phase phase, Fp4Tie tie) {
    const double largest = phase == Fp4Phase::even ? 64.0 : 32.0;
    for (int scale = lowest_scale; scale <= highest_scale; ++scale) {
        for (unsigned bits = 0; bits < 0x10000; ++bits) {
            const Fp4Encoding got = encode_fp4(half(bits), scale, phase, tie);
            const double decoded = static_cast<double>(decode_half(half(bits)));
            // NaN has no order; as an exponent it is above everything.
            const double magnitude = std::isnan(decoded) ? infinity : std::fabs(std::ldexp(decoded, scale));
            const int c = reference_magnitude(magnitude, phase, tie);
            ASSERT_EQ(got.code.bits, c + (bits >= 0x8000 ? 8 : 0)) << bits << " at 2^" << scale;
            ASSERT_EQ(got.flags.saturated, magnitude > largest) << bits << " at 2^" << scale;
            ASSERT_EQ(got.flags.underflowed, magnitude != 0.0 && c == 0) << bits << " at 2^" << scale;
        }
    }
}

TEST(Fp4, EncodesEveryHalfEvenTiesUp) {
    check_every_half(Fp4Phase::even, Fp4Tie::up);
}

TEST(Fp4, EncodesEveryHalfEvenTiesDown) {
    check_every_half(Fp4Phase::even, Fp4Tie::down);
}

TEST(Fp4, EncodesEveryHalfOddTiesUp) {
    check_every_half(Fp4Phase::odd, Fp4Tie::up);
}

TEST(Fp4, EncodesEveryHalfOddTiesDown) {
    check_every_half(Fp4Phase::odd, Fp4Tie::down);
}

TEST(Fp4, WiderSourcesGiveTheCodesOfHalf) {
    for (int scale = lowest_scale; scale <= highest_scale; scale += 3) {
        for (unsigned bits = 0; bits < 0x10000; ++bits) {
            const float narrow = decode_half(half(bits));
            for (const Fp4Phase phase : phases) {
                const Fp4Encoding expected = encode_fp4(half(bits), scale, phase);
                const Fp4Encoding from_float = encode_fp4(narrow, scale, phase);
                const Fp4Encoding from_double = encode_fp4(static_cast<double>(narrow), scale, phase);
                ASSERT_EQ(from_float.code, expected.code) << bits;
                ASSERT_EQ(from_float.flags, expected.flags) << bits;
                ASSERT_EQ(from_double.code, expected.code) << bits;
                ASSERT_EQ(from_double.flags, expected.flags) << bits;
            }
        }
    }
}

TEST(Fp4, TheScaleCostsNoPrecision) {
    // 2.5 (1 + 2^-52) is just above a threshold, also where a product with the scale would be subnormal or overflow.
    const double above = std::nextafter(2.5, 3.0);
    for (const int scale : {-1060, -1000, 0, 900, 1000}) {
        EXPECT_EQ(encode_fp4(std::ldexp(above, -scale / 2), scale / 2, Fp4Phase::even, Fp4Tie::down).code.magnitude(),
                  5);
        EXPECT_EQ(encode_fp4(std::ldexp(2.5, -scale / 2), scale / 2, Fp4Phase::even, Fp4Tie::down).code.magnitude(), 4);
    }
    // The smallest subnormal is 2^-1074; times 2^1074 it is 1.
    EXPECT_EQ(encode_fp4(std::numeric_limits<double>::denorm_min(), 1074, Fp4Phase::even).code.bits, 4);
    EXPECT_EQ(encode_fp4(-std::numeric_limits<float>::denorm_min(), 149, Fp4Phase::even).code.bits, 4 + 8);
    EXPECT_EQ(encode_fp4(1.0, -2000000000, Fp4Phase::even).code.bits, 0);
    EXPECT_EQ(encode_fp4(1.0, 2000000000, Fp4Phase::even).code.bits, 7);
}

TEST(Fp4, InfinityAndNaNSaturateAtEveryScale) {
    for (const Fp4Phase phase : phases) {
        for (const int scale : {-2000000000, -2000, 0, 40}) {
            for (const double x : {infinity, std::numeric_limits<double>::quiet_NaN()}) {
                EXPECT_EQ(encode_fp4(x, scale, phase).code.bits, 7);
                EXPECT_TRUE(encode_fp4(x, scale, phase).flags.saturated);
                EXPECT_EQ(encode_fp4(encode_half(x), scale, phase).code.bits, 7);
            }
            EXPECT_EQ(encode_fp4(-infinity, scale, phase).code.bits, 15);
            EXPECT_EQ(encode_fp4(half(0xfe00), scale, phase).code.bits, 15);
        }
    }
}

TEST(Fp4, ZeroIsNeitherSaturatedNorUnderflowedAndKeepsItsSign) {
    for (const Fp4Phase phase : phases) {
        EXPECT_EQ(encode_fp4(0.0, 31, phase).code.bits, 0);
        EXPECT_EQ(encode_fp4(-0.0, 31, phase).code.bits, 8);
        EXPECT_EQ(encode_fp4(-0.0, 31, phase).flags, Fp4Flags{});
    }
}

/// The five-bit pair carries exactly what two separate conversions give, whatever the input.
TEST(Fp4Pair, HoldsBothPhasesOfEveryHalf) {
    std::set<int> fields;
    for (const Fp4Tie tie : ties) {
        for (int scale = lowest_scale; scale <= highest_scale; ++scale) {
            for (unsigned bits = 0; bits < 0x10000; ++bits) {
                const Fp4PairEncoding got = encode_fp4_pair(half(bits), scale, tie);
                const Fp4Encoding even = encode_fp4(half(bits), scale, Fp4Phase::even, tie);
                const Fp4Encoding odd = encode_fp4(half(bits), scale, Fp4Phase::odd, tie);
                ASSERT_EQ(even_code(got.pair), even.code) << bits << " at 2^" << scale;
                ASSERT_EQ(odd_code(got.pair), odd.code) << bits << " at 2^" << scale;
                ASSERT_EQ(got.even, even.flags) << bits << " at 2^" << scale;
                ASSERT_EQ(got.odd, odd.flags) << bits << " at 2^" << scale;
                ASSERT_LT(got.pair.bits, 32);
                fields.insert(got.pair.bits & 15);
            }
        }
    }
    EXPECT_EQ(fields.size(), 15U);
    EXPECT_FALSE(fields.contains(15));
}

/// DESIGN.md, section 4: for an even level 4^n the odd level is 0.5 4^n or 2 4^n, with the cut at 1.25 4^n.
TEST(Fp4Pair, TheBitIsACutAtFiveQuartersOfTheEvenLevel) {
    for (unsigned bits = 0; bits < 0x7c00; ++bits) {
        const auto x = static_cast<double>(decode_half(half(bits)));
        const Fp4Pair pair = encode_fp4_pair(half(bits), 0).pair;
        const auto even = static_cast<double>(decode_fp4(even_code(pair), Fp4Phase::even));
        const auto odd = static_cast<double>(decode_fp4(odd_code(pair), Fp4Phase::odd));
        const bool upper = (pair.bits & 1) != 0;
        if (x < 0.0048828125) {
            ASSERT_EQ(pair.bits, 0) << x;
        } else if (x < 0.009765625) {
            ASSERT_EQ(even, 0.0) << x;
            ASSERT_TRUE(upper) << x;
            ASSERT_EQ(odd, 1.0 / 128) << x;
        } else if (x < 80.0) {
            ASSERT_EQ(upper, x >= 1.25 * even) << x;
            ASSERT_EQ(odd, upper ? 2.0 * even : 0.5 * even) << x;
        } else {
            ASSERT_EQ(even, 64.0) << x;
            ASSERT_FALSE(upper) << x;
            ASSERT_EQ(odd, 32.0) << x;
        }
    }
}

TEST(Fp4Pair, WiderSourcesGiveThePairsOfHalf) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        for (const Fp4Tie tie : ties) {
            const Fp4PairEncoding expected = encode_fp4_pair(half(bits), 6, tie);
            const Fp4PairEncoding from_float = encode_fp4_pair(decode_half(half(bits)), 6, tie);
            const Fp4PairEncoding from_double = encode_fp4_pair(static_cast<double>(decode_half(half(bits))), 6, tie);
            ASSERT_EQ(from_float.pair, expected.pair) << bits;
            ASSERT_EQ(from_double.pair, expected.pair) << bits;
            ASSERT_EQ(from_float.odd, expected.odd) << bits;
            ASSERT_EQ(from_double.even, expected.even) << bits;
        }
    }
}

TEST(Fp4Pair, PacksEveryEvenCodeAndBit) {
    for (std::uint8_t bits = 0; bits < 16; ++bits) {
        const Fp4Code even{bits};
        EXPECT_EQ(even_code(pack_fp4_pair(even, false)), even);
        EXPECT_EQ(even_code(pack_fp4_pair(even, true)), even);
        EXPECT_EQ(odd_code(pack_fp4_pair(even, false)), even);
        const int c = even.magnitude() == 7 ? 7 : even.magnitude() + 1;
        EXPECT_EQ(odd_code(pack_fp4_pair(even, true)).bits, (bits & 8) + c);
    }
}

}  // namespace
}  // namespace nibble
