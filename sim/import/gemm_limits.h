// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "sim/input/operation.h"
#include "sim/input/operation_size.h"

namespace nibble {

/// What keeps a convolution from being an operation of a trace (traces/FORMAT.md, Limits): a size of 0 or beyond the
/// limits, groups that do not divide the channels, a window larger than the padded input; nothing if it may be one.
[[nodiscard]] std::optional<std::string> problem_of(const Convolution& convolution);
[[nodiscard]] std::optional<std::string> problem_of(const Matmul& product);

}  // namespace nibble
