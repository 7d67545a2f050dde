// SPDX-License-Identifier: MIT
#include "sim/import/derive/batch_statistics.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

namespace nibble {

namespace {

/// Channels are the second dimension, as everywhere in a trace.
Shape statistics_shape(const Tensor& x) {
    return {2, x.shape.size() > 1 ? x.shape[1] : x.shape.at(0)};
}

bool begins_with_normalisation(const Operation& operation) {
    const auto* work = std::get_if<VectorWork>(&operation.work);
    return work != nullptr && !work->steps.empty() && work->steps.front().function == "batch_norm";
}

}  // namespace

std::size_t use_batch_statistics(StepGraph& graph) {
    std::vector<bool> written(graph.tensors.size());
    std::vector<Operation> operations;
    std::size_t changed = 0;
    for (Operation& operation : graph.operations) {
        for (const TensorId id : operation.outputs) {
            written.at(id) = true;
        }
        const auto is_statistic = [&](TensorId id) { return graph.tensors.at(id).role == TensorRole::statistic; };
        const auto is_made = [&](TensorId id) { return is_statistic(id) && written.at(id); };
        if (begins_with_normalisation(operation) && std::ranges::none_of(operation.inputs, is_made)) {
            const TensorId x = operation.inputs.at(0);
            const TensorId statistics = graph.declare(
                {TensorRole::statistic, operation.layer + ".statistics", statistics_shape(graph.tensors.at(x))});
            written.push_back(true);
            operations.push_back(vector_operation({operation.layer, operation.group}, Phase::vector,
                                                  graph.tensors.at(x).elements, {{"batch_stats"}}, {x}, {statistics}));
            std::erase_if(operation.inputs, is_statistic);
            operation.inputs.insert(operation.inputs.begin() + 1, statistics);
            ++changed;
        }
        operations.push_back(std::move(operation));
    }
    graph.operations = std::move(operations);
    return changed;
}

}  // namespace nibble
