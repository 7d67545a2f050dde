// SPDX-License-Identifier: MIT
#include "models/numerics/gradient_conversion.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "models/numerics/grad_scale.h"
#include "models/numerics/half.h"
#include "sim/base/error.h"

namespace nibble {

int GradientStatistics::vote() const {
    return grad_scale_vote(largest_scaled);
}

GradientStatistics convert_gradients(std::span<const float> gradients, int scale_log2, std::span<Fp4Pair> pairs) {
    if (pairs.size() != gradients.size()) {
        throw ModelError("a conversion of gradients needs a place for every pair of codes");
    }
    GradientStatistics statistics;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
        const Half half = encode_half(gradients[i]);
        const Fp4PairEncoding encoding = encode_fp4_pair(half, scale_log2);
        pairs[i] = encoding.pair;
        statistics.largest_scaled = std::max(statistics.largest_scaled,
                                             std::ldexp(std::abs(static_cast<double>(decode_half(half))), scale_log2));
        statistics.saturated_even += encoding.even.saturated ? 1U : 0U;
        statistics.saturated_odd += encoding.odd.saturated ? 1U : 0U;
        statistics.underflowed_even += encoding.even.underflowed ? 1U : 0U;
        statistics.underflowed_odd += encoding.odd.underflowed ? 1U : 0U;
    }
    return statistics;
}

}  // namespace nibble
