// SPDX-License-Identifier: MIT
#include "sim/report/csv_field.h"

#include "sim/report/safe_text.h"

namespace nibble {

std::string csv_field(std::string_view text) {
    constexpr std::string_view formula_starts = "=+-@\t\r";
    std::string field = to_utf8(text);
    if (!field.empty() && formula_starts.find(field.front()) != std::string_view::npos) {
        field.insert(field.begin(), '\'');
    }
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
        return field;
    }
    std::string quoted = "\"";
    for (const char c : field) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + '"';
}

}  // namespace nibble
