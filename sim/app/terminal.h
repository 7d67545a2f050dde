// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "sim/report/text_table.h"

namespace nibble {

/// Columns of the terminal that `file` is: COLUMNS, if it is a number, else what the terminal says, between 40 and
/// 1000; report_width if neither knows.
[[nodiscard]] std::size_t terminal_width(int file);

/// How text on standard output may look: colours only on a terminal, and neither on a dumb one nor where NO_COLOR is
/// set; block characters where the locale is UTF-8 and it is a terminal; lines as wide as the terminal.
[[nodiscard]] TextStyle terminal_style();

}  // namespace nibble
