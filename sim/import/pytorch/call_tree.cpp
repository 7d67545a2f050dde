// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/call_tree.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/aten_table.h"

namespace nibble {

namespace {

/// A node that autograd's engine makes around the operators of a backward function: "AddmmBackward0".
bool is_engine_node(std::string_view name) {
    if (name.starts_with("autograd::engine::") || name.starts_with("torch::autograd::")) {
        return true;
    }
    const std::size_t last = name.find_last_not_of("0123456789");
    return last != std::string_view::npos && name.substr(0, last + 1).ends_with("Backward");
}

bool is_gemm(std::string_view op) {
    const AtenOperator* entry = find_aten_operator(op);
    return entry != nullptr && entry->rule != AtenRule::nothing && entry->function.empty();
}

}  // namespace

void CallTree::add(const CallFacts& facts) {
    if (nodes_.size() == most_nodes) {
        fail(fmt::format("more than {} calls; record fewer training steps", most_nodes));
    }
    nodes_.push_back({facts.id, facts.parent, facts.sequence, 0, marks_of(facts), treatment_of(facts.name)});
}

std::uint16_t CallTree::marks_of(const CallFacts& facts) {
    unsigned marks = 0;
    if (facts.has_tensors) {
        marks |= tensors_mark;
    }
    if (is_engine_node(facts.name)) {
        marks |= engine_mark | backward_mark;
    }
    if (facts.backward || facts.name.find("_backward") != std::string_view::npos) {
        marks |= backward_mark;
    }
    if (facts.name.starts_with("Optimizer.step#")) {
        marks |= optimizer_mark;
    }
    if (facts.name.starts_with("Optimizer.zero_grad#")) {
        marks |= optimizer_mark | zero_grad_mark;
    }
    if (facts.name.starts_with("ProfilerStep#")) {
        marks |= step_mark;
    }
    if (is_gemm(facts.name)) {
        marks |= gemm_mark;
    }
    return static_cast<std::uint16_t>(marks);
}

void CallTree::decide() {
    const std::vector<std::uint32_t> order = in_order_of_begin();
    find_parents(order);
    // Callers begin before what they call: backwards, every node comes before its caller.
    for (auto i = order.rbegin(); i != order.rend(); ++i) {
        const Node& node = nodes_[*i];
        const bool known = node.treatment == CallTreatment::taken || node.treatment == CallTreatment::composite ||
                           (node.treatment == CallTreatment::unknown && is(node, known_below_mark));
        if (known && node.parent != none) {
            set(nodes_[node.parent], known_below_mark);
        }
    }
    for (const std::uint32_t i : order) {
        Node& node = nodes_[i];
        hand_on(node, node.parent == none ? nullptr : &nodes_[node.parent]);
    }
    if (std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return is(node, step_mark); })) {
        number_by_labels(order);
    } else {
        number_by_passes(order);
    }
}

std::vector<std::uint32_t> CallTree::in_order_of_begin() const {
    std::vector<std::uint32_t> order(nodes_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [this](std::uint32_t a, std::uint32_t b) { return nodes_[a].id < nodes_[b].id; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (nodes_[order[i]].id == nodes_[order[i - 1]].id && nodes_[order[i]].id != 0) {
            fail(fmt::format("two nodes have the id {}", nodes_[order[i]].id));
        }
    }
    return order;
}

/// Turns ids of callers into numbers of nodes.
void CallTree::find_parents(const std::vector<std::uint32_t>& order) {
    for (Node& node : nodes_) {
        const auto found = std::lower_bound(order.begin(), order.end(), node.parent,
                                            [this](std::uint32_t i, std::uint64_t id) { return nodes_[i].id < id; });
        const bool there = found != order.end() && nodes_[*found].id == node.parent && node.parent != 0;
        if (!there || node.parent == node.id) {
            node.parent = none;
            continue;
        }
        if (node.parent > node.id) {
            fail(
                fmt::format("node {} was called by node {}, which began after it; the calls form a circle or the ids "
                            "were changed",
                            node.id, node.parent));
        }
        node.parent = *found;
    }
}

/// Decides about one node; its caller has been decided about.
void CallTree::hand_on(Node& node, const Node* parent) {
    if (parent != nullptr) {
        set(node, parent->marks & (backward_mark | optimizer_mark | zero_grad_mark | closed_mark));
        if (node.sequence < 0) {
            node.sequence = parent->sequence;
        }
    }
    if (is(node, closed_mark)) {
        return;
    }
    switch (node.treatment) {
        case CallTreatment::taken:
            set(node, handed_on_mark | closed_mark);
            break;
        case CallTreatment::ignored:
            set(node, closed_mark);
            break;
        case CallTreatment::composite:
            if (!is(node, known_below_mark)) {
                set(node, handed_on_mark | closed_mark);
            }
            break;
        case CallTreatment::unknown:
            if (!is(node, known_below_mark) && is(node, tensors_mark) && !is(node, engine_mark)) {
                set(node, handed_on_mark | closed_mark);
            }
            break;
    }
}

void CallTree::number_by_labels(const std::vector<std::uint32_t>& order) {
    std::uint32_t iteration = 0;
    bool used = false;  // steps without calls do not count
    for (const std::uint32_t i : order) {
        Node& node = nodes_[i];
        if (is(node, step_mark) && used) {
            ++iteration;
            used = false;
        }
        node.iteration = iteration;
        used = used || is(node, handed_on_mark);
    }
}

void CallTree::number_by_passes(const std::vector<std::uint32_t>& order) {
    const auto ends = [](const Node& node, bool optimizer) {
        return is(node, zero_grad_mark) ? false
               : optimizer              ? is(node, optimizer_mark)
                                        : is(node, backward_mark) || is(node, optimizer_mark);
    };
    const bool optimizer_labelled = std::any_of(
        nodes_.begin(), nodes_.end(), [&](const Node& node) { return is(node, handed_on_mark) && ends(node, true); });
    std::uint32_t iteration = 0;
    bool ended = false;                // what ends an iteration has been seen
    std::optional<std::size_t> begin;  // since then: the first call that may belong to the next one
    for (std::size_t at = 0; at < order.size(); ++at) {
        Node& node = nodes_[order[at]];
        node.iteration = iteration;
        if (!is(node, handed_on_mark)) {
            continue;
        }
        const bool pass = is(node, backward_mark) || (is(node, optimizer_mark) && !is(node, zero_grad_mark));
        ended = ended || ends(node, optimizer_labelled);
        if (pass || !ended) {
            begin.reset();
            continue;
        }
        begin = begin.value_or(at);
        if (is(node, gemm_mark)) {
            ++iteration;
            for (std::size_t i = *begin; i <= at; ++i) {
                nodes_[order[i]].iteration = iteration;
            }
            ended = false;
            begin.reset();
        }
    }
}

CallRole CallTree::role(std::size_t node) const {
    const Node& n = nodes_[node];
    return {is(n, handed_on_mark), is(n, backward_mark), is(n, optimizer_mark), n.iteration, n.sequence};
}

void CallTree::fail(const std::string& what) const {
    throw InputError({file_, 0, 0}, what);
}

}  // namespace nibble
