// SPDX-License-Identifier: MIT
// Functions that move elements and leave them as they are.
#include <algorithm>
#include <optional>
#include <utility>

#include "sim/import/derive/gradient_rules.h"

namespace nibble {

namespace {

/// Rows of a table: each gradient is added to the row that its index names. What a trained table has been given before
/// is added to in place.
void gather(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId table = node.inputs.front();
    if (!pass.wanted(table)) {
        return;
    }
    std::vector<TensorId> inputs{dy};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        inputs.push_back(pass.tape().tensor(node.inputs[i]));
    }
    std::vector<TensorId>& earlier = pass.given(table);
    if (!earlier.empty() && pass.is_weight_gradient(earlier.back())) {
        inputs.push_back(earlier.back());
        pass.emit(id, node.elements, {{"scatter_add"}}, std::move(inputs), {earlier.back()});
    } else {
        pass.give_whole(
            table, pass.compute(id, node.elements, {{"scatter_add"}}, std::move(inputs), pass.gradient_draft(table)));
    }
}

/// What was added to rows finds its gradient there; what it was added to has all of it.
void scatter_add(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId added = node.inputs.front();
    const bool indexed = node.inputs.size() > 1 && pass.tape().value(node.inputs[1]).draft.role == TensorRole::index;
    if (pass.wanted(added)) {
        std::vector<TensorId> inputs{dy};
        if (indexed) {
            inputs.push_back(pass.tape().tensor(node.inputs[1]));
        }
        pass.give(id, added,
                  pass.compute(id, node.elements, {{"gather"}}, std::move(inputs), pass.gradient_draft(added)));
    }
    for (std::size_t i = indexed ? 2 : 1; i < node.inputs.size(); ++i) {
        pass.give(id, node.inputs[i], dy);
    }
}

void slice(BackwardPass& pass, NodeId id, TensorId dy) {
    pass.give_part(id, pass.tape().node(id).inputs.front(), dy);
}

void place(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId operand = node.inputs.front();
    if (pass.wanted(operand)) {
        pass.give(id, operand, pass.compute(id, node.elements, {{"slice"}}, {dy}, pass.gradient_draft(operand)));
    }
}

/// One tensor out of another: transposed, or repeated.
void move(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId from = node.inputs.front();
    if (pass.tape().value(from).elements < node.elements) {
        pass.give(id, from, dy);
    } else if (pass.wanted(from)) {
        pass.give(id, from, pass.compute(id, node.elements, {{"copy"}}, {dy}, pass.gradient_draft(from)));
    }
}

/// Pieces into one tensor: its gradient is cut up again.
void join(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const bool all = std::ranges::all_of(node.inputs, [&](ValueId piece) { return pass.wanted(piece); });
    std::vector<TensorId> gradients;
    for (const ValueId piece : node.inputs) {
        if (!pass.wanted(piece)) {
            continue;
        }
        const TensorId gradient = pass.declare(id, pass.gradient_draft(piece));
        gradients.push_back(gradient);
        if (!all) {
            pass.emit(id, pass.tape().value(piece).elements, {{"slice"}}, {dy}, {gradient});
        }
        pass.give(id, piece, gradient);
    }
    if (all) {
        pass.emit(id, node.elements, {{"copy"}}, {dy}, gradients);
        pass.note_joined(gradients, dy);
    }
}

/// One tensor into pieces: their gradients are put together.
void split(BackwardPass& pass, NodeId id) {
    const TapeNode& node = pass.tape().node(id);
    const ValueId from = node.inputs.front();
    std::vector<TensorId> gradients;
    std::vector<std::optional<TensorId>> of_piece;
    for (const ValueId piece : node.results) {
        of_piece.push_back(pass.gradient(piece));
        if (of_piece.back()) {
            gradients.push_back(*of_piece.back());
        }
    }
    if (!pass.wanted(from) || gradients.empty()) {
        return;
    }
    if (gradients.size() == node.results.size()) {
        pass.give(id, from, pass.join(id, gradients, pass.gradient_draft(from)));
        return;
    }
    for (const TensorId gradient : gradients) {
        pass.give_part(id, from, gradient);
    }
}

}  // namespace

void copy_gradient(BackwardPass& pass, NodeId id) {
    const TapeNode& node = pass.tape().node(id);
    if (node.results.size() > 1) {
        split(pass, id);
    } else if (const std::optional<TensorId> dy = pass.gradient(node.results.front())) {
        node.inputs.size() > 1 ? join(pass, id, *dy) : move(pass, id, *dy);
    }
}

std::span<const NamedRule> movement_rules() {
    static constexpr NamedRule rules[] = {
        {"gather", gather},
        {"scatter_add", scatter_add},
        {"slice", slice},
        {"place", place},
    };
    return rules;
}

}  // namespace nibble
