// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "sim/config/yaml_schema.h"

namespace nibble {

/// A schema for people: a heading and a table for each map, in Markdown. Maps that have the same keys share one.
[[nodiscard]] std::string schema_markdown(const YamlSchema& schema);

/// A schema for programs: JSON Schema (draft 2020-12), by which editors check files and complete keys. Rules that span
/// keys are not in it.
[[nodiscard]] std::string schema_json(const YamlSchema& schema, std::string_view title);

}  // namespace nibble
