// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/import/derive/backward_pass.h"

namespace nibble {

/// Gives gradients to what the forward pass ends in. Says in a phrase what was made up for it; "" if nothing was,
/// because the graph holds its loss or trains nothing.
std::string derive_loss(StepGraph& graph, GradientTape& tape, BackwardPass& pass);

}  // namespace nibble
