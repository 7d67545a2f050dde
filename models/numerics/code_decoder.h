// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/numerics/float_layout.h"
#include "models/numerics/half.h"
#include "models/numerics/int4.h"
#include "models/numerics/operand.h"
#include "models/numerics/product.h"

namespace nibble {

[[nodiscard]] constexpr bool is_fp4(OperandFormat format) {
    return format == OperandFormat::fp4_even || format == OperandFormat::fp4_odd;
}

/// Exponent of the unit in which a four-bit operand is an integer.
[[nodiscard]] constexpr int operand_unit_log2(OperandFormat format) {
    if (!is_fp4(format)) {
        return 0;
    }
    return fp4_unit_log2(format == OperandFormat::fp4_even ? Fp4Phase::even : Fp4Phase::odd);
}

/// Decodes codes to Element: four-bit ones, where `integers`, as multiples of their unit.
template <class Element>
class CodeDecoder {
public:
    CodeDecoder(OperandFormat format, bool integers) : format_(format) {
        const float units = integers ? power_of_two<float>(-operand_unit_log2(format)) : 1.0F;
        const std::size_t codes = code_bits(format) == 16 ? 0 : std::size_t{1} << code_bits(format);
        for (std::size_t code = 0; code < codes; ++code) {
            values_[code] = static_cast<Element>(decode_operand(format, static_cast<std::uint16_t>(code)) * units);
        }
        mask_ = static_cast<std::uint16_t>(codes - 1);
    }

    /// out[i * out_stride] = the value of codes[i * stride].
    template <class Code>
    void decode(std::size_t count, const Code* codes, std::ptrdiff_t stride, Element* out,
                std::size_t out_stride) const {
        const auto each = [&](auto value_of) {
            if (stride == 1 && out_stride == 1) {  // the loop that vectorises
                for (std::size_t i = 0; i < count; ++i) {
                    out[i] = value_of(codes[i]);
                }
                return;
            }
            for (std::size_t i = 0; i < count; ++i) {
                out[i * out_stride] = value_of(codes[static_cast<std::ptrdiff_t>(i) * stride]);
            }
        };
        // By arithmetic where a few instructions do for a whole register of codes, else by table.
        switch (format_) {
            case OperandFormat::fp16:
                each([](Code code) { return static_cast<Element>(decode_half(Half{code})); });
                break;
            case OperandFormat::int4_signed:
                each([](Code code) { return static_cast<Element>(int4_signed_value(code)); });
                break;
            case OperandFormat::int4_unsigned:
                each([](Code code) { return static_cast<Element>(int4_unsigned_value(code)); });
                break;
            default:
                each([this](Code code) { return values_[code & mask_]; });
        }
    }

private:
    OperandFormat format_;
    std::uint16_t mask_ = 0;
    std::array<Element, 256> values_{};
};

}  // namespace nibble
