// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Reads what Python's repr() writes of lists and tuples of numbers, words and text: "[1, (2.5, 'cuda:0'), None,
/// True]". Whole numbers that need more than 64 bits become floating-point numbers. Strict: anything else, or lists
/// that lie more than 64 deep in one another, is an InputError that names the byte of the text. Source:
/// docs.python.org, "Lexical analysis", Literals.
[[nodiscard]] RecordedValue read_python_literal(std::string_view text, const CallPlace& place);

}  // namespace nibble
