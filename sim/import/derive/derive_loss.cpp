// SPDX-License-Identifier: MIT
#include "sim/import/derive/derive_loss.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr const char* layer_name = "loss";

/// Rows by classes, or sequences of such rows.
bool are_logits(const TapeValue& value) {
    const Shape& shape = value.draft.shape;
    return (shape.size() == 2 || shape.size() == 3) && shape.back() > 1;
}

bool holds_loss(const GradientTape& tape) {
    for (NodeId id = 0; id < tape.size(); ++id) {
        if (tape.node(id).function == "cross_entropy_grad") {
            return true;
        }
    }
    return false;
}

/// A vector operation of the loss that makes the gradient of `of`.
void make_gradient(StepGraph& graph, BackwardPass& pass, ValueId of, std::uint64_t elements,
                   std::vector<VectorStep> steps, std::vector<TensorId> inputs) {
    const TensorId gradient = graph.declare(pass.gradient_draft(of));
    graph.operations.push_back(
        vector_operation({layer_name, ""}, Phase::vector, elements, std::move(steps), std::move(inputs), {gradient}));
    pass.give_whole(of, gradient);
}

std::string cross_entropy(StepGraph& graph, GradientTape& tape, BackwardPass& pass, ValueId end) {
    const TapeValue& value = tape.value(end);
    const TensorId result = tape.tensor(end);
    const TensorId labels = graph.declare({TensorRole::index, "labels", {value.elements / value.draft.shape.back()}});
    const TapeNode& last = tape.node(value.made_by.value());
    if (last.function == "softmax") {  // the probabilities are there
        make_gradient(graph, pass, last.inputs.front(), value.elements, {{"cross_entropy_grad"}}, {result, labels});
    } else {
        make_gradient(graph, pass, end, value.elements, {{"softmax"}, {"cross_entropy_grad"}}, {result, labels});
    }
    return fmt::format("softmax cross entropy on '{}'",
                       printable(value.draft.name.empty() ? tape.operation(*value.made_by).layer : value.draft.name));
}

}  // namespace

std::string derive_loss(StepGraph& graph, GradientTape& tape, BackwardPass& pass) {
    const std::vector<ValueId> ends = tape.ends();
    if (ends.empty()) {
        return "";
    }
    if (ends.size() == 1 && tape.value(ends.front()).elements == 1) {
        make_gradient(graph, pass, ends.front(), 1, {{"fill"}}, {tape.tensor(ends.front())});
        return "";
    }
    if (ends.size() == 1 && are_logits(tape.value(ends.front())) && !graph.layers_disconnected && !holds_loss(tape)) {
        return cross_entropy(graph, tape, pass, ends.front());
    }
    for (const ValueId end : ends) {
        make_gradient(graph, pass, end, tape.value(end).elements, {{"copy"}}, {tape.tensor(end)});
    }
    return graph.layers_disconnected ? fmt::format("a given gradient for the output of each of {} layers", ends.size())
                                     : fmt::format("a given gradient for {} output{} of unknown loss", ends.size(),
                                                   ends.size() == 1 ? "" : "s");
}

}  // namespace nibble
