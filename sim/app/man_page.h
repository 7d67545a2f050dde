// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

namespace nibble {

/// Prints the manual page nibblesim(1), in the man macros of roff: commands, arguments and options from the definitions
/// of `app`, and around them what definitions do not say.
void man_command(const CLI::App& app);

}  // namespace nibble
