// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/units.h"

namespace nibble {

/// One supply of a DRAM device: its voltage, and the mean current that it delivers in each of the loops by which JEDEC
/// defines a data sheet's IDD values. Currents of one device, in milliamperes.
struct DramSupply {
    std::string name;
    double volts = 0;
    bool data_pins = false;  ///< feeds the output drivers: what a RD or WR adds to it is I/O energy
    double idd0_ma = 0;      ///< one bank is activated and precharged as often as tRC allows
    double idd2n_ma = 0;     ///< standby, all banks precharged
    double idd2p_ma = 0;     ///< power-down, all banks precharged
    double idd3n_ma = 0;     ///< standby, banks open
    double idd3p_ma = 0;     ///< power-down, banks open
    double idd4r_ma = 0;     ///< RD after RD without a gap
    double idd4w_ma = 0;     ///< WR after WR without a gap
    double idd5_ma = 0;      ///< REF of all banks as often as tRFC allows
};

/// A device's currents and the times that they were measured with.
struct DramCurrents {
    std::uint32_t data_bits = 0;  ///< width of the device's data bus
    double data_rate_mtps = 0;    ///< megatransfers a second on each of its wires
    double t_ras_ns = 0;
    double t_rp_ns = 0;
    double t_rfc_ns = 0;
    std::vector<DramSupply> supplies;
};

// What one supply of one device delivers, by the formulas of Micron's technical note TN-40-07 ("Calculating Memory
// Power for DDR4 SDRAM"), which DRAMsim3 and DRAMPower use as well. Energies of commands are what they take beyond the
// standby of the state that the device is in, so that commands and states add up to the whole.

/// ACT and the PRE that ends it: IDD0 beyond active standby for tRAS, and beyond precharge standby for tRP.
[[nodiscard]] Picojoules activate_energy(const DramSupply& supply, const DramCurrents& currents);
/// RD, for each byte that it moves: IDD4R beyond active standby.
[[nodiscard]] Picojoules read_energy_per_byte(const DramSupply& supply, const DramCurrents& currents);
/// WR, for each byte that it moves: IDD4W beyond active standby.
[[nodiscard]] Picojoules write_energy_per_byte(const DramSupply& supply, const DramCurrents& currents);
/// REF of all banks: IDD5 beyond active standby for tRFC.
[[nodiscard]] Picojoules refresh_energy(const DramSupply& supply, const DramCurrents& currents);
[[nodiscard]] double active_standby_mw(const DramSupply& supply);
[[nodiscard]] double precharge_standby_mw(const DramSupply& supply);
[[nodiscard]] double active_power_down_mw(const DramSupply& supply);
[[nodiscard]] double precharge_power_down_mw(const DramSupply& supply);

}  // namespace nibble
