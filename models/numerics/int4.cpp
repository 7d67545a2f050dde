// SPDX-License-Identifier: MIT
#include "models/numerics/int4.h"

#include <algorithm>
#include <cmath>

namespace nibble {

Int4AffineMap::Int4AffineMap(double lowest, double highest) : lowest_(lowest), highest_(highest) {}

Int4AffineMap Int4AffineMap::stretched_to(std::span<const float> tensor) {
    if (tensor.empty()) {
        return {0.0, 0.0};
    }
    const auto [lowest, highest] = std::minmax_element(tensor.begin(), tensor.end());
    return {static_cast<double>(*lowest), static_cast<double>(*highest)};
}

double Int4AffineMap::position(double x) const {
    if (lowest_ == highest_) {
        return int4_min;
    }
    return int4_min + (int4_max - int4_min) * ((x - lowest_) / (highest_ - lowest_));
}

int Int4AffineMap::encode(double x) const {
    return round_to_level(position(x), int4_min, int4_max);
}

double Int4AffineMap::decode(int code) const {
    return lowest_ + (highest_ - lowest_) * (code - int4_min) / (int4_max - int4_min);
}

Int4SymmetricMap Int4SymmetricMap::stretched_to(std::span<const float> tensor) {
    float largest = 0.0F;
    for (const float x : tensor) {
        largest = std::max(largest, std::fabs(x));
    }
    return Int4SymmetricMap(static_cast<double>(largest));
}

Int4UnsignedMap Int4UnsignedMap::stretched_to(std::span<const float> tensor) {
    float largest = 0.0F;
    for (const float x : tensor) {
        largest = std::max(largest, x);
    }
    return Int4UnsignedMap(static_cast<double>(largest));
}

}  // namespace nibble
