// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/machine/machine_params.h"
#include "sim/input/operation.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/recipe.h"

namespace nibble {

/// The copy that an operation reads of its `input`-th input.
[[nodiscard]] CopyFormat input_copy(const Operation& operation, std::size_t input, TensorRole role,
                                    const Recipe& recipe, GradientStorage storage);

/// Does the operation read or write only those rows of a tensor of that many elements that its indices point at? So do
/// gathers, scatters and slices of tensors larger than what they move.
[[nodiscard]] bool touches_rows(const Operation& operation, std::uint64_t tensor_elements);

/// Elements of an input that the operation reads at least, whatever its tiling: fewer than there are if it looks up
/// rows, or is a strided pointwise convolution, which skips rows of pixels.
[[nodiscard]] std::uint64_t elements_read(const Operation& operation, std::size_t input, std::uint64_t tensor_elements);

}  // namespace nibble
