// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "sim/import/derive/gradient_rules.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

const Matmul* matmul_of(const GradientTape& tape, NodeId id) {
    return std::get_if<Matmul>(&tape.operation(id).work);
}

bool is_weight(const GradientTape& tape, ValueId id) {
    return tape.value(id).draft.role == TensorRole::weight;
}

/// Rows of several products lie one after the other: y = x w for all of them at once.
bool can_be_joined(const GradientTape& tape, NodeId id) {
    const Matmul* work = matmul_of(tape, id);
    const TapeNode& node = tape.node(id);
    return work != nullptr && work->batch == 1 && !work->left_transposed && is_weight(tape, node.inputs[1]) &&
           tape.value(node.inputs[1]).needs_gradient && node.inputs[0] != node.inputs[1];
}

/// Does the whole batch share the operand?
bool shared_by_batch(const GradientTape& tape, ValueId operand, const Matmul& work, std::uint64_t elements) {
    return work.batch > 1 && tape.value(operand).elements == elements;
}

}  // namespace

GemmGradients::GemmGradients(BackwardPass& pass) : pass_(pass) {
    const GradientTape& tape = pass.tape();
    std::map<ValueId, std::vector<NodeId>> products;
    for (NodeId id = 0; id < tape.size(); ++id) {
        if (tape.node(id).gemm() && can_be_joined(tape, id)) {
            products[tape.node(id).inputs[1]].push_back(id);
        }
    }
    for (const auto& [weight, nodes] : products) {
        const Matmul& first = *matmul_of(tape, nodes.front());
        bool equal = nodes.size() > 1;
        for (const NodeId id : nodes) {
            equal = equal && *matmul_of(tape, id) == first;
        }
        if (equal && bounded_product({nodes.size(), first.m, first.k}, most_elements) &&
            bounded_product({nodes.size(), first.m, first.n}, most_elements) &&
            bounded_product({nodes.size(), first.m, first.n, first.k}, most_work)) {
            for (const NodeId id : nodes) {
                shared_of_.emplace(id, shared_.size());
            }
            shared_.push_back({weight, nodes.size(), {}, {}});
        }
    }
}

void GemmGradients::add(NodeId id) {
    const std::optional<TensorId> dy = pass_.gradient(pass_.tape().node(id).results.front());
    if (dy) {
        std::holds_alternative<Convolution>(pass_.tape().operation(id).work) ? add_convolution(id, *dy)
                                                                             : add_product(id, *dy);
    }
    const auto found = shared_of_.find(id);
    if (found == shared_of_.end()) {
        return;
    }
    Shared& shared = shared_[found->second];
    if (dy) {
        shared.nodes.push_back(id);
        shared.gradients.push_back(*dy);
    }
    if (--shared.left == 0 && !shared.nodes.empty()) {
        add_shared(shared);
    }
}

void GemmGradients::add_convolution(NodeId id, TensorId dy) {
    GradientTape& tape = pass_.tape();
    const TapeNode& node = tape.node(id);
    const Convolution work = std::get<Convolution>(tape.operation(id).work);
    const ValueId x = node.inputs[0];
    const ValueId w = node.inputs[1];
    if (pass_.wanted(w)) {
        pass_.give(id, w, pass_.multiply(id, Phase::dw, work, {tape.tensor(x), dy}, pass_.gradient_draft(w)));
    }
    if (pass_.wanted(x)) {
        pass_.give(id, x, pass_.multiply(id, Phase::dx, work, {dy, tape.tensor(w)}, pass_.gradient_draft(x)));
    }
}

void GemmGradients::add_product(NodeId id, TensorId dy) {
    const GradientTape& tape = pass_.tape();
    const TapeNode& node = tape.node(id);
    // dw is the weight's, wherever it stands; without a weight, the right operand's.
    const bool weight_on_left = is_weight(tape, node.inputs[0]) && !is_weight(tape, node.inputs[1]);
    if (pass_.wanted(node.inputs[1]) && !shared_of_.contains(id)) {
        right_gradient(id, dy, weight_on_left ? Phase::dx : Phase::dw);
    }
    if (pass_.wanted(node.inputs[0])) {
        left_gradient(id, dy, weight_on_left ? Phase::dw : Phase::dx);
    }
}

/// dleft = dy right^T, stored as left is: of a transposed left, right dy^T.
void GemmGradients::left_gradient(NodeId id, TensorId dy, Phase phase) {
    GradientTape& tape = pass_.tape();
    const TapeNode& node = tape.node(id);
    const Matmul y = *matmul_of(tape, id);
    const TensorId right = tape.tensor(node.inputs[1]);
    const Matmul work = y.left_transposed ? Matmul{y.batch, y.k, y.m, y.n, y.right_transposed, true}
                                          : Matmul{y.batch, y.m, y.k, y.n, false, !y.right_transposed};
    std::vector<TensorId> inputs = y.left_transposed ? std::vector{right, dy} : std::vector{dy, right};
    TensorDraft draft = pass_.gradient_draft(node.inputs[0]);
    if (shared_by_batch(tape, node.inputs[0], y, y.m * y.k)) {  // one for each product of the batch, then their sum
        draft.name += ".of_each";
        draft.shape = {y.batch, y.m, y.k};
    }
    pass_.give(id, node.inputs[0], pass_.multiply(id, phase, work, std::move(inputs), draft));
}

/// dright = left^T dy, stored as right is: of a transposed right, dy^T left.
void GemmGradients::right_gradient(NodeId id, TensorId dy, Phase phase) {
    GradientTape& tape = pass_.tape();
    const TapeNode& node = tape.node(id);
    const Matmul y = *matmul_of(tape, id);
    const TensorId left = tape.tensor(node.inputs[0]);
    TensorDraft draft = pass_.gradient_draft(node.inputs[1]);
    std::uint64_t batch = y.batch;
    std::uint64_t rows = y.m;
    if (shared_by_batch(tape, node.inputs[1], y, y.k * y.n)) {
        if (!y.left_transposed && tape.value(node.inputs[0]).elements == y.batch * y.m * y.k) {
            rows *= std::exchange(batch, 1);  // the rows of all products lie one after the other
        } else {
            draft.name += ".of_each";
            draft.shape = {y.batch, y.k, y.n};
        }
    }
    const Matmul work = y.right_transposed ? Matmul{batch, y.n, y.k, rows, true, y.left_transposed}
                                           : Matmul{batch, y.k, y.n, rows, !y.left_transposed, false};
    std::vector<TensorId> inputs = y.right_transposed ? std::vector{dy, left} : std::vector{left, dy};
    pass_.give(id, node.inputs[1], pass_.multiply(id, phase, work, std::move(inputs), draft));
}

void GemmGradients::add_shared(Shared& shared) {
    GradientTape& tape = pass_.tape();
    const NodeId by = shared.nodes.back();  // the first of the forward pass
    if (shared.nodes.size() == 1) {
        right_gradient(by, shared.gradients.front(), Phase::dw);
        return;
    }
    const Matmul y = *matmul_of(tape, by);
    const std::uint64_t rows = y.m * shared.nodes.size();
    std::vector<TensorId> lefts;
    const std::vector<TensorId> gradients(shared.gradients.rbegin(), shared.gradients.rend());
    for (const NodeId id : shared.nodes) {
        lefts.push_back(tape.tensor(tape.node(id).inputs[0]));
    }
    std::ranges::reverse(lefts);
    const std::string layer = tape.operation(by).layer;
    const TensorId left = pass_.join(by, lefts, {TensorRole::activation, layer + ".rows", {rows, y.k}});
    const TensorId dy = pass_.join(by, gradients, {TensorRole::gradient, layer + ".rows.gradient", {rows, y.n}});
    const TensorDraft draft = pass_.gradient_draft(shared.weight);
    const TensorId dw = y.right_transposed
                            ? pass_.multiply(by, Phase::dw, Matmul{1, y.n, y.k, rows, true, false}, {dy, left}, draft)
                            : pass_.multiply(by, Phase::dw, Matmul{1, y.k, y.n, rows, true, false}, {left, dy}, draft);
    pass_.give(by, shared.weight, dw);
}

}  // namespace nibble
