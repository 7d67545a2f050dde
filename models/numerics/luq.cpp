// SPDX-License-Identifier: MIT
#include "models/numerics/luq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "models/numerics/counter_random.h"
#include "models/numerics/float_layout.h"
#include "models/numerics/magnitudes.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr int most_levels = 30;

}  // namespace

LuqGrid::LuqGrid(float largest, int levels)
    : largest_(static_cast<double>(largest)), levels_(levels), to_ratio_(std::ldexp(1.0, levels - 1)) {
    if (!(largest >= 0.0F && largest <= std::numeric_limits<float>::max())) {
        throw ModelError("the largest magnitude of LUQ must be finite and not negative");
    }
    if (levels < 1 || levels > most_levels) {
        throw ModelError("LUQ has 1 to 30 levels");
    }
}

LuqGrid LuqGrid::stretched_to(std::span<const float> tensor, int levels) {
    return {largest_finite_magnitude(tensor), levels};
}

float LuqGrid::level(int code) const {
    return code == 0 ? 0.0F : static_cast<float>(std::ldexp(largest_, code - levels_));
}

int LuqGrid::encode(float x, std::uint64_t random) const {
    const double magnitude = std::fabs(static_cast<double>(x));
    if (largest_ == 0.0 || magnitude == 0.0) {
        return 0;
    }
    const double ratio = magnitude * to_ratio_ / largest_;
    // Up where the upper 52 random bits, as a number in [0, 1), are below the probability.
    if (ratio < 1.0) {
        return static_cast<double>(static_cast<std::int64_t>(random >> 12)) * power_of_two<double>(-52) < ratio ? 1 : 0;
    }
    // The fraction of the ratio is the probability of the next power of two. Added to the complement of the random
    // bits it carries into the exponent just then. Infinity and NaN have the highest exponent.
    const std::uint64_t carried = bits_of(ratio) + (~random >> 12);
    return std::min(static_cast<int>(carried >> 52) - 1023 + 1, levels_);
}

void LuqGrid::round(std::span<const float> tensor, std::uint64_t seed, std::span<float> values,
                    std::uint64_t first) const {
    std::array<float, most_levels + 1> of_code{};
    for (int code = 0; code <= levels_; ++code) {
        of_code[static_cast<std::size_t>(code)] = level(code);
    }
    const CounterRandom random(seed);
    for (std::size_t i = 0; i < tensor.size(); ++i) {
        const int code = encode(tensor[i], random.bits(first + i));
        values[i] = std::copysign(of_code[static_cast<std::size_t>(code)], tensor[i]);
    }
}

}  // namespace nibble
