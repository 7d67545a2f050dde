// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace nibble {

/// `text` as one field of a CSV file (RFC 4180): UTF-8, quoted where it has to be. Text that a spreadsheet would take
/// for a formula (it begins with = + - @, tab or carriage return) gets an apostrophe in front.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace nibble
