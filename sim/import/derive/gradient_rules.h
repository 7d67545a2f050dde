// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "sim/import/derive/backward_pass.h"

namespace nibble {

/// Says what becomes of the gradient of a step's result: emits the gradients of its inputs that are wanted and gives
/// them to these. `dy` is the gradient of the first result.
using GradientRule = void (*)(BackwardPass& pass, NodeId id, TensorId dy);

struct NamedRule {
    std::string_view function;
    GradientRule rule;
};

/// The rule of a function with one result; null if no gradient passes through it.
[[nodiscard]] GradientRule find_gradient_rule(std::string_view function);

// The rules by topic.
[[nodiscard]] std::span<const NamedRule> elementwise_rules();    // gradient_rules_elementwise.cpp
[[nodiscard]] std::span<const NamedRule> movement_rules();       // gradient_rules_movement.cpp
[[nodiscard]] std::span<const NamedRule> normalisation_rules();  // gradient_rules_normalisation.cpp
[[nodiscard]] std::span<const NamedRule> resizing_rules();       // gradient_rules_resizing.cpp

/// Functions that make several values, of which only some may have a gradient: called whether one has come or not.
/// gradient_rules_movement.cpp: several pieces in or out.
void copy_gradient(BackwardPass& pass, NodeId id);
/// gradient_rules_recurrent.cpp
void lstm_cell_gradient(BackwardPass& pass, NodeId id);
void gru_cell_gradient(BackwardPass& pass, NodeId id);

/// gradient_rules_gemm.cpp: gradients of convolutions and matrix products. A weight that several products of one shape
/// share, such as the steps of a recurrent layer, has its gradient from one product over the rows of all of them.
class GemmGradients {
public:
    explicit GemmGradients(BackwardPass& pass);
    /// Of each GEMM in reverse order, whether a gradient has come or not.
    void add(NodeId id);

private:
    /// Products that share a weight.
    struct Shared {
        ValueId weight = 0;
        std::size_t left = 0;             // that have not been reached
        std::vector<NodeId> nodes;        // that have a gradient, last first
        std::vector<TensorId> gradients;  // theirs
    };
    void add_convolution(NodeId id, TensorId dy);
    void add_product(NodeId id, TensorId dy);
    void left_gradient(NodeId id, TensorId dy, Phase phase);
    void right_gradient(NodeId id, TensorId dy, Phase phase);
    void add_shared(Shared& shared);

    BackwardPass& pass_;
    std::vector<Shared> shared_;
    std::map<NodeId, std::size_t> shared_of_;
};

}  // namespace nibble
