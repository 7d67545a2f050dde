// SPDX-License-Identifier: MIT
#pragma once

#include "models/machine/machine_params.h"
#include "sim/counters/counter.h"
#include "sim/lowering/gemm_emission.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// Places in DRAM for the operands and results of a GEMM that runs alone, one behind the other.
[[nodiscard]] GemmPlaces places_alone(const GemmTask& task);

/// What is expected of a GEMM that runs alone, from an idle machine to its last result.
struct TaskPrediction {
    double cycles = 0;
    CounterValues counters{};  ///< see count_command(); with the cycles
};

/// Emits the GEMM's commands and puts them through the command model. Of a GEMM of more than some hundreds of tiles
/// only the first are taken, and the rest is expected to go on at their pace.
[[nodiscard]] TaskPrediction predict(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine);

/// Bytes that the GEMM moves on the DRAM bus, exactly: all of its transfers are looked at.
struct TaskTraffic {
    std::uint64_t dram_bytes_read = 0;
    std::uint64_t dram_bytes_written = 0;
};
[[nodiscard]] TaskTraffic predict_traffic(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine);

}  // namespace nibble
