// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/step_graph.h"
#include "sim/input/operation_names.h"
#include "tests/support/training_step.h"

namespace nibble::test {

/// Writes down a forward pass as an importer makes it.
class GraphBuilder {
public:
    GraphBuilder() { graph_.header = {"graph", 1}; }

    TensorId tensor(const std::string& name, TensorRole role, Shape shape, std::uint32_t bits = 0) {
        return graph_.declare({role, name, std::move(shape), bits});
    }
    TensorId activation(const std::string& name, Shape shape) {
        return tensor(name, TensorRole::activation, std::move(shape));
    }
    TensorId weight(const std::string& name, Shape shape) { return tensor(name, TensorRole::weight, std::move(shape)); }
    TensorId state(const std::string& name, Shape shape) { return tensor(name, TensorRole::state, std::move(shape)); }
    TensorId index(const std::string& name, Shape shape) { return tensor(name, TensorRole::index, std::move(shape)); }

    /// A GEMM of the forward pass in a layer called as its result.
    template <class Work>
    TensorId gemm(const std::string& name, const Work& work, TensorId left, TensorId right, Shape shape,
                  Position position = Position::middle) {
        Operation operation;
        operation.layer = name;
        operation.position = position;
        operation.work = work;
        operation.inputs = {left, right};
        operation.outputs = {activation(name, std::move(shape))};
        graph_.operations.push_back(std::move(operation));
        return graph_.operations.back().outputs.front();
    }
    /// y = x w^T.
    TensorId linear(const std::string& name, TensorId x, TensorId w) {
        const Shape in = graph_.tensors[x].shape;
        const Shape weight = graph_.tensors[w].shape;
        Shape out = in;
        out.back() = weight[0];
        return gemm(name, Matmul{1, elements_of(in) / weight[1], weight[0], weight[1], false, true}, x, w, out);
    }
    /// Vector work with one result, in a layer called as it; `elements` 0: as many as the result has.
    TensorId vector(const std::string& name, std::vector<VectorStep> steps, std::vector<TensorId> inputs, Shape shape,
                    std::uint64_t elements = 0) {
        const TensorId result = activation(name, std::move(shape));
        vector_into(name, std::move(steps), std::move(inputs), {result}, elements);
        return result;
    }
    void vector_into(const std::string& name, std::vector<VectorStep> steps, std::vector<TensorId> inputs,
                     std::vector<TensorId> results, std::uint64_t elements = 0) {
        elements = elements == 0 ? graph_.tensors[results.front()].elements : elements;
        graph_.operations.push_back(vector_operation({name, ""}, Phase::vector, elements, std::move(steps),
                                                     std::move(inputs), std::move(results)));
    }

    StepGraph& graph() { return graph_; }

private:
    StepGraph graph_;
};

/// "layer: phase steps elements: in -> out", with names for tensors.
inline std::string described(const TrainingStep& step, const Operation& operation) {
    const auto names = [&](const std::vector<TensorId>& ids) {
        std::vector<std::string> all;
        for (const TensorId id : ids) {
            all.push_back(step.tensors.at(id).name);
        }
        return fmt::format("{}", fmt::join(all, ", "));
    };
    std::string what;
    if (const auto* work = std::get_if<VectorWork>(&operation.work)) {
        for (const VectorStep& each : work->steps) {
            what += each.function + (each.repeat == 1 ? "" : fmt::format(" x{}", each.repeat)) + " ";
        }
        what += fmt::format("{}", work->elements);
    } else if (const auto* m = std::get_if<Matmul>(&operation.work)) {
        what = fmt::format("matmul {} {} {} {} {} {}", m->batch, m->m, m->n, m->k, m->left_transposed ? "km" : "mk",
                           m->right_transposed ? "nk" : "kn");
    } else {
        what = "conv";
    }
    return fmt::format("{}: {} {}: {} -> {}", operation.layer, name_of(operation.phase), what, names(operation.inputs),
                       names(operation.outputs));
}

inline std::vector<std::string> described(const TrainingStep& step) {
    std::vector<std::string> lines;
    for (const Operation& operation : step.operations) {
        lines.push_back(described(step, operation));
    }
    return lines;
}

}  // namespace nibble::test
