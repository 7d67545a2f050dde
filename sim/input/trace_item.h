// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <variant>

#include "sim/input/operation.h"

namespace nibble {

/// What a trace consists of, in the order of its lines: every tensor comes before the operations that use it.
using TraceItem = std::variant<Tensor, Operation>;

/// Takes the items of a training step one by one.
using TraceSink = std::function<void(const TraceItem&)>;

}  // namespace nibble
