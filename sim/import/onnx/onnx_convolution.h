// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "sim/import/onnx/onnx_program.h"
#include "sim/input/operation.h"
#include "sim/input/step_builder.h"

namespace nibble {

/// The convolution of a Conv, ConvTranspose or ConvGrad node of one or two spatial dimensions; nothing for more. One
/// dimension is an image of height 1. A ConvTranspose is described by the convolution whose input gradient it computes.
[[nodiscard]] std::optional<Convolution> onnx_convolution(const OnnxStep& step, const Shape& input,
                                                          const Shape& weight);

}  // namespace nibble
