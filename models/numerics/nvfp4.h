// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/numerics/block_layout.h"
#include "models/numerics/e2m1.h"

namespace nibble {

/// NVFP4: blocks of 16 E2M1 elements with a scale in E4M3 (fp8_143), and one binary32 scale a tensor. 4.5 bits an
/// element. Weights may share a scale in tiles of 16 x 16, so that a transposed weight has the same codes.
///
/// Arithmetic is binary32, step by step that of NVIDIA TransformerEngine's reference
/// (transformer_engine/pytorch/custom_recipes/quantization_nvfp4.py, _quantize_blockwise_reference).
inline constexpr std::size_t nvfp4_block = 16;

/// The scale of a tensor, so that its largest magnitude becomes 448 * 6, the largest value of scale times element.
struct Nvfp4TensorScale {
    float encode;  ///< 448 * 6 / largest, limited to the largest binary32 number; 1 for a tensor of zeros
    float decode;  ///< 1 / encode

    /// `largest`: finite and not negative.
    [[nodiscard]] static Nvfp4TensorScale of(float largest);
};

/// The scale of a block: E4M3 of (largest / 6) * encode, at most 448. It rounds to zero, and the block with it, where
/// the largest element is below 2^-10 / 448 of the tensor's. If the bits are those of infinity or NaN, it is NaN
/// (0x7f), as is every element of the block.
[[nodiscard]] std::uint8_t nvfp4_scale(std::uint32_t largest_bits, const Nvfp4TensorScale& tensor_scale);

/// Which elements share a scale.
enum class Nvfp4Blocks : std::uint8_t {
    along_axis,  ///< 16 along the axis of the layout
    tiles,       ///< 16 x 16 of the matrices of length x inner
};

/// A tensor in NVFP4: a code an element, in the low four bits of a byte, a scale a block, one of all.
struct Nvfp4Tensor {
    BlockLayout layout;
    Nvfp4Blocks blocks;
    Nvfp4TensorScale scale;
    std::vector<std::uint8_t> elements;
    std::vector<std::uint8_t> scales;  ///< by Block::number
};

/// Rounds a tensor of layout.elements() numbers: element = E2M1(x * (1 / (block scale * decode))), saturating at 6. The
/// tensor's scale follows from its largest finite magnitude. Element i takes the random number of position i of the
/// seed. What the elements of a block with a NaN scale are does not matter: they are coded without scales.
[[nodiscard]] Nvfp4Tensor encode_nvfp4(std::span<const float> tensor, const BlockLayout& layout, Nvfp4Blocks blocks,
                                       E2m1Rounding rounding, std::uint64_t seed = 0);

/// The values: (element * block scale) * decode, of which the first product is exact.
void decode_nvfp4(const Nvfp4Tensor& tensor, std::span<float> values);

}  // namespace nibble
