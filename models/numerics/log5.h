// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace nibble {

/// The base of the logarithm in Log5Grid.
enum class Log5Base : std::uint8_t {
    two,       ///< One level an octave: the base that Miyashita et al. train with. The default.
    root_two,  ///< Two levels an octave: their finer grid for the weights of convolutions in inference.
};

/// The 5-bit logarithmic format of Miyashita, Lee and Murmann (arXiv 1603.01025): bit 4 the sign, bits 3..0 the code c.
/// c = 0 is zero, of either sign; c = 1..15 is the level 2^full_scale_log2 * base^(c - 15). No NaN, no infinity.
///
/// Their rule is LogQuant(x) = sign(x) 2^x~, x~ = Clip(Round(log2 |x|), FSR - 2^bits, FSR), in units of the base. Sign
/// and 4 bits hold 15 levels and zero: [assumption] Clip excludes both ends, the lower one meaning zero, so that
/// full_scale_log2 is FSR - 1.
/// * Rounding is to the nearest exponent, so that thresholds are geometric means of levels, 2^(n - 1/2) in base 2, not
///   midpoints. They are irrational: there are no ties.
/// * Below the threshold under the lowest level: zero, with the sign of x kept. Above the highest level: that level.
/// * Infinity and NaN saturate with their sign.
class Log5Grid {
public:
    /// The highest level is 2^full_scale_log2, -149..127. Throws ModelError otherwise.
    explicit Log5Grid(int full_scale_log2, Log5Base base = Log5Base::two);
    /// The lowest full scale at which the largest finite magnitude of the tensor, rounded to the nearest exponent, is
    /// not beyond it; at most 127, and 0 for a tensor of zeros.
    [[nodiscard]] static Log5Grid stretched_to(std::span<const float> tensor, Log5Base base = Log5Base::two);

    [[nodiscard]] int full_scale_log2() const { return full_scale_log2_; }
    [[nodiscard]] std::uint8_t encode(float x) const;
    /// The level of the low five bits, rounded to binary32 where the exponent is not whole.
    [[nodiscard]] float decode(std::uint8_t code) const;
    /// Every element to its level. `values` is as long as `tensor`.
    void round(std::span<const float> tensor, std::span<float> values) const;

private:
    int full_scale_log2_;
    Log5Base base_;
};

}  // namespace nibble
