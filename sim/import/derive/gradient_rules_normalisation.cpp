// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "sim/import/derive/gradient_rules.h"

namespace nibble {

namespace {

/// What a normalisation reads besides its operand.
struct Parameters {
    std::vector<TensorId> statistics;
    std::vector<TensorId> states;
    std::vector<ValueId> trained;
    std::uint64_t elements = 0;  // of the states
};

Parameters parameters_of(BackwardPass& pass, const TapeNode& node) {
    Parameters parameters;
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        const TapeValue& value = pass.tape().value(node.inputs[i]);
        const TensorId tensor = pass.tape().tensor(node.inputs[i]);
        if (value.draft.role == TensorRole::statistic) {
            parameters.statistics.push_back(tensor);
            continue;
        }
        parameters.states.push_back(tensor);
        parameters.elements += value.elements;
        if (pass.wanted(node.inputs[i])) {
            parameters.trained.push_back(node.inputs[i]);
        }
    }
    return parameters;
}

template <class... Lists>
std::vector<TensorId> concatenated(std::vector<TensorId> first, const Lists&... more) {
    (first.insert(first.end(), more.begin(), more.end()), ...);
    return first;
}

/// Scale and shift have their gradients in one tensor, as they come out of one pass.
TensorDraft parameters_draft(const Operation& operation, const Parameters& parameters) {
    return {TensorRole::statistic, operation.layer + ".scale_shift_gradient", {parameters.elements}};
}

/// Two passes, because every gradient depends on sums over the whole batch.
void batch_norm(BackwardPass& pass, NodeId id, TensorId dy) {
    GradientTape& tape = pass.tape();
    const TapeNode& node = tape.node(id);
    const ValueId operand = node.inputs.front();
    Parameters parameters = parameters_of(pass, node);
    const TensorId x = tape.tensor(operand);
    if (parameters.statistics.empty()) {
        const Shape& shape = tape.value(operand).draft.shape;
        const std::uint64_t channels = shape.size() > 1 ? shape[1] : shape[0];
        parameters.statistics = {
            tape.side(id, {TensorRole::statistic, tape.operation(id).layer + ".statistics", {2, channels}})};
    }
    TensorDraft sums_draft = parameters_draft(tape.operation(id), parameters);
    if (parameters.states.empty()) {
        sums_draft.shape = tape.value(parameters.statistics.front()).draft.shape;
    }
    const TensorId sums =
        pass.compute(id, node.elements, {{"bn_grad_reduce"}}, concatenated({dy, x}, parameters.statistics), sums_draft);
    for (const ValueId state : parameters.trained) {
        pass.give_whole(state, sums);
    }
    if (pass.wanted(operand)) {
        pass.give(id, operand,
                  pass.compute(id, node.elements, {{"bn_grad_apply"}},
                               concatenated({dy, x}, parameters.statistics, std::vector{sums}, parameters.states),
                               pass.gradient_draft(operand)));
    }
}

/// One pass: rows, or groups of channels, are complete on the way.
void row_norm(BackwardPass& pass, NodeId id, TensorId dy) {
    GradientTape& tape = pass.tape();
    const TapeNode& node = tape.node(id);
    const ValueId operand = node.inputs.front();
    Parameters parameters = parameters_of(pass, node);
    const TensorId x = tape.tensor(operand);
    if (parameters.statistics.empty()) {
        // Layer and RMS normalisation have the last dimension for a row. Of groups only the operation's own statistics
        // could say how many there are: without them, one an image.
        const Shape& shape = tape.value(operand).draft.shape;
        const std::uint64_t rows =
            node.function == "group_norm" ? shape.front() : tape.value(operand).elements / shape.back();
        const std::uint64_t sums = node.function == "rms_norm" ? 1 : 2;
        parameters.statistics = {
            tape.side(id, {TensorRole::statistic, tape.operation(id).layer + ".statistics", {rows, sums}})};
    }
    std::vector<TensorId> outputs;
    std::optional<TensorId> dx;
    if (pass.wanted(operand)) {
        dx = pass.declare(id, pass.gradient_draft(operand));
        outputs.push_back(*dx);
    }
    if (!parameters.trained.empty()) {
        outputs.push_back(pass.declare(id, parameters_draft(tape.operation(id), parameters)));
    }
    if (outputs.empty()) {
        return;
    }
    pass.emit(id, node.elements, {{node.function + "_grad"}},
              concatenated({dy, x}, parameters.statistics, parameters.states), outputs);
    for (const ValueId state : parameters.trained) {
        pass.give_whole(state, outputs.back());
    }
    if (dx) {
        pass.give(id, operand, *dx);
    }
}

}  // namespace

std::span<const NamedRule> normalisation_rules() {
    static constexpr NamedRule rules[] = {
        {"batch_norm", batch_norm},
        {"layer_norm", row_norm},
        {"group_norm", row_norm},
        {"rms_norm", row_norm},
    };
    return rules;
}

}  // namespace nibble
