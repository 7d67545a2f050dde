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
constexpr std::size_t narrowest_first_column = 8;

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
    row[0] = for_terminal(row[0], report_width);
    rows_.push_back(std::move(row));
}

std::vector<std::size_t> TextTable::widths() const {
    std::vector<std::size_t> widths;
    std::size_t others = indent;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::size_t width = display_width(columns_[c].title);
        for (const auto& row : rows_) {
            width = std::max(width, display_width(row[c]));
        }
        widths.push_back(width);
        others += c == 0 ? 0 : gap + width;
    }
    const std::size_t left = report_width > others ? report_width - others : 0;
    widths[0] = std::min(widths[0], std::max(left, narrowest_first_column));
    return widths;
}

std::string TextTable::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
    std::string line(indent, ' ');
    for (std::size_t c = 0; c < cells.size(); ++c) {
        const std::string cell = c == 0 ? for_terminal(cells[c], widths[c]) : cells[c];
        const std::string space(widths[c] - display_width(cell), ' ');
        const bool left = columns_[c].align == Align::left || c == 0;
        line += (c == 0 ? std::string{} : std::string(gap, ' ')) + (left ? cell + space : space + cell);
    }
    return trimmed(std::move(line));
}

std::string TextTable::text(const TextStyle& style) const {
    const std::vector<std::size_t> width = widths();
    std::size_t total = 0;
    for (const std::size_t w : width) {
        total += w + gap;
    }
    std::vector<std::string> titles;
    for (const Column& column : columns_) {
        titles.push_back(column.title);
    }
    std::string text;
    if (std::ranges::any_of(titles, [](const std::string& title) { return !title.empty(); })) {
        text = in_colour("2", line(titles, width), style) + "\n";
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        if (std::ranges::find(rules_, r) != rules_.end()) {
            text += std::string(indent, ' ') + std::string(total - gap, '-') + "\n";
        }
        text += line(rows_[r], width) + "\n";
    }
    return text;
}

std::string bar(double share, std::size_t width, const TextStyle& style) {
    static constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    constexpr double least_shown = 0.001;
    const std::size_t steps = style.unicode ? 8 : 1;  // of one character
    const double length = std::clamp(share, 0.0, 1.0) * static_cast<double>(width * steps);
    auto parts = static_cast<std::size_t>(std::lround(length));
    parts = share >= least_shown ? std::max<std::size_t>(parts, 1) : parts;
    std::string text;
    for (std::size_t i = 0; i < parts / steps; ++i) {
        text += style.unicode ? "█" : "#";
    }
    return text.append(eighths[parts % steps]);
}

std::string heading(const std::string& text, const TextStyle& style) {
    return in_colour("1;36", text, style) + "\n";
}

std::string emphasised(const std::string& text, const TextStyle& style) {
    return in_colour("1", text, style);
}

std::string wrapped(const std::string& text, std::size_t margin) {
    std::string lines(margin, ' ');
    std::size_t column = margin;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = for_terminal(text.substr(begin, end - begin), report_width - margin);
        const std::size_t width = display_width(word);
        if (column > margin && column + 1 + width > report_width) {
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

}  // namespace nibble
