// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/import/onnx/onnx_model.h"

namespace nibble {

/// Puts the nodes of the model's own functions in the place of the nodes that call them, in the graph and as often as
/// it takes. Throws InputError if functions call each other without end or become too many nodes.
void expand_onnx_functions(OnnxModel& model, const std::string& file);

/// Puts the chosen body of an If in the place of the node; `then` says which. The node must be one of the graph's.
void expand_onnx_branch(OnnxGraph& graph, std::size_t node, bool then);

}  // namespace nibble
