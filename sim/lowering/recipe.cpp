// SPDX-License-Identifier: MIT
#include "sim/lowering/recipe.h"

#include <algorithm>
#include <array>
#include <variant>

#include "sim/base/error.h"

namespace nibble {

namespace {

using enum ArrayMode;

constexpr StorageFormat i4 = StorageFormat::int4;
constexpr StorageFormat f4 = StorageFormat::fp4;
constexpr StorageFormat f8 = StorageFormat::fp8;
constexpr StorageFormat f16 = StorageFormat::fp16;

// GEMMs by mode and the storage of activation, weight and gradient.
constexpr GemmPrecision gemm_fp16{fp16, f16, f16, f16};
constexpr GemmPrecision gemm_fp8{fp8, f8, f8, f8};
constexpr GemmPrecision forward_int4{int4, i4, i4, f4};
constexpr GemmPrecision backward_fp4{int4_fp4, i4, i4, f4};
constexpr GemmPrecision backward_fp8{fp8, i4, i4, f8};
constexpr GemmPrecision backward_fp16{fp16, i4, i4, f16};

// Layers: forward, dx, dw.
constexpr LayerPrecision layer_fp16{gemm_fp16, gemm_fp16, gemm_fp16};
constexpr LayerPrecision layer_fp8{gemm_fp8, gemm_fp8, gemm_fp8};
constexpr LayerPrecision layer_int4_fp4{forward_int4, backward_fp4, backward_fp4};
constexpr LayerPrecision layer_int4_fp4_dw8{forward_int4, backward_fp4, backward_fp8};
constexpr LayerPrecision layer_int4_fp8{forward_int4, backward_fp8, backward_fp8};
constexpr LayerPrecision layer_int4_fp16{forward_int4, backward_fp16, backward_fp16};

bool depthwise(const Operation& gemm) {
    const auto* convolution = std::get_if<Convolution>(&gemm.work);
    return convolution != nullptr && convolution->depthwise();
}

/// Layer classes: sensitive, pointwise, other.
std::size_t class_of(const Operation& gemm) {
    const auto* convolution = std::get_if<Convolution>(&gemm.work);
    if (depthwise(gemm) || gemm.position != Position::middle) {
        return 0;
    }
    return convolution != nullptr && convolution->pointwise() ? 1 : 2;
}

/// Widths: above 8 bits or not recorded, up to 8, up to 4.
std::size_t width_of(const Operation& gemm) {
    if (!gemm.operand_bits || depthwise(gemm)) {
        return 0;
    }
    const std::uint32_t widest = std::max(gemm.operand_bits->left, gemm.operand_bits->right);
    return widest > bits_of(f8) ? 0 : widest > bits_of(i4) ? 1 : 2;
}

constexpr std::array<Recipe, 8> recipes{{
    {"fp16", "everything in FP16", class_of, {layer_fp16, layer_fp16, layer_fp16}},
    {"hfp8", "FP8 forward and backward", class_of, {layer_fp16, layer_fp8, layer_fp8}},
    {"int4-fp4",
     "INT4 forward, FP4 gradients in two phases (Sun et al. 2020)",
     class_of,
     {layer_fp16, layer_int4_fp4, layer_int4_fp4}},
    {"int4-fp4-dw8",
     "INT4 forward, FP4 input gradients, FP8 weight gradients",
     class_of,
     {layer_fp16, layer_int4_fp4_dw8, layer_int4_fp4_dw8}},
    {"int4-fp4-1x1-fp8",
     "int4-fp4 with the backward GEMMs of 1x1 convolutions in FP8",
     class_of,
     {layer_fp16, layer_int4_fp8, layer_int4_fp4}},
    {"int4-fp8", "INT4 forward, FP8 backward", class_of, {layer_fp16, layer_int4_fp8, layer_int4_fp8}},
    {"int4-fp16", "INT4 forward, FP16 backward", class_of, {layer_fp16, layer_int4_fp16, layer_int4_fp16}},
    {"as-recorded",
     "int4-fp4, FP8 or FP16, whichever holds the widths in the trace",
     width_of,
     {layer_fp16, layer_fp8, layer_int4_fp4}},
}};

}  // namespace

const GemmPrecision& Recipe::precision_of(const Operation& operation) const {
    if (std::holds_alternative<VectorWork>(operation.work)) {
        throw ModelError("a recipe was asked for the precision of an operation that is not a GEMM: " + operation.layer);
    }
    const LayerPrecision& layer = layers_.at(kind_of_(operation));
    switch (operation.phase) {
        case Phase::forward:
            return layer.forward;
        case Phase::dx:
            return layer.dx;
        case Phase::dw:
            return layer.dw;
        case Phase::vector:
        case Phase::update:
            break;
    }
    throw ModelError("a recipe was asked for the precision of a GEMM outside forward, dx and dw: " + operation.layer);
}

const Recipe* find_recipe(std::string_view name) {
    for (const Recipe& recipe : recipes) {
        if (recipe.name() == name) {
            return &recipe;
        }
    }
    return nullptr;
}

std::vector<std::string> recipe_names() {
    std::vector<std::string> names;
    for (const Recipe& recipe : recipes) {
        names.emplace_back(recipe.name());
    }
    return names;
}

}  // namespace nibble
