// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace nibble {

/// How a step of vector work takes its operands: what GradientTape has to know to tell which of an operation's inputs
/// belong to which step.
enum class OperandForm : std::uint8_t {
    unary,       ///< the value of the step before, or the next input
    parameters,  ///< the same, and the statistics, states and weights that follow among the inputs
    reduction,   ///< unary; what comes after it is smaller
    window,      ///< unary; reads `repeat` operands for each element of its result
    binary,      ///< two values, or as many more as `repeat` says, or one value and a constant
    indexed,     ///< a value (for gather a table) and the index tensor that follows
    part,        ///< unary: reads or writes a part of a tensor
    whole,       ///< all inputs and all outputs of the operation
    source,      ///< none
};

/// What the forward pass has to leave behind for the gradient.
enum class Saved : std::uint8_t {
    nothing,
    mask,        ///< a few bits for each element of the result
    operand,     ///< the value that the step reads
    result,      ///< the value that it makes
    either,      ///< the one or the other
    both_sides,  ///< all operands
    statistics,  ///< the operand, and sums over its rows, groups or channels
    cell,        ///< the gates of a recurrent cell, as large as its sums
};

struct VectorForm {
    std::string_view function;
    OperandForm form = OperandForm::unary;
    Saved saved = Saved::nothing;
};

/// The form of a forward function; null for those of the backward pass, the optimiser and quantisation.
[[nodiscard]] const VectorForm* find_vector_form(std::string_view function);

}  // namespace nibble
