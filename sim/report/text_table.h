// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nibble {

/// How text is made up. Plain text is what pipes and files get.
struct TextStyle {
    bool colour = false;
    bool unicode = false;  ///< block characters for bars
};

/// Widest line of a report.
inline constexpr std::size_t report_width = 100;

/// Columns of text: the first is flush left, the others flush right unless told otherwise. A first column that would
/// make the table wider than the report is cut; its text may be hostile (see for_terminal).
class TextTable {
public:
    enum class Align : bool { left, right };
    struct Column {
        std::string title;
        Align align = Align::right;
    };

    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// One text for each column; missing ones are empty.
    void add(std::vector<std::string> row);
    /// A line across, before the row that is added next.
    void add_rule() { rules_.push_back(rows_.size()); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }

    [[nodiscard]] std::string text(const TextStyle& style) const;

private:
    [[nodiscard]] std::vector<std::size_t> widths() const;
    [[nodiscard]] std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> rules_;
};

/// A bar for `share` of `width` characters; what is a thousandth or more shows.
[[nodiscard]] std::string bar(double share, std::size_t width, const TextStyle& style);

/// A heading line of a report.
[[nodiscard]] std::string heading(const std::string& text, const TextStyle& style);

/// `text` set off from its surroundings.
[[nodiscard]] std::string emphasised(const std::string& text, const TextStyle& style);

/// `text` cut into lines of at most report_width at spaces, each behind `indent` spaces. Words
/// longer than a line are cut.
[[nodiscard]] std::string wrapped(const std::string& text, std::size_t indent);

}  // namespace nibble
