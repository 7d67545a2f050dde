// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include "models/numerics/float_layout.h"

namespace nibble {

/// DLFloat16, IBM's 16-bit training format: 1 sign, 6 exponent (bias 31) and 9 fraction bits.
///
/// * No subnormals: the lowest binade holds zero (fraction 0) and normal numbers, so the smallest is 2^-31 (1 + 2^-9).
/// * One merged code for NaN and infinity, all ones below the sign; it decodes to infinity. The largest finite value is
///   therefore 2^32 (2 - 2^-8).
/// * One rounding mode, nearest-up: half an ulp is added to the magnitude and the rest cut off, so ties leave zero.
/// * The sign of zero does not matter; zero is always encoded, and decoded, as +0.
/// Sources: IBM patent application US 2019/0369960; limits and rounding as IBM's fms_mo triton_kernels.py has them:
/// 2^32 (2 - 2^-9) and above is infinity, below 2^-31 (1 + 2^-9) is zero. Both limits apply to the rounded value.
struct DlFloat16 {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(DlFloat16, DlFloat16) = default;
};

inline constexpr DlFloat16 dlfloat16_infinity{0x7fff};
inline constexpr double dlfloat16_max = 8573157376.0;
/// 2^-31 (1 + 2^-9).
inline constexpr double dlfloat16_min = power_of_two<double>(-31) + power_of_two<double>(-40);

/// `value` rounded to the nearest DLFloat16 value, ties away from zero, returned in the type it came in. NaN becomes
/// +infinity. Free of branches, so that loops over it vectorise.
template <class Float>
[[nodiscard]] constexpr Float round_to_dlfloat16(Float value) {
    using Layout = FloatLayout<Float>;
    using Word = typename Layout::Bits;
    constexpr Word half_ulp = Word{1} << (Layout::fraction_bits - 10);
    constexpr Word kept = ~((half_ulp << 1) - 1);
    constexpr Float infinity = std::numeric_limits<Float>::infinity();

    const Word sign = bits_of(value) & sign_mask<Float>;
    const Float rounded = from_bits<Float>(((bits_of(value) ^ sign) + half_ulp) & kept);
    const Float bounded = rounded > static_cast<Float>(dlfloat16_max) ? infinity : rounded;
    const Float result = from_bits<Float>(bits_of(bounded) | sign);
    const Float flushed = rounded < static_cast<Float>(dlfloat16_min) ? Float{0} : result;
    return value == value ? flushed : infinity;
}

/// Nearest DLFloat16, as round_to_dlfloat16(); NaN becomes dlfloat16_infinity.
[[nodiscard]] DlFloat16 encode_dlfloat16(float value);
[[nodiscard]] DlFloat16 encode_dlfloat16(double value);

/// The exact value.
[[nodiscard]] constexpr float decode_dlfloat16(DlFloat16 code) {
    const std::uint32_t magnitude = code.bits & 0x7fffu;
    const std::uint32_t sign = static_cast<std::uint32_t>(code.bits & 0x8000u) << 16;
    if (magnitude == 0) {
        return 0.0F;
    }
    if (magnitude == dlfloat16_infinity.bits) {
        return from_bits<float>(bits_of(std::numeric_limits<float>::infinity()) | sign);
    }
    constexpr std::uint32_t rebias = (127u - 31u) << 23;
    return from_bits<float>(((magnitude << 14) + rebias) | sign);
}

}  // namespace nibble
