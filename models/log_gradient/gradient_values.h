// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/numerics/fp4.h"
#include "models/numerics/gradient_conversion.h"

namespace nibble {

/// A tile of gradients in values mode: what goes in, and, after convert(), what came out.
struct GradientValues {
    std::shared_ptr<const std::vector<float>> gradients;  ///< values of FP16; complete when the conversion starts
    int scale_log2 = 0;                                   ///< the layer's scale
    std::vector<Fp4Pair> pairs;                           ///< both phases of each gradient
    GradientStatistics statistics;
    std::function<void(const GradientValues&)> finished;  ///< told of the result; may be empty
};

/// The tile through the datapath of the log-gradient unit (convert_gradients()).
void convert(GradientValues& values);

}  // namespace nibble
