// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace nibble {

/// The radix-2 format [1,3,0] that radix-4 FP4 is compared with (Sun et al. 2020, sec. 3.1): bit 3 the sign, bits 2..0
/// the exponent code c. c = 0 is zero, of either sign; c = 1..7 is the level 2^(c-4), so 1/8..8, a range of 2^6 where
/// radix 4 has 2^12. No NaN, no infinity.
///
/// x * 2^scale_log2 goes to the nearest level by the rule of radix-4 FP4 with the other radix: the arithmetic midpoint
/// of 2^(n-1) and 2^n is 2^n / (4/3), so multiply by 4/3 and keep the exponent. The paper does not spell this out.
/// * Thresholds: 0.09375 (= 2^-3 / (4/3)), 0.1875, 0.375, 0.75, 1.5, 3, 6. A tie goes up, as in encode_fp4().
/// * Below the lowest threshold: zero, with the sign of x kept. Above 8: 8.
/// * Infinity and NaN saturate with their sign.
[[nodiscard]] std::uint8_t encode_radix2_fp4(float x, int scale_log2);

/// The level of the low four bits, without the scale; both zeros give +0.
[[nodiscard]] float decode_radix2_fp4(std::uint8_t code);

/// Every element to its level and back: level / 2^scale_log2, infinite where binary32 ends. `values` is as long as
/// `tensor`.
void round_to_radix2_fp4(std::span<const float> tensor, int scale_log2, std::span<float> values);

}  // namespace nibble
