// SPDX-License-Identifier: MIT
#include "models/numerics/gradient_conversion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "models/numerics/grad_scale.h"
#include "models/numerics/half.h"
#include "sim/base/error.h"

namespace nibble {

int GradientStatistics::vote() const {
    return grad_scale_vote(largest_scaled);
}

GradientStatistics& GradientStatistics::operator+=(const GradientStatistics& other) {
    largest_scaled = std::max(largest_scaled, other.largest_scaled);
    saturated_even += other.saturated_even;
    saturated_odd += other.saturated_odd;
    underflowed_even += other.underflowed_even;
    underflowed_odd += other.underflowed_odd;
    return *this;
}

GradientStatistics convert_gradients(std::span<const float> gradients, int scale_log2, std::span<Fp4Pair> pairs) {
    if (pairs.size() != gradients.size()) {
        throw ModelError("a conversion of gradients needs a place for every pair of codes");
    }
    // encode_fp4_pair() of binary16 numbers as binary32 has them, where none is subnormal; free of branches, so that
    // it vectorises. What is beyond +-512 is beyond every number: all of them saturate, or are zero.
    const int scale = std::clamp(scale_log2, -512, 512);
    constexpr std::uint32_t infinity = 0x7f800000;
    // The largest magnitude that a phase holds, before scaling: 2^6 and 2^5.
    const auto top = [scale](int exponent) {
        return static_cast<std::uint32_t>(std::clamp(127 + exponent - scale, 0, 255)) << 23;
    };
    const std::uint32_t top_even = std::min(top(6), infinity - 1);
    const std::uint32_t top_odd = std::min(top(5), infinity - 1);
    std::uint32_t largest = 0;
    GradientStatistics statistics;
    constexpr std::size_t block = 1024;
    std::array<std::uint32_t, block> magnitudes;
    for (std::size_t first = 0; first < gradients.size(); first += block) {
        const std::size_t count = std::min(block, gradients.size() - first);
        const float* in = gradients.data() + first;
        Fp4Pair* out = pairs.data() + first;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t bits = bits_of(round_to_half(in[i]));
            const std::uint32_t magnitude = bits & 0x7fffffff;
            // floor(log2(1.6 |x|)): three quarters more carry from a significand of 1.25 on.
            const auto q = static_cast<std::int32_t>((magnitude + 0x600000) >> 23) - 127 + scale;
            const std::int32_t in_range = std::min(std::max(q + 8, 0), 2 * fp4_max_magnitude);
            const std::int32_t finite = magnitude == 0 ? 0 : in_range;
            const std::int32_t field = magnitude >= infinity ? 2 * fp4_max_magnitude : finite;
            out[i] = Fp4Pair{static_cast<std::uint8_t>(((bits >> 31) << 4) | static_cast<std::uint32_t>(field))};
            magnitudes[i] = magnitude;
        }
        std::uint32_t saturated_even = 0;
        std::uint32_t saturated_odd = 0;
        std::uint32_t underflowed_even = 0;
        std::uint32_t underflowed_odd = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t magnitude = magnitudes[i];
            const std::uint32_t nonzero = magnitude != 0 ? 1 : 0;
            const std::uint32_t field = out[i].bits & 0xfU;
            saturated_even += magnitude > top_even ? 1 : 0;
            saturated_odd += magnitude > top_odd ? 1 : 0;
            underflowed_even += field < 2 ? nonzero : 0;
            underflowed_odd += field == 0 ? nonzero : 0;
            largest = std::max(largest, magnitude > infinity ? 0 : magnitude);
        }
        statistics += {0.0, saturated_even, saturated_odd, underflowed_even, underflowed_odd};
    }
    statistics.largest_scaled = std::ldexp(static_cast<double>(from_bits<float>(largest)), scale_log2);
    return statistics;
}

}  // namespace nibble
