// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace nibble {

// Linear quantisation to 4-bit integers, its range stretched to the tensor at every step (Sun et al. 2020, sec. 2).
//
// All maps: positions are computed in binary64 and rounded to the nearest integer, ties to even (as torch.round does in
// IBM's quantisers); what lies outside the range saturates; NaN takes the lowest code. `clip`, `lowest` and `highest`
// are finite.

inline constexpr int int4_min = -8;
inline constexpr int int4_max = 7;
inline constexpr int uint4_max = 15;

/// The four bits that store an INT4 value, signed (two's complement) or unsigned.
[[nodiscard]] constexpr std::uint8_t int4_bits(int value) {
    return static_cast<std::uint8_t>(value & 15);
}

/// The value, -8..7, of the low four bits.
[[nodiscard]] constexpr int int4_signed_value(unsigned bits) {
    return static_cast<int>((bits & 15) ^ 8) - 8;
}

/// The value, 0..15, of the low four bits.
[[nodiscard]] constexpr int int4_unsigned_value(unsigned bits) {
    return static_cast<int>(bits & 15);
}

/// `position` rounded to the nearest integer, ties to even, and limited to [lowest, highest]; NaN gives `lowest`.
/// Assumes the default rounding direction of the host. Free of branches, so that loops over it vectorise.
[[nodiscard]] constexpr int round_to_level(double position, int lowest, int highest) {
    const double from = position > lowest ? position : lowest;
    const double within = from < highest ? from : highest;
    constexpr double magic = 0x1.8p52;  // its ulp is 1, on both sides
    return static_cast<int>((within + magic) - magic);
}

/// [lowest, highest] -> -8..7: the smallest element gets the lowest code, the largest the highest. Zero need not be a
/// level. The example of MIT Technology Review (2020-12-11) holds exactly: a grey of 0.3 on [0, 1] lies at
/// -8 + 15 * 0.3 = -3.5 and rounds to -4, which is what ties-to-even says.
class Int4AffineMap {
public:
    /// lowest <= highest. If they are equal, every element gets the code -8, which decodes to it.
    Int4AffineMap(double lowest, double highest);
    /// The map of a tensor's own range; [0, 0] if it is empty.
    [[nodiscard]] static Int4AffineMap stretched_to(std::span<const float> tensor);

    /// Where x lies on the scale, before rounding: -8 + 15 (x - lowest) / (highest - lowest).
    [[nodiscard]] double position(double x) const;
    /// -8..7.
    [[nodiscard]] int encode(double x) const;
    [[nodiscard]] double decode(int code) const;

private:
    double lowest_;
    double highest_;
};

/// [-clip, clip] -> -7..7, zero aligned: code = round(7 x / clip). The code -8 is not used, so that x and -x differ
/// only in sign and products with FP4 fit 16 bits.
class Int4SymmetricMap {
public:
    /// clip >= 0. If it is 0, every element gets the code 0.
    explicit Int4SymmetricMap(double clip) : clip_(clip) {}
    /// clip = max |x|.
    [[nodiscard]] static Int4SymmetricMap stretched_to(std::span<const float> tensor);

    [[nodiscard]] double clip() const { return clip_; }
    [[nodiscard]] int encode(double x) const {
        return clip_ == 0.0 ? 0 : round_to_level(int4_max * x / clip_, -int4_max, int4_max);
    }
    [[nodiscard]] double decode(int code) const { return clip_ * code / int4_max; }

private:
    double clip_;
};

/// [0, clip] -> 0..15: code = round(15 x / clip). For activations after a rectifier.
class Int4UnsignedMap {
public:
    /// clip >= 0. If it is 0, every element gets the code 0.
    explicit Int4UnsignedMap(double clip) : clip_(clip) {}
    /// clip = max x, or 0 if no element is positive.
    [[nodiscard]] static Int4UnsignedMap stretched_to(std::span<const float> tensor);

    [[nodiscard]] double clip() const { return clip_; }
    [[nodiscard]] int encode(double x) const {
        return clip_ == 0.0 ? 0 : round_to_level(uint4_max * x / clip_, 0, uint4_max);
    }
    [[nodiscard]] double decode(int code) const { return clip_ * code / uint4_max; }

private:
    double clip_;
};

}  // namespace nibble
