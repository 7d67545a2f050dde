// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/byte_source.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Reads a PyTorch execution trace (torch.profiler.ExecutionTraceObserver), JSON of schema 1.0.1 to 1.1.1-chakra.0.0.4;
/// others are read like the last of these, and a note says so. Which calls are handed on: see CallTree.
///
/// Nodes are written when a call ends, so that callers come after what they called. The file is read once to learn how
/// the calls lie in one another, which takes 32 bytes a node, and once more, in flat memory, by each CallSource that
/// the result opens. Throws InputError if it is no such file; each CallSource does so for the calls that it hands on.
[[nodiscard]] OpenCalls open_execution_trace(OpenBytes open);

}  // namespace nibble
