// SPDX-License-Identifier: MIT
#include "models/log_gradient/gradient_values.h"

#include <algorithm>
#include <cmath>

#include "models/numerics/grad_scale.h"
#include "models/numerics/half.h"

namespace nibble {

int GradientStatistics::vote() const {
    return grad_scale_vote(largest_scaled);
}

void convert(GradientValues& values) {
    values.pairs.clear();
    values.pairs.reserve(values.gradients->size());
    GradientStatistics& statistics = values.statistics;
    statistics = {};
    for (const float gradient : *values.gradients) {
        const Half half = encode_half(gradient);
        const Fp4PairEncoding encoding = encode_fp4_pair(half, values.scale_log2);
        values.pairs.push_back(encoding.pair);
        statistics.largest_scaled = std::max(
            statistics.largest_scaled, std::ldexp(std::abs(static_cast<double>(decode_half(half))), values.scale_log2));
        statistics.saturated_even += encoding.even.saturated ? 1U : 0U;
        statistics.saturated_odd += encoding.odd.saturated ? 1U : 0U;
        statistics.underflowed_even += encoding.even.underflowed ? 1U : 0U;
        statistics.underflowed_odd += encoding.odd.underflowed ? 1U : 0U;
    }
    if (values.finished) {
        values.finished(values);
    }
}

}  // namespace nibble
