// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_import.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_functions.h"
#include "sim/import/onnx/onnx_importer.h"
#include "sim/import/onnx/onnx_inputs.h"
#include "sim/import/onnx/onnx_model.h"
#include "sim/import/onnx/onnx_program.h"
#include "sim/import/onnx/onnx_shapes.h"

namespace nibble {

namespace {

constexpr std::int64_t usual_opset = 13;
constexpr std::int64_t first_opset = 11;  // operators of earlier versions differ in more than is looked at
constexpr unsigned most_branches = 1'000;

/// Whether a node belongs to a recorded backward pass by itself. ONNX Runtime says so in the node's description, in its
/// name, or in the operator.
bool backward_by_itself(const OnnxStep& step) {
    const OnnxNode& node = step.node();
    return node.comment == "Backward pass" || node.name.find("_Grad/") != std::string::npos ||
           (node.domain == "com.microsoft" &&
            (node.op.find("Grad") != std::string::npos || node.op.starts_with("InPlaceAccumulator")) &&
            node.op != "BroadcastGradientArgs");
}

void mark_backward(OnnxProgram& program) {
    std::vector<bool> value_is_backward(program.names.size(), false);
    for (OnnxStep& step : program.steps) {
        step.backward = backward_by_itself(step) ||
                        std::any_of(step.inputs.begin(), step.inputs.end(),
                                    [&](OnnxValueId id) { return id != onnx_absent && value_is_backward[id]; });
        for (const OnnxValueId id : step.outputs) {
            if (id != onnx_absent && step.backward) {
                value_is_backward[id] = true;
            }
        }
    }
}

std::int64_t opset_of(const OnnxModel& model, ImportSummary& summary) {
    const auto found = model.opsets.find("");
    if (found == model.opsets.end()) {
        return usual_opset;
    }
    if (found->second < first_opset) {
        summary.notes.push_back(
            fmt::format("opset {}: versions of operators before {} are read as far as they agree with later ones",
                        found->second, first_opset));
    }
    return found->second;
}

OnnxShapes infer(const OnnxProgram& program, std::int64_t opset, const OnnxInputs& inputs) {
    try {
        return {program, opset, inputs.sizes};
    } catch (const InputError& error) {
        if (inputs.fixed == 0) {
            throw;
        }
        const Problem& problem = error.problems().front();
        throw InputError(problem.where,
                         fmt::format("the model is made for a batch of {} and cannot be taken with {}; export it with "
                                     "an open batch ({})",
                                     inputs.fixed, inputs.batch, problem.what));
    }
}

void describe(const OnnxModel& model, std::int64_t opset, ImportSummary& summary) {
    summary.description = fmt::format("ONNX, IR version {}, opset {}", model.ir_version, opset);
    if (!model.producer.empty()) {
        summary.description += ", " + printable(model.producer);
    }
}

}  // namespace

StepGraph read_onnx(ByteSource& source, const ImportOptions& options, ImportSummary& summary) {
    const std::string file = source.name();
    OnnxModel model = read_onnx_model(source.read_all(OnnxModel::most_bytes), file);
    expand_onnx_functions(model, file);
    const std::int64_t opset = opset_of(model, summary);
    describe(model, opset, summary);
    for (unsigned branches = 0;; ++branches) {
        OnnxProgram program = order_onnx_graph(model.graph, file);
        mark_backward(program);
        const OnnxInputs inputs = settle_onnx_inputs(program, options.batch, file);
        const OnnxShapes shapes = infer(program, opset, inputs);
        if (shapes.choice()) {
            if (branches == most_branches) {
                throw InputError({file, 0, 0}, fmt::format("more than {} nodes If", most_branches));
            }
            expand_onnx_branch(model.graph, shapes.choice()->node, shapes.choice()->then);
            continue;
        }
        if (const auto& different = shapes.disagreements(); !different.empty()) {
            summary.notes.push_back(
                fmt::format("the model gives {} value{} another shape than its nodes make, the "
                            "first is '{}': the inferred shapes are taken",
                            different.size(), different.size() == 1 ? "" : "s", printable(different.front())));
        }
        StepGraph graph = OnnxImporter(program, shapes, options, summary).run();
        graph.header.batch = inputs.batch;
        return graph;
    }
}

}  // namespace nibble
