// SPDX-License-Identifier: MIT
#include "models/numerics/sawb.h"

#include <cmath>

#include "models/numerics/int4.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

int plain_bits(SawbLevels levels) {
    switch (levels) {
        case SawbLevels::plain_2_bit:
            return 2;
        case SawbLevels::plain_3_bit:
            return 3;
        case SawbLevels::plain_4_bit:
            return 4;
        case SawbLevels::plain_5_bit:
            return 5;
        case SawbLevels::plain_8_bit:
            return 8;
        case SawbLevels::zero_aligned_4_bit:
            break;
    }
    throw ModelError("not a plain SAWB level set");
}

double clip_of(SawbLevels levels, const SawbStatistics& statistics) {
    const SawbCoefficients c = sawb_coefficients(levels);
    const double root_mean_square = std::sqrt(statistics.mean_square);
    const double clip = c.c1 * root_mean_square + c.c2 * statistics.mean_magnitude;
    if (clip > 0.0) {
        return clip;
    }
    return root_mean_square > 0.0 ? root_mean_square : 1.0;
}

}  // namespace

SawbCoefficients sawb_coefficients(SawbLevels levels) {
    switch (levels) {
        case SawbLevels::plain_2_bit:
            return {3.12, -2.064};
        case SawbLevels::plain_3_bit:
            return {7.509, -6.892};
        case SawbLevels::plain_4_bit:
            return {12.68, -12.80};
        case SawbLevels::plain_5_bit:
            return {17.74, -18.64};
        case SawbLevels::plain_8_bit:
            return {31.76, -35.04};
        case SawbLevels::zero_aligned_4_bit:
            return {12.035, -12.03};
    }
    throw ModelError("unknown SAWB level set");
}

SawbStatistics sawb_statistics(std::span<const float> weights) {
    SawbStatistics statistics;
    if (weights.empty()) {
        return statistics;
    }
    for (const float weight : weights) {
        const auto w = static_cast<double>(weight);
        statistics.mean_square += w * w;
        statistics.mean_magnitude += std::fabs(w);
    }
    const auto count = static_cast<double>(weights.size());
    statistics.mean_square /= count;
    statistics.mean_magnitude /= count;
    return statistics;
}

SawbQuantizer::SawbQuantizer(SawbLevels levels, double clip)
    : outermost_(levels == SawbLevels::zero_aligned_4_bit ? int4_max : (1 << plain_bits(levels)) - 1),
      spacing_(levels == SawbLevels::zero_aligned_4_bit ? 1 : 2),
      clip_(clip) {
    if (!(clip > 0.0)) {
        throw ModelError("the clip of a SAWB quantiser must be positive");
    }
}

SawbQuantizer::SawbQuantizer(SawbLevels levels, const SawbStatistics& statistics)
    : SawbQuantizer(levels, clip_of(levels, statistics)) {}

}  // namespace nibble
