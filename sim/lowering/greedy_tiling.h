// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/machine/machine_params.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// Does the machine have room for the tiling's buffers and partial sums?
[[nodiscard]] bool fits(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine);

/// The smallest tile that a dimension is cut into: what fills the array, in whole blocks of memory.
struct LeastTile {
    std::uint64_t i = 1, j = 1, l = 1;
};
[[nodiscard]] LeastTile least_tile(const GemmTask& task, const MachineParameters& machine);

/// The mapping that a simple compiler takes without looking at costs: results stay in the PEs if the array can do that
/// (else its first dataflow), loops in the order i, j, l, everything buffered as deeply as the machine has it. The tile
/// starts with everything; while it does not fit, i and j are halved, that one first of which it has more outputs to
/// spare, and only then l, so that reductions stay whole as long as they can. Throws InputError if not even the
/// smallest tile fits.
[[nodiscard]] Tiling greedy_tiling(const GemmTask& task, const MachineParameters& machine);

/// InputError: nothing of the GEMM fits the machine.
[[noreturn]] void throw_nothing_fits(const GemmTask& task, const MachineParameters& machine);

}  // namespace nibble
