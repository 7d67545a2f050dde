// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "models/numerics/float_layout.h"
#include "models/numerics/half.h"

namespace nibble {

/// Which of the two grids of two-phase rounding a code belongs to (Sun et al. 2020, sec. 3.3, Fig. 4).
enum class Fp4Phase : std::uint8_t {
    even,  ///< Levels 4^-3..4^3: for the input gradient GEMM.
    odd,   ///< Levels 4^-3/2..4^3/2: for the weight gradient GEMM.
};

/// Where a magnitude exactly between two levels goes. The paper's two statements of the rounding differ only here.
enum class Fp4Tie : std::uint8_t {
    up,    ///< To the larger level: floor(log4(1.6 |x|)), Fig. 2c, the form given for hardware. The default.
    down,  ///< To the smaller level: Eq. 1.
};

/// A code of the radix-4 format [1,3,0]: bit 3 the sign, bits 2..0 the exponent code c. No NaN, no infinity.
///
/// c = 0 is zero, of either sign; c = 1..7 is the level 4^(c-4) in the even phase and half of it in the odd phase
/// (Sun et al. 2020, sec. 3.1 and 3.3). The phase belongs to the tensor and is not part of the code.
struct Fp4Code {
    std::uint8_t bits = 0;

    [[nodiscard]] constexpr bool negative() const { return (bits & 8) != 0; }
    /// The exponent code c, 0..7.
    [[nodiscard]] constexpr int magnitude() const { return bits & 7; }
    friend constexpr bool operator==(Fp4Code, Fp4Code) = default;
};

inline constexpr int fp4_max_magnitude = 7;

/// The exponent of the level, a power of two: -6, -4..6 (even), -7, -5..5 (odd). The code must not be zero.
[[nodiscard]] constexpr int fp4_exponent(Fp4Code code, Fp4Phase phase) {
    return 2 * (code.magnitude() - 4) - (phase == Fp4Phase::odd ? 1 : 0);
}

/// The exact value; both zeros give +0.
[[nodiscard]] constexpr float decode_fp4(Fp4Code code, Fp4Phase phase) {
    if (code.magnitude() == 0) {
        return 0.0F;
    }
    const float level = power_of_two<float>(fp4_exponent(code, phase));
    return code.negative() ? -level : level;
}

/// What was lost in rounding to one phase.
struct Fp4Flags {
    bool saturated = false;    ///< The scaled magnitude exceeds the largest level: 64 (even), 32 (odd).
    bool underflowed = false;  ///< The input is not zero but its code is.
    friend constexpr bool operator==(Fp4Flags, Fp4Flags) = default;
};

struct Fp4Encoding {
    Fp4Code code;
    Fp4Flags flags;
};

/// x * 2^scale_log2 rounded to the nearest level of the phase, as the paper's conversion unit does it.
///
/// * Nearest means the arithmetic midpoint, 4^n / 1.6 (Eq. 1): multiply by 1.6, keep the exponent, truncate it to an
///   even one (sec. 3.1). Deterministic; the product with the scale is never rounded.
/// * Even thresholds: 0.009765625 (= 4^-3 / 1.6), 0.0390625, 0.15625, 0.625, 2.5, 10, 40; odd ones are half of these.
/// * Below the lowest threshold: zero, with the sign of x kept. Above the largest level: that level.
/// * Infinity and NaN have the highest exponent, and saturate with their sign.
[[nodiscard]] Fp4Encoding encode_fp4(double x, int scale_log2, Fp4Phase phase, Fp4Tie tie = Fp4Tie::up);
[[nodiscard]] Fp4Encoding encode_fp4(float x, int scale_log2, Fp4Phase phase, Fp4Tie tie = Fp4Tie::up);
[[nodiscard]] Fp4Encoding encode_fp4(Half x, int scale_log2, Fp4Phase phase, Fp4Tie tie = Fp4Tie::up);

/// Both phases of one number in five bits: bit 4 the sign, bits 3..1 the even exponent code, bit 0 "upper".
///
/// Five bits always suffice. With q = floor(log2(1.6 |x|)) the even level is 2^q if q is even and 2^(q-1) if not, the
/// odd level is the other way round, and `upper` is "q is odd": x is at or above 1.25 times its even level. So
///
///     odd exponent code = even exponent code + upper,
///
/// at the ends of the range too, provided that a zero keeps its sign:
/// * q = -7, magnitudes in [0.0048828125, 0.009765625): even code 0 (zero), upper: odd code 1, the level 2^-7;
/// * q < -7: even code 0, not upper: odd code 0;
/// * q >= 7, magnitudes from 80: even code 7, not upper, for the odd phase is saturated at its own code 7.
/// The field 2c + upper takes the 15 values 0..14 (q + 8 limited to them); 15 is never produced.
struct Fp4Pair {
    std::uint8_t bits = 0;
    friend constexpr bool operator==(Fp4Pair, Fp4Pair) = default;
};

[[nodiscard]] constexpr Fp4Pair pack_fp4_pair(Fp4Code even, bool upper) {
    return Fp4Pair{static_cast<std::uint8_t>((even.bits << 1) | (upper ? 1 : 0))};
}

[[nodiscard]] constexpr Fp4Code even_code(Fp4Pair pair) {
    return Fp4Code{static_cast<std::uint8_t>(pair.bits >> 1)};
}

/// The unused field 15 reads as the saturated code 7.
[[nodiscard]] constexpr Fp4Code odd_code(Fp4Pair pair) {
    const Fp4Code even = even_code(pair);
    const int room = even.magnitude() < fp4_max_magnitude ? 1 : 0;
    return Fp4Code{static_cast<std::uint8_t>(even.bits + (pair.bits & room))};
}

struct Fp4PairEncoding {
    Fp4Pair pair;
    Fp4Flags even;
    Fp4Flags odd;
};

/// Both phases in one pass; the codes and flags are those of encode_fp4().
[[nodiscard]] Fp4PairEncoding encode_fp4_pair(double x, int scale_log2, Fp4Tie tie = Fp4Tie::up);
[[nodiscard]] Fp4PairEncoding encode_fp4_pair(float x, int scale_log2, Fp4Tie tie = Fp4Tie::up);
[[nodiscard]] Fp4PairEncoding encode_fp4_pair(Half x, int scale_log2, Fp4Tie tie = Fp4Tie::up);

}  // namespace nibble
