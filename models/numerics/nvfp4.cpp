// SPDX-License-Identifier: MIT
#include "models/numerics/nvfp4.h"

#include <algorithm>
#include <limits>

#include "models/numerics/fp8.h"

namespace nibble {

namespace {

constexpr float e4m3_max = 448.0F;
constexpr std::uint8_t e4m3_nan = 0x7f;
constexpr float float_max = std::numeric_limits<float>::max();

template <class Action>
void for_each_block(const BlockLayout& layout, Nvfp4Blocks blocks, Action action) {
    if (blocks == Nvfp4Blocks::tiles) {
        for_each_tile(layout, nvfp4_block, action);
    } else {
        for_each_block(layout, nvfp4_block, action);
    }
}

/// What elements are multiplied by: 1 / (scale * decode).
float element_factor(std::uint8_t scale, const Nvfp4TensorScale& tensor_scale) {
    return scale == e4m3_nan ? 1.0F : std::min(1.0F / (decode_fp8(fp8_143(), scale) * tensor_scale.decode), float_max);
}

std::size_t block_count(const BlockLayout& layout, Nvfp4Blocks blocks) {
    if (blocks == Nvfp4Blocks::tiles) {
        const std::size_t columns = (layout.inner + nvfp4_block - 1) / nvfp4_block;
        return layout.outer * layout.along(nvfp4_block) * columns;
    }
    return layout.blocks(nvfp4_block);
}

}  // namespace

Nvfp4TensorScale Nvfp4TensorScale::of(float largest) {
    if (largest == 0.0F) {
        return {1.0F, 1.0F};
    }
    const float encode = std::min(e4m3_max * e2m1_max / largest, float_max);
    return {encode, 1.0F / encode};
}

std::uint8_t nvfp4_scale(std::uint32_t largest_bits, const Nvfp4TensorScale& tensor_scale) {
    if (largest_bits >= infinity_bits) {
        return e4m3_nan;
    }
    const float scale = from_bits<float>(largest_bits) / e2m1_max * tensor_scale.encode;
    return encode_fp8(fp8_143(), static_cast<double>(std::min(scale, e4m3_max)));
}

Nvfp4Tensor encode_nvfp4(std::span<const float> tensor, const BlockLayout& layout, Nvfp4Blocks blocks,
                         E2m1Rounding rounding, std::uint64_t seed) {
    Nvfp4Tensor result{.layout = layout,
                       .blocks = blocks,
                       .scale = Nvfp4TensorScale::of(largest_finite_magnitude(tensor)),
                       .elements = std::vector<std::uint8_t>(layout.elements()),
                       .scales = std::vector<std::uint8_t>(block_count(layout, blocks))};
    const CounterRandom random(seed);
    std::uint8_t* const elements = result.elements.data();
    for_each_block(layout, blocks, [&](const Block& block) {
        const std::uint8_t scale = nvfp4_scale(block.largest_bits(tensor.data()), result.scale);
        result.scales[block.number] = scale;
        const float factor = element_factor(scale, result.scale);
        block.for_each([&](std::size_t i) { elements[i] = encode_e2m1(tensor[i] * factor, rounding, random, i); });
    });
    return result;
}

void decode_nvfp4(const Nvfp4Tensor& tensor, std::span<float> values) {
    for_each_block(tensor.layout, tensor.blocks, [&](const Block& block) {
        const float scale = decode_fp8(fp8_143(), tensor.scales[block.number]);
        block.for_each(
            [&](std::size_t i) { values[i] = decode_e2m1(tensor.elements[i]) * scale * tensor.scale.decode; });
    });
}

}  // namespace nibble
