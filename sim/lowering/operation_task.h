// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <variant>

#include "sim/lowering/gemm_task.h"
#include "sim/lowering/tiling.h"
#include "sim/lowering/vector_task.h"

namespace nibble {

/// A GEMM as it is to be run.
struct MappedGemm {
    GemmTask task;
    Tiling tiling{};
};

/// What one operation of a step asks of a machine, without addresses.
using OperationTask = std::variant<MappedGemm, VectorTask>;

/// Equal for operations whose commands, alone on machines of one DRAM burst length, are equal.
[[nodiscard]] std::string content_key(const OperationTask& operation);

}  // namespace nibble
