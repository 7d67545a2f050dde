// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "models/numerics/fp4.h"

namespace nibble {

/// What the conversion to FP4 learns of the gradients that pass through it, for GradScale and for reports.
struct GradientStatistics {
    double largest_scaled = 0;         ///< magnitude, after scaling; NaN does not count
    std::uint64_t saturated_even = 0;  ///< beyond the largest level of the phase
    std::uint64_t saturated_odd = 0;
    std::uint64_t underflowed_even = 0;  ///< not zero, but coded as zero
    std::uint64_t underflowed_odd = 0;
    friend bool operator==(const GradientStatistics&, const GradientStatistics&) = default;

    /// The two together.
    GradientStatistics& operator+=(const GradientStatistics& other);
    /// What the layer's GradScale should do, by Fig. 3a of Sun et al. 2020: +1, 0 or -1.
    [[nodiscard]] int vote() const;
};

/// The datapath of the log-gradient unit: rounds each gradient to FP16 as it arrives, scales it by 2^scale_log2 and
/// emits both phases of its radix-4 code in one pass (Sun et al. 2020, sections 3.1 to 3.3). `pairs` has an element for
/// each gradient; throws ModelError if not.
GradientStatistics convert_gradients(std::span<const float> gradients, int scale_log2, std::span<Fp4Pair> pairs);

}  // namespace nibble
