// SPDX-License-Identifier: MIT
#pragma once

#include "models/machine/machine_params.h"
#include "sim/counters/counter.h"
#include "sim/lowering/emitter.h"
#include "sim/program/command.h"

namespace nibble {

/// Adds what the machine would count for a command to `counters`: everything that energy is priced from and that
/// follows from the command alone. What depends on time (rows opened, refreshes, cycles) does not.
void count_command(const Command& command, const MachineParameters& machine, const Emitter& emitter,
                   CounterValues& counters);

}  // namespace nibble
