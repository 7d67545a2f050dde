// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sim/import/import_summary.h"
#include "sim/report/text_table.h"

namespace nibble {

/// One line: what a file was recognised as, and how many steps it holds.
[[nodiscard]] std::string import_line(const std::string& file, const ImportSummary& summary);
/// What was not recognised, derived, or is worth knowing; empty if there is nothing to say.
[[nodiscard]] std::string import_text(const ImportSummary& summary, const TextStyle& style);
[[nodiscard]] nlohmann::ordered_json import_json(const ImportSummary& summary);
/// `unrecognised[]`: operators, the largest first.
[[nodiscard]] nlohmann::ordered_json unrecognised_json(const ImportSummary& summary);

}  // namespace nibble
