// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace nibble {

/// Writes all of the text into a pipe to the parent; ends this process if nobody listens any more.
void write_to_parent(int pipe, std::string_view text);

/// "signal 9 (Killed), perhaps for want of memory": what ended a process.
[[nodiscard]] std::string signal_text(int signal);

}  // namespace nibble
