// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"
#include "sim/input/trace_item.h"

namespace nibble {

/// Completes a graph to a training step and hands it over item by item, as far as options.training wants it:
///
///  - Forward: as it is, and what the backward pass needs besides as further outputs of its operations: the mask of a
///    ReLU or of dropout, the number of a maximum's place, statistics, the gates of a recurrent cell. A normalisation
///    by running statistics becomes one by the batch's.
///  - Loss: softmax cross entropy against one label a row, if the graph ends in one tensor of rows by classes; nothing,
///    if it ends in a single number or holds a cross_entropy_grad. Otherwise the gradient of each end is given: a
///    vector operation stands for the loss that makes it.
///  - Backward: for each step in reverse the gradients of its operands, each an operation of its own, for everything
///  that
///    a trained tensor precedes. Where layers are disconnected, every GEMM but the first has its dx.
///  - Optimiser: one operation for each weight, with a 32-bit master copy and moments, and one for the states of each
///    layer. It reads gradients as the backward pass left them; what got none is not updated.
///
/// A graph with a recorded backward pass only gets the optimiser, unless it has one; with forward_only it loses both.
/// What was derived, and what no gradient is known for, is added to the summary. Throws InputError if a tensor that
/// this needs becomes too large.
///
/// How the inputs of a vector operation belong to its steps: each step takes the value of the step before or, at first,
/// the next input; then what else it reads, in this order:
///
///     bias                     x, state
///     batch_norm               x, statistics (any number), states; likewise layer_norm, group_norm, rms_norm
///     add, mul, div, fma, ...  as many operands as there are inputs, one with a constant; smaller ones are spread
///     select                   condition (mask or index, else the first) and one or two operands
///     gather                   table, index                   scatter_add  x, index, what it is added to
///     slice                    of the inputs, the one larger than `elements`
///     copy                     pieces in, pieces out
///     lstm_cell                gate sums of 4 h (any number), states (biases), c; out h, c, and the gates if saved
///     gru_cell                 gate sums of 3 h (any number), states (biases), h; out h, and the gates if saved
///
/// A weight is what a GEMM reads under the role `weight`, or `gather` its rows from.
void derive_training(StepGraph graph, const ImportOptions& options, const TraceSink& sink, ImportSummary& summary);

}  // namespace nibble
