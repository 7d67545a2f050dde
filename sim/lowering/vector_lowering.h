// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "sim/counters/op_record.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/operation_lowering.h"

namespace nibble {

/// Lowers everything that the vector unit executes, in one pass over memory: element-wise work, the optimiser, and
/// depthwise convolutions. All operands are cut into the same number of contiguous chunks; while one is worked on the
/// next is loaded and the one before is stored. Operands much smaller than the work (statistics, biases, filters) are
/// moved once. Outputs are quantised on the way; gradients go through the log-gradient unit where codes are wanted.
[[nodiscard]] std::unique_ptr<OperationLowering> lower_vector_work(LoweringContext& context, const Operation& operation,
                                                                   OpRecord record, std::uint64_t first_access);

}  // namespace nibble
