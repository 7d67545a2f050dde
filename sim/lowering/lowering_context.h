// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/counters/on_chip_record.h"
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
    OnChipRecord& on_chip;
};

/// A slice of a tensor that would have been loaded, or stored, had it not been on chip.
void spare_load(LoweringContext& context, TensorId id, const Slice& slice);
/// A slice that was loaded whole, to stay, for the slices that were spared of it.
void unspare_load(LoweringContext& context, TensorId id, const Slice& slice);
void spare_store(LoweringContext& context, TensorId id, const Slice& slice);

/// Lane-operations of a list of steps for one element. Throws InputError for a function that does not exist.
[[nodiscard]] std::uint64_t lane_ops_of(const std::vector<VectorStep>& steps);

/// An output of an operation, as it is to be written: which copies, and what making them takes.
struct OutputCopies {
    TensorId id = 0;
    std::uint64_t elements = 0;
    std::vector<CopyFormat> formats;
    CopyFormats stored = 0;               ///< those that go to DRAM; the others only stay on chip
    CopyFormats stays = 0;                ///< those that stay on chip
    std::uint32_t bits = 0;               ///< of one element, all copies together
    std::uint32_t stored_bits = 0;        ///< of these, the ones that go to DRAM
    std::uint32_t code_bits = 0;          ///< of these, radix-4 codes, which the log-gradient unit writes
    std::uint64_t quantize_lane_ops = 0;  ///< of the vector unit, for one element

    [[nodiscard]] bool has(CopyFormat format) const;
    [[nodiscard]] bool stores(CopyFormat format) const { return (stored & bit_of(format)) != 0; }
    [[nodiscard]] bool keeps(CopyFormat format) const { return (stays & bit_of(format)) != 0; }
    /// Where a copy is made: where it stays, or in the buffer of results or of codes.
    [[nodiscard]] ScratchpadPart part(CopyFormat format) const {
        return keeps(format) ? ScratchpadPart::resident
                             : part_of(is_fp4(format) ? TileBuffer::gradient : TileBuffer::output);
    }
    /// Where the 16-bit results go from which the copies are made.
    [[nodiscard]] ScratchpadPart result_part() const {
        return has(CopyFormat::fp16) ? part(CopyFormat::fp16) : ScratchpadPart::output;
    }
};

/// What the plan says of an output, the `access`-th operand access of the step.
[[nodiscard]] OutputCopies output_copies(const TensorPlan& plan, const Tensor& tensor, std::uint64_t access);

/// The outputs of an operation begin to be written: what must be complete before any of them may be. `access` numbers
/// the first one.
[[nodiscard]] TensorMemory::Target begin_outputs(LoweringContext& context, const std::vector<TensorId>& outputs,
                                                 std::uint64_t access);

/// The present operation has issued everything that makes this output: later readers wait for it.
void mark_output_complete(LoweringContext& context, const OutputCopies& output);

}  // namespace nibble
