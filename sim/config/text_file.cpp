// SPDX-License-Identifier: MIT
#include "sim/config/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

bool is_forbidden_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) {
        return 1;
    }
    struct Form {
        unsigned char first_low, first_high;    // range of the first byte
        unsigned char second_low, second_high;  // range of the second byte
        std::size_t length;
    };
    // Unicode standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
    static constexpr Form forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                     {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
                                     {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                                     {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (const Form& form : forms) {
        if (byte(0) < form.first_low || byte(0) > form.first_high) {
            continue;
        }
        if (text.size() < form.length || byte(1) < form.second_low || byte(1) > form.second_high) {
            return 0;
        }
        for (std::size_t i = 2; i < form.length; ++i) {
            if (byte(i) < 0x80 || byte(i) > 0xbf) {
                return 0;
            }
        }
        return form.length;
    }
    return 0;
}

std::string read_text_file(const std::filesystem::path& path, std::size_t most_bytes) {
    const SourceLocation where{path.string()};
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        throw InputError(where, "expected a file, found a directory");
    }
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        throw InputError(where, fmt::format("cannot be opened: {}", std::strerror(errno)));
    }
    std::string text;
    char block[65536];
    while (text.size() <= most_bytes && (stream.read(block, sizeof block), stream.gcount() > 0)) {
        text.append(block, static_cast<std::size_t>(stream.gcount()));
    }
    if (stream.bad()) {
        throw InputError(where, "cannot be read to its end");
    }
    if (text.empty()) {
        throw InputError(where, "the file is empty");
    }
    if (text.size() > most_bytes) {
        throw InputError(where, fmt::format("the file is larger than {} KiB", most_bytes / 1024));
    }
    require_text(text, where.file);
    return text;
}

std::size_t first_byte_not_text(std::string_view text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) {
        return std::string_view::npos;  // what most lines are, at the speed of memory
    }
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text.substr(at));
        if (length == 0 || is_forbidden_control(text[at])) {
            return at;
        }
        at += length;
    }
    return std::string_view::npos;
}

void require_text(std::string_view text, const std::string& name) {
    const std::size_t at = first_byte_not_text(text);
    if (at == std::string_view::npos) {
        return;
    }
    const std::string_view before = text.substr(0, at);
    const auto line = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 == 0: the first line
    throw InputError({name, line, at - line_start + 1},
                     fmt::format("expected text in UTF-8, found byte 0x{:02x}", static_cast<unsigned char>(text[at])));
}

}  // namespace nibble
