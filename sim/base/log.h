// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace nibble {

/// Levels that --log takes, from silent to everything. "trace" (what every unit does in every cycle) is compiled into
/// debug builds only.
[[nodiscard]] const std::vector<std::string>& log_levels();

/// Sends messages from this level up to standard error. Results never go through the log. Throws InputError for a level
/// that does not exist.
void set_up_logging(const std::string& level);

}  // namespace nibble
