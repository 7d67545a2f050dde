// SPDX-License-Identifier: MIT
// Functions whose result is smaller, or larger, than their operand.
#include <algorithm>
#include <bit>

#include "sim/import/derive/gradient_rules.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

void max_pool(BackwardPass& pass, NodeId id, TensorId dy) {
    GradientTape& tape = pass.tape();
    const TapeNode& node = tape.node(id);
    const ValueId operand = node.inputs.front();
    if (!pass.wanted(operand)) {
        return;
    }
    // Numbers 0 to window - 1; a mask has at most 8 bits, beyond which the place in the row would be kept instead.
    constexpr unsigned most_bits = 8;
    const unsigned bits = std::clamp(static_cast<unsigned>(std::bit_width(node.repeat - 1)), 1U, most_bits);
    const TensorDraft& result = tape.value(node.results.front()).draft;
    const TensorId winner = tape.side(id, {TensorRole::mask, result.name + ".winner", result.shape, bits});
    pass.give(
        id, operand,
        pass.compute(id, node.elements, {{"max_pool_grad", node.repeat}}, {dy, winner}, pass.gradient_draft(operand)));
}

/// Each element of the operand is scaled once for each window that it is in.
void avg_pool(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId operand = node.inputs.front();
    if (!pass.wanted(operand)) {
        return;
    }
    const std::uint64_t elements = pass.tape().value(operand).elements;
    const std::uint64_t reads = bounded_product({node.elements, node.repeat}, most_work).value_or(most_work);
    const std::uint64_t windows = std::max<std::uint64_t>(1, reads / elements);
    pass.give(id, operand,
              pass.compute(id, elements, {{"avg_pool_grad", windows}}, {dy}, pass.gradient_draft(operand)));
}

void interpolate(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId operand = node.inputs.front();
    if (pass.wanted(operand)) {
        pass.give(
            id, operand,
            pass.compute(id, node.elements, {{"interpolate_grad", node.repeat}}, {dy}, pass.gradient_draft(operand)));
    }
}

/// Every summand has the sum's gradient.
void sum(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId operand = node.inputs.front();
    if (pass.wanted(operand)) {
        const std::uint64_t elements = pass.tape().value(operand).elements;
        pass.give(id, operand, pass.compute(id, elements, {{"copy"}}, {dy}, pass.gradient_draft(operand)));
    }
}

}  // namespace

std::span<const NamedRule> resizing_rules() {
    static constexpr NamedRule rules[] = {
        {"max_pool", max_pool},
        {"avg_pool", avg_pool},
        {"interpolate", interpolate},
        {"sum", sum},
    };
    return rules;
}

}  // namespace nibble
