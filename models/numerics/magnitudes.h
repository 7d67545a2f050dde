// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "models/numerics/float_layout.h"

namespace nibble {

/// The bits of binary32 infinity; those of a magnitude that is infinite or NaN are not less.
inline constexpr std::uint32_t infinity_bits = 0x7f800000u;

/// The bits of |x|: they order magnitudes as their values do.
[[nodiscard]] constexpr std::uint32_t magnitude_bits(float x) {
    return bits_of(x) & ~sign_mask<float>;
}

/// The largest finite magnitude of a tensor, from which scales are derived; 0 if there is none.
[[nodiscard]] inline float largest_finite_magnitude(std::span<const float> tensor) {
    std::uint32_t largest = 0;
    for (const float x : tensor) {
        const std::uint32_t bits = magnitude_bits(x);
        largest = std::max(largest, bits < infinity_bits ? bits : 0u);
    }
    return from_bits<float>(largest);
}

}  // namespace nibble
