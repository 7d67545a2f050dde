// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

/// What happened, for reports and for energy. Sums over channels add; all times are DRAM cycles.
///
/// An IDD model needs: activates x E(ACT+PRE), reads x E_RD, writes x E_WR, refreshes x E_REFab, bank_refreshes x
/// E_REFpb, and the cycles that ranks spend in each state x VDD x IDD3N, IDD2N, IDD3P, IDD2P (the energies of commands
/// are the excess over that background). Each of these happens in all devices of one rank. A pJ-per-bit model needs
/// (reads + writes) x burst bits, and activates if it prices rows apart.
struct DramCounters {
    std::uint64_t channel_cycles = 0;  ///< cycles simulated, summed over channels

    std::uint64_t activates = 0;
    std::uint64_t reads = 0;           ///< bursts
    std::uint64_t writes = 0;          ///< bursts
    std::uint64_t precharges = 0;      ///< rows closed, whether by a PRE or by the PRE of all banks before a refresh
    std::uint64_t refreshes = 0;       ///< all-bank refreshes, of one rank each
    std::uint64_t bank_refreshes = 0;  ///< per-bank refreshes

    // Every burst is one of these: a hit, a miss or a conflict. activates may exceed misses + conflicts: a refresh can
    // close an unused row.
    std::uint64_t row_hits_read = 0;   ///< read whose row was open already
    std::uint64_t row_hits_write = 0;  ///< write whose row was open already
    std::uint64_t row_misses = 0;      ///< first of its row, which was opened in a bank closed since a refresh or ever
    std::uint64_t row_conflicts = 0;   ///< first of its row, for which another row had to be closed

    std::uint64_t data_bus_cycles = 0;   ///< cycles with data on the bus, as issued: a burst counts at once
    std::uint64_t bank_open_cycles = 0;  ///< from ACT to PRE, summed over banks

    // The state of each rank in each cycle, summed over ranks: together channel_cycles x ranks.
    std::uint64_t active_standby_cycles = 0;        ///< at least one bank open (IDD3N)
    std::uint64_t precharge_standby_cycles = 0;     ///< no bank open, refreshes included (IDD2N)
    std::uint64_t active_power_down_cycles = 0;     ///< power-down with a bank open (IDD3P)
    std::uint64_t precharge_power_down_cycles = 0;  ///< power-down with no bank open (IDD2P)

    // Cycles in which runs were queued and the burst before had taken its time, by what the next burst had to wait for:
    // the first of these that applies. Complete up to the last RD or WR.
    std::uint64_t wait_refresh_cycles = 0;     ///< a refresh came between
    std::uint64_t wait_turnaround_cycles = 0;  ///< read after write or write after read
    std::uint64_t wait_row_cycles = 0;         ///< PRE and ACT, with tRRD, tFAW, tRC
    std::uint64_t wait_column_cycles = 0;      ///< tCCD_L, command slots, and new requests for open rows

    [[nodiscard]] std::uint64_t row_hits() const { return row_hits_read + row_hits_write; }

    DramCounters& operator+=(const DramCounters& other);
    friend bool operator==(const DramCounters&, const DramCounters&) = default;
};

}  // namespace nibble
