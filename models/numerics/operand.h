// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "models/numerics/fp8.h"

namespace nibble {

/// What the codes of a GEMM operand mean: the formats that a processing unit takes.
/// The 8-bit formats have their default bias; another bias is a power-of-two tensor scale, applied elsewhere.
enum class OperandFormat : std::uint8_t { int4_signed, int4_unsigned, fp4_even, fp4_odd, fp8_143, fp8_152, fp16 };

inline constexpr std::array<std::string_view, 7> operand_format_names{
    "int4_signed", "int4_unsigned", "fp4_even", "fp4_odd", "fp8_143", "fp8_152", "fp16"};

/// Bits of one code.
[[nodiscard]] constexpr int code_bits(OperandFormat format) {
    switch (format) {
        case OperandFormat::int4_signed:
        case OperandFormat::int4_unsigned:
        case OperandFormat::fp4_even:
        case OperandFormat::fp4_odd:
            return 4;
        case OperandFormat::fp8_143:
        case OperandFormat::fp8_152:
            return 8;
        case OperandFormat::fp16:
            break;
    }
    return 16;
}

/// The layout of one of the two 8-bit formats.
[[nodiscard]] constexpr Fp8Format fp8_layout(OperandFormat format) {
    return format == OperandFormat::fp8_143 ? fp8_143() : fp8_152();
}

/// Four-bit operands are summed exactly within a chunk, the others in binary32.
[[nodiscard]] constexpr bool exact_in_chunk(OperandFormat a, OperandFormat b) {
    return code_bits(a) == 4 && code_bits(b) == 4;
}

/// The exact value of a code, without its tensor's scale: INT4 is its integer, FP4 the level of its phase. Bits above
/// the code are ignored.
[[nodiscard]] float decode_operand(OperandFormat format, std::uint16_t code);

/// The largest finite value of a code; of int4_signed 7, for -8 is not used.
[[nodiscard]] double largest_magnitude(OperandFormat format);

}  // namespace nibble
