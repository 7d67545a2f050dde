// SPDX-License-Identifier: MIT
#include "sim/lowering/operand_access.h"

#include <algorithm>
#include <variant>

#include "sim/input/gemm_direction.h"

namespace nibble {

namespace {

// Inputs 0 and 1 of a GEMM are its operands; further inputs belong to its epilogue.
constexpr std::size_t gemm_inputs = 2;

/// The input of a convolution from which forward and dw take every stride_h-th row of pixels only.
bool skips_rows(const Operation& operation, std::size_t input) {
    const auto* c = std::get_if<Convolution>(&operation.work);
    if (c == nullptr || !runs_on_array(operation) || c->r != 1 || c->stride_h == 1 || c->pad_top + c->pad_bottom > 0) {
        return false;
    }
    const Phase phase = computed_as(operation);
    const std::size_t left = left_input(operation);
    return (phase == Phase::forward && input == left) || (phase == Phase::dw && input == 1 - left);
}

}  // namespace

CopyFormat input_copy(const Operation& operation, std::size_t input, TensorRole role, const Recipe& recipe,
                      GradientStorage storage) {
    if (std::holds_alternative<VectorWork>(operation.work) || input >= gemm_inputs) {
        return vector_copy(role);
    }
    return gemm_copy(role, operation.phase, recipe.precision_of(operation), storage);
}

bool touches_rows(const Operation& operation, std::uint64_t tensor_elements) {
    const auto* vector = std::get_if<VectorWork>(&operation.work);
    return vector != nullptr && tensor_elements > vector->elements &&
           std::any_of(vector->steps.begin(), vector->steps.end(), [](const VectorStep& step) {
               return step.function == "gather" || step.function == "scatter_add" || step.function == "slice" ||
                      step.function == "place";
           });
}

std::uint64_t elements_read(const Operation& operation, std::size_t input, std::uint64_t tensor_elements) {
    if (touches_rows(operation, tensor_elements)) {
        return std::get<VectorWork>(operation.work).elements;
    }
    if (skips_rows(operation, input)) {
        const auto& c = std::get<Convolution>(operation.work);
        return c.n * c.c * c.p() * c.w;
    }
    return tensor_elements;
}

}  // namespace nibble
