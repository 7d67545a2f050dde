// SPDX-License-Identifier: MIT
#include "sim/import/derive/graph_writer.h"

#include <optional>
#include <utility>
#include <vector>

namespace nibble {

void write_graph(const StepGraph& graph, const TraceSink& sink) {
    std::vector<std::optional<TensorId>> numbers(graph.tensors.size());
    TensorId next = 0;
    const auto renumber = [&](std::vector<TensorId>& ids) {
        for (TensorId& id : ids) {
            std::optional<TensorId>& number = numbers.at(id);
            if (!number) {
                Tensor tensor = graph.tensors[id];
                tensor.id = next;
                number = next++;
                sink(TraceItem(std::move(tensor)));
            }
            id = *number;
        }
    };
    for (const Operation& each : graph.operations) {
        Operation operation = each;
        renumber(operation.inputs);
        renumber(operation.outputs);
        sink(TraceItem(std::move(operation)));
    }
}

}  // namespace nibble
