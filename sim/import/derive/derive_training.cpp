// SPDX-License-Identifier: MIT
#include "sim/import/derive/derive_training.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/import/derive/backward_pass.h"
#include "sim/import/derive/batch_statistics.h"
#include "sim/import/derive/derive_loss.h"
#include "sim/import/derive/derive_optimizer.h"
#include "sim/import/derive/gradient_tape.h"
#include "sim/import/derive/graph_writer.h"

namespace nibble {

namespace {

void derive_backward(StepGraph& graph, const ImportOptions& options, ImportSummary& summary) {
    const std::size_t normalised = use_batch_statistics(graph);
    GradientTape tape(graph);
    BackwardPass pass(graph, tape);
    const std::string loss = derive_loss(graph, tape, pass);
    const std::size_t forward = graph.operations.size();
    pass.run();
    if (graph.operations.size() == forward) {
        summary.notes.emplace_back("no gradient reaches a trained tensor: no backward pass was derived");
    } else {
        if (normalised > 0) {
            summary.derived.push_back(
                fmt::format("statistics of the batch for {} normalisation{}", normalised, normalised == 1 ? "" : "s"));
        }
        if (!loss.empty()) {
            summary.derived.push_back(loss);
        }
        summary.derived.emplace_back("backward pass (dx, dw and the gradients of vector work)");
        summary.derived.push_back(derive_optimizer(graph, tape, pass, options.optimizer));
    }
    if (!pass.impassable().empty()) {
        summary.notes.push_back(
            fmt::format("no gradient is known to pass through {}", fmt::join(pass.impassable(), ", ")));
    }
    const std::set<std::string> unexplained(tape.unexplained().begin(), tape.unexplained().end());
    if (!unexplained.empty()) {
        summary.notes.push_back(fmt::format(
            "{} layers read tensors that no step of theirs accounts for, first {}: these get no gradient there",
            unexplained.size(), printable(*unexplained.begin())));
    }
}

bool is_gradient(const Tensor& tensor) {
    return tensor.role == TensorRole::gradient || tensor.role == TensorRole::weight_gradient;
}

/// Leaves out what a recorded backward pass and optimiser did.
void keep_forward(StepGraph& graph) {
    std::erase_if(graph.operations, [&](const Operation& operation) {
        const auto concerned = [&](const std::vector<TensorId>& ids) {
            return std::ranges::any_of(ids, [&](TensorId id) { return is_gradient(graph.tensors.at(id)); });
        };
        return operation.phase == Phase::update || concerned(operation.inputs) || concerned(operation.outputs);
    });
}

}  // namespace

void derive_training(StepGraph graph, const ImportOptions& options, const TraceSink& sink, ImportSummary& summary) {
    if (options.training == Training::forward_only) {
        keep_forward(graph);
    } else if (options.training == Training::derive) {
        if (!graph.backward_recorded) {
            derive_backward(graph, options, summary);
        } else if (std::ranges::find(graph.operations, Phase::update, &Operation::phase) == graph.operations.end()) {
            if (const std::string optimizer = derive_optimizer(graph, options.optimizer); !optimizer.empty()) {
                summary.derived.push_back(optimizer);
            }
        }
    }
    write_graph(graph, sink);
}

}  // namespace nibble
