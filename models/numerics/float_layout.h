// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace nibble {

/// Where the fields of an IEEE 754 binary32 or binary64 number lie: what the narrower formats are rounded from.
template <class Float>
struct FloatLayout;

template <>
struct FloatLayout<float> {
    using Bits = std::uint32_t;
    static constexpr int fraction_bits = 23;
    static constexpr int bias = 127;
};

template <>
struct FloatLayout<double> {
    using Bits = std::uint64_t;
    static constexpr int fraction_bits = 52;
    static constexpr int bias = 1023;
};

template <class Float>
inline constexpr typename FloatLayout<Float>::Bits sign_mask =
    typename FloatLayout<Float>::Bits{1} << (8 * sizeof(Float) - 1);
template <class Float>
inline constexpr typename FloatLayout<Float>::Bits fraction_mask = (typename FloatLayout<Float>::Bits{1}
                                                                    << FloatLayout<Float>::fraction_bits) -
                                                                   1;

template <class Float>
[[nodiscard]] constexpr typename FloatLayout<Float>::Bits bits_of(Float value) {
    return std::bit_cast<typename FloatLayout<Float>::Bits>(value);
}

template <class Float>
[[nodiscard]] constexpr Float from_bits(typename FloatLayout<Float>::Bits bits) {
    return std::bit_cast<Float>(bits);
}

/// 2^exponent exactly, for an exponent of a normal number: -126..127 in binary32, -1022..1023 in binary64.
template <class Float>
[[nodiscard]] constexpr Float power_of_two(int exponent) {
    using Layout = FloatLayout<Float>;
    return from_bits<Float>(static_cast<typename Layout::Bits>(exponent + Layout::bias) << Layout::fraction_bits);
}

}  // namespace nibble
