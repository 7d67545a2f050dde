// SPDX-License-Identifier: MIT
#pragma once

#include "sim/app/trace_source.h"

namespace nibble {

/// Shows what is in a trace, a workload, another program's file, or a machine. Throws InputError.
void info_command(const TraceRequest& request, bool json);

/// Shows what comes with the program: presets, workloads, recipes.
void list_command(bool json);

}  // namespace nibble
