// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "sim/input/operation.h"

namespace nibble {

/// The phase of an ordinary convolution that computes what the operation does. A transposed convolution is the input
/// gradient of the convolution that it is described by: its forward is that one's dx, its dx that one's forward, and
/// its dw that one's dw with the gradient taken for the input and the input for the gradient. Of everything else the
/// phase is its own. Formats and precision follow Operation::phase, never this.
[[nodiscard]] Phase computed_as(const Operation& operation);

/// Which input of a GEMM, 0 or 1, the array takes on its left. For a convolution's dw that is the n,k,p,q operand,
/// since the rows of the product are the k output channels: dy, or the input of a transposed convolution.
[[nodiscard]] std::size_t left_input(const Operation& operation);

}  // namespace nibble
