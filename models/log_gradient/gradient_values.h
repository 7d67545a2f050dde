// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/numerics/fp4.h"

namespace nibble {

/// What the unit learns of the gradients that pass through it, for GradScale and for reports.
struct GradientStatistics {
    double largest_scaled = 0;         ///< magnitude, after scaling
    std::uint64_t saturated_even = 0;  ///< beyond the largest level of the phase
    std::uint64_t saturated_odd = 0;
    std::uint64_t underflowed_even = 0;  ///< not zero, but coded as zero
    std::uint64_t underflowed_odd = 0;
    friend bool operator==(const GradientStatistics&, const GradientStatistics&) = default;

    /// What the layer's GradScale should do, by Fig. 3a of Sun et al. 2020: +1, 0 or -1.
    [[nodiscard]] int vote() const;
};

/// A tile of gradients in values mode: what goes in, and, after convert(), what came out.
struct GradientValues {
    std::shared_ptr<const std::vector<float>> gradients;  ///< values of FP16; complete when the conversion starts
    int scale_log2 = 0;                                   ///< the layer's scale
    std::vector<Fp4Pair> pairs;                           ///< both phases of each gradient
    GradientStatistics statistics;
    std::function<void(const GradientValues&)> finished;  ///< told of the result; may be empty
};

/// The datapath of the log-gradient unit: scales each gradient by the layer's power of two and emits both phases of its
/// radix-4 code in one pass (Sun et al. 2020, sections 3.1 to 3.3). Rounds the input to FP16 first, as it arrives.
void convert(GradientValues& values);

}  // namespace nibble
