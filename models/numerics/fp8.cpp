// SPDX-License-Identifier: MIT
#include "models/numerics/fp8.h"

#include <algorithm>
#include <cmath>

namespace nibble {

std::uint8_t encode_fp8(const Fp8Format& format, double value) {
    if (std::isnan(value)) {
        return 0x7f;
    }
    const int sign = std::signbit(value) ? 0x80 : 0;
    const double magnitude = std::fabs(value);
    int code = format.max_code();
    if (magnitude < static_cast<double>(decode_fp8(format, format.max_code()))) {
        // Subnormals share the ulp of the lowest normal binade.
        const int lowest = 1 - format.bias;
        const int exponent = magnitude == 0.0 ? lowest : std::max(std::ilogb(magnitude), lowest);
        const auto ulps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, format.fraction_bits - exponent)));
        // A normal significand's leading one counts up the exponent field by itself, and so does a carry.
        code = ulps + ((exponent - lowest) << format.fraction_bits);
    }
    return static_cast<std::uint8_t>(sign | code);
}

}  // namespace nibble
