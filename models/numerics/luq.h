// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace nibble {

/// How many powers of two the grid of LUQ has.
///
/// Sources disagree. A sign and a 3-bit exponent code, one of which is zero, hold 7: the default. Eq. 11 of the paper,
/// alpha = max / 2^(2^(b-1)) with b = 3, gives the 5 levels alpha..16 alpha. The code that accompanied its submission
/// (openreview.net/forum?id=yTbNYYcopd) divides by 2^(2^3 - 1) and so has 8, which is nine magnitudes with zero.
inline constexpr int default_luq_levels = 7;

/// Logarithmic unbiased quantisation of gradients (Chmiel et al., arXiv 2112.10769): levels 0 and alpha 2^k,
/// k = 0..levels-1, alpha = largest / 2^(levels-1), so that the largest magnitude of the tensor is a level.
///
/// * |x| < alpha, stochastic underflow (Eq. 10): alpha with probability |x| / alpha, else 0.
/// * alpha 2^k <= |x| < alpha 2^(k+1), logarithmic stochastic rounding (Eq. 12): the upper level with probability
///   |x| / (alpha 2^k) - 1, else the lower one.
/// * |x| >= largest: the top level, without chance. Everything below it is right in expectation.
///
/// The ratio |x| / alpha is rounded once, to binary64; probabilities are exact multiples of 2^-52. Infinity and NaN
/// become the top level with their sign. If `largest` is 0, everything is 0.
class LuqGrid {
public:
    /// `largest`: finite, not negative; not the tensor's own maximum if that is estimated from earlier steps (sec. 5).
    /// `levels`: 1..30. Throws ModelError otherwise.
    LuqGrid(float largest, int levels = default_luq_levels);
    /// The grid of a tensor's own largest finite magnitude.
    [[nodiscard]] static LuqGrid stretched_to(std::span<const float> tensor, int levels = default_luq_levels);

    /// The smallest level other than zero, as far as binary32 holds it.
    [[nodiscard]] float alpha() const { return level(1); }
    /// 0 for zero, k + 1 for the level alpha 2^k.
    [[nodiscard]] float level(int code) const;
    /// The code, 0..levels, to which |x| is rounded with these 64 random bits.
    [[nodiscard]] int encode(float x, std::uint64_t random) const;

    /// Rounds every element to the grid; element i takes the random bits of position `first` + i of the seed, so that
    /// parts of a tensor may be rounded apart. `values` is as long as `tensor`.
    void round(std::span<const float> tensor, std::uint64_t seed, std::span<float> values,
               std::uint64_t first = 0) const;

private:
    double largest_;
    int levels_;
    double to_ratio_;  ///< 2^(levels-1)
};

}  // namespace nibble
