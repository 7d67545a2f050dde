// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace nibble {

/// Prints a document on standard output, with the name and version of its schema (docs/results.md) in front; bytes that
/// are no UTF-8 become U+FFFD.
void show_json(const char* schema, const nlohmann::ordered_json& document);

}  // namespace nibble
