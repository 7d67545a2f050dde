// SPDX-License-Identifier: MIT
#include "sim/app/terminal.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <system_error>
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

std::size_t terminal_width(int file) {
    constexpr std::size_t least = 40;
    constexpr std::size_t most = 1000;
    const std::string_view columns = environment("COLUMNS");
    std::size_t width = 0;
    if (std::from_chars(columns.data(), columns.data() + columns.size(), width).ec != std::errc()) {
        winsize size{};
        width = ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    }
    return width == 0 ? report_width : std::clamp(width, least, most);
}

TextStyle terminal_style() {
    if (isatty(STDOUT_FILENO) != 1) {
        return {};
    }
    const std::string_view terminal = environment("TERM");
    return {!terminal.empty() && terminal != "dumb" && environment("NO_COLOR").empty(), locale_is_utf8(),
            terminal_width(STDOUT_FILENO)};
}

}  // namespace nibble
