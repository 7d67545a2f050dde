// SPDX-License-Identifier: MIT
#pragma once

#include "models/machine/machine_params.h"
#include "sim/counters/counter.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/operation_task.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// What is expected of a GEMM that runs alone, from an idle machine to its last result.
struct TaskPrediction {
    double cycles = 0;
    CounterValues counters{};  ///< see count_command(); with the cycles
};

/// Emits the commands of the GEMM's tiles and puts them through the command model. Of a GEMM of more than some hundreds
/// of tiles only the first are taken, and the rest is expected to go on at their pace.
[[nodiscard]] TaskPrediction predict(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine);

/// The same of any operation, with everything that is moved whole, and all of its commands counted. What a prediction
/// does not know stays 0: DRAM's rows, refreshes and standby, and collisions in the scratchpad. Requests of the DMA,
/// and the scratchpad lines that transfers take, are those of runs that begin on whole requests and lines. Everything
/// else is exact.
[[nodiscard]] TaskPrediction predict(const OperationTask& operation, const MachineParameters& machine);

/// Bytes that the GEMM moves on the DRAM bus, exactly: all of its transfers are looked at.
struct TaskTraffic {
    std::uint64_t dram_bytes_read = 0;
    std::uint64_t dram_bytes_written = 0;
};
[[nodiscard]] TaskTraffic predict_traffic(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine);

}  // namespace nibble
