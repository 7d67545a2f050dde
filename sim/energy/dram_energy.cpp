// SPDX-License-Identifier: MIT
#include "sim/energy/dram_energy.h"

#include "sim/base/error.h"

namespace nibble {

namespace {

/// Milliwatts for one memory clock: 1 mW x 1 ps = 1e-3 pJ.
Picojoules energy_of(double milliwatts, const DramStandard& standard) {
    return Picojoules(milliwatts * standard.clock_period_ps * 1e-3);
}

}  // namespace

Picojoules DramEnergyBreakdown::total() const {
    Picojoules sum;
    for (const Picojoules term : terms) {
        sum += term;
    }
    return sum;
}

DramPrices::DramPrices(const DramEnergyEntry& entry, const DramStandard& standard) {
    const DramCurrents& currents = entry.currents;
    const double devices = static_cast<double>(standard.data_bits) / currents.data_bits;
    const double burst_bytes = standard.burst_bytes();
    const auto add = [&](DramEnergyTerm term, Picojoules energy) { each_[static_cast<std::size_t>(term)] += energy; };
    for (const DramSupply& supply : currents.supplies) {
        add(DramEnergyTerm::activate, activate_energy(supply, currents) * devices);
        add(supply.data_pins ? DramEnergyTerm::read_data_pins : DramEnergyTerm::read,
            read_energy_per_byte(supply, currents) * burst_bytes);
        add(supply.data_pins ? DramEnergyTerm::write_data_pins : DramEnergyTerm::write,
            write_energy_per_byte(supply, currents) * burst_bytes);
        const Picojoules refresh = refresh_energy(supply, currents) * devices;
        add(DramEnergyTerm::refresh, refresh);
        add(DramEnergyTerm::bank_refresh, refresh * (1.0 / standard.banks()));
        add(DramEnergyTerm::active_standby, energy_of(active_standby_mw(supply) * devices, standard));
        add(DramEnergyTerm::precharge_standby, energy_of(precharge_standby_mw(supply) * devices, standard));
        add(DramEnergyTerm::active_power_down, energy_of(active_power_down_mw(supply) * devices, standard));
        add(DramEnergyTerm::precharge_power_down, energy_of(precharge_power_down_mw(supply) * devices, standard));
    }
}

DramEnergyBreakdown DramPrices::price(const DramCounters& counters) const {
    DramEnergyBreakdown breakdown;
    for (std::size_t i = 0; i < dram_energy_term_count; ++i) {
        breakdown.terms[i] = each_[i] * static_cast<double>(count_of(counters, static_cast<DramEnergyTerm>(i)));
    }
    return breakdown;
}

std::uint64_t count_of(const DramCounters& counters, DramEnergyTerm term) {
    switch (term) {
        case DramEnergyTerm::activate:
            return counters.activates;
        case DramEnergyTerm::read:
        case DramEnergyTerm::read_data_pins:
            return counters.reads;
        case DramEnergyTerm::write:
        case DramEnergyTerm::write_data_pins:
            return counters.writes;
        case DramEnergyTerm::refresh:
            return counters.refreshes;
        case DramEnergyTerm::bank_refresh:
            return counters.bank_refreshes;
        case DramEnergyTerm::active_standby:
            return counters.active_standby_cycles;
        case DramEnergyTerm::precharge_standby:
            return counters.precharge_standby_cycles;
        case DramEnergyTerm::active_power_down:
            return counters.active_power_down_cycles;
        case DramEnergyTerm::precharge_power_down:
            return counters.precharge_power_down_cycles;
    }
    throw ModelError("DRAM energy: no such term");
}

}  // namespace nibble
