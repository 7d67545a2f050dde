// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "sim/report/text_table.h"
#include "sim/timeline/timeline_reader.h"

namespace nibble {

/// Columns that a lane's line has beside the cells.
inline constexpr std::size_t timeline_margin = 39;

/// For terminals: a line for each unit, with what it did in each column, the shares of the window that it was busy and
/// stalled, and below the names of operations.
[[nodiscard]] std::string timeline_text(const std::vector<MachineTimeline>& machines, const TextStyle& style);

/// The same for programs.
[[nodiscard]] std::string timeline_json(const std::vector<MachineTimeline>& machines);

}  // namespace nibble
