// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/energy/dram_currents.h"

namespace nibble {

/// Where a standard's currents come from. Reports say it wherever they show DRAM energy.
enum class DramPriceBasis : std::uint8_t {
    data_sheet,      ///< IDD values of a data sheet of that standard
    measured,        ///< currents measured on devices of that standard
    extrapolated,    ///< published extrapolation of currents measured on another standard
    other_standard,  ///< [assumption] IDD values of another standard's data sheet
};
inline constexpr std::array<std::string_view, 4> dram_price_basis_names{"data_sheet", "measured", "extrapolated",
                                                                        "other_standard"};

/// Whether the currents hold what the data pins take.
enum class DramDataPins : std::uint8_t {
    included,    ///< in the supply that feeds everything: not told apart
    own_supply,  ///< in a supply of their own
    left_out,    ///< nobody has published it for that device
};
inline constexpr std::array<std::string_view, 3> dram_data_pins_names{"included", "own_supply", "left_out"};

/// Currents of one standard's devices.
struct DramEnergyEntry {
    std::string standard;  ///< a name of dram_standard_names()
    std::string device;    ///< whose currents these are
    DramPriceBasis basis = DramPriceBasis::data_sheet;
    DramDataPins data_pins = DramDataPins::included;
    DramCurrents currents;
    std::string source;
};

/// All standards' currents: models/energy/dram.yaml. They do not depend on the technology of the logic.
struct DramEnergyTable {
    std::vector<DramEnergyEntry> entries;

    /// Throws InputError if the standard has no energies.
    [[nodiscard]] const DramEnergyEntry& of(const std::string& standard) const;
};

/// Reads the table that comes with the program. Throws InputError.
[[nodiscard]] DramEnergyTable load_dram_energy();

/// The same from text; `file` stands for it in messages.
[[nodiscard]] DramEnergyTable parse_dram_energy(const std::string& text, const std::string& file);

/// In words: "IDD values of a data sheet; data pins left out".
[[nodiscard]] std::string basis_text(const DramEnergyEntry& entry);

}  // namespace nibble
