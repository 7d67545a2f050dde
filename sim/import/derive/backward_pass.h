// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/import/derive/gradient_tape.h"
#include "sim/import/step_graph.h"

namespace nibble {

/// Adds the backward pass to a graph: goes through the steps of its tape in reverse and has the rule of each say what
/// becomes of the gradient of its result. A value that several steps read has their gradients added, in one operation
/// once all have come.
class BackwardPass {
public:
    BackwardPass(StepGraph& graph, GradientTape& tape) : graph_(graph), tape_(tape) {}

    /// Gradients must have been given to what the loss reads. Throws InputError if a tensor becomes too large.
    void run();
    /// Functions through which no gradient is known to pass though one came.
    [[nodiscard]] const std::set<std::string>& impassable() const { return impassable_; }

    // ---- For rules
    [[nodiscard]] GradientTape& tape() { return tape_; }
    [[nodiscard]] bool wanted(ValueId id) const { return tape_.value(id).needs_gradient; }
    /// The value's gradient, whole; nothing if none has come. Adds what has come so far.
    std::optional<TensorId> gradient(ValueId id);
    /// A gradient for the value. If it is larger, it is summed up over what the value was spread to; if it is smaller,
    /// it is that of a part. Of a value that needs none, nothing happens.
    void give(NodeId by, ValueId to, TensorId gradient);
    /// The gradient of a part of the value.
    void give_part(NodeId by, ValueId to, TensorId gradient);
    /// A gradient that is taken as it is, such as the tensor that holds those of scale and shift together.
    void give_whole(ValueId to, TensorId gradient);
    /// What a trained value has been given so far, to which more may be added in place.
    [[nodiscard]] std::vector<TensorId>& given(ValueId id) { return given_[id]; }

    [[nodiscard]] bool is_weight_gradient(TensorId id) const {
        return graph_.tensors[id].role == TensorRole::weight_gradient;
    }

    /// What the value's gradient is as a tensor.
    [[nodiscard]] TensorDraft gradient_draft(ValueId of) const;
    /// Throws InputError if it has too many elements.
    TensorId declare(NodeId by, const TensorDraft& draft);
    /// Vector work that belongs to the node's layer; the one with a draft writes a new tensor.
    void emit(NodeId by, std::uint64_t elements, std::vector<VectorStep> steps, std::vector<TensorId> inputs,
              std::vector<TensorId> outputs);
    TensorId compute(NodeId by, std::uint64_t elements, std::vector<VectorStep> steps, std::vector<TensorId> inputs,
                     const TensorDraft& result);
    /// A GEMM of the node's layer and position.
    TensorId multiply(NodeId by, Phase phase, const Convolution& work, std::vector<TensorId> inputs,
                      const TensorDraft& result);
    TensorId multiply(NodeId by, Phase phase, const Matmul& work, std::vector<TensorId> inputs,
                      const TensorDraft& result);
    /// The tensors one after the other as one, by a copy unless there is such a tensor already.
    TensorId join(NodeId by, const std::vector<TensorId>& pieces, const TensorDraft& result);
    void note_joined(const std::vector<TensorId>& pieces, TensorId whole) { joined_.emplace(pieces, whole); }

private:
    void note_forward_copies();
    TensorId emit_gemm(NodeId by, Phase phase, std::variant<Convolution, Matmul, VectorWork> work,
                       std::vector<TensorId> inputs, const TensorDraft& result);

    StepGraph& graph_;
    GradientTape& tape_;
    std::map<ValueId, std::vector<TensorId>> given_;
    std::map<ValueId, TensorId> parts_;  // gradients that are put together from parts
    std::map<std::vector<TensorId>, TensorId> joined_;
    std::set<std::string> impassable_;
};

}  // namespace nibble
