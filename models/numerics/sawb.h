// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "models/numerics/int4.h"

namespace nibble {

/// The level sets of statistics-aware weight binning for which IBM publishes coefficients.
enum class SawbLevels : std::uint8_t {
    plain_2_bit,
    plain_3_bit,
    plain_4_bit,  ///< 16 levels, the odd multiples of clip/15: no zero, integers up to +-15.
    plain_5_bit,
    plain_8_bit,
    zero_aligned_4_bit,  ///< 15 levels, the multiples -7..7 of clip/7: what a signed INT4 multiplicand holds.
};

/// What the paper of four-bit training leaves open. Default: the set that fits a signed INT4 multiplicand.
inline constexpr SawbLevels default_sawb_levels = SawbLevels::zero_aligned_4_bit;

/// clip = c1 sqrt(E[w^2]) + c2 E|w|.
struct SawbCoefficients {
    double c1;
    double c2;
};

/// Source: IBM fms-model-optimizer, fms_mo/quant/quantizers.py, sawb_params() and sawb_params_code() (code 403).
[[nodiscard]] SawbCoefficients sawb_coefficients(SawbLevels levels);

/// The two reductions over a weight tensor that hardware must compute at every step.
struct SawbStatistics {
    double mean_square = 0.0;     ///< E[w^2]
    double mean_magnitude = 0.0;  ///< E|w|
};

/// Summed in binary64 in the order of the elements; zeros for an empty tensor.
[[nodiscard]] SawbStatistics sawb_statistics(std::span<const float> weights);

/// SAWB: symmetric weight quantisation whose clip follows from two moments of the tensor (Choi et al. 2019).
///
/// The integer levels are k = -m, -m + d, ..., m and stand for clip * k / m: zero-aligned 4-bit m = 7, d = 1; plain b
/// bits m = 2^b - 1, d = 2 (odd numbers only). A weight goes to the nearest level, beyond the clip to the outermost
/// one. Ties: to the even index counted from the lowest level, which is what IBM's round((w/clip + 1)/2 * m') does, m'
/// the number of steps. NaN takes the lowest level.
class SawbQuantizer {
public:
    /// clip must be positive.
    SawbQuantizer(SawbLevels levels, double clip);
    /// The clip of the formula. Where all magnitudes are nearly equal, E|w| approaches sqrt(E[w^2]) and the formula
    /// gives (c1 + c2) times it, which is not positive for most level sets: it does not apply there, and the clip is
    /// the root mean square instead (1 for a tensor of zeros). IBM's code has no such guard.
    SawbQuantizer(SawbLevels levels, const SawbStatistics& statistics);

    [[nodiscard]] double clip() const { return clip_; }
    /// The integer m of the outermost level.
    [[nodiscard]] int outermost() const { return outermost_; }
    /// The integer level k of a weight.
    [[nodiscard]] int encode(double weight) const {
        const int steps = 2 * outermost_ / spacing_;
        return round_to_level((weight / clip_ + 1.0) / 2.0 * steps, 0, steps) * spacing_ - outermost_;
    }
    [[nodiscard]] double decode(int level) const { return clip_ * level / outermost_; }

private:
    int outermost_;
    int spacing_;  ///< d
    double clip_;
};

}  // namespace nibble
