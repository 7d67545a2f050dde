// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "models/numerics/float_layout.h"

namespace nibble {

/// Random bits for stochastic rounding that depend on a seed and a position only: the element at a position is rounded
/// the same way, whichever thread comes to it and when.
///
/// bits(i) is output i of the generator SplitMix64 started at the seed (Steele, Lea, Flood, OOPSLA 2014; constants of
/// Vigna's public-domain splitmix64.c), which can be computed for any i directly. Neighbouring seeds give streams
/// without visible relation.
class CounterRandom {
public:
    explicit constexpr CounterRandom(std::uint64_t seed) : seed_(seed) {}

    /// 64 random bits.
    [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t position) const {
        std::uint64_t z = seed_ + (position + 1) * 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    /// A multiple of 2^-53 in [0, 1), from the upper bits.
    [[nodiscard]] constexpr double uniform(std::uint64_t position) const {
        return static_cast<double>(static_cast<std::int64_t>(bits(position) >> 11)) * power_of_two<double>(-53);
    }

private:
    std::uint64_t seed_;
};

}  // namespace nibble
