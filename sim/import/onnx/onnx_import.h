// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/byte_source.h"
#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"

namespace nibble {

/// Reads an ONNX model: its nodes become operations, one for each node and pass over memory. Shapes are inferred, and
/// sizes that the model leaves open are taken from `options.batch`. A backward pass that ONNX Runtime recorded is taken
/// as it is. Throws InputError naming the node.
[[nodiscard]] StepGraph read_onnx(ByteSource& source, const ImportOptions& options, ImportSummary& summary);

}  // namespace nibble
