// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace nibble::fuzz {

/// Reads the whole trace as `nibblesim run` does before it simulates: every line, and whether shapes fit between
/// operations. Throws InputError.
void plan_trace(const std::string& path);

/// Aborts, saying why, unless the text is a trace that `nibblesim run` would simulate, and still is when its
/// element-wise work has been fused: whatever a part of nibblesim writes, the next part must be able to read.
void require_valid_trace(const std::string& text);

}  // namespace nibble::fuzz
