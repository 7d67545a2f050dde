// SPDX-License-Identifier: MIT
#include "sim/energy/dram_currents.h"

namespace nibble {

namespace {

constexpr double bits_per_byte = 8;
constexpr double mtps_per_gtps = 1000;

/// 1 mA x 1 V x 1 ns = 1 pJ.
Picojoules energy_of(double milliamperes, double volts, double nanoseconds) {
    return Picojoules(milliamperes * volts * nanoseconds);
}

/// How long one byte keeps the device's data bus busy.
double ns_per_byte(const DramCurrents& currents) {
    return bits_per_byte / currents.data_bits / (currents.data_rate_mtps / mtps_per_gtps);
}

}  // namespace

Picojoules activate_energy(const DramSupply& supply, const DramCurrents& currents) {
    return energy_of(supply.idd0_ma - supply.idd3n_ma, supply.volts, currents.t_ras_ns) +
           energy_of(supply.idd0_ma - supply.idd2n_ma, supply.volts, currents.t_rp_ns);
}

Picojoules read_energy_per_byte(const DramSupply& supply, const DramCurrents& currents) {
    return energy_of(supply.idd4r_ma - supply.idd3n_ma, supply.volts, ns_per_byte(currents));
}

Picojoules write_energy_per_byte(const DramSupply& supply, const DramCurrents& currents) {
    return energy_of(supply.idd4w_ma - supply.idd3n_ma, supply.volts, ns_per_byte(currents));
}

Picojoules refresh_energy(const DramSupply& supply, const DramCurrents& currents) {
    return energy_of(supply.idd5_ma - supply.idd3n_ma, supply.volts, currents.t_rfc_ns);
}

double active_standby_mw(const DramSupply& supply) {
    return supply.volts * supply.idd3n_ma;
}

double precharge_standby_mw(const DramSupply& supply) {
    return supply.volts * supply.idd2n_ma;
}

double active_power_down_mw(const DramSupply& supply) {
    return supply.volts * supply.idd3p_ma;
}

double precharge_power_down_mw(const DramSupply& supply) {
    return supply.volts * supply.idd2p_ma;
}

}  // namespace nibble
