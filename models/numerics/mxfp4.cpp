// SPDX-License-Identifier: MIT
#include "models/numerics/mxfp4.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nibble {

namespace {

constexpr int bias = 127;

/// What elements are multiplied by: 1 / scale.
float element_factor(std::uint8_t scale) {
    return scale == e8m0_nan ? 1.0F : std::ldexp(1.0F, bias - static_cast<int>(scale));
}

}  // namespace

float decode_e8m0(std::uint8_t code) {
    return code == e8m0_nan ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0F, static_cast<int>(code) - bias);
}

std::uint8_t mxfp4_scale(std::uint32_t largest_bits) {
    if (largest_bits >= infinity_bits) {
        return e8m0_nan;
    }
    // The exponent field of a binary32 number has the bias of E8M0. Those of subnormals are below all scales.
    const auto field = static_cast<int>(largest_bits >> 23);
    return static_cast<std::uint8_t>(std::max(field - 2, 0));
}

Mxfp4Tensor encode_mxfp4(std::span<const float> tensor, const BlockLayout& layout, E2m1Rounding rounding,
                         std::uint64_t seed) {
    Mxfp4Tensor result{.layout = layout,
                       .elements = std::vector<std::uint8_t>(layout.elements()),
                       .scales = std::vector<std::uint8_t>(layout.blocks(mxfp4_block))};
    const CounterRandom random(seed);
    std::uint8_t* const elements = result.elements.data();
    for_each_block(layout, mxfp4_block, [&](const Block& block) {
        const std::uint8_t scale = mxfp4_scale(block.largest_bits(tensor.data()));
        result.scales[block.number] = scale;
        const float factor = element_factor(scale);
        block.for_each([&](std::size_t i) { elements[i] = encode_e2m1(tensor[i] * factor, rounding, random, i); });
    });
    return result;
}

void decode_mxfp4(const Mxfp4Tensor& tensor, std::span<float> values) {
    for_each_block(tensor.layout, mxfp4_block, [&](const Block& block) {
        const float scale = decode_e8m0(tensor.scales[block.number]);
        block.for_each([&](std::size_t i) { values[i] = decode_e2m1(tensor.elements[i]) * scale; });
    });
}

}  // namespace nibble
