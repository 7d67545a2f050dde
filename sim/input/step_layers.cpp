// SPDX-License-Identifier: MIT
// Layers that are element-wise work only.
#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/input/step_expander.h"

namespace nibble {

namespace {

const char* function_of(Activation activation) {
    switch (activation) {
        case Activation::relu:
            return "relu";
        case Activation::relu6:
            return "relu6";
        case Activation::gelu:
            return "gelu";
        case Activation::none:
            break;
    }
    return "";
}

}  // namespace

// ---- Pieces

void StepExpander::store_gemm(const Value& value) {
    if (value->gemm_pending()) {
        builder_.store(value);
    }
}

Value StepExpander::activate(const OperationLabel& by, const Value& value, Activation activation,
                             const std::string& name, std::optional<TensorId>& saved) {
    if (activation == Activation::none) {
        return value;
    }
    const Shape& shape = value->plan.shape;
    if (activation == Activation::gelu) {  // its gradient needs its argument
        const TensorDraft argument{TensorRole::activation, name + ".argument", shape};
        saved = value->tensor ? *value->tensor : builder_.side_output(value, argument);
    }
    Value result =
        builder_.apply(by, value, {function_of(activation)}, {}, {TensorRole::activation, name + ".activation", shape});
    if (activation != Activation::gelu) {
        saved = builder_.side_output(result, {TensorRole::mask, name + ".mask", shape, 1});
    }
    return result;
}

Value StepExpander::activate_gradient(const OperationLabel& by, const Value& gradient, Activation activation,
                                      const std::string& name, TensorId saved) {
    TensorDraft plan = gradient->plan;
    plan.name = name + ".gradient";
    return builder_.apply(by, gradient, {std::string(function_of(activation)) + "_grad"}, {saved}, plan);
}

Value StepExpander::drop(const OperationLabel& by, const Value& value, const std::string& name, TensorId& mask) {
    const Shape shape = value->plan.shape;
    Value result = builder_.apply(by, value, {"dropout"}, {}, {TensorRole::activation, name + ".dropped", shape});
    mask = builder_.side_output(result, {TensorRole::mask, name + ".dropout_mask", shape, 1});
    return result;
}

// ---- Layers

void StepExpander::forward(std::size_t at, const ImageLayer& image) {
    const Shape shape{batch_, image.channels, image.height, image.width};
    require_size(at, shape);
    const TensorDraft plan{TensorRole::activation, layer(at).name, shape};
    set_output(at, StepBuilder::stored(builder_.declare(plan), plan), shape, false);
}

void StepExpander::forward(std::size_t at, const MaxPoolLayer& pool) {
    require_dimensions(at, 4, "an image");
    const Shape in = input(at).shape;
    const auto extent = [&](std::uint64_t size) {
        if (pool.kernel > size + 2 * pool.pad) {
            fail(at, fmt::format("a window of {} does not fit a padded input of {}", pool.kernel, size + 2 * pool.pad));
        }
        return (size + 2 * pool.pad - pool.kernel) / pool.stride + 1;
    };
    const Shape out{in[0], in[1], extent(in[2]), extent(in[3])};
    require_size(at, out);
    const std::string& name = layer(at).name;
    const std::uint64_t window = pool.kernel * pool.kernel;
    const TensorId x = builder_.store(input(at).value);
    Value y = StepBuilder::vector(label(at), elements_of(out), {{"max_pool", window}}, {x},
                                  {TensorRole::activation, name + ".activation", out});
    const auto bits = std::max(1U, static_cast<unsigned>(std::bit_width(window - 1)));  // numbers 0 to window - 1
    const TensorId winner = builder_.side_output(y, {TensorRole::mask, name + ".winner", out, bits});
    set_output(at, y, out, input(at).needs_gradient);
    if (input(at).needs_gradient) {
        on_backward([=, this] {
            const TensorId dy = builder_.store(gradient_of(at));
            const TensorDraft plan{TensorRole::gradient, name + ".input_gradient", in};
            const Value dx =
                StepBuilder::vector(label(at), elements_of(out), {{"max_pool_grad", window}}, {dy, winner}, plan);
            builder_.store(dx);  // larger than what it is computed from: no further step can join
            add_gradient(label(at), source(at), dx);
        });
    }
}

void StepExpander::forward(std::size_t at, const GlobalPoolLayer&) {
    require_dimensions(at, 4, "an image");
    const Shape in = input(at).shape;
    const Shape out{in[0], in[1]};
    const std::string& name = layer(at).name;
    const TensorId x = builder_.store(input(at).value);
    set_output(at,
               StepBuilder::vector(label(at), elements_of(out), {{"avg_pool", in[2] * in[3]}}, {x},
                                   {TensorRole::activation, name + ".activation", out}),
               out, input(at).needs_gradient);
    if (input(at).needs_gradient) {
        on_backward([=, this] {
            const TensorId dy = builder_.store(gradient_of(at));
            add_gradient(label(at), source(at),
                         StepBuilder::vector(label(at), elements_of(in), {{"avg_pool_grad"}}, {dy},
                                             {TensorRole::gradient, name + ".input_gradient", in}));
        });
    }
}

void StepExpander::forward(std::size_t at, const FlattenLayer&) {
    const Shape in = input(at).shape;
    if (input(at).consumers > 1) {
        builder_.store(input(at).value);
    }
    set_output(at, input(at).value, {in[0], elements_of(in) / in[0]}, input(at).needs_gradient);
    on_backward([=, this] {
        if (input(at).needs_gradient) {
            add_gradient(label(at), source(at), gradient_of(at));
        }
    });
}

void StepExpander::forward(std::size_t at, const AddLayer& add) {
    if (input(at, 0).shape != input(at, 1).shape) {
        fail(at, fmt::format("cannot add [{}] and [{}]", fmt::join(input(at, 0).shape, ","),
                             fmt::join(input(at, 1).shape, ",")));
    }
    const Shape shape = input(at).shape;
    std::optional<TensorId> saved;
    const Value sum = builder_.add(label(at), input(at, 0).value, input(at, 1).value);
    set_output(at, activate(label(at), sum, add.activation, layer(at).name, saved), shape,
               input(at, 0).needs_gradient || input(at, 1).needs_gradient);
    on_backward([=, this] {
        Value gradient = gradient_of(at);
        if (saved) {
            gradient = activate_gradient(label(at), gradient, add.activation, layer(at).name, *saved);
        }
        const bool both = input(at, 0).needs_gradient && input(at, 1).needs_gradient;
        if (both) {
            ++gradient->readers;  // each side takes it for its own; whoever changes it first has it written
        }
        for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
            if (input(at, which).needs_gradient) {
                add_gradient(label(at), source(at, which), gradient);
            }
        }
    });
}

void StepExpander::forward(std::size_t at, const DropoutLayer&) {
    TensorId mask = 0;
    const Value result = drop(label(at), input(at).value, layer(at).name, mask);
    set_output(at, result, input(at).shape, input(at).needs_gradient);
    on_backward([=, this] {
        if (input(at).needs_gradient) {
            const Value gradient = gradient_of(at);
            const TensorDraft plan = gradient->plan;
            add_gradient(label(at), source(at), builder_.apply(label(at), gradient, {"dropout_grad"}, {mask}, plan));
        }
    });
}

void StepExpander::forward(std::size_t at, const LayerNormLayer&) {
    const Shape shape = input(at).shape;
    const std::string& name = layer(at).name;
    const TrainedIndex parameters = add_parameters(at, name + ".scale_shift", {2, shape.back()});
    Value value = input(at).value;
    if (value->gemm_pending() || value->readers > 1) {  // sums over rows are no epilogue of a GEMM
        builder_.store(value);
    }
    const TensorId x = value->tensor ? *value->tensor : builder_.side_output(value, value->plan);
    value = builder_.apply(label(at), value, {"layer_norm"}, {master(parameters)},
                           {TensorRole::activation, name + ".activation", shape});
    const TensorId statistics = builder_.side_output(
        value, {TensorRole::statistic, name + ".statistics", {elements_of(shape) / shape.back(), 2}});
    set_output(at, value, shape, input(at).needs_gradient);
    on_backward([=, this] {
        const Value gradient = gradient_of(at);
        store_gemm(gradient);
        const Value dx = builder_.apply(label(at), gradient, {"layer_norm_grad"}, {x, statistics, master(parameters)},
                                        {TensorRole::gradient, name + ".input_gradient", shape});
        trained_[parameters].gradients = {
            builder_.side_output(dx, {TensorRole::statistic, name + ".scale_shift_gradient", {2, shape.back()}})};
        add_gradient(label(at), source(at), dx);
    });
}

void StepExpander::forward(std::size_t at, const LossLayer&) {
    const Shape shape = input(at).shape;
    const std::string& name = layer(at).name;
    const TensorId logits = builder_.store(input(at).value);
    const TensorId labels =
        builder_.declare({TensorRole::index, name + ".labels", {elements_of(shape) / shape.back()}});
    set_output(at, input(at).value, shape);
    on_backward([=, this] {
        add_gradient(label(at), source(at),
                     StepBuilder::vector(label(at), elements_of(shape), {{"softmax"}, {"cross_entropy_grad"}},
                                         {logits, labels}, {TensorRole::gradient, name + ".gradient", shape}));
    });
}

}  // namespace nibble
