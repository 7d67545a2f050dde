// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nibble {

/// `text` as UTF-8: every byte that is part of no character becomes U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view text);

/// Characters (not bytes) of UTF-8 text: its width on a terminal, for scripts written in single cells.
[[nodiscard]] std::size_t display_width(std::string_view utf8);

/// `text` fit to be shown on a terminal: UTF-8, control characters (also those above 0x7f and the ones that turn the
/// writing direction) replaced by '?', and at most `most` characters wide, cut with "...".
[[nodiscard]] std::string for_terminal(std::string_view text, std::size_t most);

/// Text that for_terminal() has made, with "..." in place of its middle if it is wider than `most`.
[[nodiscard]] std::string without_middle(const std::string& utf8, std::size_t most);

/// One of the program's own names in words: "mac_array" as "mac array".
[[nodiscard]] std::string spaced(std::string_view name);

}  // namespace nibble
