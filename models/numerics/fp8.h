// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "models/numerics/float_layout.h"

namespace nibble {

/// What the highest codes of an 8-bit float mean.
enum class Fp8Specials : std::uint8_t {
    nan_only,  ///< Only the all-ones magnitude is special: NaN. No infinity.
    ieee,      ///< The all-ones exponent is special: fraction 0 is infinity, the rest NaN.
};

/// An 8-bit floating-point format with subnormals: sign, exponent and fraction from the top bit down.
struct Fp8Format {
    int exponent_bits;
    int fraction_bits;
    /// The value of a normal number is 2^(exponent field - bias) (1 + fraction). Within -64..64.
    int bias;
    Fp8Specials specials;

    /// The highest finite magnitude code: where encoding saturates.
    [[nodiscard]] constexpr std::uint8_t max_code() const {
        return static_cast<std::uint8_t>(0x7f - (specials == Fp8Specials::nan_only ? 1 : 1 << fraction_bits));
    }
};

/// 1-4-3, for weights and activations. With the default bias 7, the largest value is 448, the smallest 2^-9.
/// IBM's HFP8 (Sun et al. 2019) shifts the exponent of this format; reference/facts.md 4.5 gives 4 as its bias, not
/// traced to the paper. Which codes are NaN there is not published either: here as in Micikevicius et al. 2022 (E4M3).
[[nodiscard]] constexpr Fp8Format fp8_143(int bias = 7) {
    return {4, 3, bias, Fp8Specials::nan_only};
}

/// 1-5-2, for gradients. With the default bias 15, the largest value is 57344, the smallest 2^-16.
/// Infinities and NaNs as in IEEE 754 (Micikevicius et al. 2022, E5M2).
[[nodiscard]] constexpr Fp8Format fp8_152(int bias = 15) {
    return {5, 2, bias, Fp8Specials::ieee};
}

/// The exact value.
[[nodiscard]] constexpr float decode_fp8(const Fp8Format& format, std::uint8_t code) {
    const bool negative = (code & 0x80) != 0;
    const int magnitude = code & 0x7f;
    const int field = magnitude >> format.fraction_bits;
    const int fraction = magnitude & ((1 << format.fraction_bits) - 1);
    float value = 0.0F;
    if (magnitude > format.max_code()) {
        const bool infinite = format.specials == Fp8Specials::ieee && fraction == 0;
        value = infinite ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    } else {
        const int significand = fraction + (field == 0 ? 0 : 1 << format.fraction_bits);
        const int exponent = (field == 0 ? 1 : field) - format.bias - format.fraction_bits;
        value = static_cast<float>(significand) * power_of_two<float>(exponent);
    }
    return negative ? -value : value;
}

/// Nearest code, ties to even, saturating: everything beyond the largest finite value, infinity included, becomes that
/// value, so encoding never produces an infinity. NaN becomes 0x7f, which is a NaN in both formats.
/// The sign of zero is kept. Assumes the default rounding direction of the host. Free of branches, so that loops over
/// it vectorise.
[[nodiscard]] constexpr std::uint8_t encode_fp8(const Fp8Format& format, double value) {
    using Layout = FloatLayout<double>;
    const auto field_of = [](int exponent) {
        return static_cast<std::uint64_t>(exponent + Layout::bias) << Layout::fraction_bits;
    };
    const int lowest = 1 - format.bias;  // the exponent of the lowest normal binade, whose ulp subnormals share
    const std::uint64_t sign = bits_of(value) & sign_mask<double>;
    const std::uint64_t bits = bits_of(value) ^ sign;
    // Adding a power of two whose own ulp is that of the value makes the host round at that place, as in
    // round_to_half(). Beyond the formats' largest binades the place no longer matters.
    const int place = Layout::fraction_bits - format.fraction_bits;
    const std::uint64_t field = std::clamp(bits & ~fraction_mask<double>, field_of(lowest), field_of(128));
    const double magic = from_bits<double>(field + (static_cast<std::uint64_t>(place) << Layout::fraction_bits));
    const double rounded = (from_bits<double>(bits) + magic) - magic;
    // A carry counts up the exponent field by itself. Adding the power of two with the subnormals' ulp leaves their
    // code in the lowest bits.
    const double subnormal_ulp = from_bits<double>(field_of(lowest + place));
    const std::uint64_t subnormal = bits_of(rounded + subnormal_ulp) - bits_of(subnormal_ulp);
    const std::uint64_t normal =
        (bits_of(rounded) >> place) - (static_cast<std::uint64_t>(lowest - 1 + Layout::bias) << format.fraction_bits);
    const std::uint64_t finite = rounded < from_bits<double>(field_of(lowest)) ? subnormal : normal;
    const std::uint64_t code = rounded > static_cast<double>(decode_fp8(format, format.max_code()))
                                   ? std::uint64_t{format.max_code()}
                                   : finite;
    return static_cast<std::uint8_t>(value == value ? code | (sign >> 56) : std::uint64_t{0x7f});
}

}  // namespace nibble
