// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/import/derive/vector_form.h"
#include "sim/import/step_graph.h"

namespace nibble {

using ValueId = std::size_t;
using NodeId = std::size_t;

/// Something that the forward pass computes or reads: a tensor, or what lies between two steps of one operation and is
/// no tensor unless the backward pass needs it.
struct TapeValue {
    std::optional<TensorId> tensor;
    TensorDraft draft;              ///< what it is as a tensor, be it one or not
    std::uint64_t elements = 0;     ///< of its shape
    std::optional<NodeId> made_by;  ///< nothing: it exists before the step
    std::optional<NodeId> first_reader;
    bool needs_gradient = false;      ///< a trained tensor comes before it
    std::uint64_t readers = 0;        ///< steps that read it
    std::uint64_t part_readers = 0;   ///< of these, those that read a part of it
    std::uint64_t part_elements = 0;  ///< elements that those read, together
};

/// One step of the forward pass: a GEMM, or one function of vector work or of an epilogue.
struct TapeNode {
    std::size_t operation = 0;         ///< place of its operation in the graph
    std::string function;              ///< of models/vector_unit/vector_function.h; empty for a GEMM
    const VectorForm* form = nullptr;  ///< null for a GEMM, and for functions that do not belong to a forward pass
    std::uint64_t repeat = 1;
    std::uint64_t elements = 0;    ///< that the step is applied to; of a GEMM the result's
    std::vector<ValueId> inputs;   ///< in the order of the operation's inputs, the running value first
    std::vector<ValueId> results;  ///< one, but for functions that take a whole operation
    std::optional<TensorId> side;  ///< mask, statistics or gates that the operation leaves for the backward pass

    [[nodiscard]] bool gemm() const { return function.empty(); }
};

/// The forward pass step by step, in the order in which it is computed: what reads what, and which of it a gradient
/// passes through. Adds to the forward operations what the backward pass wants to find.
class GradientTape {
public:
    /// Takes the graph's operations apart. The graph must outlive the tape, which adds side results to its operations.
    /// Throws ModelError if an operation has operands that are no tensors of the graph, or too few of them.
    explicit GradientTape(StepGraph& graph);

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const TapeNode& node(NodeId id) const { return nodes_[id]; }
    [[nodiscard]] const TapeValue& value(ValueId id) const { return values_[id]; }
    [[nodiscard]] std::size_t value_count() const { return values_.size(); }
    [[nodiscard]] const Operation& operation(NodeId id) const { return graph_.operations[nodes_[id].operation]; }
    /// Is it a tensor that exists before the step and is trained?
    [[nodiscard]] bool trained(ValueId id) const;
    /// What the forward pass leaves: results of the operations of which nobody reads any.
    [[nodiscard]] std::vector<ValueId> ends() const;
    /// Layers with an input that a gradient should reach, though it is not known which step reads it.
    [[nodiscard]] const std::vector<std::string>& unexplained() const { return unexplained_; }

    /// The value as a tensor: a new side result, if it lies inside an operation.
    TensorId tensor(ValueId id);
    /// The node's side result: a new one, unless the operation has it.
    TensorId side(NodeId id, const TensorDraft& draft);

private:
    friend class OperationReader;

    StepGraph& graph_;
    std::vector<TapeValue> values_;  // those of the graph's tensors first, under the tensors' numbers
    std::vector<TapeNode> nodes_;
    std::vector<std::string> unexplained_;
};

}  // namespace nibble
