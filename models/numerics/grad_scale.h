// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "models/numerics/float_layout.h"

namespace nibble {

/// The largest level of the even phase, MAX of Sun et al. 2020, sec. 3.2: the largest scaled gradient belongs in
/// (MAX/2, MAX].
inline constexpr double grad_scale_max = 64.0;

/// One worker's wish for the scale of a layer (Fig. 3a), from the largest magnitude after scaling:
/// +1 (underflow) in [0, MAX/2], 0 in (MAX/2, MAX], -1 (overflow) above, infinity and NaN included.
[[nodiscard]] int grad_scale_vote(double largest_scaled_magnitude, double max = grad_scale_max);

/// How far a scale may go. The paper does not limit it; the default is what a binary32 number can hold.
struct GradScaleLimits {
    int lowest_log2 = -126;
    int highest_log2 = 127;
};

/// The trainable scale of one layer's output gradient, a power of two (Sun et al. 2020, sec. 3.2, Fig. 3a).
///
/// The optimiser sums the workers' votes and doubles the scale if the sum is positive, halves it if negative. The paper
/// shows log2(scale) between 13 and 23 for ResNet18; it gives no initial value.
class GradScale {
public:
    explicit GradScale(int initial_log2, GradScaleLimits limits = {});

    [[nodiscard]] int log2() const { return log2_; }
    [[nodiscard]] double value() const { return power_of_two<double>(log2_); }
    /// One step of the optimiser. At a limit the scale stays where it is.
    void update(std::int64_t sum_of_votes);

private:
    GradScaleLimits limits_;
    int log2_;
};

}  // namespace nibble
