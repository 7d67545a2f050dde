// SPDX-License-Identifier: MIT
#include "sim/report/number_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace nibble {

namespace {

/// Three significant digits of a value below 1000 or so.
std::string three_digits(double value) {
    const double magnitude = std::abs(value);
    const int decimals = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

std::string grouped(std::uint64_t count) {
    std::string digits = fmt::format("{}", count);
    for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4) {
        digits.insert(digits.size() - from_end, ",");
    }
    return digits;
}

std::string with_prefix(double value, const std::string& unit) {
    struct Prefix {
        double factor;
        std::string_view letter;
    };
    static constexpr std::array<Prefix, 10> prefixes{{{1e18, "E"},
                                                      {1e15, "P"},
                                                      {1e12, "T"},
                                                      {1e9, "G"},
                                                      {1e6, "M"},
                                                      {1e3, "k"},
                                                      {1, ""},
                                                      {1e-3, "m"},
                                                      {1e-6, "u"},
                                                      {1e-9, "n"}}};
    if (value == 0) {
        return unit.empty() ? "0" : "0 " + unit;
    }
    Prefix chosen{1e-12, "p"};
    // 999.5 and above would be written with four digits: it goes to the next prefix.
    const auto fits = [&](const Prefix& prefix) { return std::abs(value) >= prefix.factor * 0.9995; };
    if (const auto* found = std::ranges::find_if(prefixes, fits); found != prefixes.end()) {
        chosen = *found;
    }
    const std::string number = three_digits(value / chosen.factor);
    const std::string suffix = std::string(chosen.letter) + unit;
    return suffix.empty() ? number : number + " " + suffix;
}

std::string byte_size(double bytes) {
    static constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    while (unit + 1 < units.size() && bytes >= 1023.5) {
        bytes /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{} {}", three_digits(bytes), units[unit]);
}

std::string ratio(double value) {
    return value != 0 && std::abs(value) < 0.0995 ? fmt::format("{:.2g}x", value) : three_digits(value) + "x";
}

std::string percent(double share) {
    const double value = share * 100;
    return value != 0 && std::abs(value) < 9.95 ? fmt::format("{:.1f}%", value) : fmt::format("{:.0f}%", value);
}

std::string duration(double seconds) {
    if (seconds < 0.9995) {
        return with_prefix(seconds, "s");
    }
    if (seconds < 59.95) {
        return fmt::format("{:.1f} s", seconds);
    }
    const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
    if (whole < 3600) {
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    }
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace nibble
