// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/import/tables/scale_sim_table.h"

namespace nibble {

/// A value of a SCALE-Sim topology, and where it stands in its line, counted from 1.
struct ScaleSimCell {
    std::string_view text;
    std::uint64_t column = 0;
};

/// Where each column stands, as the line of headings says.
struct ScaleSimHeading {
    bool products = false;
    std::array<std::optional<std::size_t>, static_cast<std::size_t>(ScaleSimColumn::column_count)> places;
    std::vector<bool> known;  ///< of each place, whether its column is

    [[nodiscard]] std::optional<std::size_t> place(ScaleSimColumn column) const {
        return places[static_cast<std::size_t>(column)];
    }
    /// What every row must have, in the order of SCALE-Sim.
    [[nodiscard]] std::vector<ScaleSimColumn> required() const;
};

/// For people.
[[nodiscard]] const char* name_of(ScaleSimColumn column);

/// Finds the columns by their headings, those with unknown headings by their place. Throws InputError if these are no
/// headings of a topology, or one is missing.
[[nodiscard]] ScaleSimHeading read_scale_sim_heading(const std::vector<ScaleSimCell>& cells, std::uint64_t line,
                                                     const std::string& file, std::vector<std::string>& notes);

}  // namespace nibble
