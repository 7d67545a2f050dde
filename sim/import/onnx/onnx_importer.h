// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/onnx/onnx_program.h"
#include "sim/import/onnx/onnx_shapes.h"
#include "sim/import/step_graph.h"

namespace nibble {

/// Turns the nodes of a graph, whose shapes are known, into operations.
class OnnxImporter {
public:
    OnnxImporter(const OnnxProgram& program, const OnnxShapes& shapes, const ImportOptions& options,
                 ImportSummary& summary);

    [[nodiscard]] StepGraph run();

    // ---- For the rules of operators: values
    [[nodiscard]] const OnnxValue& value(OnnxValueId id) const { return shapes_[id]; }
    /// Shape of a value that the step reads or makes; throws InputError if it is not known.
    [[nodiscard]] const Shape& shape(const OnnxStep& step, OnnxValueId id) const;
    [[nodiscard]] std::uint64_t elements(const OnnxStep& step, OnnxValueId id) const {
        return elements_of(shape(step, id));
    }
    /// Somebody reads it, or it is a result of the graph.
    [[nodiscard]] bool wanted(const OnnxStep& step, std::size_t output) const;
    /// One constant number, which vector work has at hand without reading memory.
    [[nodiscard]] bool immediate(OnnxValueId id) const;
    [[nodiscard]] std::optional<double> constant_number(const OnnxStep& step, std::size_t input) const;
    [[nodiscard]] bool parameter(OnnxValueId id) const { return value(id).origin == OnnxOrigin::parameter; }
    /// The operator is there for training, and the user wants it so or the model says so.
    [[nodiscard]] bool in_training(bool said) const { return said || options_.training == Training::derive; }

    // ---- Tensors
    /// The value as a tensor; one that exists before the step is declared when it is first asked for.
    [[nodiscard]] TensorId tensor(const OnnxStep& step, OnnxValueId id);
    /// The value as an operand of a matrix product, which may lie with its last two dimensions swapped.
    struct Operand {
        TensorId tensor = 0;
        bool swapped = false;
    };
    [[nodiscard]] Operand operand(const OnnxStep& step, OnnxValueId id);
    /// The value is read by a GEMM, or rows of it are looked up: if it is trained, it is a weight.
    void use_as_weight(OnnxValueId id, TensorId tensor);
    void use_as_table(OnnxValueId id, TensorId tensor);
    /// A new tensor for what the step makes.
    TensorId result(const OnnxStep& step, std::size_t output);
    TensorId declare(const OnnxStep& step, TensorRole role, const std::string& name, const Shape& shape);
    void set_role(TensorId tensor, TensorRole role);
    [[nodiscard]] TensorRole role(TensorId tensor) const { return graph_.tensors[tensor].role; }
    /// The output is the input under another name or shape.
    void alias(const OnnxStep& step, std::size_t output, OnnxValueId input, bool swapped = false);
    /// The output is a tensor that is there already.
    void bind(const OnnxStep& step, std::size_t output, TensorId tensor);

    // ---- Operations
    void gemm(const OnnxStep& step, Phase phase, const Matmul& work, TensorId left, TensorId right, TensorId out,
              std::vector<VectorStep> epilogue = {}, const std::vector<TensorId>& more = {});
    void gemm(const OnnxStep& step, Phase phase, const Convolution& work, TensorId left, TensorId right, TensorId out,
              std::vector<VectorStep> epilogue = {}, const std::vector<TensorId>& more = {});
    /// One pass over memory.
    void pass(const OnnxStep& step, std::uint64_t elements, std::vector<VectorStep> steps, std::vector<TensorId> inputs,
              std::vector<TensorId> outputs, Phase phase = Phase::vector);
    /// The same with all inputs of the node that have to be read, into its first output.
    void pass(const OnnxStep& step, std::uint64_t elements, std::vector<VectorStep> steps,
              const std::vector<std::size_t>& inputs);
    /// Left out and counted; what it makes exists before the step.
    void unrecognised(const OnnxStep& step, const std::string& reason = {});
    void note_once(const std::string& note);

    /// Name of a value; of what was made from a parameter, that of the parameter.
    [[nodiscard]] const std::string& name(OnnxValueId id) const;
    [[nodiscard]] std::string layer_of(const OnnxStep& step) const;
    [[nodiscard]] const OnnxProgram& program() const { return program_; }

private:
    /// Where a value lies.
    struct Place {
        std::optional<TensorId> tensor;
        OnnxValueId source = onnx_absent;  ///< of another name or shape
        bool swapped = false;              ///< with its last two dimensions the other way round
    };

    void add(const OnnxStep& step);
    TensorId data_of(const OnnxStep& step, TensorId id);
    template <class Work>
    void emit_gemm(const OnnxStep& step, Phase phase, const Work& work, std::vector<TensorId> inputs, TensorId out,
                   std::vector<VectorStep> epilogue);
    void emit(const OnnxStep& step, Operation operation);
    [[nodiscard]] TensorRole role_of(OnnxValueId id, bool backward) const;
    [[nodiscard]] std::string group_of(const OnnxStep& step, const std::string& layer) const;
    void place_first_and_last();
    [[nodiscard]] std::uint64_t bytes_of(const OnnxStep& step) const;

    const OnnxProgram& program_;
    const OnnxShapes& shapes_;
    const ImportOptions& options_;
    ImportSummary& summary_;
    StepGraph graph_;
    std::vector<Place> places_;           // by value
    std::vector<std::uint32_t> readers_;  // by value
    std::vector<std::string> groups_;     // by tensor: of the operation that makes it
    std::vector<std::size_t> made_by_;    // by operation: place of its step
    std::set<std::size_t> weighted_;      // steps with a GEMM that reads a weight
    std::size_t step_ = 0;
    std::set<std::string> notes_;
};

/// Rules by operator; null for one that does not become operations.
using OnnxImportRule = void (*)(OnnxImporter& importer, const OnnxStep& step);
[[nodiscard]] OnnxImportRule onnx_gemm_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_recurrent_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_attention_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_elementwise_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_reduction_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_normalisation_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_movement_import(const std::string& op);
[[nodiscard]] OnnxImportRule onnx_backward_import(const std::string& op);

}  // namespace nibble
