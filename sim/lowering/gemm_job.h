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
        std::uint32_t bits = 16;
        bool resident = false;                  // whole and on chip
        ScratchpadPart part{};                  // that it is read from
        bool preload = false;                   // to become resident, by a load of its own
        std::uint64_t address = 0;              // in DRAM, unless resident
        Dependencies ready{};                   // of the whole operand
        std::optional<Slice> held;              // tile in the buffer last loaded
        std::vector<Dependencies> buffer_free;  // last users of each buffer
        std::size_t buffer = 0;                 // last loaded
        Dependencies loaded{};                  // that load
    };

    [[nodiscard]] Operand operand(std::size_t input, TileBuffer buffer, std::uint64_t access);
    [[nodiscard]] Operand side_input(std::size_t input);
    [[nodiscard]] bool as_large_as_the_output(TensorId tensor) const;
    [[nodiscard]] TilingInput tiling_input() const;
    void preload(Operand& operand);
    void load_small_side_inputs();
    void fetch(Operand& operand, Slice slice);
    void finish_tile(const TileRange& tile);
    void store_tile(const OutputCopies& output, const TileRange& tile, const Dependencies& made);
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
    Dependencies start_{};                    // space for tiles and resident outputs is free
    std::vector<Dependencies> out_free_;      // last users of each buffer
    std::size_t out_buffer_ = 0;
    std::shared_ptr<const std::vector<float>> sums_;  // of the reduction in progress, in values mode
};

}  // namespace nibble
