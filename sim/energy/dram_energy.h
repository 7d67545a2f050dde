// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "models/dram/dram_counters.h"
#include "models/dram/dram_standard.h"
#include "sim/base/units.h"
#include "sim/energy/dram_energy_table.h"

namespace nibble {

/// What DRAM spends energy on: commands, data pins, and being in a state.
enum class DramEnergyTerm : std::uint8_t {
    activate,  ///< ACT, with the PRE that ends it
    read,
    write,
    read_data_pins,   ///< 0 where the currents do not tell the data pins apart
    write_data_pins,  ///< the same
    refresh,          ///< of all banks
    bank_refresh,
    active_standby,
    precharge_standby,
    active_power_down,
    precharge_power_down,
};
inline constexpr std::size_t dram_energy_term_count = 11;
inline constexpr std::array<std::string_view, dram_energy_term_count> dram_energy_term_names{"activate",
                                                                                             "read",
                                                                                             "write",
                                                                                             "read_io",
                                                                                             "write_io",
                                                                                             "refresh",
                                                                                             "bank_refresh",
                                                                                             "active_standby",
                                                                                             "precharge_standby",
                                                                                             "active_power_down",
                                                                                             "precharge_power_down"};

/// Indexed by DramEnergyTerm. The total is defined as the sum of the terms in their order.
struct DramEnergyBreakdown {
    std::array<Picojoules, dram_energy_term_count> terms{};

    [[nodiscard]] Picojoules operator[](DramEnergyTerm term) const { return terms[static_cast<std::size_t>(term)]; }
    [[nodiscard]] Picojoules total() const;
};

/// Energy of one event of each kind in one rank of a standard: a command, a burst for reads and writes and their data
/// pins, a memory clock for the states. A rank is as many devices as fill the standard's data bus.
class DramPrices {
public:
    DramPrices(const DramEnergyEntry& entry, const DramStandard& standard);

    [[nodiscard]] Picojoules each(DramEnergyTerm term) const { return each_[static_cast<std::size_t>(term)]; }
    [[nodiscard]] DramEnergyBreakdown price(const DramCounters& counters) const;

private:
    std::array<Picojoules, dram_energy_term_count> each_{};
};

/// How many events of that kind were counted.
[[nodiscard]] std::uint64_t count_of(const DramCounters& counters, DramEnergyTerm term);

}  // namespace nibble
