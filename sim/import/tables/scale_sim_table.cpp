// SPDX-License-Identifier: MIT
#include "sim/import/tables/scale_sim_table.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "sim/config/text_file.h"
#include "sim/import/tables/layer_table.h"
#include "sim/import/tables/scale_sim_heading.h"

namespace nibble {

namespace {

using Column = ScaleSimColumn;
using Cell = ScaleSimCell;

constexpr std::size_t most_cells = 64;
constexpr std::size_t documented_cells = 8;  // of a convolution; whatever comes after them is optional

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

/// The cells of a line. The character between them is the commonest in the line that can be one.
std::vector<Cell> cells_of(std::string_view line, std::uint64_t number, const std::string& file) {
    const char* const start = line.data();
    line = trimmed(line);
    if (line.ends_with('$')) {
        line = trimmed(line.substr(0, line.size() - 1));
    }
    char separator = ',';
    std::ptrdiff_t most = 0;
    for (const char candidate : {',', '\t', ';'}) {
        const std::ptrdiff_t found = std::count(line.begin(), line.end(), candidate);
        if (found > most) {
            most = found;
            separator = candidate;
        }
    }
    if (static_cast<std::size_t>(most) > most_cells) {
        throw InputError({file, number}, fmt::format("expected a topology of at most {} columns, found {} separators",
                                                     most_cells, most));
    }
    std::vector<Cell> cells;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(separator, begin), line.size());
        std::string_view text = trimmed(line.substr(begin, end - begin));
        if (text.size() > 1 && text.front() == '"' && text.back() == '"') {
            text = trimmed(text.substr(1, text.size() - 2));
        }
        cells.push_back({text, static_cast<std::uint64_t>(text.data() - start) + 1});
        begin = end + 1;
    }
    return cells;
}

bool is_empty(const std::vector<Cell>& cells) {
    return std::all_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.text.empty(); });
}

class RowReader {
public:
    RowReader(const ScaleSimHeading& heading, ProblemList& problems) : heading_(heading), problems_(problems) {}

    /// Nothing if the row is wrong or is no layer.
    std::optional<ScaleSimRow> read(const std::vector<Cell>& cells, std::uint64_t line) {
        const std::vector<Column> required = heading_.required();
        if (std::all_of(cells.begin() + 1, cells.end(), [](const Cell& cell) { return cell.text.empty(); })) {
            titles_ += 1;
            return std::nullopt;
        }
        ScaleSimRow row;
        row.line = line;
        if (const auto place = heading_.place(Column::layer); place && *place < cells.size()) {
            row.name = std::string(cells[*place].text);
        }
        bool sound = true;
        for (const Column column : required) {
            const std::size_t place = heading_.place(column).value_or(0);
            if (place >= cells.size() || cells[place].text.empty()) {
                problems_.add(line, place < cells.size() ? cells[place].column : 0,
                              fmt::format("there is no value for the {}", name_of(column)));
                return std::nullopt;
            }
            sound &= read_number(cells[place], column, row);
        }
        for (std::size_t place = 0; place < cells.size(); ++place) {
            sound &= read_optional(cells, place, row);
        }
        without_comma_ += cells.back().text.empty() ? 0U : 1U;
        return sound ? std::optional(std::move(row)) : std::nullopt;
    }

    void add_notes(std::vector<std::string>& notes) const {
        const auto note = [&](std::uint64_t count, std::string_view what, std::string_view outcome) {
            if (count != 0) {
                notes.push_back(fmt::format("{}: {}", counted(count, what), outcome));
            }
        };
        note(titles_, "line", "nothing but a title, left out");
        note(ninth_, "row", "the ninth value is taken for the second stride, as SCALE-Sim does");
        note(ignored_, "value", "in columns that are not known, left out");
        note(without_comma_, "row",
             "no comma at the end, where SCALE-Sim itself loses the last value; it is read here");
    }

private:
    bool read_number(const Cell& cell, Column column, ScaleSimRow& row) {
        std::uint64_t number = 0;
        const char* end = cell.text.data() + cell.text.size();
        const auto [stop, error] = std::from_chars(cell.text.data(), end, number);
        if (error != std::errc{} || stop != end || number == 0) {
            problems_.add(row.line, cell.column,
                          fmt::format("{}: expected a whole number of at least 1, found '{}'", name_of(column),
                                      printable(cell.text)));
            return false;
        }
        row.numbers[static_cast<std::size_t>(column)] = number;
        return true;
    }

    bool is_at(Column column, std::size_t place) const { return heading_.place(column) == place; }

    bool read_optional(const std::vector<Cell>& cells, std::size_t place, ScaleSimRow& row) {
        const Cell& cell = cells[place];
        if (cell.text.empty()) {
            return true;
        }
        for (const Column column : {Column::batch, Column::stride_width}) {
            if (is_at(column, place)) {
                return read_number(cell, column, row);
            }
        }
        const bool headed = place < heading_.known.size() && heading_.known[place];
        const bool sparsity = is_at(Column::sparsity, place);
        const bool digits = cell.text.find_first_not_of("0123456789") == std::string_view::npos;
        if (!heading_.products && place == documented_cells && digits && (!headed || sparsity)) {
            ninth_ += 1;
            return read_number(cell, Column::stride_width, row);
        }
        if (sparsity || (!headed && cell.text.find(':') != std::string_view::npos)) {
            row.sparsity = std::string(cell.text);
        } else if (!headed) {
            ignored_ += 1;
        }
        return true;
    }

    const ScaleSimHeading& heading_;
    ProblemList& problems_;
    std::uint64_t titles_ = 0;
    std::uint64_t ignored_ = 0;
    std::uint64_t ninth_ = 0;
    std::uint64_t without_comma_ = 0;
};

}  // namespace

ScaleSimTable parse_scale_sim_table(const std::string& text, ProblemList& problems) {
    std::string_view rest = text;
    if (rest.starts_with("\xef\xbb\xbf")) {
        rest.remove_prefix(3);
    }
    require_text(rest, problems.file());
    ScaleSimTable table;
    std::optional<ScaleSimHeading> heading;
    std::optional<RowReader> rows;
    for (std::uint64_t line = 1; !rest.empty(); ++line) {
        const std::size_t end = rest.find_first_of("\r\n");
        const std::string_view content = rest.substr(0, end);
        const bool crlf = end != std::string_view::npos && rest.substr(end).starts_with("\r\n");
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + (crlf ? 2 : 1));
        const std::vector<Cell> cells = cells_of(content, line, problems.file());
        if (is_empty(cells)) {
            continue;
        }
        if (!heading) {
            heading = read_scale_sim_heading(cells, line, problems.file(), table.notes);
            table.products = heading->products;
            rows.emplace(*heading, problems);
            continue;
        }
        if (std::optional<ScaleSimRow> row = rows->read(cells, line)) {
            if (table.rows.size() == most_scale_sim_rows) {
                throw InputError({problems.file(), line},
                                 fmt::format("expected at most {} layers", most_scale_sim_rows));
            }
            table.rows.push_back(std::move(*row));
        }
    }
    if (!heading) {
        throw InputError({problems.file()}, "the file is empty; expected a SCALE-Sim topology");
    }
    if (table.rows.empty() && problems.empty()) {
        throw InputError({problems.file()}, "the topology has headings and no layers");
    }
    rows->add_notes(table.notes);
    return table;
}

}  // namespace nibble
