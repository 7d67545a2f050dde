// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_convolution.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/onnx/onnx_window.h"

namespace nibble {

namespace {

/// Numbers of one dimension become those of a row.
void as_image(OnnxWindow& window, std::uint64_t output) {
    const auto prepend = [](Shape& list, std::uint64_t value) { list.insert(list.begin(), value); };
    prepend(window.kernel, 1);
    prepend(window.stride, 1);
    prepend(window.dilation, 1);
    prepend(window.pad_begin, 0);
    prepend(window.pad_end, 0);
    prepend(window.output, output);
}

}  // namespace

std::optional<Convolution> onnx_convolution(const OnnxStep& step, const Shape& input, const Shape& weight) {
    const bool transposed = step.op() == "ConvTranspose";
    const std::uint64_t groups = step.count("group", 1, 1, std::uint64_t{1} << 32U);
    const bool ranks = input.size() >= 3 && input.size() == weight.size();
    if (!ranks || (transposed ? input[1] != weight[0] : input[1] % groups != 0 || input[1] / groups != weight[1])) {
        step.fail(fmt::format("an input [{}] and a weight [{}] do not fit together", fmt::join(input, ","),
                              fmt::join(weight, ",")));
    }
    Shape sizes(input.begin() + 2, input.end());
    const Shape kernel(weight.begin() + 2, weight.end());
    OnnxWindow window = transposed ? onnx_transposed_window(step, sizes, kernel) : onnx_window(step, sizes, kernel);
    if (sizes.size() == 1) {
        as_image(window, 1);
        sizes.insert(sizes.begin(), 1);
    }
    if (sizes.size() != 2) {
        return std::nullopt;
    }
    Convolution work;
    work.n = input[0];
    work.c = transposed ? weight[1] * groups : input[1];
    work.h = transposed ? window.output[0] : sizes[0];
    work.w = transposed ? window.output[1] : sizes[1];
    work.k = weight[0];
    work.r = window.kernel[0];
    work.s = window.kernel[1];
    work.stride_h = window.stride[0];
    work.stride_w = window.stride[1];
    work.dilation_h = window.dilation[0];
    work.dilation_w = window.dilation[1];
    work.pad_top = window.pad_begin[0];
    work.pad_left = window.pad_begin[1];
    work.pad_bottom = window.pad_end[0];
    work.pad_right = window.pad_end[1];
    work.groups = groups;
    work.transposed = transposed;
    const std::uint64_t p = transposed ? sizes[0] : window.output[0];
    const std::uint64_t q = transposed ? sizes[1] : window.output[1];
    if (work.p() != p || work.q() != q) {
        step.fail(
            fmt::format("a {} of {}x{} is not what a window of {}x{} makes of {}x{}: is output_padding as large "
                        "as the stride?",
                        transposed ? "transposed input" : "result", p, q, work.r, work.s, work.h, work.w));
    }
    return work;
}

}  // namespace nibble
