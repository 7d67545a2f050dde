// SPDX-License-Identifier: MIT
#include "models/numerics/dlfloat16.h"

namespace nibble {

namespace {

template <class Float>
DlFloat16 encode(Float value) {
    using Layout = FloatLayout<Float>;
    using Bits = typename Layout::Bits;
    const Float rounded = round_to_dlfloat16(value);
    const Bits sign = bits_of(rounded) & sign_mask<Float>;
    const Bits magnitude = bits_of(rounded) ^ sign;
    Bits code = 0;
    if (from_bits<Float>(magnitude) > static_cast<Float>(dlfloat16_max)) {
        code = dlfloat16_infinity.bits;
    } else if (magnitude != 0) {
        constexpr Bits rebias = static_cast<Bits>(Layout::bias - 31) << 9;
        code = (magnitude >> (Layout::fraction_bits - 9)) - rebias;
    }
    return DlFloat16{static_cast<std::uint16_t>(code | (sign != 0 ? 0x8000u : 0u))};
}

}  // namespace

DlFloat16 encode_dlfloat16(float value) {
    return encode(value);
}

DlFloat16 encode_dlfloat16(double value) {
    return encode(value);
}

}  // namespace nibble
