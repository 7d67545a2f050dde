// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Translates a recording of calls to a trace. The recording is read twice: to survey it, and to translate it; memory
/// grows with its tensors only, by some bytes each. Where it has no backward pass and one is to be derived, the forward
/// pass is held in memory. `file` is for messages, `name` the network's where the recording does not tell.
/// Throws InputError: nothing in it is an operation, the batch is not known, and whatever the reader finds.
void import_calls(const OpenCalls& open, const std::string& file, const std::string& name, const ImportOptions& options,
                  std::ostream& out, ImportSummary& summary);

}  // namespace nibble
