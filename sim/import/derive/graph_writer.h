// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/step_graph.h"
#include "sim/input/trace_item.h"

namespace nibble {

/// Hands a graph over as a trace wants it: each tensor just before the first operation that uses it, numbered in this
/// order. Tensors that no operation uses are left out.
void write_graph(const StepGraph& graph, const TraceSink& sink);

}  // namespace nibble
