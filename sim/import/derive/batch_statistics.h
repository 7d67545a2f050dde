// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "sim/import/step_graph.h"

namespace nibble {

/// Has every batch normalisation use the statistics of its batch, as training does: where it reads none that an
/// operation of the graph made, a pass that gathers them goes before it, and takes the place of the running mean and
/// variance. Returns how many there were.
std::size_t use_batch_statistics(StepGraph& graph);

}  // namespace nibble
