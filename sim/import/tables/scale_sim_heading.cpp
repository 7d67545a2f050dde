// SPDX-License-Identifier: MIT
#include "sim/import/tables/scale_sim_heading.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

using Column = ScaleSimColumn;

constexpr std::size_t column_count = static_cast<std::size_t>(Column::column_count);

constexpr std::size_t index(Column column) {
    return static_cast<std::size_t>(column);
}

constexpr std::array<const char*, column_count> column_names{"layer name",
                                                             "IFMAP height",
                                                             "IFMAP width",
                                                             "filter height",
                                                             "filter width",
                                                             "channels",
                                                             "number of filters",
                                                             "stride",
                                                             "M",
                                                             "N",
                                                             "K",
                                                             "second stride",
                                                             "batch size",
                                                             "sparsity"};

/// Letters and digits only, in lower case.
std::string plain(std::string_view text) {
    std::string word;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
        }
    }
    return word;
}

std::optional<Column> column_headed(std::string_view heading) {
    const std::string word = plain(heading);
    const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    const bool width = word.find("width") != std::string::npos;
    const bool height = word.find("height") != std::string::npos;
    if (is_one_of({"layer", "layers", "layername", "l", "name"})) {
        return Column::layer;
    }
    if (is_one_of({"numfilter", "numfilters", "numberoffilters", "filters", "nofilters"})) {
        return Column::filters;
    }
    if (word.starts_with("stride")) {
        return width ? Column::stride_width : Column::stride;
    }
    if (width || height) {
        if (word.starts_with("ifmap") || word.starts_with("input")) {
            return width ? Column::ifmap_width : Column::ifmap_height;
        }
        if (word.starts_with("filter") || word.starts_with("kernel")) {
            return width ? Column::filter_width : Column::filter_height;
        }
        return std::nullopt;
    }
    if (is_one_of({"channels", "channel", "numchannels", "numchannel", "inputchannels"})) {
        return Column::channels;
    }
    if (is_one_of({"batch", "batchsize"})) {
        return Column::batch;
    }
    if (word.starts_with("sparsity")) {
        return Column::sparsity;
    }
    return word == "m"   ? std::optional(Column::m)
           : word == "n" ? std::optional(Column::n)
           : word == "k" ? std::optional(Column::k)
                         : std::nullopt;
}

class HeadingReader {
public:
    HeadingReader(const std::vector<ScaleSimCell>& cells, std::uint64_t line, const std::string& file)
        : cells_(cells), line_(line), file_(file) {
        heading_.known.resize(cells.size());
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (const std::optional<Column> column = column_headed(cells[i].text)) {
                places_[index(*column)].push_back(i);
                heading_.known[i] = true;
            }
        }
    }

    ScaleSimHeading read(std::vector<std::string>& notes) {
        const auto has = [&](Column column) { return !places_[index(column)].empty(); };
        heading_.products = has(Column::m) && has(Column::n) && has(Column::k);
        if (!heading_.products && !has(Column::filters) && !has(Column::ifmap_height) && !has(Column::ifmap_width)) {
            throw InputError({file_, line_},
                             fmt::format("expected the headings of a SCALE-Sim topology ('Layer name, IFMAP Height, "
                                         "IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides' or "
                                         "'Layer, M, N, K'), found '{}'",
                                         cells_.empty() ? "" : printable(cells_[0].text)));
        }
        share(Column::ifmap_height, Column::ifmap_width, notes);
        share(Column::filter_height, Column::filter_width, notes);
        share(Column::stride, Column::stride_width, notes);
        for (std::size_t i = 0; i < column_count; ++i) {
            if (places_[i].size() > 1) {
                fail(cells_[places_[i][1]].column, fmt::format("a second column for the {}", column_names[i]));
            }
            if (!places_[i].empty()) {
                heading_.places[i] = places_[i][0];
            }
        }
        find_by_place(notes);
        return std::move(heading_);
    }

private:
    [[noreturn]] void fail(std::uint64_t column, const std::string& what) const {
        throw InputError({file_, line_, column}, what);
    }

    /// Two columns of one name and none of the other are both, in this order.
    void share(Column first, Column second, std::vector<std::string>& notes) {
        std::vector<std::size_t>& firsts = places_[index(first)];
        std::vector<std::size_t>& seconds = places_[index(second)];
        if (firsts.empty() && seconds.size() == 2) {
            firsts = {seconds[0]};
            seconds = {seconds[1]};
        } else if (seconds.empty() && firsts.size() == 2) {
            seconds = {firsts[1]};
            firsts = {firsts[0]};
        } else {
            return;
        }
        notes.push_back(fmt::format("line {}: two columns have one heading; they are taken for {} and {}", line_,
                                    column_names[index(first)], column_names[index(second)]));
    }

    /// Columns without a heading that is known stand where SCALE-Sim looks for them.
    void find_by_place(std::vector<std::string>& notes) {
        if (!heading_.places[index(Column::layer)] && !cells_.empty() && !heading_.known[0]) {
            heading_.places[index(Column::layer)] = 0;
            heading_.known[0] = true;
        }
        std::size_t documented = 1;
        for (const Column column : heading_.required()) {
            std::optional<std::size_t>& place = heading_.places[index(column)];
            if (!place) {
                if (documented >= cells_.size() || heading_.known[documented]) {
                    fail(1, fmt::format("there is no column for the {}", column_names[index(column)]));
                }
                place = documented;
                heading_.known[documented] = true;
                notes.push_back(fmt::format("line {}: column {} ('{}') is taken for the {}", line_, documented + 1,
                                            printable(cells_[documented].text), column_names[index(column)]));
            } else if (*place != documented) {
                moved_ = true;
            }
            ++documented;
        }
        if (moved_) {
            notes.push_back(fmt::format(
                "line {}: the columns are not in SCALE-Sim's order; they are taken by their headings, which SCALE-Sim "
                "itself ignores",
                line_));
        }
    }

    const std::vector<ScaleSimCell>& cells_;
    std::uint64_t line_;
    const std::string& file_;
    ScaleSimHeading heading_;
    std::array<std::vector<std::size_t>, column_count> places_;
    bool moved_ = false;
};

}  // namespace

const char* name_of(ScaleSimColumn column) {
    return column_names.at(index(column));
}

std::vector<ScaleSimColumn> ScaleSimHeading::required() const {
    if (products) {
        return {Column::m, Column::n, Column::k};
    }
    return {Column::ifmap_height, Column::ifmap_width, Column::filter_height, Column::filter_width,
            Column::channels,     Column::filters,     Column::stride};
}

ScaleSimHeading read_scale_sim_heading(const std::vector<ScaleSimCell>& cells, std::uint64_t line,
                                       const std::string& file, std::vector<std::string>& notes) {
    return HeadingReader(cells, line, file).read(notes);
}

}  // namespace nibble
