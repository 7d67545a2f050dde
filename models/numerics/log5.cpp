// SPDX-License-Identifier: MIT
#include "models/numerics/log5.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "models/numerics/float_layout.h"
#include "models/numerics/magnitudes.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr int top_code = 15;
constexpr int highest_full_scale = 127;
constexpr std::uint8_t sign_bit = 16;

// Significands above which an exponent rounds up; no binary32 number lies between these and the irrational ones.
constexpr double root_of_two = 1.4142135623730951;
constexpr double quarter_octave = 1.189207115002721;         // 2^(1/4)
constexpr double three_quarter_octaves = 1.681792830507429;  // 2^(3/4)

constexpr int steps_an_octave(Log5Base base) {
    return base == Log5Base::two ? 1 : 2;
}

/// Round(log_base |x|), of a number other than zero; infinity and NaN have the highest exponent.
int rounded_logarithm(float x, Log5Base base) {
    // In binary64 a subnormal of binary32 is normal.
    const std::uint64_t magnitude = bits_of(static_cast<double>(x)) & ~sign_mask<double>;
    const auto exponent = static_cast<int>(magnitude >> 52) - 1023;
    const double significand = from_bits<double>((magnitude & fraction_mask<double>) | bits_of(1.0));
    if (base == Log5Base::two) {
        return exponent + int{significand > root_of_two};
    }
    return 2 * exponent + int{significand > quarter_octave} + int{significand > three_quarter_octaves};
}

}  // namespace

Log5Grid::Log5Grid(int full_scale_log2, Log5Base base) : full_scale_log2_(full_scale_log2), base_(base) {
    if (full_scale_log2 < -149 || full_scale_log2 > highest_full_scale) {
        throw ModelError("the full scale of a logarithmic format must be a power of two of binary32");
    }
}

Log5Grid Log5Grid::stretched_to(std::span<const float> tensor, Log5Base base) {
    const float largest = largest_finite_magnitude(tensor);
    if (largest == 0.0F) {
        return Log5Grid(0, base);
    }
    const int steps = rounded_logarithm(largest, base);
    // Half an octave is rounded up; shifting rounds down, also below zero.
    return Log5Grid(std::min(base == Log5Base::two ? steps : (steps + 1) >> 1, highest_full_scale), base);
}

std::uint8_t Log5Grid::encode(float x) const {
    const int below_top = full_scale_log2_ * steps_an_octave(base_) - rounded_logarithm(x, base_);
    const int code = std::clamp(top_code - below_top, 0, top_code);
    return static_cast<std::uint8_t>(code | static_cast<int>(bits_of(x) >> 31 << 4));
}

float Log5Grid::decode(std::uint8_t code) const {
    const int magnitude = code & top_code;
    if (magnitude == 0) {
        return 0.0F;
    }
    const int below_top = top_code - magnitude;
    const int steps = steps_an_octave(base_);
    const int octaves = (below_top + steps - 1) / steps;
    const double significand = octaves * steps == below_top ? 1.0 : root_of_two;
    const auto level = static_cast<float>(std::ldexp(significand, full_scale_log2_ - octaves));
    return (code & sign_bit) != 0 ? -level : level;
}

void Log5Grid::round(std::span<const float> tensor, std::span<float> values) const {
    std::array<float, 32> level{};
    for (std::uint8_t code = 0; code < level.size(); ++code) {
        level[code] = decode(code);
    }
    for (std::size_t i = 0; i < tensor.size(); ++i) {
        values[i] = level[encode(tensor[i])];
    }
}

}  // namespace nibble
