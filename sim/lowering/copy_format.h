// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/machine/machine_params.h"
#include "sim/input/operation.h"
#include "sim/lowering/recipe.h"

namespace nibble {

/// The formats in which a tensor may lie in memory. A tensor has one copy for each format that somebody reads.
enum class CopyFormat : std::uint8_t {
    int4,
    fp4_even,  ///< radix-4 code of the even phase, for dx
    fp4_odd,   ///< radix-4 code of the odd phase, for dw
    fp4_pair,  ///< both phases packed in 5 bits
    fp8,
    fp16,
    fp32,
    mask,  ///< as wide as the tensor says
};
inline constexpr std::size_t copy_format_count = 8;

/// A set of copy formats, one bit each.
using CopyFormats = std::uint8_t;

[[nodiscard]] constexpr CopyFormats bit_of(CopyFormat format) {
    return static_cast<CopyFormats>(1U << static_cast<unsigned>(format));
}

[[nodiscard]] constexpr bool is_fp4(CopyFormat format) {
    return format == CopyFormat::fp4_even || format == CopyFormat::fp4_odd || format == CopyFormat::fp4_pair;
}

/// Bits of one element in this format; `mask_bits` of a mask's.
[[nodiscard]] constexpr std::uint32_t bits_of(CopyFormat format, std::uint32_t mask_bits) {
    constexpr std::array<std::uint32_t, copy_format_count> bits{4, 4, 4, 5, 8, 16, 32, 0};
    return format == CopyFormat::mask ? mask_bits : bits[static_cast<std::size_t>(format)];
}
[[nodiscard]] constexpr std::uint32_t bits_of(CopyFormat format, const Tensor& tensor) {
    return bits_of(format, tensor.bits);
}

/// The copy that vector work reads and writes: 16-bit data, 32-bit states and statistics, masks as they are.
[[nodiscard]] constexpr CopyFormat vector_copy(TensorRole role) {
    switch (role) {
        case TensorRole::state:
        case TensorRole::statistic:
        case TensorRole::index:
            return CopyFormat::fp32;
        case TensorRole::mask:
            return CopyFormat::mask;
        case TensorRole::activation:
        case TensorRole::weight:
        case TensorRole::gradient:
        case TensorRole::weight_gradient:
            break;
    }
    return CopyFormat::fp16;
}

/// The copy that a GEMM of this phase and precision reads of an operand of this role. Gradients are read in the even
/// phase by dx and in the odd phase by dw (Sun et al. 2020, section 3.3).
[[nodiscard]] constexpr CopyFormat gemm_copy(TensorRole role, Phase phase, const GemmPrecision& precision,
                                             GradientStorage storage) {
    const StorageFormat format = role == TensorRole::gradient ? precision.gradient
                                 : role == TensorRole::weight ? precision.weight
                                                              : precision.activation;
    switch (format) {
        case StorageFormat::int4:
            return CopyFormat::int4;
        case StorageFormat::fp4:
            if (storage == GradientStorage::packed_pair) {
                return CopyFormat::fp4_pair;
            }
            if (storage == GradientStorage::rerounded) {
                return CopyFormat::fp16;
            }
            return phase == Phase::dw ? CopyFormat::fp4_odd : CopyFormat::fp4_even;
        case StorageFormat::fp8:
            return CopyFormat::fp8;
        case StorageFormat::fp16:
            return CopyFormat::fp16;
        case StorageFormat::fp32:
            return CopyFormat::fp32;
    }
    return CopyFormat::fp16;
}

/// Is this operand of a GEMM read as 16 bits and rounded to radix-4 codes of one phase on its way to the array?
[[nodiscard]] constexpr bool rounded_on_load(TensorRole role, const GemmPrecision& precision, GradientStorage storage) {
    return role == TensorRole::gradient && precision.gradient == StorageFormat::fp4 &&
           storage == GradientStorage::rerounded;
}
inline constexpr std::uint32_t rounded_code_bits = 4;  ///< of these codes

/// Is the operation a GEMM for the array? Depthwise convolutions have one row of reduction and one column of output a
/// channel: they run on the vector unit, as does everything element-wise.
[[nodiscard]] inline bool runs_on_array(const Operation& operation) {
    if (const auto* convolution = std::get_if<Convolution>(&operation.work)) {
        return !convolution->depthwise();
    }
    return std::holds_alternative<Matmul>(operation.work);
}

}  // namespace nibble
