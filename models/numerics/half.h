// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "models/numerics/float_layout.h"

namespace nibble {

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits, with subnormals, infinities and NaNs.
///
/// What the paper calls FP16 (Sun et al. 2020, Fig. 4b: the output of every GEMM). IBM's own 16-bit format is
/// DlFloat16. The largest finite value is 65504, the smallest normal 2^-14, the smallest subnormal 2^-24.
struct Half {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(Half, Half) = default;
};

/// The one NaN that encode_half() produces; every NaN decodes to a NaN.
inline constexpr Half half_nan{0x7e00};
inline constexpr Half half_infinity{0x7c00};
inline constexpr double half_max = 65504.0;

/// `value` rounded to the nearest binary16 value, ties to even, returned in the type it came in.
/// From 65520 (half an ulp above the largest) on: infinity. NaN: the default quiet NaN. The sign of zero is kept.
/// Assumes the default rounding direction of the host. Free of branches, so that loops over it vectorise.
template <class Float>
[[nodiscard]] constexpr Float round_to_half(Float value) {
    using Layout = FloatLayout<Float>;
    using Word = typename Layout::Bits;
    constexpr Word lowest_field = static_cast<Word>(Layout::bias - 14) << Layout::fraction_bits;
    constexpr Word highest_field = static_cast<Word>(Layout::bias + 16) << Layout::fraction_bits;
    constexpr Word to_magic = static_cast<Word>(Layout::fraction_bits - 10) << Layout::fraction_bits;

    const Word sign = bits_of(value) & sign_mask<Float>;
    const Word magnitude = bits_of(value) ^ sign;
    // Adding a power of two whose own ulp is the binary16 ulp of the value makes the host round at that place. All
    // subnormals share the ulp of 2^-14; above 2^16 the place no longer matters.
    const Word field = std::clamp(static_cast<Word>(magnitude & ~fraction_mask<Float>), lowest_field, highest_field);
    const Float magic = from_bits<Float>(field + to_magic);
    const Float rounded = (from_bits<Float>(magnitude) + magic) - magic;
    const Float finite = rounded > Float{65504} ? std::numeric_limits<Float>::infinity() : rounded;
    const Float result = from_bits<Float>(bits_of(finite) | sign);
    return value == value ? result : std::numeric_limits<Float>::quiet_NaN();
}

/// Nearest binary16, as round_to_half(); NaN becomes half_nan. Free of branches, so that loops over it vectorise.
template <class Float>
[[nodiscard]] constexpr Half encode_half(Float value) {
    using Layout = FloatLayout<Float>;
    using Word = typename Layout::Bits;
    constexpr Word rebias = static_cast<Word>(Layout::bias - 15) << 10;
    // The number whose ulp is that of the subnormals, 2^-24: adding it leaves their code in the lowest bits.
    constexpr Float subnormal_ulp = power_of_two<Float>(Layout::fraction_bits - 24);

    const Float rounded = round_to_half(value);
    const Word sign = bits_of(rounded) & sign_mask<Float>;
    const Float magnitude = from_bits<Float>(bits_of(rounded) ^ sign);
    const Word normal = (bits_of(magnitude) >> (Layout::fraction_bits - 10)) - rebias;
    const Word subnormal = bits_of(magnitude + subnormal_ulp) - bits_of(subnormal_ulp);
    const Word finite = magnitude < power_of_two<Float>(-14) ? subnormal : normal;
    const Word code = magnitude > Float{65504} ? Word{half_infinity.bits} : finite;
    const Word signed_code = code | (sign >> (8 * sizeof(Float) - 16));
    return Half{static_cast<std::uint16_t>(value == value ? signed_code : Word{half_nan.bits})};
}

/// Nearest binary16, saturating at half_max, as operands are stored: infinity becomes it; NaN stays half_nan.
[[nodiscard]] constexpr Half encode_half_saturating(float value) {
    constexpr auto limit = static_cast<float>(half_max);
    return encode_half(std::clamp(value, -limit, limit));
}

/// The exact value.
[[nodiscard]] constexpr float decode_half(Half half) {
    // Moving the exponent field into place leaves it 112 = 127 - 15 too small; one exact multiplication corrects
    // normal and subnormal numbers alike, and lifts the all-ones field of infinities and NaNs to 2^16 or more.
    const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000u) << 16;
    const std::uint32_t shifted = static_cast<std::uint32_t>(half.bits & 0x7fffu) << 13;
    const std::uint32_t bits = bits_of(from_bits<float>(shifted) * power_of_two<float>(112));
    const std::uint32_t special = bits >= bits_of(65536.0F) ? 0x7f800000u : 0u;
    return from_bits<float>(bits | special | sign);
}

}  // namespace nibble
