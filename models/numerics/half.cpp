// SPDX-License-Identifier: MIT
#include "models/numerics/half.h"

namespace nibble {

namespace {

template <class Float>
Half encode(Float value) {
    using Layout = FloatLayout<Float>;
    using Bits = typename Layout::Bits;
    const Float rounded = round_to_half(value);
    if (rounded != rounded) {
        return half_nan;
    }
    const bool negative = (bits_of(rounded) & sign_mask<Float>) != 0;
    const Float magnitude = negative ? -rounded : rounded;
    Bits code = half_infinity.bits;
    if (magnitude < power_of_two<Float>(-14)) {
        code = static_cast<Bits>(magnitude * power_of_two<Float>(24));
    } else if (magnitude <= Float{65504}) {
        constexpr Bits rebias = static_cast<Bits>(Layout::bias - 15) << 10;
        code = (bits_of(magnitude) >> (Layout::fraction_bits - 10)) - rebias;
    }
    return Half{static_cast<std::uint16_t>(code | (negative ? 0x8000u : 0u))};
}

}  // namespace

Half encode_half(float value) {
    return encode(value);
}

Half encode_half(double value) {
    return encode(value);
}

}  // namespace nibble
