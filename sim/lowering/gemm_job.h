// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/counters/op_record.h"
#include "sim/lowering/gemm_lowering.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/operation_lowering.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// One GEMM being lowered, a tile a step.
class GemmJob final : public OperationLowering {
public:
    /// Chooses the tiling and begins the operation.
    GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access);

    bool step() override;

private:
    /// An operand in the format in which this GEMM reads it, and the buffers of its tiles.
    struct Operand {
        TensorId id = 0;
        CopyFormat format = CopyFormat::fp16;
        std::uint32_t bits = 16;                // where it is
        bool rounded = false;                   // to radix-4 codes, tile by tile, on its way to the array
        std::uint64_t bytes = 0;                // of the whole operand
        TensorMemory::Source source;            // where it is, and whether it is loaded whole
        std::uint64_t address = 0;              // in DRAM, unless it is on chip
        std::uint64_t begun = 0;                // bytes of it that were loaded, if it is loaded whole
        std::optional<Slice> held;              // tile in the buffer last loaded
        std::vector<Dependencies> buffer_free;  // last users of each buffer
        std::size_t buffer = 0;                 // last loaded
        Dependencies loaded{};                  // that load
        [[nodiscard]] std::uint32_t array_bits() const { return rounded ? rounded_code_bits : bits; }
        [[nodiscard]] bool resident() const { return source.on_chip || source.stays; }
    };

    [[nodiscard]] Operand operand(std::size_t input, std::uint64_t access);
    [[nodiscard]] bool as_large_as_the_output(TensorId tensor) const;
    [[nodiscard]] TilingInput tiling_input() const;
    void load_up_to(Operand& operand, std::uint64_t end);
    void load_for_others();
    void load_small_side_inputs();
    [[nodiscard]] std::vector<Operand*> operands();
    void fetch(Operand& operand, Slice slice);
    void round_tile(Operand& operand, const Slice& slice);
    void finish_tile(const TileRange& tile);
    void load_side_tile(Operand& side, const TileRange& tile);
    void store_tile(const OutputCopies& output, const TileRange& tile, const Dependencies& made);
    void store_whole(const OutputCopies& output);
    void count_fused();
    void complete();

    GemmResources& resources_;
    LoweringContext& context_;
    Operation operation_;
    GemmProblem problem_;
    GemmPrecision precision_;
    Tiling tiling_;
    std::optional<TileWalk> walk_;
    Operand left_, right_;
    OutputCopies out_;
    std::vector<OutputCopies> side_outputs_;  // masks, statistics
    std::vector<Operand> side_inputs_;        // of the epilogue
    std::uint64_t epilogue_lane_ops_ = 0;     // for one element
    bool transforms_ = false;                 // the epilogue changes the results
    TensorMemory::Target target_;             // of all outputs
    Dependencies start_{};                    // space for tiles is free
    std::vector<Dependencies> out_free_;      // last users of each buffer
    std::size_t out_buffer_ = 0;
    std::shared_ptr<const std::vector<float>> sums_;  // of the reduction in progress, in values mode
};

}  // namespace nibble
