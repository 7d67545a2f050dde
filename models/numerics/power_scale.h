// SPDX-License-Identifier: MIT
#pragma once

namespace nibble {

/// What a power-of-two scale makes of the largest magnitude of an operand: at most this, and more than half of it.
/// FP4: MAX of Sun et al. 2020, section 3.2 (grad_scale_max), for both phases. FP8: our choice; a product of two such
/// operands is at most 256, which leaves binary16 sums room for 255 of them, and the smallest FP8 numbers still reach
/// down to 2^-13 (1-4-3) and 2^-20 (1-5-2) of the largest.
inline constexpr int fp4_largest_log2 = 6;
inline constexpr int fp8_largest_log2 = 4;

/// The scale, as a power of two, that brings `largest`, which is finite, into (2^(window_log2 - 1), 2^window_log2];
/// 0 for `largest` 0.
[[nodiscard]] int scale_log2_into(double largest, int window_log2);

}  // namespace nibble
