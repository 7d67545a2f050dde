// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "sim/input/trace_item.h"
#include "sim/input/workload.h"

namespace nibble {

/// Derives one training step of a network and hands it over item by item: forward in the order of the layers, backward
/// in reverse, then the optimiser. The same workload and batch give the same step. What each layer becomes is described
/// in traces/FORMAT.md. Throws InputError if the layers do not fit together.
void expand_training_step(const Workload& workload, std::uint64_t batch, const TraceSink& sink);

/// Trained parameters, biases and normalisation included; a shared weight counts once.
[[nodiscard]] std::uint64_t parameter_count(const Workload& workload);

}  // namespace nibble
