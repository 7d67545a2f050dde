// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/import/onnx/onnx_program.h"
#include "sim/import/onnx/onnx_shapes.h"

namespace nibble {

/// The inputs of a model with their sizes.
struct OnnxInputs {
    OnnxShapes::Inputs sizes;
    std::uint64_t batch = 1;  ///< samples in the step
    std::uint64_t fixed = 0;  ///< batch that the model is made for, if another was asked for; else 0
};

/// Settles the sizes of a model's inputs. Dimension 0, or one that is called batch, may be open: it is what the user
/// gives. (If the first recurrent layer takes dimension 0 of the input as time, dimension 1 stands for dimension 0.) A
/// batch that the model fixes is replaced, if all inputs agree on it. Throws InputError for every other size that is
/// open.
[[nodiscard]] OnnxInputs settle_onnx_inputs(const OnnxProgram& program, std::optional<std::uint64_t> batch,
                                            const std::string& file);

}  // namespace nibble
