// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "sim/input/step_expander.h"

namespace nibble {

namespace {

constexpr std::uint64_t gates = 4;  // input, forget, cell, output

}  // namespace

void StepExpander::forward(std::size_t at, const LstmLayer& lstm) {
    require_dimensions(at, 3, "a sequence");
    const Shape in = input(at).shape;
    const OperationLabel by = label(at);
    const std::string& name = layer(at).name;
    const std::uint64_t steps = in[1];
    const std::uint64_t hidden = lstm.hidden;
    const Shape state{batch_, hidden};
    const Shape step_gates{batch_, gates * hidden};
    const Shape out{batch_, steps, hidden};
    const Shape all_gates{batch_, steps, gates * hidden};
    require_size(at, all_gates);
    require_work(at, {elements_of(in), gates * hidden});
    require_work(at, {elements_of(out), gates * hidden});
    const auto at_step = [&](const std::string& what, std::uint64_t t) {
        return fmt::format("{}.{}[{}]", name, what, t);
    };
    const auto copy = [this, by](std::uint64_t elements, std::vector<TensorId> from, std::vector<TensorId> to) {
        builder_.emit(vector_operation(by, Phase::vector, elements, {{"copy"}}, std::move(from), std::move(to)));
    };

    // The part of the gates that comes from the input, for all steps at once, then cut into steps.
    Dense from_input{by, name + ".input", batch_ * steps, in[2], gates * hidden, 0, std::nullopt, 0};
    from_input.x = builder_.store(input(at).value);
    from_input.weight = add_weight(at, name + ".input.weight", {gates * hidden, in[2]});
    from_input.bias = add_parameters(at, name + ".bias", {gates * hidden});
    const TrainedIndex recurrent = add_weight(at, name + ".recurrent.weight", {gates * hidden, hidden});
    const TensorId input_gates = builder_.store(dense_forward(from_input, all_gates));
    std::vector<TensorId> input_gates_of_step;
    for (std::uint64_t t = 0; t < steps; ++t) {
        input_gates_of_step.push_back(
            builder_.declare({TensorRole::activation, at_step("input_gates", t), step_gates}));
    }
    copy(elements_of(all_gates), {input_gates}, input_gates_of_step);

    // h[t] and c[t] are the state before step t: element 0 is what the batch before left.
    std::vector<TensorId> h{builder_.declare({TensorRole::activation, at_step("h", 0), state})};
    std::vector<TensorId> c{builder_.declare({TensorRole::activation, at_step("c", 0), state})};
    std::vector<TensorId> saved;  // gates after their sigmoids and tanh
    for (std::uint64_t t = 0; t < steps; ++t) {
        const TensorId sum = builder_.store(
            StepBuilder::gemm(by, Phase::forward, Matmul{1, batch_, gates * hidden, hidden, false, true}, h[t],
                              weight(recurrent), {TensorRole::activation, at_step("recurrent_gates", t), step_gates}));
        h.push_back(builder_.declare({TensorRole::activation, at_step("h", t + 1), state}));
        c.push_back(builder_.declare({TensorRole::activation, at_step("c", t + 1), state}));
        saved.push_back(builder_.declare({TensorRole::activation, at_step("gates", t), step_gates}));
        builder_.emit(vector_operation(by, Phase::vector, elements_of(state), {{"lstm_cell"}},
                                       {sum, input_gates_of_step[t], c[t]}, {h[t + 1], c[t + 1], saved[t]}));
    }
    set_output(at,
               StepBuilder::vector(by, elements_of(out), {{"copy"}}, {h.begin() + 1, h.end()},
                                   {TensorRole::activation, name + ".output", out}),
               out);

    on_backward([=, this] {
        const auto gradient = [&](const std::string& what, std::uint64_t t, const Shape& shape) {
            return TensorDraft{TensorRole::gradient, fmt::format("{}.{}_gradient[{}]", name, what, t), shape};
        };
        const TensorId d_all_h = builder_.store(gradient_of(at));
        std::vector<TensorId> d_h;
        std::vector<TensorId> d_gates;
        for (std::uint64_t t = 0; t < steps; ++t) {
            d_h.push_back(builder_.declare(gradient("h", t + 1, state)));
            d_gates.push_back(builder_.declare(gradient("gates", t, step_gates)));
        }
        copy(elements_of(out), {d_all_h}, d_h);
        std::optional<TensorId> d_h_later;  // what the step after this one gives back
        std::optional<TensorId> d_c_later;
        for (std::uint64_t t = steps; t-- > 0;) {
            std::vector<VectorStep> cell{{"lstm_cell_grad"}};
            std::vector<TensorId> read{d_h[t], saved[t], c[t + 1], c[t]};
            std::vector<TensorId> written{d_gates[t]};
            if (d_h_later) {
                cell.insert(cell.begin(), {"add"});
                read.insert(read.end(), {*d_h_later, *d_c_later});
            }
            if (t > 0) {  // the gradient ends at the state that the batch before left
                d_c_later = builder_.declare(gradient("c", t, state));
                written.push_back(*d_c_later);
            }
            builder_.emit(vector_operation(by, Phase::vector, elements_of(state), cell, read, written));
            if (t > 0) {
                d_h_later = builder_.store(
                    StepBuilder::gemm(by, Phase::dx, Matmul{1, batch_, hidden, gates * hidden, false, false},
                                      d_gates[t], weight(recurrent), gradient("recurrent_h", t, state)));
            }
        }
        // The weights' gradients, summed over time by one GEMM each.
        const TensorId all_h_before = builder_.declare({TensorRole::activation, name + ".h_before", out});
        copy(elements_of(out), {h.begin(), h.end() - 1}, {all_h_before});
        const Value d_all_gates = StepBuilder::vector(by, elements_of(all_gates), {{"copy"}}, d_gates,
                                                      {TensorRole::gradient, name + ".gates_gradient", all_gates});
        const Value dx = dense_backward(from_input, d_all_gates, in, input(at).needs_gradient);
        add_weight_gradient(
            recurrent,
            StepBuilder::gemm(
                by, Phase::dw, Matmul{1, gates * hidden, hidden, batch_ * steps, true, false}, *d_all_gates->tensor,
                all_h_before,
                {TensorRole::weight_gradient, name + ".recurrent.weight_gradient", {gates * hidden, hidden}}));
        if (dx) {
            add_gradient(by, source(at), dx);
        }
    });
}

}  // namespace nibble
