// SPDX-License-Identifier: MIT
#pragma once

#include "sim/report/text_table.h"

namespace nibble {

/// How text on standard output may look: colours only on a terminal, and neither on a dumb one nor where NO_COLOR is
/// set; block characters where the locale is UTF-8 and it is a terminal.
[[nodiscard]] TextStyle terminal_style();

}  // namespace nibble
