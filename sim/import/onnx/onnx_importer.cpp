// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_importer.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "models/vector_unit/vector_function.h"
#include "sim/base/error.h"
#include "sim/import/gemm_limits.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

/// A sequence of very many steps becomes very many operations.
constexpr std::size_t most_operations = 4'000'000;

OnnxImportRule rule_of(const std::string& op) {
    for (const auto find :
         {onnx_gemm_import, onnx_recurrent_import, onnx_attention_import, onnx_elementwise_import,
          onnx_reduction_import, onnx_normalisation_import, onnx_movement_import, onnx_backward_import}) {
        if (const OnnxImportRule rule = find(op)) {
            return rule;
        }
    }
    return nullptr;
}

/// Gives another shape, name or number format to what is there.
bool renames(const std::string& op) {
    return op == "Identity" || op == "Cast" || op == "CastLike" || op == "Reshape" || op == "Flatten" ||
           op == "Squeeze" || op == "Unsqueeze" || op == "Transpose" || op == "QuantizeLinear" ||
           op == "DequantizeLinear";
}

}  // namespace

OnnxImporter::OnnxImporter(const OnnxProgram& program, const OnnxShapes& shapes, const ImportOptions& options,
                           ImportSummary& summary)
    : program_(program),
      shapes_(shapes),
      options_(options),
      summary_(summary),
      places_(program.names.size()),
      readers_(program.names.size(), 0) {
    for (const OnnxStep& step : program.steps) {
        for (const OnnxValueId id : step.inputs) {
            if (id != onnx_absent) {
                ++readers_[id];
            }
        }
    }
    for (const OnnxValueId id : program.outputs) {
        ++readers_[id];
    }
}

StepGraph OnnxImporter::run() {
    for (; step_ < program_.steps.size(); ++step_) {
        const OnnxStep& step = program_.steps[step_];
        if (step.backward && options_.training == Training::forward_only) {
            continue;
        }
        graph_.backward_recorded = graph_.backward_recorded || step.backward;
        add(step);
    }
    place_first_and_last();
    return std::move(graph_);
}

void OnnxImporter::add(const OnnxStep& step) {
    const std::string op = step.op();
    const bool before = std::all_of(step.outputs.begin(), step.outputs.end(), [&](OnnxValueId id) {
        return id == onnx_absent || value(id).origin != OnnxOrigin::data;
    });
    const bool reads_parameter = std::any_of(step.inputs.begin(), step.inputs.end(),
                                             [&](OnnxValueId id) { return id != onnx_absent && parameter(id); });
    if (before && !(reads_parameter && renames(op))) {
        return;  // known before the step
    }
    // What has no elements costs nothing.
    if (!step.outputs.empty() && std::all_of(step.outputs.begin(), step.outputs.end(), [&](OnnxValueId id) {
            return id == onnx_absent || (value(id).known && value(id).elements() == 0);
        })) {
        return;
    }
    if (!before && !renames(op)) {
        summary_.bytes += bytes_of(step);
    }
    if (const OnnxImportRule rule = rule_of(op)) {
        rule(*this, step);
    } else {
        unrecognised(step);
    }
}

// ---- Operations

/// The tensor, or, if it holds positions, masks or sums, a copy of it as data, which alone a GEMM reads.
TensorId OnnxImporter::data_of(const OnnxStep& step, TensorId id) {
    const TensorRole found = role(id);
    if (found != TensorRole::index && found != TensorRole::mask && found != TensorRole::statistic) {
        return id;
    }
    const Tensor tensor = graph_.tensors[id];
    const TensorId data = declare(step, TensorRole::activation, tensor.name, tensor.shape);
    pass(step, tensor.elements, {{"copy"}}, {id}, {data});
    return data;
}

template <class Work>
void OnnxImporter::emit_gemm(const OnnxStep& step, Phase phase, const Work& work, std::vector<TensorId> inputs,
                             TensorId out, std::vector<VectorStep> epilogue) {
    if (const auto problem = problem_of(work)) {
        step.fail(*problem);
    }
    for (TensorId& operand : std::span(inputs).first(2)) {
        operand = data_of(step, operand);
    }
    Operation operation;
    operation.phase = phase;
    operation.work = work;
    operation.epilogue = std::move(epilogue);
    operation.inputs = std::move(inputs);
    operation.outputs = {out};
    const std::vector<OperandElements> expected = expected_elements(operation);
    const TensorId operands[] = {operation.inputs[0], operation.inputs[1], out};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Tensor& tensor = graph_.tensors[operands[i]];
        if (!expected[i].allows(tensor.elements)) {
            step.fail(fmt::format("'{}' has {} elements, expected {}", tensor.name, tensor.elements, expected[i].own));
        }
    }
    emit(step, std::move(operation));
}

void OnnxImporter::gemm(const OnnxStep& step, Phase phase, const Matmul& work, TensorId left, TensorId right,
                        TensorId out, std::vector<VectorStep> epilogue, const std::vector<TensorId>& more) {
    std::vector<TensorId> inputs{left, right};
    inputs.insert(inputs.end(), more.begin(), more.end());
    emit_gemm(step, phase, work, std::move(inputs), out, std::move(epilogue));
}

void OnnxImporter::gemm(const OnnxStep& step, Phase phase, const Convolution& work, TensorId left, TensorId right,
                        TensorId out, std::vector<VectorStep> epilogue, const std::vector<TensorId>& more) {
    std::vector<TensorId> inputs{left, right};
    inputs.insert(inputs.end(), more.begin(), more.end());
    emit_gemm(step, phase, work, std::move(inputs), out, std::move(epilogue));
}

void OnnxImporter::pass(const OnnxStep& step, std::uint64_t elements, std::vector<VectorStep> steps,
                        std::vector<TensorId> inputs, std::vector<TensorId> outputs, Phase phase) {
    std::uint64_t lane_ops = 0;
    for (const VectorStep& one : steps) {
        const VectorFunction* function = find_vector_function(one.function);
        if (function == nullptr) {
            throw ModelError("no vector function " + one.function);
        }
        const auto work = bounded_product({elements, one.repeat, function->lane_ops}, most_work);
        if (!work || (lane_ops += *work) > most_work) {
            step.fail("more than 2^53 lane-operations of vector work");
        }
    }
    Operation operation;
    operation.phase = phase;
    operation.work = VectorWork{elements, std::move(steps)};
    operation.inputs = std::move(inputs);
    operation.outputs = std::move(outputs);
    emit(step, std::move(operation));
}

void OnnxImporter::pass(const OnnxStep& step, std::uint64_t elements, std::vector<VectorStep> steps,
                        const std::vector<std::size_t>& inputs) {
    std::vector<TensorId> read;
    for (const std::size_t at : inputs) {
        if (step.has_input(at) && !immediate(step.inputs[at]) && elements_of(shape(step, step.inputs[at])) > 0) {
            read.push_back(tensor(step, step.inputs[at]));
        }
    }
    if (read.empty()) {
        return;  // constants only
    }
    pass(step, elements, std::move(steps), std::move(read), {result(step, 0)});
}

void OnnxImporter::emit(const OnnxStep& step, Operation operation) {
    if (graph_.operations.size() == most_operations) {
        step.fail(fmt::format("the model becomes more than {} operations", most_operations));
    }
    operation.layer = layer_of(step);
    operation.group = group_of(step, operation.layer);
    for (const TensorId id : operation.outputs) {
        groups_[id] = operation.group;
    }
    made_by_.push_back(step_);
    graph_.operations.push_back(std::move(operation));
}

std::uint64_t OnnxImporter::bytes_of(const OnnxStep& step) const {
    std::uint64_t bytes = 0;
    for (const std::vector<OnnxValueId>* list : {&step.inputs, &step.outputs}) {
        for (const OnnxValueId id : *list) {
            bytes += id == onnx_absent ? 0 : value(id).bytes();
        }
    }
    return bytes;
}

void OnnxImporter::unrecognised(const OnnxStep& step, const std::string& reason) {
    ImportSummary::Unrecognised& entry = summary_.unrecognised[printable(step.op())];
    ++entry.calls;
    entry.bytes += bytes_of(step);
    if (!reason.empty()) {
        entry.reason = reason;
    }
}

void OnnxImporter::note_once(const std::string& note) {
    if (notes_.insert(note).second) {
        summary_.notes.push_back(note);
    }
}

}  // namespace nibble
