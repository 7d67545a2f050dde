// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace nibble {

/// Shells that there is a completion script for.
inline constexpr std::array<std::string_view, 3> completion_shells{"bash", "zsh", "fish"};

/// Prints the script that teaches `shell`, one of completion_shells, to complete the program's command lines. The
/// script asks the program each time (next_words_command), so that it never falls behind.
void completion_command(std::string_view shell);

/// Prints what may come next on a command line of `app`: `words` are those after the program's name, of which the last
/// is being written, and may be empty. A candidate a line, with a tab and its description where there is one; the
/// lines ":files" and ":directories" ask for these. Of "--option=value" only the value is completed. What does not
/// begin as the last word does is left to the shell, which has rules of its own for that.
/// Throws InputError if the program's data cannot be found.
void next_words_command(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace nibble
