// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/byte_source.h"
#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"

namespace nibble {

/// The layers of a ZigZag workload (YAML; schema: zigzag/parser/workload_validator.py), recognised by their equations
/// and not by `operator_type`, which only tells maximum from average pooling and addition from others.
///
/// `operand_source` joins layers where the sizes agree. An input without a size of its own (`pr_loop_sizes`, `padding`)
/// that is smaller than what the windows cover is taken for padded on both sides, more above and at the left. Where
/// sizes do not agree the layer reads a tensor of its own, which is noted. `operand_precision` becomes `operand_bits`:
/// I, W, and O_final or else O. `options.batch` multiplies the batch of every layer.
///
/// Layers that are neither a convolution, a matrix product, pooling nor element-wise are counted as not recognised;
/// what they compute is taken to exist. Throws InputError naming line and column.
[[nodiscard]] StepGraph read_zigzag(ByteSource& source, const ImportOptions& options, ImportSummary& summary);

}  // namespace nibble
