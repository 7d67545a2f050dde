// SPDX-License-Identifier: MIT
#include "sim/report/text_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "sim/report/safe_text.h"

namespace nibble {

namespace {

constexpr std::size_t indent = 2;
constexpr std::size_t gap = 2;
constexpr std::size_t narrowest_name = 12;
constexpr std::size_t longest_name = 1000;  // of what is kept

std::string in_colour(const char* code, const std::string& text, const TextStyle& style) {
    return style.colour ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
}

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

void TextTable::add(std::vector<std::string> row) {
    row.resize(columns_.size());
    row[0] = for_terminal(row[0], longest_name);
    rows_.push_back(std::move(row));
}

std::vector<std::size_t> TextTable::widths(std::size_t most) const {
    std::vector<std::size_t> widths;
    std::size_t all = indent - gap;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::size_t width = display_width(columns_[c].title);
        for (const auto& row : rows_) {
            width = std::max(width, display_width(row[c]));
        }
        widths.push_back(width);
        all += gap + width;
    }
    std::size_t give = 0;  // that names can do without
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        give += may_shrink(c) && widths[c] > narrowest_name ? widths[c] - narrowest_name : 0;
    }
    if (all > most + give) {  // it takes several blocks anyway
        widths[0] = std::min(widths[0], std::max(narrowest_name, most / 2 - indent));
        return widths;
    }
    for (; all > most; --all) {
        std::size_t widest = columns_.size();
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            widest = may_shrink(c) && (widest == columns_.size() || widths[c] > widths[widest]) ? c : widest;
        }
        --widths[widest];
    }
    return widths;
}

std::vector<std::vector<std::size_t>> TextTable::blocks(const std::vector<std::size_t>& widths,
                                                        std::size_t most) const {
    std::vector<std::vector<std::size_t>> blocks{{0}};
    std::size_t used = indent + widths[0];
    for (std::size_t c = 1; c < columns_.size(); ++c) {
        if (used + gap + widths[c] > most && blocks.back().size() > 1) {
            blocks.push_back({0});
            used = indent + widths[0];
        }
        blocks.back().push_back(c);
        used += gap + widths[c];
    }
    return blocks;
}

template <class CellOf>
std::string TextTable::line(CellOf cell_of, const std::vector<std::size_t>& columns,
                            const std::vector<std::size_t>& widths) const {
    std::string line(indent, ' ');
    for (const std::size_t c : columns) {
        const std::string cell = c == 0                             ? without_middle(cell_of(c), widths[c])
                                 : columns_[c].align == Align::name ? for_terminal(cell_of(c), widths[c])
                                                                    : cell_of(c);
        const std::string space(widths[c] - display_width(cell), ' ');
        const bool right = columns_[c].align == Align::right && c > 0;
        line += (c == 0 ? std::string{} : std::string(gap, ' ')) + (right ? space + cell : cell + space);
    }
    return trimmed(std::move(line));
}

std::string TextTable::block(const std::vector<std::size_t>& columns, const std::vector<std::size_t>& widths,
                             const TextStyle& style) const {
    std::size_t total = 0;
    for (const std::size_t c : columns) {
        total += widths[c] + gap;
    }
    std::string text;
    const auto titled = [&](std::size_t c) { return !columns_[c].title.empty(); };
    if (std::ranges::any_of(columns, titled)) {
        const auto title = [&](std::size_t c) { return columns_[c].title; };
        text = in_colour("2", line(title, columns, widths), style) + "\n";
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        if (std::ranges::find(rules_, r) != rules_.end()) {
            text += std::string(indent, ' ') + std::string(total - gap, '-') + "\n";
        }
        text += line([&](std::size_t c) { return rows_[r][c]; }, columns, widths) + "\n";
    }
    return text;
}

std::string TextTable::text(const TextStyle& style) const {
    const std::vector<std::size_t> widths = this->widths(style.width);
    std::string text;
    for (const std::vector<std::size_t>& columns : blocks(widths, style.width)) {
        text += (text.empty() ? "" : "\n") + block(columns, widths, style);
    }
    return text;
}

std::string bar(double share, std::size_t width, const TextStyle& style) {
    static constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    constexpr double least_shown = 0.001;
    const std::size_t steps = style.unicode ? 8 : 1;  // of one character
    const std::size_t room = width * std::min(style.width, report_width) / report_width;
    const double length = std::clamp(share, 0.0, 1.0) * static_cast<double>(room * steps);
    auto parts = static_cast<std::size_t>(std::lround(length));
    parts = share >= least_shown ? std::max<std::size_t>(parts, 1) : parts;
    std::string text;
    for (std::size_t i = 0; i < parts / steps; ++i) {
        text += style.unicode ? "█" : "#";
    }
    return text.append(eighths[parts % steps]);
}

std::string heading(const std::string& text, const TextStyle& style) {
    return in_colour("1;36", without_middle(text, style.width), style) + "\n";
}

std::string emphasised(const std::string& text, const TextStyle& style) {
    return in_colour("1", text, style);
}

std::string wrapped(const std::string& text, std::size_t margin, const TextStyle& style) {
    std::string lines(margin, ' ');
    std::size_t column = margin;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = for_terminal(text.substr(begin, end - begin), style.width - margin);
        const std::size_t width = display_width(word);
        if (column > margin && column + 1 + width > style.width) {
            lines += "\n" + std::string(margin, ' ');
            column = margin;
        } else if (column > margin) {
            lines += ' ';
            ++column;
        }
        lines += word;
        column += width;
        begin = end + 1;
    }
    return lines;
}

namespace {

/// Where the text of a line begins that may have a name in front: "  machine   edge-int4, recipe ...".
std::size_t text_of(const std::string& line, std::size_t most) {
    const std::size_t first = line.find_first_not_of(' ');
    const std::size_t wide_gap = line.find("  ", first);
    const std::size_t text = wide_gap == std::string::npos ? std::string::npos : line.find_first_not_of(' ', wide_gap);
    return text != std::string::npos && text < most / 2 ? text : first;
}

}  // namespace

std::string fitted(const std::string& report, const TextStyle& style) {
    std::string text;
    for (std::size_t begin = 0; begin < report.size();) {
        const std::size_t end = std::min(report.find('\n', begin), report.size());
        const std::string line = report.substr(begin, end - begin);
        // Lines with colours are headings, which keep to the width by themselves.
        if (display_width(line) <= style.width || line.find('\x1b') != std::string::npos) {
            text += line;
        } else {
            const std::size_t margin = text_of(line, style.width);
            text += line.substr(0, margin) + wrapped(line.substr(margin), margin, style).substr(margin);
        }
        text += end < report.size() ? "\n" : "";
        begin = end + 1;
    }
    return text;
}

}  // namespace nibble
