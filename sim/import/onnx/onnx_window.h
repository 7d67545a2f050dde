// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "sim/import/onnx/onnx_program.h"
#include "sim/input/step_builder.h"

namespace nibble {

/// The sliding window of a convolution or a pooling, with everything that the node leaves to be derived. One entry for
/// each spatial dimension.
struct OnnxWindow {
    Shape kernel, stride, dilation, pad_begin, pad_end;
    Shape output;  ///< places of the window; of a transposed convolution: size of the result

    [[nodiscard]] std::uint64_t size() const { return elements_of(kernel); }
};

/// Reads strides, dilations, pads, auto_pad and ceil_mode of a node. `input` are the spatial sizes, `kernel` those of
/// the window. Throws InputError if the window does not fit.
[[nodiscard]] OnnxWindow onnx_window(const OnnxStep& step, const Shape& input, const Shape& kernel);

/// The same for ConvTranspose, with output_padding and output_shape.
[[nodiscard]] OnnxWindow onnx_transposed_window(const OnnxStep& step, const Shape& input, const Shape& kernel);

/// The attribute kernel_shape of a pooling.
[[nodiscard]] Shape onnx_kernel(const OnnxStep& step, std::size_t dimensions);

}  // namespace nibble
