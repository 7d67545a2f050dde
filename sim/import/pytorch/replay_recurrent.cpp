// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/gemm_limits.h"
#include "sim/import/pytorch/replay_product.h"
#include "sim/import/pytorch/replay_rules.h"

namespace nibble {

namespace {

using Pass = ReplayContext::Pass;

// A call stands for three operations a step, and a step for one row of each sequence.
constexpr std::uint64_t most_steps = 1'000'000;

/// Where the arguments of a fused recurrent call stand.
struct Places {
    static constexpr std::size_t absent = 1000;
    std::size_t output = absent, d_output = absent, mode = absent, hidden = absent, batch_first = absent;
    std::size_t bidirectional = absent;
    bool weights_in_list = false;
    std::size_t d_weights = absent;  ///< among the results
};

// Source: pytorch/pytorch, aten/src/ATen/native/native_functions.yaml. MKLDNN's calls treat one direction each.
Places places_of(const AtenOperator& op) {
    if (op.name == "_cudnn_rnn") {
        return {.mode = 6, .hidden = 7, .batch_first = 10, .bidirectional = 13, .weights_in_list = true};
    }
    if (op.name == "_cudnn_rnn_backward") {
        return {.output = 6,
                .d_output = 7,
                .mode = 10,
                .hidden = 11,
                .batch_first = 14,
                .bidirectional = 17,
                .weights_in_list = true,
                .d_weights = 3};
    }
    if (op.name == "mkldnn_rnn_layer") {
        return {.mode = 9, .hidden = 10, .batch_first = 14};
    }
    return {.output = 7, .d_output = 10, .mode = 14, .hidden = 15, .batch_first = 21, .d_weights = 1};
}

/// A layer's weights in one direction: of its input and of its state, gates x hidden outputs each.
struct Weights {
    const RecordedTensor* input = nullptr;
    const RecordedTensor* state = nullptr;
    std::size_t at = 0;  ///< of the first among the call's weights
};

struct Recurrent {
    std::uint64_t steps = 1, batch = 1, hidden = 1, gates = 4, directions = 1;
    std::string cell;  ///< function of the vector unit
    std::vector<Weights> weights;

    [[nodiscard]] std::uint64_t width(std::size_t index, std::uint64_t input_width) const {
        return index < directions ? input_width : hidden * directions;
    }
};

std::vector<Weights> weights_of(const AtenArguments& arguments, const Places& at) {
    std::vector<const RecordedTensor*> all;
    if (at.weights_in_list) {
        const auto& inputs = arguments.call().inputs;
        const RecordedValue::List* list = inputs.size() > 1 ? inputs[1].list() : nullptr;
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            all.push_back((*list)[i].tensor());
        }
    } else {
        all = {arguments.find_tensor(1), arguments.find_tensor(2)};
    }
    std::vector<Weights> weights;
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {  // biases have one dimension and stand behind their matrices
        if (all[i] != nullptr && all[i + 1] != nullptr && all[i]->shape.size() == 2 && all[i + 1]->shape.size() == 2) {
            weights.push_back({all[i], all[i + 1], i});
            ++i;
        }
    }
    return weights;
}

Recurrent shape_of(const AtenArguments& arguments, const Places& at) {
    Recurrent shape;
    const RecordedTensor& x = arguments.tensor(0);
    (void)elements_of(x, arguments);
    if (x.shape.size() != 3) {
        arguments.fail(fmt::format("expected sequences [steps, batch, width], found [{}]", fmt::join(x.shape, ",")));
    }
    const bool batch_first = arguments.flag(at.batch_first, false);
    shape.steps = x.shape[batch_first ? 1 : 0];
    shape.batch = x.shape[batch_first ? 0 : 1];
    shape.hidden = arguments.number(at.hidden, 0);
    shape.directions = arguments.flag(at.bidirectional, false) ? 2 : 1;
    constexpr std::uint64_t lstm = 2, gru = 3;
    const std::uint64_t mode = arguments.number(at.mode, lstm);
    shape.gates = mode == lstm ? 4 : mode == gru ? 3 : 1;
    shape.cell = mode == lstm ? "lstm_cell" : mode == gru ? "gru_cell" : mode == 1 ? "tanh" : "relu";
    shape.weights = weights_of(arguments, at);
    const std::uint64_t rows = shape.gates * std::min(shape.hidden, most_elements);
    for (std::size_t i = 0; i < shape.weights.size(); ++i) {
        const Weights& of = shape.weights[i];
        if (of.input->shape[0] != rows || of.state->shape[0] != rows || of.state->shape[1] != shape.hidden ||
            of.input->shape[1] != shape.width(i, x.shape[2])) {
            arguments.fail(
                fmt::format("weights of shapes [{}] and [{}] do not fit {} gates of {} units and an input of "
                            "width {}",
                            fmt::join(of.input->shape, ","), fmt::join(of.state->shape, ","), shape.gates, shape.hidden,
                            shape.width(i, x.shape[2])));
        }
    }
    if (shape.weights.empty() || shape.weights.size() % shape.directions != 0) {
        arguments.fail(
            fmt::format("expected two matrices for each layer and direction, found {} pairs", shape.weights.size()));
    }
    if (shape.steps == 0 || shape.steps * shape.weights.size() > most_steps) {
        arguments.fail(fmt::format("{} steps of {} layers and directions are more than {}", shape.steps,
                                   shape.weights.size(), most_steps));
    }
    return shape;
}

/// Everything that one layer does in one direction, and back.
class Layer {
public:
    Layer(ReplayContext& context, const Recurrent& shape, const AtenArguments& arguments, std::size_t index, TensorId x,
          std::uint64_t width)
        : context_(context), shape_(shape), arguments_(arguments), x_(x), width_(width) {
        input_weight_ = context.operand(*shape.weights[index].input, TensorRole::weight, arguments);
        state_weight_ = context.operand(*shape.weights[index].state, TensorRole::weight, arguments);
        layer_ = context.layer_of_weight(input_weight_, "recurrent", arguments);
    }

    /// Returns the states of all steps, [batch, hidden] each, in the order of time.
    std::vector<TensorId> forward(ReplayContext::Sequence& saved) {
        const std::uint64_t gates = shape_.gates * shape_.hidden;
        const TensorId projected = activation({shape_.steps, shape_.batch, gates});
        product(Phase::forward, {1, shape_.steps * shape_.batch, gates, width_, false, true}, x_, input_weight_,
                projected, input_weight_);
        std::vector<TensorId> states;
        std::optional<TensorId> state;
        for (std::uint64_t step = 0; step < shape_.steps; ++step) {
            Pass cell{.function = shape_.cell, .elements = shape_.batch * shape_.hidden, .inputs = {projected}};
            cell.reads_part = shape_.steps > 1;
            if (state) {  // the first state is zero
                const TensorId from_state = activation({shape_.batch, gates});
                product(Phase::forward, {1, shape_.batch, gates, shape_.hidden, false, true}, *state, state_weight_,
                        from_state, state_weight_);
                cell.inputs.push_back(from_state);
                if (shape_.gates == 4) {
                    cell.inputs.push_back(saved.cells.back());
                }
            }
            state = activation({shape_.batch, shape_.hidden});
            cell.outputs = {*state};
            if (shape_.gates == 4) {
                saved.cells.push_back(activation({shape_.batch, shape_.hidden}));
                cell.outputs.push_back(saved.cells.back());
            }
            saved.gates.push_back(activation({shape_.batch, gates}));
            cell.outputs.push_back(saved.gates.back());
            emit(cell);
            states.push_back(*state);
        }
        saved.states = states;
        return states;
    }

    /// `d_states`: gradients of the states of all steps in one tensor. Returns the gradient of the layer's input.
    TensorId backward(const ReplayContext::Sequence& saved, TensorId d_states, const RecordedTensor* d_input_weight,
                      const RecordedTensor* d_state_weight) {
        const std::uint64_t gates = shape_.gates * shape_.hidden;
        const std::uint64_t rows = shape_.steps * shape_.batch;
        const std::string function = shape_.cell + "_grad";
        std::vector<TensorId> d_gates(shape_.steps);
        std::optional<TensorId> d_state;
        std::optional<TensorId> d_cell;
        for (std::uint64_t step = shape_.steps; step-- > 0;) {
            Pass cell{.function = function, .elements = shape_.batch * shape_.hidden, .inputs = {d_states}};
            cell.reads_part = shape_.steps > 1;
            cell.inputs.push_back(saved.gates[step]);
            if (d_state) {
                cell.inputs.push_back(*d_state);
            }
            d_gates[step] = gradient({shape_.batch, gates});
            cell.outputs = {d_gates[step]};
            if (shape_.gates == 4) {
                cell.inputs.push_back(saved.cells[step]);
                if (d_cell) {
                    cell.inputs.push_back(*d_cell);
                }
                if (step > 0) {
                    d_cell = gradient({shape_.batch, shape_.hidden});
                    cell.outputs.push_back(*d_cell);
                }
            }
            emit(cell);
            if (step > 0) {
                d_state = gradient({shape_.batch, shape_.hidden});
                product(Phase::dx, {1, shape_.batch, shape_.hidden, gates, false, false}, d_gates[step], state_weight_,
                        *d_state, state_weight_);
            }
        }
        const TensorId all = join(d_gates, gradient({shape_.steps, shape_.batch, gates}));
        if (shape_.steps > 1) {
            // The state that enters a step is that of the step before it; the first one is zero.
            const TensorId states = join({saved.states.begin(), saved.states.end() - 1},
                                         activation({shape_.steps - 1, shape_.batch, shape_.hidden}));
            const TensorId later = gradient({shape_.steps - 1, shape_.batch, gates});
            Pass cut{
                .function = "slice", .elements = (rows - shape_.batch) * gates, .inputs = {all}, .outputs = {later}};
            emit(cut);
            weight_gradient(later, states, rows - shape_.batch, shape_.hidden, state_weight_, d_state_weight);
        }
        weight_gradient(all, x_, rows, width_, input_weight_, d_input_weight);
        const TensorId dx = gradient({shape_.steps, shape_.batch, width_});
        product(Phase::dx, {1, rows, width_, gates, false, false}, all, input_weight_, dx, input_weight_);
        return dx;
    }

    [[nodiscard]] TensorId join(const std::vector<TensorId>& parts, TensorId whole) {
        Pass copy{.function = "copy", .elements = context_.known(whole).elements, .inputs = parts, .outputs = {whole}};
        emit(copy);
        return whole;
    }
    [[nodiscard]] TensorId activation(Shape shape) {
        return context_.declare({TensorRole::activation, {}, std::move(shape)});
    }
    [[nodiscard]] TensorId gradient(Shape shape) {
        return context_.declare({TensorRole::gradient, {}, std::move(shape)});
    }
    void emit(const Pass& pass) { context_.emit(pass, arguments_, layer_); }

private:
    void product(Phase phase, const Matmul& work, TensorId left, TensorId right, TensorId out, TensorId weight) {
        emit_product(context_,
                     {.work = work,
                      .phase = phase,
                      .layer = layer_,
                      .position = context_.position_of(weight),
                      .left = left,
                      .right = right,
                      .out = out},
                     arguments_);
    }
    void weight_gradient(TensorId d_gates, TensorId x, std::uint64_t rows, std::uint64_t width, TensorId weight,
                         const RecordedTensor* result) {
        const std::uint64_t gates = shape_.gates * shape_.hidden;
        RecordedTensor unknown;
        unknown.shape = {gates, width};
        const TensorId out =
            context_.result(result != nullptr ? *result : unknown, TensorRole::weight_gradient, arguments_);
        product(Phase::dw, {1, gates, width, rows, true, false}, d_gates, x, out, weight);
        context_.gradient_of[weight] = out;
    }

    ReplayContext& context_;
    const Recurrent& shape_;
    const AtenArguments& arguments_;
    TensorId x_;
    std::uint64_t width_;
    TensorId input_weight_ = 0, state_weight_ = 0;
    std::uint32_t layer_ = 0;
};

}  // namespace

bool replay_recurrent(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const Places at = places_of(op);
    const Recurrent shape = shape_of(arguments, at);
    context.note_once("fused recurrent layers are replayed step by step");
    const RecordedTensor& x = arguments.tensor(0);
    TensorId below = context.operand(x, TensorRole::activation, arguments);
    std::vector<ReplayContext::Sequence> all(shape.weights.size());
    for (std::size_t first = 0; first < all.size(); first += shape.directions) {
        std::vector<TensorId> states;
        std::optional<Layer> layer;
        for (std::size_t index = first; index < first + shape.directions; ++index) {
            all[index].input = below;
            layer.emplace(context, shape, arguments, index, below, shape.width(index, x.shape[2]));
            const std::vector<TensorId> made = layer->forward(all[index]);
            states.insert(states.end(), made.begin(), made.end());
        }
        const Shape whole{shape.steps, shape.batch, shape.hidden * shape.directions};
        const bool top = first + shape.directions == all.size();
        const RecordedTensor* output = arguments.find_result(0);
        below =
            layer->join(states, top && output != nullptr ? context.result(*output, TensorRole::activation, arguments)
                                                         : layer->activation(whole));
    }
    context.sequences[below] = std::move(all);
    return true;
}

bool replay_recurrent_backward(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const Places at = places_of(op);
    const Recurrent shape = shape_of(arguments, at);
    const RecordedTensor* output = arguments.find_tensor(at.output);
    const RecordedTensor* d_output = arguments.find_tensor(at.d_output);
    if (output == nullptr || d_output == nullptr) {
        return false;
    }
    const auto saved = context.sequences.find(context.operand(*output, TensorRole::activation, arguments));
    if (saved == context.sequences.end() || saved->second.size() != shape.weights.size()) {
        return false;  // nothing links it to its forward call
    }
    const std::vector<ReplayContext::Sequence>& all = saved->second;
    const std::uint64_t input_width = arguments.tensor(0).shape[2];
    TensorId above = context.operand(*d_output, TensorRole::gradient, arguments);
    for (std::size_t end = all.size(); end > 0; end -= shape.directions) {
        std::vector<TensorId> gradients;
        std::optional<Layer> layer;
        for (std::size_t index = end - shape.directions; index < end; ++index) {
            const std::size_t result = at.d_weights + shape.weights[index].at;
            layer.emplace(context, shape, arguments, index, all[index].input, shape.width(index, input_width));
            gradients.push_back(
                layer->backward(all[index], above, arguments.find_result(result), arguments.find_result(result + 1)));
        }
        const bool bottom = end == shape.directions;
        const RecordedTensor* dx = arguments.find_result(0);
        const std::uint64_t width = shape.width(end - shape.directions, input_width);
        if (gradients.size() == 1 && !(bottom && dx != nullptr)) {
            above = gradients.front();
        } else {
            above = bottom && dx != nullptr ? context.result(*dx, TensorRole::gradient, arguments)
                                            : layer->gradient({shape.steps, shape.batch, width});
            Pass sum{.function = gradients.size() == 1 ? "copy" : "add",
                     .elements = context.known(above).elements,
                     .inputs = gradients,
                     .outputs = {above}};
            layer->emit(sum);
        }
    }
    return true;
}

}  // namespace nibble
