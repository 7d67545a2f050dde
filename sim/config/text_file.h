// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace nibble {

/// The whole of a small text file. Throws InputError if it cannot be read, is a directory, is empty, holds more than
/// `most_bytes` (so /dev/zero ends too), or is not text.
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path, std::size_t most_bytes);

/// Bytes of the UTF-8 character that `text`, which is not empty, begins with, or 0 if it begins with none (overlong
/// forms and surrogates do not count).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// The first byte of `text` that is neither part of a UTF-8 character nor an ordinary control character (tab, line
/// feed, carriage return); npos if all is well.
[[nodiscard]] std::size_t first_byte_not_text(std::string_view text);

/// Throws InputError with line and column at the first byte that is not text.
void require_text(std::string_view text, const std::string& name);

}  // namespace nibble
