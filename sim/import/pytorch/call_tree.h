// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// What a reader knows of a node of a call tree: a call of an operator, or a label around some.
struct CallFacts {
    std::uint64_t id = 0;      ///< in the order in which calls began; 0: unknown, may occur often
    std::uint64_t parent = 0;  ///< id of the caller; its own, or one that no node has: none
    std::string_view name;
    bool has_tensors = false;    ///< as inputs or outputs
    std::int64_t sequence = -1;  ///< autograd's number, if it has one
    bool backward = false;       ///< known to belong to autograd's engine, whatever its name
};

/// What became of a node.
struct CallRole {
    bool handed_on = false;
    bool backward = false;
    bool optimizer = false;
    std::uint64_t iteration = 0;
    std::int64_t sequence = -1;
};

/// The calls of a recording as a tree, in 32 bytes a node: decides which are handed on, so that whatever was computed
/// is handed on once, and to which part of the training step they belong.
///
/// * A call that the table knows is handed on, unless it lies below one that is, or below one that is ignored; one that
///   the table calls composite only if nothing below it is known; one that the table does not know, and that has
///   tensors, only if nothing below it is known either. Labels and nodes of autograd's engine never are.
/// * Backward: below a node of autograd's engine ("...Backward0"), or "_backward" is part of the name.
/// * Optimiser: below "Optimizer.step#..." or "Optimizer.zero_grad#...".
/// * Iterations: a "ProfilerStep#N" begins one. Where there is none, one begins with the calls outside of backward and
///   optimiser among which there is a GEMM, after a step of the optimiser; or after a backward pass if the optimiser
///   left no label (several backward passes before one step then count as several iterations).
/// * The autograd number is the call's own or that of the nearest node above that has one: in the backward pass that is
///   the engine's node, whose number is that of the forward call.
class CallTree {
public:
    static constexpr std::size_t most_nodes = std::size_t{1} << 24U;

    /// `file` is for messages.
    explicit CallTree(std::string file) : file_(std::move(file)) {}

    /// Adds a node; its number is that of nodes added before. Throws InputError if there are too many.
    void add(const CallFacts& facts);
    /// Tells of a node that was added that it belongs to the backward pass, or to the optimiser.
    void set_backward(std::size_t node) { set(nodes_[node], backward_mark); }
    void set_optimizer(std::size_t node) { set(nodes_[node], optimizer_mark); }
    /// For readers who learn only at the end in which order calls began.
    void set_place(std::size_t node, std::uint64_t id, std::uint64_t parent) {
        nodes_[node].id = id;
        nodes_[node].parent = parent;
    }
    /// To be called when all nodes are there. Throws InputError if two have the same id, or one has a caller that began
    /// after it.
    void decide();

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    /// Valid after decide().
    [[nodiscard]] CallRole role(std::size_t node) const;

private:
    enum Mark : unsigned {
        backward_mark = 1U << 0U,
        optimizer_mark = 1U << 1U,  // includes zero_grad
        zero_grad_mark = 1U << 2U,
        engine_mark = 1U << 3U,  // autograd's own node
        step_mark = 1U << 4U,    // ProfilerStep
        gemm_mark = 1U << 5U,
        tensors_mark = 1U << 6U,
        known_below_mark = 1U << 7U,  // a taken or composite call lies below
        closed_mark = 1U << 8U,       // what lies below is left out
        handed_on_mark = 1U << 9U,
    };
    struct Node {
        std::uint64_t id;
        std::uint64_t parent;  // id; after decide(), number of the node or `none`
        std::int64_t sequence;
        std::uint32_t iteration;
        std::uint16_t marks;
        CallTreatment treatment;
    };
    static constexpr std::uint64_t none = ~std::uint64_t{0};

    static bool is(const Node& node, Mark mark) { return (node.marks & mark) != 0; }
    static void set(Node& node, unsigned marks) { node.marks = static_cast<std::uint16_t>(node.marks | marks); }
    static std::uint16_t marks_of(const CallFacts& facts);
    [[nodiscard]] std::vector<std::uint32_t> in_order_of_begin() const;
    void find_parents(const std::vector<std::uint32_t>& order);
    static void hand_on(Node& node, const Node* parent);
    void number_by_labels(const std::vector<std::uint32_t>& order);
    void number_by_passes(const std::vector<std::uint32_t>& order);
    [[noreturn]] void fail(const std::string& what) const;

    std::string file_;
    std::vector<Node> nodes_;
};

}  // namespace nibble
