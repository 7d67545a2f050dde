// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "models/numerics/fp4.h"

namespace nibble {

// The products of the four-bit processing unit, built from shifters and adders alone (US 12,443,841 B2, claims 1 and
// 4). Everything is an exact integer. INT4 values are -8..7 or 0..15.

/// Widths in bits, two's complement, that hold every value:
/// INT4 x INT4: -120 (15 x -8) .. 225 (15 x 15).
inline constexpr int int4_int4_product_bits = 9;
/// INT4 x FP4: +-61440 (15 << 12). Without unsigned operands and -8, 16 bits: +-28672.
inline constexpr int int4_fp4_product_bits = 17;
/// Sum of four INT4 x FP4 products: +-245760.
inline constexpr int int4_fp4_dot4_bits = 19;
/// Sum over a chunk of 64: +-3932160.
inline constexpr int int4_fp4_chunk64_bits = 23;

/// The exponent of the unit of an INT4 x FP4 product: 2^-6 in the even phase, 2^-7 in the odd one.
[[nodiscard]] constexpr int fp4_unit_log2(Fp4Phase phase) {
    return phase == Fp4Phase::even ? -6 : -7;
}

/// a * b: one shifted copy of a for each bit of b, the top bit of a negative b counting as -8.
[[nodiscard]] std::int32_t multiply_int4_int4(int a, int b);

/// a * (level of b) in units of fp4_unit_log2(): a shifted left by twice (exponent code - 1), 0..12 places, and negated
/// by the sign. The zero code gates the product. The same for both phases: the odd operand runs as the even one and the
/// result's exponent has one subtracted (Sun et al. 2020, sec. 6).
[[nodiscard]] std::int32_t multiply_int4_fp4(int a, Fp4Code b);

/// The four-way inner products of one processing unit, before the rounder: exact.
[[nodiscard]] std::int32_t dot4_int4_int4(const std::array<int, 4>& a, const std::array<int, 4>& b);
[[nodiscard]] std::int32_t dot4_int4_fp4(const std::array<int, 4>& a, const std::array<Fp4Code, 4>& b);

}  // namespace nibble
