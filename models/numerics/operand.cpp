// SPDX-License-Identifier: MIT
#include "models/numerics/operand.h"

#include "models/numerics/fp4.h"
#include "models/numerics/fp8.h"
#include "models/numerics/half.h"
#include "models/numerics/int4.h"

namespace nibble {

namespace {

Fp4Code fp4_code(std::uint16_t code) {
    return Fp4Code{static_cast<std::uint8_t>(code & 15)};
}

}  // namespace

float decode_operand(OperandFormat format, std::uint16_t code) {
    switch (format) {
        case OperandFormat::int4_signed:
            return static_cast<float>(int4_signed_value(code));
        case OperandFormat::int4_unsigned:
            return static_cast<float>(int4_unsigned_value(code));
        case OperandFormat::fp4_even:
            return decode_fp4(fp4_code(code), Fp4Phase::even);
        case OperandFormat::fp4_odd:
            return decode_fp4(fp4_code(code), Fp4Phase::odd);
        case OperandFormat::fp8_143:
            return decode_fp8(fp8_143(), static_cast<std::uint8_t>(code & 0xff));
        case OperandFormat::fp8_152:
            return decode_fp8(fp8_152(), static_cast<std::uint8_t>(code & 0xff));
        case OperandFormat::fp16:
            break;
    }
    return decode_half(Half{code});
}

double largest_magnitude(OperandFormat format) {
    switch (format) {
        case OperandFormat::int4_signed:
            return int4_max;
        case OperandFormat::int4_unsigned:
            return uint4_max;
        case OperandFormat::fp4_even:
        case OperandFormat::fp4_odd:
            return static_cast<double>(decode_operand(format, fp4_max_magnitude));
        case OperandFormat::fp8_143:
            return static_cast<double>(decode_operand(format, fp8_143().max_code()));
        case OperandFormat::fp8_152:
            return static_cast<double>(decode_operand(format, fp8_152().max_code()));
        case OperandFormat::fp16:
            break;
    }
    return half_max;
}

}  // namespace nibble
