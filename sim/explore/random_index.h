// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace nibble {

/// A number below `bound`, which is not 0, each as likely as any other. The standard's distributions differ from
/// library to library; this does not, so that a seed means the same everywhere.
[[nodiscard]] inline std::uint64_t random_below(std::mt19937_64& random, std::uint64_t bound) {
    const std::uint64_t unfair = (UINT64_MAX % bound + 1) % bound;  // 2^64 modulo bound
    std::uint64_t number = random();
    while (number > UINT64_MAX - unfair) {
        number = random();
    }
    return number % bound;
}

/// True in a share `probability` of all cases.
[[nodiscard]] inline bool random_chance(std::mt19937_64& random, double probability) {
    constexpr double unit = 1.0 / 9007199254740992.0;  // 2^-53
    return static_cast<double>(random() >> 11U) * unit < probability;
}

template <class T>
void shuffle_evenly(std::vector<T>& items, std::mt19937_64& random) {
    for (std::size_t left = items.size(); left > 1; --left) {
        std::swap(items[left - 1], items[random_below(random, left)]);
    }
}

}  // namespace nibble
