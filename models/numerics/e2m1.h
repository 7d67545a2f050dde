// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/numerics/counter_random.h"
#include "models/numerics/float_layout.h"

namespace nibble {

/// The magnitudes of E2M1, the 4-bit element of MXFP4 and NVFP4 (OCP Microscaling Formats v1.0, sec. 5.3.3): a code is
/// a sign (bit 3), two exponent bits with bias 1 and one fraction bit. No NaN, no infinity; zero has two signs.
inline constexpr std::array<float, 8> e2m1_magnitudes{0.0F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F};
inline constexpr float e2m1_max = 6.0F;

/// How elements of the block formats are rounded.
enum class E2m1Rounding : std::uint8_t {
    nearest,     ///< Ties to the even code.
    stochastic,  ///< To one of the two neighbours, in expectation to the number itself.
};

/// The exact value of the low four bits.
[[nodiscard]] constexpr float decode_e2m1(std::uint8_t code) {
    const float magnitude = e2m1_magnitudes[code & 7];
    return (code & 8) != 0 ? -magnitude : magnitude;
}

/// The nearest code, ties to even: cuts at 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5. Beyond 6, infinity included: 6. The
/// sign of zero is kept. NaN, for which the format has no code, saturates with its sign; the block formats catch it
/// before. Free of branches, so that loops over it vectorise.
[[nodiscard]] constexpr std::uint8_t encode_e2m1(float x) {
    const float m = from_bits<float>(bits_of(x) & ~sign_mask<float>);
    // A comparison says which of two codes a tie goes to: the one whose last bit is 0. Negated, so that NaN counts.
    const int code = int{!(m <= 0.25F)} + int{!(m < 0.75F)} + int{!(m <= 1.25F)} + int{!(m < 1.75F)} +
                     int{!(m <= 2.5F)} + int{!(m < 3.5F)} + int{!(m <= 5.0F)};
    return static_cast<std::uint8_t>(code | static_cast<int>(bits_of(x) >> 31 << 3));
}

/// The code below or above |x|: above with probability (|x| - lower) / (upper - lower), to a multiple of 2^-53.
/// `uniform` is a random number in [0, 1). Zero, 6 and beyond, infinity and NaN are as in encode_e2m1().
[[nodiscard]] constexpr std::uint8_t encode_e2m1_stochastic(float x, double uniform) {
    constexpr std::array<double, 8> per_gap{2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.5, 0.0};
    const float m = from_bits<float>(bits_of(x) & ~sign_mask<float>);
    const int lower = int{!(m < 0.5F)} + int{!(m < 1.0F)} + int{!(m < 1.5F)} + int{!(m < 2.0F)} + int{!(m < 3.0F)} +
                      int{!(m < 4.0F)} + int{!(m < 6.0F)};
    const auto index = static_cast<std::size_t>(lower);
    const double part = static_cast<double>(m - e2m1_magnitudes[index]) * per_gap[index];
    const int code = lower + int{lower < 7 && uniform < part};
    return static_cast<std::uint8_t>(code | static_cast<int>(bits_of(x) >> 31 << 3));
}

/// One element of a block format. `random` and `position` matter to stochastic rounding only.
[[nodiscard]] constexpr std::uint8_t encode_e2m1(float x, E2m1Rounding rounding, const CounterRandom& random,
                                                 std::uint64_t position) {
    return rounding == E2m1Rounding::nearest ? encode_e2m1(x) : encode_e2m1_stochastic(x, random.uniform(position));
}

}  // namespace nibble
