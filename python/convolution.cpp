// SPDX-License-Identifier: MIT
#include "models/numerics/convolution.h"

#include <array>
#include <cstdint>
#include <pybind11/stl.h>
#include <string>

#include "python/arguments.h"
#include "python/definitions.h"

namespace nibble::python {

namespace {

using Pair = std::array<std::int64_t, 2>;

/// The arguments that all three products share.
struct Geometry {
    Pair stride;
    Pair padding;
    Pair dilation;
    std::int64_t groups;
};

std::uint64_t count(std::int64_t value, std::int64_t lowest, const char* what) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    if (value < lowest || value > most) {
        throw py::value_error(std::string(what) + ": expected " + std::to_string(lowest) + " or more, found " +
                              std::to_string(value));
    }
    return static_cast<std::uint64_t>(value);
}

std::uint64_t size(py::ssize_t value, const char* what) {
    return count(value, 1, what);
}

/// The shape of a whole convolution, checked for sense.
ConvolutionShape shape_from(const Geometry& geometry, std::uint64_t n, const Pair& channels, const Pair& input,
                            const Pair& kernel) {
    ConvolutionShape shape{.n = n,
                           .c = count(channels[0], 1, "input channels"),
                           .h = count(input[0], 1, "input height"),
                           .w = count(input[1], 1, "input width"),
                           .k = count(channels[1], 1, "output channels"),
                           .r = count(kernel[0], 1, "kernel height"),
                           .s = count(kernel[1], 1, "kernel width"),
                           .stride_h = count(geometry.stride[0], 1, "stride"),
                           .stride_w = count(geometry.stride[1], 1, "stride"),
                           .pad_top = count(geometry.padding[0], 0, "padding"),
                           .pad_bottom = count(geometry.padding[0], 0, "padding"),
                           .pad_left = count(geometry.padding[1], 0, "padding"),
                           .pad_right = count(geometry.padding[1], 0, "padding"),
                           .dilation_h = count(geometry.dilation[0], 1, "dilation"),
                           .dilation_w = count(geometry.dilation[1], 1, "dilation"),
                           .groups = count(geometry.groups, 1, "groups")};
    if (shape.c % shape.groups != 0 || shape.k % shape.groups != 0) {
        throw py::value_error("groups: expected a divisor of " + std::to_string(shape.c) + " input and " +
                              std::to_string(shape.k) + " output channels, found " + std::to_string(shape.groups));
    }
    if (shape.h + 2 * shape.pad_top < shape.dilation_h * (shape.r - 1) + 1 ||
        shape.w + 2 * shape.pad_left < shape.dilation_w * (shape.s - 1) + 1) {
        throw py::value_error("the padded input is smaller than the kernel");
    }
    return shape;
}

void require_shape(const py::array& array, const std::array<std::uint64_t, 4>& expected, const char* what) {
    std::string text;
    bool fits = true;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        text += (i > 0 ? ", " : "") + std::to_string(expected[i]);
        fits = fits && static_cast<std::uint64_t>(array.shape(static_cast<py::ssize_t>(i))) == expected[i];
    }
    if (!fits) {
        throw py::value_error(std::string(what) + ": expected (" + text + "), found " + shape_of(array));
    }
}

py::array without_gaps(const py::array& array) {
    return py::array::ensure(array, py::array::c_style);
}

py::array_t<float> output(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    return py::array_t<float>({a, b, c, d});
}

std::span<float> span_of_output(py::array_t<float>& array) {
    return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

py::array_t<float> forward(const py::array& x, const py::array& w, const std::string& x_format,
                           const std::string& w_format, const Pair& stride, const Pair& padding, const Pair& dilation,
                           std::int64_t groups, py::ssize_t chunk, const std::string& accumulator,
                           py::ssize_t threads) {
    const OperandFormat of_x = operand_format(x_format, "x_format");
    const OperandFormat of_w = operand_format(w_format, "w_format");
    require_codes(x, of_x, 4, "x");
    require_codes(w, of_w, 4, "w");
    const ConvolutionShape shape =
        shape_from({stride, padding, dilation, groups}, size(x.shape(0), "batch"), {x.shape(1), w.shape(0)},
                   {x.shape(2), x.shape(3)}, {w.shape(2), w.shape(3)});
    require_shape(w, {shape.k, shape.c / shape.groups, shape.r, shape.s}, "w");
    const AccumulationRule rule = accumulation_rule(chunk, accumulator);
    const unsigned workers = thread_count(threads);
    const py::array x_codes = without_gaps(x);
    const py::array w_codes = without_gaps(w);
    py::array_t<float> y = output(shape.n, shape.k, shape.p(), shape.q());
    const std::span<float> out = span_of_output(y);
    const CodeArray left = code_array(x_codes, of_x);
    const CodeArray right = code_array(w_codes, of_w);
    {
        const py::gil_scoped_release release;
        convolution_forward(shape, left, right, rule, workers, out);
    }
    return y;
}

py::array_t<float> input_gradient(const py::array& dy, const py::array& w, const std::string& dy_format,
                                  const std::string& w_format, const Pair& input_size, const Pair& stride,
                                  const Pair& padding, const Pair& dilation, std::int64_t groups, py::ssize_t chunk,
                                  const std::string& accumulator, py::ssize_t threads) {
    const OperandFormat of_dy = operand_format(dy_format, "dy_format");
    const OperandFormat of_w = operand_format(w_format, "w_format");
    require_codes(dy, of_dy, 4, "dy");
    require_codes(w, of_w, 4, "w");
    const std::int64_t channels = w.shape(1) * static_cast<std::int64_t>(count(groups, 1, "groups"));
    const ConvolutionShape shape = shape_from({stride, padding, dilation, groups}, size(dy.shape(0), "batch"),
                                              {channels, w.shape(0)}, input_size, {w.shape(2), w.shape(3)});
    require_shape(dy, {shape.n, shape.k, shape.p(), shape.q()}, "dy");
    const AccumulationRule rule = accumulation_rule(chunk, accumulator);
    const unsigned workers = thread_count(threads);
    const py::array dy_codes = without_gaps(dy);
    const py::array w_codes = without_gaps(w);
    py::array_t<float> dx = output(shape.n, shape.c, shape.h, shape.w);
    const std::span<float> out = span_of_output(dx);
    const CodeArray left = code_array(dy_codes, of_dy);
    const CodeArray right = code_array(w_codes, of_w);
    {
        const py::gil_scoped_release release;
        convolution_dx(shape, left, right, rule, workers, out);
    }
    return dx;
}

py::array_t<float> weight_gradient(const py::array& x, const py::array& dy, const std::string& x_format,
                                   const std::string& dy_format, const Pair& kernel_size, const Pair& stride,
                                   const Pair& padding, const Pair& dilation, std::int64_t groups, py::ssize_t chunk,
                                   const std::string& accumulator, py::ssize_t threads) {
    const OperandFormat of_x = operand_format(x_format, "x_format");
    const OperandFormat of_dy = operand_format(dy_format, "dy_format");
    require_codes(x, of_x, 4, "x");
    require_codes(dy, of_dy, 4, "dy");
    const ConvolutionShape shape = shape_from({stride, padding, dilation, groups}, size(x.shape(0), "batch"),
                                              {x.shape(1), dy.shape(1)}, {x.shape(2), x.shape(3)}, kernel_size);
    require_shape(dy, {shape.n, shape.k, shape.p(), shape.q()}, "dy");
    const AccumulationRule rule = accumulation_rule(chunk, accumulator);
    const unsigned workers = thread_count(threads);
    const py::array x_codes = without_gaps(x);
    const py::array dy_codes = without_gaps(dy);
    py::array_t<float> dw = output(shape.k, shape.c / shape.groups, shape.r, shape.s);
    const std::span<float> out = span_of_output(dw);
    const CodeArray left = code_array(x_codes, of_x);
    const CodeArray right = code_array(dy_codes, of_dy);
    {
        const py::gil_scoped_release release;
        convolution_dw(shape, left, right, rule, workers, out);
    }
    return dw;
}

}  // namespace

void define_convolution(py::module_& module) {
    using namespace pybind11::literals;
    const Pair one{1, 1};
    const Pair none{0, 0};
    module.def("conv_forward", &forward, "x"_a, "w"_a, "x_format"_a, "w_format"_a, "stride"_a = one, "padding"_a = none,
               "dilation"_a = one, "groups"_a = 1, "chunk"_a = 64, "accumulator"_a = "fp16", "threads"_a = 0,
               "Sums (n, k, p, q) of a convolution of codes x (n, c, h, w) with codes w (k, c / groups, r, s), in the "
               "order of the array: taps, and within a tap channels.");
    module.def("conv_dx", &input_gradient, "dy"_a, "w"_a, "dy_format"_a, "w_format"_a, "input_size"_a, "stride"_a = one,
               "padding"_a = none, "dilation"_a = one, "groups"_a = 1, "chunk"_a = 64, "accumulator"_a = "fp16",
               "threads"_a = 0,
               "Sums (n, c, h, w) of the input gradient: taps, and within a tap output channels. input_size: (h, w).");
    module.def("conv_dw", &weight_gradient, "x"_a, "dy"_a, "x_format"_a, "dy_format"_a, "kernel_size"_a,
               "stride"_a = one, "padding"_a = none, "dilation"_a = one, "groups"_a = 1, "chunk"_a = 64,
               "accumulator"_a = "fp16", "threads"_a = 0,
               "Sums (k, c / groups, r, s) of the weight gradient: images, output rows, output columns. kernel_size: "
               "(r, s).");
}

}  // namespace nibble::python
