// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace nibble {

/// The completion script of a shell: "bash", "zsh" or "fish". It says how that shell splits and completes words, and
/// nothing of the program's options.
[[nodiscard]] std::string_view completion_script(std::string_view shell);

}  // namespace nibble
