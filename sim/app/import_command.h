// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/app/trace_source.h"

namespace nibble {

/// Translates another program's file to a trace at `path`, and shows what was found. Nothing is written if it fails.
/// Throws InputError.
void import_command(const TraceRequest& request, const std::string& path, bool json, bool quiet);

}  // namespace nibble
