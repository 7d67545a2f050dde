// SPDX-License-Identifier: MIT
#include "sim/lowering/recipe.h"

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

// Name, description, and the layer classes: sensitive, pointwise, other.
constexpr std::array<Recipe, 7> recipes{{
    {"fp16", "everything in FP16", layer_fp16, layer_fp16, layer_fp16},
    {"hfp8", "FP8 forward and backward", layer_fp16, layer_fp8, layer_fp8},
    {"int4-fp4", "INT4 forward, FP4 gradients in two phases (Sun et al. 2020)", layer_fp16, layer_int4_fp4,
     layer_int4_fp4},
    {"int4-fp4-dw8", "INT4 forward, FP4 input gradients, FP8 weight gradients", layer_fp16, layer_int4_fp4_dw8,
     layer_int4_fp4_dw8},
    {"int4-fp4-1x1-fp8", "int4-fp4 with the backward GEMMs of 1x1 convolutions in FP8", layer_fp16, layer_int4_fp8,
     layer_int4_fp4},
    {"int4-fp8", "INT4 forward, FP8 backward", layer_fp16, layer_int4_fp8, layer_int4_fp8},
    {"int4-fp16", "INT4 forward, FP16 backward", layer_fp16, layer_int4_fp16, layer_int4_fp16},
}};

}  // namespace

const GemmPrecision& Recipe::precision_of(const Operation& operation) const {
    const auto* convolution = std::get_if<Convolution>(&operation.work);
    if (convolution == nullptr && !std::holds_alternative<Matmul>(operation.work)) {
        throw ModelError("a recipe was asked for the precision of an operation that is not a GEMM: " + operation.layer);
    }
    const bool depthwise = convolution != nullptr && convolution->depthwise();
    const bool one_by_one = convolution != nullptr && convolution->pointwise();
    const LayerPrecision& layer = depthwise || operation.position != Position::middle ? sensitive_
                                  : one_by_one                                        ? pointwise_
                                                                                      : other_;
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
