// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"
#include "sim/counters/counter.h"
#include "sim/energy/area.h"

namespace nibble {

/// How a row's number becomes the energy of one count.
enum class PriceForm : std::uint8_t {
    pj,                   ///< picojoules a count
    pj_per_register_bit,  ///< MACs: picojoules for each register bit that a PE clocks in a step (both operands and the
                          ///< 32-bit partial sum), shared by the MACs of the step
    mw_per_mm2,  ///< cycles: leakage of logic, times the area of the core without its SRAM and the clock period
};
inline constexpr std::size_t price_form_count = 3;
inline constexpr std::array<std::string_view, price_form_count> price_form_names{"pj", "pj_per_register_bit",
                                                                                 "mw_per_mm2"};

/// One row of an energy table. Several rows may price the same action in different forms; their energies add.
struct EnergyRow {
    std::string component;  ///< the counter's
    Counter action = Counter::cycles;
    PriceForm form = PriceForm::pj;
    double value = 0;
    /// MACs in pj: the part of `value` that the multiplier takes, which follows the toggling of the operands' bits.
    double multiplier_pj = 0;
    std::string source;  ///< publication, or the formula that derives the value from one
};

/// Energy and area tables of one technology. Complete: every priced counter of the chip has a row and every unit an
/// area, but for SRAM, which has a model. DRAM devices are none of its business (DramEnergyTable).
struct Technology {
    std::string name;
    std::string description;
    std::vector<EnergyRow> energy;
    AreaTable area;
    std::vector<Problem> warnings;  ///< rows that price nothing
};

/// Reads the tables of a technology by name (a file of models/energy) or path. Throws InputError.
[[nodiscard]] Technology load_technology(const std::string& name_or_path);

/// The same from text; `file` stands for it in messages.
[[nodiscard]] Technology parse_technology(const std::string& text, const std::string& file);

}  // namespace nibble
