// SPDX-License-Identifier: MIT
// Recurrent cells, one step of the sequence each.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sim/import/derive/gradient_rules.h"

namespace nibble {

namespace {

/// Operands of a cell, told apart by their size: sums of the gates are several times as large as the state.
struct Cell {
    std::vector<ValueId> gates;   // summed up, as large as all gates together
    std::vector<ValueId> states;  // what the step before left: h or c
    std::vector<ValueId> biases;
};

Cell cell_of(BackwardPass& pass, const TapeNode& node) {
    Cell cell;
    for (const ValueId input : node.inputs) {
        const TapeValue& value = pass.tape().value(input);
        if (value.draft.role == TensorRole::state) {
            cell.biases.push_back(input);
        } else if (value.elements > node.elements) {
            cell.gates.push_back(input);
        } else {
            cell.states.push_back(input);
        }
    }
    return cell;
}

/// Shape of all gates of a step, `count` times the state's.
Shape gates_shape(BackwardPass& pass, const TapeNode& node, const Cell& cell, std::uint64_t count) {
    if (!cell.gates.empty()) {
        return pass.tape().value(cell.gates.front()).draft.shape;
    }
    return {count, node.elements};
}

}  // namespace

void lstm_cell_gradient(BackwardPass& pass, NodeId id) {
    constexpr std::uint64_t gates = 4;
    GradientTape& tape = pass.tape();
    const TapeNode& node = tape.node(id);
    const std::optional<TensorId> dh = pass.gradient(node.results[0]);
    const std::optional<TensorId> dc =
        node.results.size() > 1 ? pass.gradient(node.results[1]) : std::optional<TensorId>{};
    if (!dh && !dc) {
        return;
    }
    const Cell cell = cell_of(pass, node);
    const std::string& layer = tape.operation(id).layer;
    const Shape shape = gates_shape(pass, node, cell, gates);
    std::vector<TensorId> inputs;
    for (const std::optional<TensorId>& gradient : {dh, dc}) {
        if (gradient) {
            inputs.push_back(*gradient);
        }
    }
    inputs.push_back(tape.side(id, {TensorRole::activation, layer + ".gates", shape}));
    if (node.results.size() > 1) {
        inputs.push_back(tape.tensor(node.results[1]));
    }
    for (const ValueId state : cell.states) {
        inputs.push_back(tape.tensor(state));
    }
    const TensorId d_gates = pass.declare(id, {TensorRole::gradient, layer + ".gates.gradient", shape});
    std::vector<TensorId> outputs{d_gates};
    for (const ValueId state : cell.states) {
        if (pass.wanted(state)) {
            outputs.push_back(pass.declare(id, pass.gradient_draft(state)));
            pass.give(id, state, outputs.back());
        }
    }
    pass.emit(id, node.elements, {{"lstm_cell_grad"}}, std::move(inputs), std::move(outputs));
    for (const std::vector<ValueId>& sums : {cell.gates, cell.biases}) {
        for (const ValueId sum : sums) {
            pass.give(id, sum, d_gates);
        }
    }
}

void gru_cell_gradient(BackwardPass& pass, NodeId id) {
    constexpr std::uint64_t gates = 3;
    GradientTape& tape = pass.tape();
    const TapeNode& node = tape.node(id);
    const std::optional<TensorId> dh = pass.gradient(node.results[0]);
    if (!dh) {
        return;
    }
    const Cell cell = cell_of(pass, node);
    const std::string& layer = tape.operation(id).layer;
    const Shape shape = gates_shape(pass, node, cell, gates);
    std::vector<TensorId> inputs{*dh, tape.side(id, {TensorRole::activation, layer + ".gates", shape})};
    for (const ValueId state : cell.states) {
        inputs.push_back(tape.tensor(state));
    }
    // The reset gate scales the candidate's share of the recurrent sums only: each of the sums has its own gradient.
    std::vector<TensorId> outputs;
    for (const ValueId sum : cell.gates) {
        outputs.push_back(pass.declare(id, {TensorRole::gradient, layer + ".gates.gradient", shape}));
        pass.give(id, sum, outputs.back());
    }
    for (std::size_t i = 0; i < cell.biases.size() && !outputs.empty(); ++i) {
        pass.give(id, cell.biases[i], outputs[std::min(i, cell.gates.size() - 1)]);
    }
    for (const ValueId state : cell.states) {
        if (pass.wanted(state)) {
            outputs.push_back(pass.declare(id, pass.gradient_draft(state)));
            pass.give(id, state, outputs.back());
        }
    }
    if (!outputs.empty()) {
        pass.emit(id, node.elements, {{"gru_cell_grad"}}, std::move(inputs), std::move(outputs));
    }
}

}  // namespace nibble
