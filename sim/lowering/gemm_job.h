// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/counters/op_record.h"
#include "sim/lowering/gemm_emission.h"
#include "sim/lowering/gemm_lowering.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/operation_lowering.h"

namespace nibble {

/// One GEMM being lowered, a tile a step: finds out where its operands are and where its results go, looks up its
/// mapping, and emits.
class GemmJob final : public OperationLowering {
public:
    GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access);

    bool step() override;

    [[nodiscard]] const GemmTask& task() const { return task_; }
    [[nodiscard]] const Tiling& tiling() const { return tiling_; }

private:
    /// An input in the format in which this GEMM reads it.
    struct Input {
        TensorId id = 0;
        CopyFormat format = CopyFormat::fp16;
        TensorMemory::Source source;
        GemmTask::Operand operand;
        GemmPlaces::Operand place;
    };

    [[nodiscard]] Input input(std::size_t index, std::uint64_t access);
    void describe_outputs();
    void describe_copies(const OutputCopies& output);
    [[nodiscard]] GemmHooks hooks();
    void describe_small_inputs();
    void describe_whole_outputs();
    void load_small_inputs();
    void load_for_others();
    void count_fused();
    void spare_stores(const TileRange& tile);
    void complete();

    GemmResources& resources_;
    LoweringContext& context_;
    Operation operation_;
    GemmTask task_;
    Tiling tiling_;
    GemmPlaces places_;
    std::vector<Input> inputs_;  // left, right, then those of the epilogue that are as large as the output
    std::vector<Input> small_inputs_;
    OutputCopies out_;
    std::vector<OutputCopies> side_outputs_;  // masks, statistics
    TensorMemory::Target target_;             // of all outputs
    std::optional<GemmEmission> emission_;
};

}  // namespace nibble
