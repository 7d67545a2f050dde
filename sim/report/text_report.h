// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/report/result.h"
#include "sim/report/text_table.h"

namespace nibble {

/// The result for people: what was run, the headline, tables per phase and layer group, where cycles and energy went,
/// and how the promised speed-up became the measured one. No line is wider than report_width.
[[nodiscard]] std::string text_report(const Result& result, const TextStyle& style);

}  // namespace nibble
