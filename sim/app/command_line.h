// SPDX-License-Identifier: MIT
#pragma once

namespace nibble {

/// Carries out a command line; returns the exit code: 0 all is well, 2 the user's input or flags are wrong,
/// 70 an error of the program's own, 130 interrupted. Errors go to standard error, one line a problem.
[[nodiscard]] int run_command_line(int argc, const char* const* argv);

}  // namespace nibble
