// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "sim/counters/op_record.h"
#include "sim/lowering/gemm_values.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/mapping_table.h"
#include "sim/lowering/operation_lowering.h"
#include "sim/lowering/operation_task.h"

namespace nibble {

/// What the lowering of one GEMM shares with that of the others.
struct GemmResources {
    LoweringContext context;
    const MappingTable* mappings;  ///< null: every GEMM gets the greedy mapping
    GemmValues* values;            ///< null in shapes mode
    /// Gradients whose codes were compared with the reference so far.
    std::shared_ptr<std::uint64_t> gradients_checked = std::make_shared<std::uint64_t>(0);
};

/// Lowers the GEMMs that run on the array: looks up the mapping, loads operand tiles into alternating buffers,
/// multiplies, and on the last tile of each reduction applies the epilogue, converts gradients and stores every copy
/// that a later operation reads.
class GemmLowering {
public:
    GemmLowering(const LoweringContext& context, const MappingTable* mappings, GemmValues* values)
        : resources_{context, mappings, values} {}

    /// `record` holds what is known of the operation; `first_access` numbers its operand accesses (see TensorPlan).
    /// One operation at a time: the one before must be complete.
    [[nodiscard]] std::unique_ptr<OperationLowering> lower(const Operation& operation, OpRecord record,
                                                           std::uint64_t first_access);

    /// What a GEMM would ask of the machine at this point of the trace. Begins the operation like lower(), but nothing
    /// of it is emitted afterwards.
    [[nodiscard]] MappedGemm task_of(const Operation& operation, std::uint64_t first_access);

    [[nodiscard]] std::uint64_t gradients_checked() const { return *resources_.gradients_checked; }

private:
    GemmResources resources_;
};

}  // namespace nibble
