// SPDX-License-Identifier: MIT
#include "sim/import/derive/backward_pass.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "models/vector_unit/vector_function.h"
#include "sim/base/error.h"
#include "sim/import/derive/gradient_rules.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

/// With cross entropy the gradient of the softmax's operand is as simple as that of its result: it goes past the
/// softmax.
ValueId logits_of(const GradientTape& tape, ValueId probabilities) {
    const TapeValue& value = tape.value(probabilities);
    const bool softmax = value.made_by && tape.node(*value.made_by).function == "softmax";
    return softmax ? tape.node(*value.made_by).inputs.front() : probabilities;
}

}  // namespace

void BackwardPass::run() {
    note_forward_copies();
    GemmGradients gemms(*this);
    for (NodeId id = tape_.size(); id-- > 0;) {
        const TapeNode& node = tape_.node(id);
        if (node.gemm()) {
            gemms.add(id);
        } else if (node.function == "copy") {
            copy_gradient(*this, id);
        } else if (node.function == "lstm_cell") {
            lstm_cell_gradient(*this, id);
        } else if (node.function == "gru_cell") {
            gru_cell_gradient(*this, id);
        } else if (node.function == "cross_entropy_grad") {
            give(id, logits_of(tape_, node.inputs.front()), tape_.tensor(node.results.front()));
        } else if (const GradientRule rule = find_gradient_rule(node.function); rule != nullptr) {
            if (const std::optional<TensorId> dy = gradient(node.results.front())) {
                rule(*this, id, *dy);
            }
        } else if (node.form == nullptr && std::ranges::any_of(node.inputs, [&](ValueId in) { return wanted(in); })) {
            impassable_.insert(node.function);
        }
    }
}

/// Pieces that the forward pass cut up or joined lie together already.
void BackwardPass::note_forward_copies() {
    for (NodeId id = 0; id < tape_.size(); ++id) {
        const TapeNode& node = tape_.node(id);
        if (node.function != "copy" || (node.inputs.size() > 1) == (node.results.size() > 1)) {
            continue;
        }
        const bool joins = node.inputs.size() > 1;
        const ValueId whole = joins ? node.results.front() : node.inputs.front();
        std::vector<TensorId> pieces;
        for (const ValueId piece : joins ? node.inputs : node.results) {
            if (tape_.value(piece).tensor) {
                pieces.push_back(*tape_.value(piece).tensor);
            }
        }
        if (tape_.value(whole).tensor) {
            note_joined(pieces, *tape_.value(whole).tensor);
        }
    }
}

// ---- Gradients of values

std::optional<TensorId> BackwardPass::gradient(ValueId id) {
    std::vector<TensorId>& given = given_[id];
    if (given.empty()) {
        return std::nullopt;
    }
    if (given.size() > 1) {
        const TapeValue& value = tape_.value(id);
        const NodeId by = value.made_by ? *value.made_by : value.first_reader.value();
        const TensorId sum = compute(by, value.elements, {{"add", given.size() - 1}}, given, gradient_draft(id));
        given = {sum};
    }
    return given.front();
}

void BackwardPass::give(NodeId by, ValueId to, TensorId gradient) {
    if (!wanted(to)) {
        return;
    }
    const TapeValue& value = tape_.value(to);
    const std::uint64_t elements = graph_.tensors[gradient].elements;
    if (elements < value.elements) {  // the step worked on a part of it
        return give_part(by, to, gradient);
    }
    if (elements > value.elements) {
        const bool state = value.draft.role == TensorRole::state;
        gradient = compute(by, elements, {{state ? "bias_grad" : "sum"}}, {gradient}, gradient_draft(to));
    }
    given_[to].push_back(gradient);
}

void BackwardPass::give_part(NodeId by, ValueId to, TensorId gradient) {
    if (!wanted(to)) {
        return;
    }
    const TapeValue& value = tape_.value(to);
    const std::uint64_t elements = graph_.tensors[gradient].elements;
    // Parts that make up the whole are placed side by side; others are added to zeros.
    const bool covered = value.part_readers == value.readers && value.part_elements == value.elements;
    const auto found = parts_.find(to);
    const bool first = found == parts_.end();
    const TensorId whole = first ? declare(by, gradient_draft(to)) : found->second;
    std::vector<TensorId> inputs{gradient};
    if (!covered && !first) {
        inputs.push_back(whole);
    }
    emit(by, elements, {{covered ? "place" : "scatter_add"}}, std::move(inputs), {whole});
    if (first) {
        parts_.emplace(to, whole);
        given_[to].push_back(whole);
    }
}

void BackwardPass::give_whole(ValueId to, TensorId gradient) {
    if (wanted(to)) {
        given_[to].push_back(gradient);
    }
}

// ---- Tensors and operations

TensorDraft BackwardPass::gradient_draft(ValueId of) const {
    const TapeValue& value = tape_.value(of);
    const TensorRole role = value.draft.role == TensorRole::weight  ? TensorRole::weight_gradient
                            : value.draft.role == TensorRole::state ? TensorRole::statistic
                                                                    : TensorRole::gradient;
    const std::optional<NodeId> node = value.made_by ? value.made_by : value.first_reader;
    const std::string& name = value.draft.name.empty() && node ? tape_.operation(*node).layer : value.draft.name;
    return {role, name + ".gradient", value.draft.shape};
}

TensorId BackwardPass::declare(NodeId by, const TensorDraft& draft) {
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : draft.shape) {
        const std::optional<std::uint64_t> product = bounded_product({elements, extent}, most_elements);
        if (!product) {
            throw InputError(fmt::format("{}: '{}', which its gradient needs, has more than {} elements",
                                         printable(tape_.operation(by).layer), printable(draft.name), most_elements));
        }
        elements = *product;
    }
    return graph_.declare(draft);
}

void BackwardPass::emit(NodeId by, std::uint64_t elements, std::vector<VectorStep> steps, std::vector<TensorId> inputs,
                        std::vector<TensorId> outputs) {
    const Operation& forward = tape_.operation(by);
    for (const VectorStep& step : steps) {
        const VectorFunction* function = find_vector_function(step.function);
        if (function == nullptr) {
            throw ModelError("a gradient rule asks for a function that there is not: " + step.function);
        }
        if (!bounded_product({elements, step.repeat, function->lane_ops}, most_work)) {
            throw InputError(fmt::format("{}: '{}', which its gradient needs, takes more than {} lane-operations",
                                         printable(forward.layer), step.function, most_work));
        }
    }
    graph_.operations.push_back(vector_operation({forward.layer, forward.group}, Phase::vector, elements,
                                                 std::move(steps), std::move(inputs), std::move(outputs)));
}

TensorId BackwardPass::compute(NodeId by, std::uint64_t elements, std::vector<VectorStep> steps,
                               std::vector<TensorId> inputs, const TensorDraft& result) {
    const TensorId id = declare(by, result);
    emit(by, elements, std::move(steps), std::move(inputs), {id});
    return id;
}

TensorId BackwardPass::multiply(NodeId by, Phase phase, const Convolution& work, std::vector<TensorId> inputs,
                                const TensorDraft& result) {
    return emit_gemm(by, phase, work, std::move(inputs), result);
}

TensorId BackwardPass::multiply(NodeId by, Phase phase, const Matmul& work, std::vector<TensorId> inputs,
                                const TensorDraft& result) {
    return emit_gemm(by, phase, work, std::move(inputs), result);
}

TensorId BackwardPass::emit_gemm(NodeId by, Phase phase, std::variant<Convolution, Matmul, VectorWork> work,
                                 std::vector<TensorId> inputs, const TensorDraft& result) {
    const TensorId id = declare(by, result);
    const Operation& forward = tape_.operation(by);
    Operation operation;
    operation.layer = forward.layer;
    operation.group = forward.group;
    operation.position = forward.position;
    operation.operand_bits = forward.operand_bits;
    operation.phase = phase;
    operation.work = std::move(work);
    operation.inputs = std::move(inputs);
    operation.outputs = {id};
    graph_.operations.push_back(std::move(operation));
    return id;
}

TensorId BackwardPass::join(NodeId by, const std::vector<TensorId>& pieces, const TensorDraft& result) {
    if (pieces.size() == 1) {
        return pieces.front();
    }
    const auto found = joined_.find(pieces);
    if (found != joined_.end()) {
        return found->second;
    }
    const TensorId whole = declare(by, result);
    emit(by, graph_.tensors[whole].elements, {{"copy"}}, pieces, {whole});
    joined_.emplace(pieces, whole);
    return whole;
}

}  // namespace nibble
