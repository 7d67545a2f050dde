// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "sim/input/operation.h"
#include "sim/input/trace_line.h"

namespace nibble {

/// What a line of a trace is about, told by its keys.
enum class TraceLineKind : std::uint8_t { header, tensor, convolution, matmul, vector, end };

/// The kind of a line, or nothing (with the problem added to the line's list) if it has none or is an operation of
/// unknown kind.
[[nodiscard]] std::optional<TraceLineKind> kind_of(TraceLine& line);

/// Adds a problem for each key that the line's kind needs and does not have, or has and does not know.
void check_keys(TraceLine& line, TraceLineKind kind);

/// What the line says. Everything that can be judged without other lines is checked; if problems were added, the
/// result has no meaning.
[[nodiscard]] TraceHeader read_header(TraceLine& line);
[[nodiscard]] Tensor read_tensor(TraceLine& line);
[[nodiscard]] Operation read_operation(TraceLine& line, TraceLineKind kind);

}  // namespace nibble
