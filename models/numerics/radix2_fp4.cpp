// SPDX-License-Identifier: MIT
#include "models/numerics/radix2_fp4.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "models/numerics/float_layout.h"

namespace nibble {

namespace {

constexpr int top_code = 7;

/// Beyond this no scale changes the code of a binary32 number other than zero, infinity and NaN, and zero and infinity
/// (exponent fields 0 and 2047 of binary64) still are below and above all levels.
int limited(int scale_log2) {
    return std::clamp(scale_log2, -400, 400);
}

}  // namespace

std::uint8_t encode_radix2_fp4(float x, int scale_log2) {
    // In binary64 a subnormal of binary32 is normal. Adding half a significand carries into the exponent from 1.5 on,
    // which is where 4/3 x reaches the next power of two.
    const std::uint64_t bits = bits_of(static_cast<double>(x));
    const std::uint64_t magnitude = bits & ~sign_mask<double>;
    const auto exponent = static_cast<int>((magnitude + (std::uint64_t{1} << 51)) >> 52) - 1023 + limited(scale_log2);
    const int code = std::clamp(exponent + 4, 0, top_code);
    return static_cast<std::uint8_t>(code | (bits != magnitude ? 8 : 0));
}

float decode_radix2_fp4(std::uint8_t code) {
    const int magnitude = code & top_code;
    const float level = magnitude == 0 ? 0.0F : power_of_two<float>(magnitude - 4);
    return (code & 8) != 0 && magnitude != 0 ? -level : level;
}

void round_to_radix2_fp4(std::span<const float> tensor, int scale_log2, std::span<float> values) {
    std::array<float, 16> level{};
    for (std::uint8_t code = 0; code < level.size(); ++code) {
        level[code] =
            static_cast<float>(std::ldexp(static_cast<double>(decode_radix2_fp4(code)), -limited(scale_log2)));
    }
    for (std::size_t i = 0; i < tensor.size(); ++i) {
        values[i] = level[encode_radix2_fp4(tensor[i], scale_log2)];
    }
}

}  // namespace nibble
