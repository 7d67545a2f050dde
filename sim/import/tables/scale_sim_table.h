// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/error.h"

namespace nibble {

/// What a column of a SCALE-Sim topology holds.
enum class ScaleSimColumn : std::uint8_t {
    // clang-format off
    layer, ifmap_height, ifmap_width, filter_height, filter_width, channels, filters, stride,  // convolutions
    m, n, k,                                                                                   // matrix products
    stride_width, batch, sparsity,                                                             // optional
    column_count
    // clang-format on
};

/// One layer, with the numbers that the table gives for it.
struct ScaleSimRow {
    std::uint64_t line = 0;
    std::string name;
    std::string sparsity;  ///< "N:M", or empty
    std::array<std::optional<std::uint64_t>, static_cast<std::size_t>(ScaleSimColumn::column_count)> numbers;

    [[nodiscard]] const std::optional<std::uint64_t>& at(ScaleSimColumn column) const {
        return numbers[static_cast<std::size_t>(column)];
    }
    /// A number that every row of the table has.
    [[nodiscard]] std::uint64_t number(ScaleSimColumn column) const { return at(column).value_or(1); }
};

struct ScaleSimTable {
    bool products = false;  ///< columns M, N, K; else convolutions
    std::vector<ScaleSimRow> rows;
    std::vector<std::string> notes;  ///< in what the table departs from the documented form
};

inline constexpr std::uint64_t most_scale_sim_bytes = std::uint64_t{16} << 20U;
inline constexpr std::size_t most_scale_sim_rows = 100'000;

/// Reads the text of a topology: a line of headings, then a line a layer. Columns are found by their headings, as far
/// as these are known, else by their place, as SCALE-Sim does it (scale-sim-v2, scalesim/topology_utils.py). Understood
/// besides the documented form: a byte order mark, any line ends, tabs or semicolons between cells, no comma at a
/// line's end, a dollar sign there, "IFMAP Width" twice for height and width, columns more, a second stride, a batch
/// size, a sparsity, lines with nothing but a title. Throws InputError if the text is no table or has no rows; what is
/// wrong with rows goes to the list.
[[nodiscard]] ScaleSimTable parse_scale_sim_table(const std::string& text, ProblemList& problems);

}  // namespace nibble
