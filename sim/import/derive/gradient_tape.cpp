// SPDX-License-Identifier: MIT
#include "sim/import/derive/gradient_tape.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/derive/operation_reader.h"

namespace nibble {

namespace {

constexpr std::size_t gemm_operands = 2;

void require_operands(const Operation& operation, std::size_t tensors) {
    const bool gemm = !std::holds_alternative<VectorWork>(operation.work);
    const auto exists = [&](TensorId id) { return id < tensors; };
    if (operation.outputs.empty() || operation.inputs.size() < (gemm ? gemm_operands : 1) ||
        !std::ranges::all_of(operation.inputs, exists) || !std::ranges::all_of(operation.outputs, exists)) {
        throw ModelError(fmt::format("{}: an operation of the graph without its operands", printable(operation.layer)));
    }
}

}  // namespace

GradientTape::GradientTape(StepGraph& graph) : graph_(graph) {
    std::vector<bool> written(graph.tensors.size());
    for (const Operation& operation : graph.operations) {
        require_operands(operation, graph.tensors.size());
        for (const TensorId id : operation.outputs) {
            written[id] = true;
        }
    }
    for (const Tensor& tensor : graph.tensors) {
        if (tensor.shape.empty() || tensor.elements == 0) {
            throw ModelError(fmt::format("tensor {} of the graph is empty", tensor.id));
        }
        TapeValue value;
        value.tensor = tensor.id;
        value.draft = {tensor.role, tensor.name, tensor.shape, tensor.bits};
        value.elements = tensor.elements;
        value.needs_gradient =
            !written[tensor.id] && (tensor.role == TensorRole::weight || tensor.role == TensorRole::state);
        values_.push_back(std::move(value));
    }
    bool first_gemm = true;
    for (std::size_t at = 0; at < graph.operations.size(); ++at) {
        const Operation& operation = graph.operations[at];
        if (!std::holds_alternative<VectorWork>(operation.work) && !std::exchange(first_gemm, false) &&
            graph.layers_disconnected) {
            // What came before a layer of a table is not in it, but was trained as well.
            for (std::size_t i = 0; i < gemm_operands; ++i) {
                TapeValue& value = values_[operation.inputs[i]];
                value.needs_gradient = value.needs_gradient || value.draft.role == TensorRole::activation;
            }
        }
        OperationReader(*this, at).read();
    }
}

bool GradientTape::trained(ValueId id) const {
    const TapeValue& value = values_[id];
    return value.needs_gradient && !value.made_by && value.draft.role != TensorRole::activation;
}

std::vector<ValueId> GradientTape::ends() const {
    std::vector<bool> read(graph_.operations.size());
    for (const TapeNode& node : nodes_) {
        for (const ValueId input : node.inputs) {
            const std::optional<NodeId> maker = values_[input].made_by;
            if (maker && nodes_[*maker].operation != node.operation) {
                read[nodes_[*maker].operation] = true;
            }
        }
    }
    std::vector<ValueId> ends;
    for (const TapeNode& node : nodes_) {
        const std::size_t results =
            node.function == "copy" ? node.results.size() : std::min<std::size_t>(1, node.results.size());
        for (std::size_t i = 0; i < results; ++i) {
            const TapeValue& value = values_[node.results[i]];
            if (!read[node.operation] && value.readers == 0 && value.needs_gradient &&
                value.draft.role == TensorRole::activation) {
                ends.push_back(node.results[i]);
            }
        }
    }
    return ends;
}

TensorId GradientTape::tensor(ValueId id) {
    TapeValue& value = values_[id];
    if (!value.tensor) {
        value.tensor = graph_.declare(value.draft);
        graph_.operations[nodes_[value.made_by.value()].operation].outputs.push_back(*value.tensor);
    }
    return *value.tensor;
}

TensorId GradientTape::side(NodeId id, const TensorDraft& draft) {
    TapeNode& node = nodes_[id];
    if (!node.side) {
        node.side = graph_.declare(draft);
        graph_.operations[node.operation].outputs.push_back(*node.side);
    }
    return *node.side;
}

}  // namespace nibble
