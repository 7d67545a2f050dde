// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "models/machine/machine_params.h"
#include "sim/counters/op_record.h"
#include "sim/lowering/operation_task.h"

namespace nibble {

/// Simulates one operation alone, from an idle machine to its last result. Elaborates SystemC: once a process.
[[nodiscard]] OpRecord run_alone(const OperationTask& operation, const MachineParameters& machine);

/// The same in a process of its own; threads must not run. Throws ModelError, and Interrupted.
[[nodiscard]] OpRecord run_alone_in_process(const OperationTask& operation, const MachineParameters& machine);

/// A machine on which this operation, alone, takes the same cycles and counts the same as on `machine`, and which is
/// the same for all machines of which that can be told beforehand: what no command of the operation can reach is left
/// out, as is what only names, prices or lays out. Not fit to be built.
[[nodiscard]] MachineParameters what_matters(const OperationTask& operation, const MachineParameters& machine);

/// A hash of the operation and of what matters to it of a machine. Equal keys: equal results of run_alone() and of
/// predict().
[[nodiscard]] std::string operation_key(const OperationTask& operation, const MachineParameters& machine);

}  // namespace nibble
