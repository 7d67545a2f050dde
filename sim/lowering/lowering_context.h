// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/tensor_memory.h"
#include "sim/lowering/tile_space.h"

namespace nibble {

/// What the lowering of every operation works on.
struct LoweringContext {
    const MachineParameters& machine;
    const Recipe& recipe;
    Emitter& emitter;
    TensorMemory& memory;
    TileSpace& tiles;
};

/// Lane-operations of a list of steps for one element. Throws InputError for a function that does not exist.
[[nodiscard]] std::uint64_t lane_ops_of(const std::vector<VectorStep>& steps);

/// An output of an operation, as it is to be written: which copies, and what making them takes.
struct OutputCopies {
    TensorId id = 0;
    std::uint64_t elements = 0;
    std::vector<CopyFormat> formats;
    bool stored = true;                   ///< to DRAM; otherwise it stays on chip only
    bool resident = false;                ///< stays on chip: is made where it stays
    std::uint32_t bits = 0;               ///< of one element, all copies together
    std::uint32_t code_bits = 0;          ///< of these, radix-4 codes, which the log-gradient unit writes
    std::uint64_t quantize_lane_ops = 0;  ///< of the vector unit, for one element

    /// Where what is made for a tile buffer goes.
    [[nodiscard]] ScratchpadPart part(TileBuffer buffer) const {
        return resident ? ScratchpadPart::resident : part_of(buffer);
    }
};

/// Decides where the output goes (TensorMemory::place_output) and describes it.
[[nodiscard]] OutputCopies place_output(LoweringContext& context, TensorId id, std::uint64_t access);

/// The present operation has issued everything that makes this output: later readers wait for it.
void mark_output_complete(LoweringContext& context, const OutputCopies& output);

}  // namespace nibble
