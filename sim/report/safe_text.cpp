// SPDX-License-Identifier: MIT
#include "sim/report/safe_text.h"

#include <algorithm>
#include <cstdint>

namespace nibble {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

/// Bytes of the character that `text` begins with, and its code point; length 0 if it begins with none.
struct Character {
    std::size_t length = 0;
    std::uint32_t code_point = 0;
};

Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) {
        return {1, lead};
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) {
        return {};
    }
    std::uint32_t code_point = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return {};
        }
        code_point = (code_point << 6U) | (byte(i) & 0x3fU);
    }
    const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < least || code_point > 0x10ffff || surrogate) {
        return {};
    }
    return {length, code_point};
}

bool steers_terminal(std::uint32_t code_point) {
    const bool control = code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
    const bool separator = code_point == 0x2028 || code_point == 0x2029;
    const bool direction = code_point == 0x200e || code_point == 0x200f ||
                           (code_point >= 0x202a && code_point <= 0x202e) ||
                           (code_point >= 0x2066 && code_point <= 0x2069);
    return control || separator || direction;
}

}  // namespace

std::string to_utf8(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        safe += character.length == 0 ? replacement : text.substr(0, character.length);
        text.remove_prefix(character.length == 0 ? 1 : character.length);
    }
    return safe;
}

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    for (const char c : utf8) {
        width += (static_cast<unsigned char>(c) & 0xc0U) != 0x80 ? 1 : 0;
    }
    return width;
}

std::string for_terminal(std::string_view text, std::size_t most) {
    constexpr std::string_view dots = "...";
    std::string shown;
    std::size_t width = 0;
    std::size_t cut_at = 0;  // bytes of `shown` that leave room for the dots
    while (!text.empty()) {
        if (width == most) {
            shown.resize(cut_at);
            return shown += dots.substr(0, most);
        }
        const Character character = first_character(text);
        if (character.length == 0) {
            shown += replacement;
        } else if (steers_terminal(character.code_point)) {
            shown += '?';
        } else {
            shown += text.substr(0, character.length);
        }
        text.remove_prefix(character.length == 0 ? 1 : character.length);
        ++width;
        if (width + dots.size() <= most) {
            cut_at = shown.size();
        }
    }
    return shown;
}

std::string without_middle(const std::string& utf8, std::size_t most) {
    constexpr std::string_view dots = "...";
    const std::size_t width = display_width(utf8);
    if (width <= most) {
        return utf8;
    }
    if (most <= dots.size()) {
        return std::string(dots.substr(0, most));
    }
    const std::size_t back = (most - dots.size()) / 2;
    const std::size_t front = most - dots.size() - back;
    // Bytes before the character at a place.
    const auto bytes_before = [&](std::size_t place) {
        std::size_t at = 0;
        for (std::size_t seen = 0; at < utf8.size(); ++at) {
            if (display_width(utf8.substr(at, 1)) == 1 && seen++ == place) {
                break;
            }
        }
        return at;
    };
    return utf8.substr(0, bytes_before(front)).append(dots) + utf8.substr(bytes_before(width - back));
}

std::string spaced(std::string_view name) {
    std::string text(name);
    std::ranges::replace(text, '_', ' ');
    return text;
}

}  // namespace nibble
