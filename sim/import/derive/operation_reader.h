// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "sim/import/derive/gradient_tape.h"

namespace nibble {

/// Takes one operation apart into the steps of a GradientTape. Steps run on a stack of values: each takes what it needs
/// from the stack, then from the operation's inputs in their order, and leaves its result; an operation that joins two
/// chains (two normalisations and their sum) has two values on it for a while. Further outputs are recognised by their
/// role: a mask or statistics belong to the next step that makes such, an activation to the next value that the
/// backward pass will want.
class OperationReader {
public:
    OperationReader(GradientTape& tape, std::size_t operation);
    void read();

private:
    void read_step(const VectorStep& step);
    void take_operands(TapeNode& node);
    void take_sides(TapeNode& node);
    void take_parameters(TapeNode& node);
    void take_table(TapeNode& node);
    void take_part(TapeNode& node);
    void take_everything(TapeNode& node);
    ValueId take();
    ValueId take_input();
    [[nodiscard]] TensorRole role(ValueId id) const { return tape_.values_[id].draft.role; }
    [[nodiscard]] std::size_t wanted_later() const;
    [[nodiscard]] bool next_is_index() const;
    [[nodiscard]] std::uint64_t result_elements() const;
    ValueId between_steps(const std::string& function, std::uint64_t elements);
    void claim_side_results(TapeNode& node);
    void claim_value(ValueId id);
    void push(TapeNode node);

    GradientTape& tape_;
    std::size_t at_;
    const Operation& operation_;
    std::deque<VectorStep> steps_;                           // not read yet
    std::uint64_t elements_ = 0;                             // of the running value
    std::deque<ValueId> inputs_;                             // not taken yet
    std::deque<TensorId> masks_, statistics_, activations_;  // outputs after the first, not claimed yet
    std::vector<ValueId> stack_;
};

}  // namespace nibble
