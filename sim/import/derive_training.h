// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"
#include "sim/input/trace_item.h"

namespace nibble {

/// Completes a forward pass to a training step: for each operation in reverse its gradients, then the optimiser.
/// ... (rules) ...
void derive_training(StepGraph graph, const ImportOptions& options, const TraceSink& sink, ImportSummary& summary);

}  // namespace nibble
