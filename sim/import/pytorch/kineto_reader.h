// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/byte_source.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Reads a trace of torch.profiler (Kineto): Chrome's trace format, an object with "traceEvents" or the list of events
/// itself, recorded with record_shapes=True. Operators are complete events ("ph": "X") of category "cpu_op", formerly
/// "Operator"; labels are those of category "user_annotation". Calls lie in one another as their intervals of time do,
/// in each thread; see CallTree for which are handed on. They are handed on in the order in which they began.
///
/// Such a trace says neither which memory tensors lie in (their storage is 0) nor what results are like (calls have no
/// outputs). Lists of tensors come without element types (they are taken for 32-bit floating point).
/// Source: pytorch/pytorch, torch/csrc/profiler/{collection,kineto_shim,util}.cpp; pytorch/kineto,
/// libkineto/src/output_json.cpp.
///
/// The file is read once to learn how the calls lie in one another, which takes 60 bytes a call, and once more by each
/// CallSource that the result opens, in flat memory if the events are in the order of time. Throws InputError if it is
/// no such file, or has no shapes; each CallSource does so for the calls that it hands on.
[[nodiscard]] OpenCalls open_kineto(OpenBytes open);

}  // namespace nibble
