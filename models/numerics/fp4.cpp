// SPDX-License-Identifier: MIT
#include "models/numerics/fp4.h"

#include <algorithm>
#include <bit>

namespace nibble {

namespace {

/// A magnitude as an exponent and a significand in [1, 2), before any rounding.
struct Magnitude {
    bool negative = false;
    bool zero = false;
    int exponent = 0;
    std::uint64_t fraction = 0;  ///< The significand is 1 + fraction / 2^52.
};

constexpr std::uint64_t quarter = std::uint64_t{1} << 50;
/// The exponent of infinity and NaN: no scale brings it back into range.
constexpr int beyond_every_scale = 1 << 20;

Magnitude magnitude_of(double x) {
    const std::uint64_t bits = bits_of(x);
    const std::uint64_t magnitude = bits & ~sign_mask<double>;
    Magnitude result{.negative = bits != magnitude, .zero = magnitude == 0};
    const auto field = static_cast<int>(magnitude >> 52);
    if (field == 2047) {
        result.exponent = beyond_every_scale;
    } else if (field != 0) {
        result.exponent = field - 1023;
        result.fraction = magnitude & fraction_mask<double>;
    } else if (magnitude != 0) {
        const int shift = std::countl_zero(magnitude) - 11;
        result.exponent = -1022 - shift;
        result.fraction = (magnitude << shift) & fraction_mask<double>;
    }
    return result;
}

Magnitude magnitude_of(float x) {
    return magnitude_of(static_cast<double>(x));
}

Magnitude magnitude_of(Half x) {
    const std::uint32_t magnitude = x.bits & 0x7fffu;
    Magnitude result{.negative = (x.bits & 0x8000u) != 0, .zero = magnitude == 0};
    const auto field = static_cast<int>(magnitude >> 10);
    if (field == 31) {
        result.exponent = beyond_every_scale;
    } else if (field != 0) {
        result.exponent = field - 15;
        result.fraction = std::uint64_t{magnitude & 0x3ffu} << 42;
    } else if (magnitude != 0) {
        const int shift = std::countl_zero(magnitude) - 21;
        result.exponent = -14 - shift;
        result.fraction = std::uint64_t{(magnitude << shift) & 0x3ffu} << 42;
    }
    return result;
}

/// q = floor(log2(1.6 |x|)): the exponent, and one more from a significand of 1.25 = 2 / 1.6 on.
int rounded_exponent(const Magnitude& x, Fp4Tie tie) {
    const bool up = x.fraction > quarter || (x.fraction == quarter && tie == Fp4Tie::up);
    return x.exponent + (up ? 1 : 0);
}

/// The scale is moved into the exponent, so that it costs no precision. It is limited to what changes the result:
/// beyond +-4096 every number of a host format is saturated or zero.
Magnitude scaled(Magnitude x, int scale_log2) {
    x.exponent += std::clamp(scale_log2, -4096, 4096);
    return x;
}

std::uint8_t code_bits(const Magnitude& x, int magnitude) {
    return static_cast<std::uint8_t>((x.negative ? 8 : 0) | magnitude);
}

Fp4Flags flags_of(const Magnitude& x, Fp4Phase phase, int magnitude) {
    const int top = phase == Fp4Phase::even ? 6 : 5;
    return {.saturated = !x.zero && (x.exponent > top || (x.exponent == top && x.fraction != 0)),
            .underflowed = !x.zero && magnitude == 0};
}

Fp4Encoding encode(const Magnitude& x, Fp4Phase phase, Fp4Tie tie) {
    int magnitude = 0;
    if (!x.zero) {
        // Shifting right rounds down, to the even exponent below; the odd phase is the even one of 2x.
        const int q = rounded_exponent(x, tie) + (phase == Fp4Phase::odd ? 1 : 0);
        magnitude = std::clamp((q >> 1) + 4, 0, fp4_max_magnitude);
    }
    return {Fp4Code{code_bits(x, magnitude)}, flags_of(x, phase, magnitude)};
}

Fp4PairEncoding encode_pair(const Magnitude& x, Fp4Tie tie) {
    const int field = x.zero ? 0 : std::clamp(rounded_exponent(x, tie) + 8, 0, 2 * fp4_max_magnitude);
    const Fp4Pair pair = pack_fp4_pair(Fp4Code{code_bits(x, field >> 1)}, (field & 1) != 0);
    return {pair, flags_of(x, Fp4Phase::even, even_code(pair).magnitude()),
            flags_of(x, Fp4Phase::odd, odd_code(pair).magnitude())};
}

}  // namespace

Fp4Encoding encode_fp4(double x, int scale_log2, Fp4Phase phase, Fp4Tie tie) {
    return encode(scaled(magnitude_of(x), scale_log2), phase, tie);
}

Fp4Encoding encode_fp4(float x, int scale_log2, Fp4Phase phase, Fp4Tie tie) {
    return encode(scaled(magnitude_of(x), scale_log2), phase, tie);
}

Fp4Encoding encode_fp4(Half x, int scale_log2, Fp4Phase phase, Fp4Tie tie) {
    return encode(scaled(magnitude_of(x), scale_log2), phase, tie);
}

Fp4PairEncoding encode_fp4_pair(double x, int scale_log2, Fp4Tie tie) {
    return encode_pair(scaled(magnitude_of(x), scale_log2), tie);
}

Fp4PairEncoding encode_fp4_pair(float x, int scale_log2, Fp4Tie tie) {
    return encode_pair(scaled(magnitude_of(x), scale_log2), tie);
}

Fp4PairEncoding encode_fp4_pair(Half x, int scale_log2, Fp4Tie tie) {
    return encode_pair(scaled(magnitude_of(x), scale_log2), tie);
}

}  // namespace nibble
