// SPDX-License-Identifier: MIT
#include "sim/app/terminal.h"

#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace nibble {

namespace {

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

/// The first of these that is set decides the character set (POSIX).
bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view value = environment(name);
        if (!value.empty()) {
            return value.ends_with("UTF-8") || value.ends_with("utf8") || value.ends_with("utf-8");
        }
    }
    return false;
}

}  // namespace

TextStyle terminal_style() {
    if (isatty(STDOUT_FILENO) != 1) {
        return {};
    }
    const std::string_view terminal = environment("TERM");
    return {!terminal.empty() && terminal != "dumb" && environment("NO_COLOR").empty(), locale_is_utf8()};
}

}  // namespace nibble
