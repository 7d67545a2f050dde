// SPDX-License-Identifier: MIT
#include <optional>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/gemm_limits.h"
#include "sim/import/pytorch/replay_rules.h"

namespace nibble {

namespace {

/// Where a convolution's arguments stand.
struct Places {
    std::size_t bias = 2, stride = 3, padding = 4, dilation = 5, groups = 6;
    std::optional<std::size_t> transposed{}, output_padding{};
    bool always_transposed = false;
};
constexpr std::size_t absent = 1000;

Places places_of(AtenRule rule) {
    switch (rule) {
        case AtenRule::convolution:
            return {.groups = 8, .transposed = 6, .output_padding = 7};
        case AtenRule::conv_transpose:
            return {.dilation = 7, .output_padding = 5, .always_transposed = true};
        case AtenRule::cudnn_convolution:
            return {.bias = absent, .stride = 3, .padding = 2, .dilation = 4, .groups = 5};
        case AtenRule::cudnn_transpose:
            return {.bias = absent,
                    .stride = 4,
                    .padding = 2,
                    .dilation = 5,
                    .groups = 6,
                    .output_padding = 3,
                    .always_transposed = true};
        case AtenRule::slow_convolution:
            return {.bias = 3, .stride = 4, .padding = 5, .dilation = 6, .groups = absent};
        default:  // conv
            return {};
    }
}

/// The convolution's shape from its operands and arguments; nothing for volumes, which no operation of a trace is.
std::optional<Convolution> shape_of(const RecordedTensor& x, const RecordedTensor& w, const Places& at,
                                    const AtenArguments& arguments) {
    const std::size_t dimensions = w.shape.size() < 2 ? 0 : w.shape.size() - 2;
    if (dimensions == 3) {
        return std::nullopt;
    }
    if ((dimensions != 1 && dimensions != 2) || x.shape.size() != dimensions + 2) {
        arguments.fail(fmt::format("expected an image and filters, found shapes [{}] and [{}]", fmt::join(x.shape, ","),
                                   fmt::join(w.shape, ",")));
    }
    const bool line = dimensions == 1;  // one row of pixels
    const auto pair = [&](std::size_t place, std::uint64_t otherwise) {
        std::vector<std::uint64_t> sizes = arguments.sizes(place, dimensions, otherwise);
        if (line) {
            sizes.insert(sizes.begin(), otherwise);
        }
        return sizes;
    };
    const auto stride = pair(at.stride, 1);
    const auto padding = pair(at.padding, 0);
    const auto dilation = pair(at.dilation, 1);
    Convolution c;
    c.n = x.shape[0];
    c.r = line ? 1 : w.shape[2];
    c.s = w.shape.back();
    c.stride_h = stride[0];
    c.stride_w = stride[1];
    c.pad_top = c.pad_bottom = padding[0];
    c.pad_left = c.pad_right = padding[1];
    c.dilation_h = dilation[0];
    c.dilation_w = dilation[1];
    c.transposed = at.always_transposed || (at.transposed && arguments.flag(*at.transposed, false));
    // The kernels for depthwise convolutions have no such argument: they take as many groups as channels.
    const std::uint64_t groups =
        at.groups == absent ? x.shape[1] / std::max<std::uint64_t>(1, w.shape[1]) : arguments.number(at.groups, 1);
    c.groups = groups;
    const std::uint64_t rows = line ? 1 : x.shape[2];
    const std::uint64_t columns = x.shape.back();
    if (!c.transposed) {
        c.c = x.shape[1];
        c.h = rows;
        c.w = columns;
        c.k = w.shape[0];
    } else {
        const auto extra = at.output_padding ? pair(*at.output_padding, 0) : std::vector<std::uint64_t>{0, 0};
        c.k = x.shape[1];
        c.c = bounded_product({w.shape[1], groups}, most_elements).value_or(0);
        const auto extent = [&](std::uint64_t in, std::uint64_t kernel, std::size_t axis) -> std::uint64_t {
            const auto stretched = bounded_product({in == 0 ? 0 : in - 1, stride[axis]}, most_elements);
            const auto window = bounded_product({kernel == 0 ? 0 : kernel - 1, dilation[axis]}, most_elements);
            if (!stretched || !window || padding[axis] > most_elements || extra[axis] > most_elements) {
                return 0;
            }
            const std::uint64_t all = *stretched + *window + extra[axis] + 1;
            return all > 2 * padding[axis] ? all - 2 * padding[axis] : 0;
        };
        c.h = extent(rows, c.r, 0);
        c.w = extent(columns, c.s, 1);
    }
    if (const std::optional<std::string> problem = problem_of(c)) {
        arguments.fail(*problem);
    }
    const std::uint64_t channels = c.transposed ? c.c : c.k;
    const std::uint64_t of_group = (c.transposed ? channels : c.c) / c.groups;
    if (w.shape[1] != of_group || w.shape[0] != c.k) {
        arguments.fail(fmt::format("filters of shape [{}] do not fit {} groups of an input of shape [{}]",
                                   fmt::join(w.shape, ","), c.groups, fmt::join(x.shape, ",")));
    }
    if (c.transposed && (c.p() != rows || c.q() != columns)) {
        arguments.fail("output padding beyond the stride");
    }
    return c;
}

RecordedTensor image(const Convolution& c, bool output) {
    RecordedTensor tensor;
    tensor.shape = output ? std::vector{c.n, c.k, c.p(), c.q()} : std::vector{c.n, c.c, c.h, c.w};
    return tensor;
}

}  // namespace

bool replay_convolution(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const Places at = places_of(op.rule);
    const RecordedTensor& x = arguments.tensor(0);
    const RecordedTensor& w = arguments.tensor(1);
    const std::optional<Convolution> shape = shape_of(x, w, at, arguments);
    if (!shape) {
        return false;
    }
    const TensorId input = context.operand(x, TensorRole::activation, arguments);
    const TensorId weight = context.operand(w, TensorRole::weight, arguments);
    Operation operation;
    operation.phase = Phase::forward;
    operation.position = context.position_of(weight);
    operation.work = *shape;
    operation.inputs = {input, weight};
    if (const RecordedTensor* bias = arguments.find_tensor(at.bias)) {
        operation.epilogue = {{"bias"}};
        for (const auto& source : context.sources(*bias, TensorRole::state, arguments)) {
            operation.inputs.push_back(source.tensor);
        }
    }
    const std::uint32_t layer = context.layer_of_weight(weight, "conv", arguments);
    operation.layer = context.layer_name(layer);
    context.as_input[input] = {layer, weight};
    const RecordedTensor* y = arguments.find_result(0);
    operation.outputs = {
        context.result(y != nullptr && elements_of(*y, arguments) > 0 ? *y : image(*shape, !shape->transposed),
                       TensorRole::activation, arguments)};
    context.emit(std::move(operation), arguments);
    return true;
}

bool replay_convolution_backward(ReplayContext& context, const AtenArguments& arguments) {
    const RecordedTensor& dy = arguments.tensor(0);
    const RecordedTensor& x = arguments.tensor(1);
    const RecordedTensor& w = arguments.tensor(2);
    const Places at{
        .bias = absent, .stride = 4, .padding = 5, .dilation = 6, .groups = 9, .transposed = 7, .output_padding = 8};
    const std::optional<Convolution> shape = shape_of(x, w, at, arguments);
    if (!shape) {
        return false;
    }
    std::vector<bool> wanted = arguments.flags(10);
    wanted.resize(3, false);
    const TensorId gradient = context.operand(dy, TensorRole::gradient, arguments);
    const TensorId weight = context.operand(w, TensorRole::weight, arguments);
    const std::uint32_t layer = context.layer_of_weight(weight, "conv", arguments);
    Operation operation;
    operation.position = context.position_of(weight);
    operation.work = *shape;
    operation.layer = context.layer_name(layer);
    const auto result = [&](std::size_t which, const RecordedTensor& like, TensorRole role) {
        const RecordedTensor* made = arguments.find_result(which);
        RecordedTensor unknown;
        unknown.shape = like.shape;
        return context.result(made != nullptr ? *made : unknown, role, arguments);
    };
    if (wanted[0]) {
        Operation dx = operation;
        dx.phase = Phase::dx;
        dx.inputs = {gradient, weight};
        dx.outputs = {result(0, x, TensorRole::gradient)};
        context.emit(std::move(dx), arguments);
    }
    if (wanted[1]) {
        Operation dw = operation;
        dw.phase = Phase::dw;
        dw.inputs = {context.operand(x, TensorRole::activation, arguments), gradient};
        dw.outputs = {result(1, w, TensorRole::weight_gradient)};
        context.gradient_of[weight] = dw.outputs.front();
        context.emit(std::move(dw), arguments);
    }
    if (wanted[2]) {
        RecordedTensor channels;
        channels.shape = {shape->transposed ? shape->c : shape->k};
        context.emit({"bias_grad",
                      1,
                      context.known(gradient).elements,
                      {gradient},
                      {result(2, channels, TensorRole::statistic)}},
                     arguments);
    }
    return true;
}

}  // namespace nibble
