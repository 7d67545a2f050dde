// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/import/derive/backward_pass.h"
#include "sim/input/workload.h"

namespace nibble {

/// Adds the optimiser's operations after a derived backward pass, and says so in a phrase.
std::string derive_optimizer(StepGraph& graph, const GradientTape& tape, BackwardPass& pass, Optimizer optimizer);

/// The same after a recorded backward pass, of which the graph does not say whose gradient a tensor is: each weight
/// takes one that is as large, the last written for the first read. An empty phrase: there is nothing to update.
std::string derive_optimizer(StepGraph& graph, Optimizer optimizer);

}  // namespace nibble
