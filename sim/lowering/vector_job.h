// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/counters/op_record.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/operation_lowering.h"
#include "sim/lowering/vector_emission.h"
#include "sim/lowering/vector_task.h"

namespace nibble {

/// One operation of the vector unit being lowered, a chunk a step: finds out where its operands are and where its
/// results go, and emits.
///
/// All operands are cut into the same number of contiguous chunks; while one is worked on the next is loaded and the
/// one before is stored. Operands much smaller than the work (statistics, biases, filters) are moved once. Outputs are
/// quantised on the way; gradients go through the log-gradient unit where codes are wanted.
class VectorJob final : public OperationLowering {
public:
    VectorJob(LoweringContext& context, const Operation& operation, OpRecord record, std::uint64_t first_access);

    bool step() override;

    [[nodiscard]] const VectorTask& task() const { return task_; }

private:
    struct Loaded {
        TensorId id = 0;
        CopyFormat format = CopyFormat::fp16;
    };

    void gather_inputs(std::uint64_t first_access);
    void gather_outputs(std::uint64_t first_access);
    void gather_copies(const OutputCopies& output);
    /// A gather's table is read, and a scatter's written, only where the indices point.
    void restrict_to_rows(VectorTask::Stream& stream, const Tensor& tensor, std::uint32_t bits) const;
    void describe(OpRecord& record) const;
    [[nodiscard]] VectorHooks hooks();
    void complete();

    LoweringContext& context_;
    Operation operation_;
    VectorTask task_;
    VectorPlaces places_;
    std::vector<TensorId> result_ids_, code_ids_;  // of the task's streams
    std::vector<Loaded> loaded_;                   // those that stay on chip from now on
    std::vector<OutputCopies> outputs_;
    std::optional<VectorEmission> emission_;
};

}  // namespace nibble
