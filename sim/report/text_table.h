// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nibble {

/// Widest line of a report in a pipe or a file.
inline constexpr std::size_t report_width = 100;

/// How text is made up. Plain text is what pipes and files get.
struct TextStyle {
    bool colour = false;
    bool unicode = false;              ///< block characters for bars
    std::size_t width = report_width;  ///< widest line
};

/// Columns of text: the first is flush left, the others flush right unless told otherwise. A table is never wider than
/// the style says: names are shortened, those of the first column in their middle; what still has no room is
/// continued below, behind the first column again. The first column's text may be hostile (see for_terminal).
class TextTable {
public:
    /// `name` is flush left and may be shortened.
    enum class Align : std::uint8_t { left, right, name };
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
    [[nodiscard]] bool may_shrink(std::size_t column) const {
        return column == 0 || columns_[column].align == Align::name;
    }
    [[nodiscard]] std::vector<std::size_t> widths(std::size_t most) const;
    /// Columns, the first one left out, in blocks that fit side by side behind it.
    [[nodiscard]] std::vector<std::vector<std::size_t>> blocks(const std::vector<std::size_t>& widths,
                                                               std::size_t most) const;
    [[nodiscard]] std::string block(const std::vector<std::size_t>& columns, const std::vector<std::size_t>& widths,
                                    const TextStyle& style) const;
    template <class CellOf>
    [[nodiscard]] std::string line(CellOf cell_of, const std::vector<std::size_t>& columns,
                                   const std::vector<std::size_t>& widths) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> rules_;
};

/// A bar for `share` of `width` characters, of fewer where lines are shorter; what is a thousandth or more shows.
[[nodiscard]] std::string bar(double share, std::size_t width, const TextStyle& style);

/// A heading line of a report.
[[nodiscard]] std::string heading(const std::string& text, const TextStyle& style);

/// `text` set off from its surroundings.
[[nodiscard]] std::string emphasised(const std::string& text, const TextStyle& style);

/// `text` cut into lines at spaces, each behind `indent` spaces. Words longer than a line are cut.
[[nodiscard]] std::string wrapped(const std::string& text, std::size_t indent, const TextStyle& style);

/// A whole report with what is wider than its lines may be continued on the next, below where the text began.
[[nodiscard]] std::string fitted(const std::string& report, const TextStyle& style);

}  // namespace nibble
