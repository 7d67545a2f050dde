// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/base/units.h"
#include "sim/counters/counter.h"
#include "sim/counters/value_record.h"
#include "sim/energy/area.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/energy/technology.h"

namespace nibble {

/// Whose energy it is. All but dram are on the chip.
enum class EnergyComponent : std::uint8_t {
    mac_array,  ///< with its accumulators and transposer
    log_gradient,
    vector_unit,
    scratchpad,
    dma,
    dram,  ///< devices: commands, data, and the states of their ranks
    sequencer,
    leakage,  ///< of the core, "static" in tables and reports
};
inline constexpr std::size_t energy_component_count = 8;
inline constexpr std::array<std::string_view, energy_component_count> energy_component_names{
    "mac_array", "log_gradient", "vector_unit", "scratchpad", "dma", "dram", "sequencer", "static"};

/// Indexed by EnergyComponent. The total is defined as the sum of the parts in their order.
struct EnergyBreakdown {
    std::array<Picojoules, energy_component_count> parts{};

    [[nodiscard]] Picojoules operator[](EnergyComponent component) const {
        return parts[static_cast<std::size_t>(component)];
    }
    [[nodiscard]] Picojoules total() const;
    /// The total without dram: what a chip's supply would show.
    [[nodiscard]] Picojoules chip() const;
    EnergyBreakdown& operator+=(const EnergyBreakdown& other);
};

/// One counter's share of a component's energy.
struct EnergyLine {
    EnergyComponent component = EnergyComponent::mac_array;
    Counter counter = Counter::cycles;
    Picojoules energy;
};

/// Share of the bits of random operands that toggle from one to the next: what tables of energy are taken to hold for.
inline constexpr double random_toggle_rate = 0.5;

/// Energy = sum over counters of count times price. Prices are a technology's tables and that of DRAM applied to one
/// machine: its SRAMs, PE registers, area, clock and DRAM. Memory that is ideal costs nothing.
class EnergyModel {
public:
    /// Throws InputError if there are no prices for the machine's DRAM standard.
    EnergyModel(const Technology& technology, const DramEnergyTable& dram, const MachineParameters& machine);

    [[nodiscard]] EnergyBreakdown price(const CounterValues& counters) const;
    /// What the energy of a GEMM on the array is more (less, if negative) than price() says because of the values of
    /// its recorded operands: its multipliers' part, in proportion to the mean toggle rate of both operands. Prices
    /// hold for random_toggle_rate, which is also taken of an operand that is not recorded.
    [[nodiscard]] Picojoules activity_correction(const CounterValues& counters, const ValueRecord& values) const;
    /// The same in more detail, in the order of components. A component's part is the sum of its lines in this order.
    [[nodiscard]] std::vector<EnergyLine> lines(const CounterValues& counters) const;
    /// Energy of one count of `counter`, over all components.
    [[nodiscard]] Picojoules price_of(Counter counter) const;
    /// What the prices of DRAM are made from, for people; empty if memory is ideal.
    [[nodiscard]] const std::string& dram_basis() const { return dram_basis_; }

private:
    void add_dram(const DramEnergyEntry& entry);

    struct Price {
        EnergyComponent component;
        Counter counter;
        Picojoules each;
    };
    /// Adds to the price of a component's counter.
    void add(EnergyComponent component, Counter counter, Picojoules each);
    /// Accesses to the machine's SRAMs, and what these leak.
    void price_srams(const SramModel& sram, const MachineParameters& machine);

    std::array<Picojoules, array_mode_count> multiplier_{};  // of one MAC
    std::vector<Price> prices_;                              // by component; at most one for each component and counter
    std::string dram_basis_;
};

}  // namespace nibble
