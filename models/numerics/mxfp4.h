// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/numerics/block_layout.h"
#include "models/numerics/e2m1.h"

namespace nibble {

/// MXFP4 of the OCP Microscaling Formats specification v1.0: blocks of 32 E2M1 elements with one scale, a power of two
/// in E8M0. 4.25 bits an element.
inline constexpr std::size_t mxfp4_block = 32;

/// The scale that is NaN, and makes every element of its block NaN.
inline constexpr std::uint8_t e8m0_nan = 0xff;

/// 2^(code - 127), exactly; NaN for 0xff. There is no zero and no infinity (sec. 5.4.1).
[[nodiscard]] float decode_e8m0(std::uint8_t code);

/// The scale of a block whose largest magnitude has these bits: 2^(floor(log2(largest)) - 2), for 4 is the largest
/// power of two in E2M1 (sec. 6.3; microsoft/microxcaling, mx/mx_ops.py). At least 2^-127, which is also that of a
/// block of zeros; infinity or NaN give NaN.
[[nodiscard]] std::uint8_t mxfp4_scale(std::uint32_t largest_bits);

/// A tensor in MXFP4: a code an element, in the low four bits of a byte, and a scale a block.
struct Mxfp4Tensor {
    BlockLayout layout;
    std::vector<std::uint8_t> elements;
    std::vector<std::uint8_t> scales;  ///< by Block::number
};

/// Rounds a tensor of layout.elements() numbers. Dividing by the scale is exact, or ends far below the smallest
/// threshold; the quotient is then rounded to E2M1, and saturates at 6 where it lies in (6, 8). Element i takes the
/// random number of position i of the seed. What the elements of a block with a NaN scale are does not matter: they are
/// coded as if the scale were 1.
[[nodiscard]] Mxfp4Tensor encode_mxfp4(std::span<const float> tensor, const BlockLayout& layout, E2m1Rounding rounding,
                                       std::uint64_t seed = 0);

/// The values, exactly.
void decode_mxfp4(const Mxfp4Tensor& tensor, std::span<float> values);

}  // namespace nibble
