// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/byte_source.h"
#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"

namespace nibble {

/// The layers of a SCALE-Sim topology (CSV), convolutions or matrix products, told apart by the headings. The
/// multiply-accumulates of each are SCALE-Sim's (scale-sim-v2, scalesim/topology_utils.py):
///  - The IFMAP holds its padding already. SCALE-Sim rounds the output size up, (I - F + S) / S; ours rounds down, so
///    that rows and columns of padding are added below and at the right where they differ.
///  - A row with "DP" in its name is depthwise: each channel has "Num Filter" filters of its own.
///  - A row whose filter is as wide as the IFMAP, one high and one deep is a matrix product, H x W times W x filters,
///  and
///    so is one whose filter covers the IFMAP.
///  - Sparsity is noted and left out: all multiply-accumulates are done.
/// A sample is what one row says; `options.batch` and a column "Batch Size" multiply it: the batch of a convolution,
/// the rows M of a forward or dx product, the reduction K of a dw product.
///
/// Tables of backward GEMMs are told by the name of the file or of the row ("input_grad", "inpgrad", "dgrad";
/// "weight_grad", "wgrad"). Their rows become products of phase dx or dw, and nothing is derived from them.
/// Throws InputError naming line and column.
[[nodiscard]] StepGraph read_scale_sim(ByteSource& source, const ImportOptions& options, ImportSummary& summary);

}  // namespace nibble
