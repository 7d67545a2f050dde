// SPDX-License-Identifier: MIT
// Layers with a weight: convolution and linear, with what is fused to them.
#include <fmt/format.h>

#include "sim/input/operation_size.h"
#include "sim/input/step_expander.h"

namespace nibble {

// ---- Pieces

Value StepExpander::dense_forward(const Dense& dense, const Shape& result) {
    const Matmul work{1, dense.rows, dense.out, dense.in, false, true};
    const TensorDraft plan{TensorRole::activation, dense.name + ".output", result};
    Value y = StepBuilder::gemm(dense.label, Phase::forward, work, dense.x, weight(dense.weight), plan);
    return dense.bias ? builder_.apply(dense.label, y, {"bias"}, {master(*dense.bias)}, plan) : y;
}

Value StepExpander::dense_backward(const Dense& dense, const Value& gradient, const Shape& operand, bool wanted) {
    if (dense.bias) {
        trained_[*dense.bias].gradients = {
            builder_.tap(dense.label, gradient, {"bias_grad"}, {},
                         {TensorRole::statistic, dense.name + ".bias_gradient", {dense.out}})};
    }
    const TensorId dy = builder_.store(gradient);
    const Matmul dw{1, dense.out, dense.in, dense.rows, true, false};
    add_weight_gradient(
        dense.weight,
        StepBuilder::gemm(dense.label, Phase::dw, dw, dy, dense.x,
                          {TensorRole::weight_gradient, dense.name + ".weight_gradient", {dense.out, dense.in}}));
    if (!wanted) {
        return nullptr;
    }
    const Matmul dx{1, dense.rows, dense.in, dense.out, false, false};
    return StepBuilder::gemm(dense.label, Phase::dx, dx, dy, weight(dense.weight),
                             {TensorRole::gradient, dense.name + ".input_gradient", operand});
}

Value StepExpander::batch_norm_gradient(const OperationLabel& by, const Value& gradient, const std::string& name,
                                        TensorId y, TensorId statistics, TrainedIndex parameters) {
    const TensorDraft plan = gradient->plan;
    const std::uint64_t elements = elements_of(plan.shape);
    const TensorDraft sums_plan{TensorRole::statistic, name + ".scale_shift_gradient", trained_[parameters].shape};
    // The gradient is needed twice: to be summed, and when the sums are whole. If a GEMM makes it, it is summed as it
    // drains. Else two passes need it. If it is cheap to compute (one tensor and its mask), both compute it; if it sums
    // several tensors or others read it too, the first pass writes it.
    TensorId sums = 0;
    const bool recompute = gradient->vector_pending() && gradient->readers == 1 && gradient->operands == 1 &&
                           gradient->pending->outputs.empty();
    if (recompute) {
        const auto& open = std::get<VectorWork>(gradient->pending->work);
        Value pass = StepBuilder::vector(by, elements, open.steps, gradient->pending->inputs, plan);
        pass = builder_.apply(by, pass, {"bn_grad_reduce"}, {y, statistics}, sums_plan);
        sums = builder_.store(pass);
    } else {
        sums = builder_.tap(by, gradient, {"bn_grad_reduce"}, {y, statistics}, sums_plan);
        builder_.store(gradient);
    }
    trained_[parameters].gradients = {sums};
    return builder_.apply(by, gradient, {"bn_grad_apply"}, {y, statistics, sums, master(parameters)},
                          {TensorRole::gradient, name + ".output_gradient", plan.shape});
}

// ---- Layers

void StepExpander::forward(std::size_t at, const ConvolutionLayer& conv) {
    require_dimensions(at, 4, "an image");
    const Shape in = input(at).shape;
    const std::string& name = layer(at).name;
    Convolution work;
    work.n = in[0];
    work.c = in[1];
    work.h = in[2];
    work.w = in[3];
    work.k = conv.depthwise() ? work.c : conv.out;
    work.r = work.s = conv.kernel;
    work.stride_h = work.stride_w = conv.stride;
    work.pad_top = work.pad_bottom = work.pad_left = work.pad_right = conv.pad;
    work.dilation_h = work.dilation_w = conv.dilation;
    work.groups = conv.depthwise() ? work.c : conv.groups;
    const std::uint64_t window = conv.dilation * (conv.kernel - 1) + 1;
    if (window > work.h + 2 * conv.pad || window > work.w + 2 * conv.pad) {
        fail(at, fmt::format("a window of {0}x{0} does not fit a padded input of {1}x{2}", window,
                             work.h + 2 * conv.pad, work.w + 2 * conv.pad));
    }
    if (work.c % work.groups != 0 || work.k % work.groups != 0) {
        fail(at, fmt::format("{} groups do not divide {} input and {} output channels", work.groups, work.c, work.k));
    }
    const Shape out{work.n, work.k, work.p(), work.q()};
    const Shape weight_shape{work.k, work.c / work.groups, work.r, work.s};

    require_size(at, out);
    require_size(at, weight_shape);
    require_work(at, {work.n, work.p(), work.q(), work.k, work.c / work.groups, work.r, work.s});
    const TensorId x = builder_.store(input(at).value);
    const TrainedIndex w = add_weight(at, name + ".weight", weight_shape);
    const TensorDraft y_plan{TensorRole::activation, name + ".output", out};
    Value value = StepBuilder::gemm(label(at), Phase::forward, work, x, weight(w), y_plan);
    std::optional<TrainedIndex> parameters;
    std::optional<TensorId> y;
    std::optional<TensorId> statistics;
    if (conv.batch_norm) {
        parameters = add_parameters(at, name + ".scale_shift", {2, work.k});
        statistics = builder_.tap(label(at), value, {"batch_stats"}, {},
                                  {TensorRole::statistic, name + ".statistics", {2, work.k}});
        y = builder_.store(value);
        value =
            StepBuilder::vector(label(at), elements_of(out), {{"batch_norm"}}, {*y, *statistics, master(*parameters)},
                                {TensorRole::activation, name + ".normalised", out});
    } else if (conv.bias) {
        parameters = add_parameters(at, name + ".bias", {work.k});
        value = builder_.apply(label(at), value, {"bias"}, {master(*parameters)}, y_plan);
    }
    std::optional<TensorId> saved;
    value = activate(label(at), value, conv.activation, name, saved);
    set_output(at, value, out);

    on_backward([=, this] {
        Value gradient = gradient_of(at);
        if (saved) {
            gradient = activate_gradient(label(at), gradient, conv.activation, name, *saved);
        }
        if (conv.batch_norm) {
            gradient = batch_norm_gradient(label(at), gradient, name, *y, *statistics, *parameters);
        } else if (conv.bias) {
            trained_[*parameters].gradients = {builder_.tap(
                label(at), gradient, {"bias_grad"}, {}, {TensorRole::statistic, name + ".bias_gradient", {work.k}})};
        }
        const TensorId dy = builder_.store(gradient);
        add_weight_gradient(w,
                            StepBuilder::gemm(label(at), Phase::dw, work, x, dy,
                                              {TensorRole::weight_gradient, name + ".weight_gradient", weight_shape}));
        if (input(at).needs_gradient) {
            const Value dx = StepBuilder::gemm(label(at), Phase::dx, work, dy, weight(w),
                                               {TensorRole::gradient, name + ".input_gradient", in});
            add_gradient(label(at), source(at), dx);
        }
    });
}

void StepExpander::forward(std::size_t at, const LinearLayer& linear) {
    const Shape in = input(at).shape;
    const std::string& name = layer(at).name;
    Shape out = in;
    out.back() = linear.out;
    require_size(at, out);
    require_work(at, {elements_of(in), linear.out});
    Dense dense{label(at), name, elements_of(in) / in.back(), in.back(), linear.out, 0, std::nullopt, 0};
    dense.x = builder_.store(input(at).value);
    dense.weight = weight_of(at, linear.shared_with, name + ".weight", {dense.out, dense.in});
    if (linear.bias) {
        dense.bias = add_parameters(at, name + ".bias", {dense.out});
    }
    std::optional<TensorId> saved;
    const Value y = activate(label(at), dense_forward(dense, out), linear.activation, name, saved);
    set_output(at, y, out);
    on_backward([=, this] {
        Value gradient = gradient_of(at);
        if (saved) {
            gradient = activate_gradient(label(at), gradient, linear.activation, name, *saved);
        }
        const Value dx = dense_backward(dense, gradient, in, input(at).needs_gradient);
        if (dx) {
            add_gradient(label(at), source(at), dx);
        }
    });
}

}  // namespace nibble
