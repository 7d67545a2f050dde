// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// Refresh takes longer the more a channel holds.
struct DramDensity {
    std::uint64_t capacity_bytes;  ///< of one channel
    std::uint32_t t_rfc;           ///< REF (all banks) to the next ACT or REF
};

/// One DRAM standard at one speed: the geometry of a channel and its timing rules. All times are clock cycles (tCK);
/// sources that state nanoseconds are converted by rounding up. A rule "A to B" is counted from the command slot of A
/// to that of B, for an activate from its first slot.
struct DramStandard {
    std::string_view name;
    std::string_view source;        ///< where the numbers come from
    std::uint32_t clock_period_ps;  ///< tCK

    // Geometry of one channel: one rank. Counts are powers of two.
    std::uint32_t data_bits;        ///< width of the data bus
    std::uint32_t burst_length;     ///< beats of one RD or WR
    std::uint32_t bank_groups;      ///< 1 where the standard has none; then the _s and _l times are equal
    std::uint32_t banks_per_group;  ///< at most 64 banks in all
    std::uint32_t row_bytes;        ///< page size

    // Buses.
    std::uint32_t activate_slots;  ///< command slots that an activate takes
    std::uint32_t burst;           ///< data-bus cycles of one RD or WR
    std::uint32_t rl;              ///< RD to its first data beat
    std::uint32_t wl;              ///< WR to its first data beat
    std::uint32_t bus_turnaround;  ///< idle data-bus cycles between a read's last beat and a write's first

    // Rows.
    std::uint32_t t_rcd_read;   ///< ACT to RD, same bank
    std::uint32_t t_rcd_write;  ///< ACT to WR, same bank
    std::uint32_t t_rp;         ///< PRE of one bank to its ACT, and to REF
    std::uint32_t t_rp_all;     ///< PRE of all banks to any ACT, and to REF
    std::uint32_t t_ras;        ///< ACT to PRE, same bank
    std::uint32_t t_rc;         ///< ACT to ACT, same bank; ACT to REF
    std::uint32_t t_rrd_s;      ///< ACT to ACT, other bank group
    std::uint32_t t_rrd_l;      ///< ACT to ACT, same bank group
    std::uint32_t t_faw;        ///< ACT to the fourth ACT after it
    std::uint32_t t_ppd;        ///< PRE to PRE

    // Columns.
    std::uint32_t t_ccd_s;  ///< RD to RD and WR to WR, other bank group
    std::uint32_t t_ccd_l;  ///< RD to RD and WR to WR, same bank group
    std::uint32_t t_wr;     ///< a write's last data beat (end of the burst) to PRE
    std::uint32_t t_wtr_s;  ///< end of a write's burst to RD, other bank group
    std::uint32_t t_wtr_l;  ///< end of a write's burst to RD, same bank group
    std::uint32_t t_rtp;    ///< RD to PRE

    // Refresh.
    std::uint32_t t_refi;                    ///< mean interval of all-bank refreshes
    std::span<const DramDensity> densities;  ///< ascending

    [[nodiscard]] constexpr std::uint32_t banks() const { return bank_groups * banks_per_group; }
    [[nodiscard]] constexpr std::uint32_t burst_bytes() const { return data_bits / 8 * burst_length; }
    [[nodiscard]] constexpr std::uint64_t max_capacity_bytes() const { return densities.back().capacity_bytes; }

    /// RD to WR, any bank: the write's first beat follows the read's last beat after the turnaround.
    [[nodiscard]] constexpr std::uint32_t read_to_write() const { return rl + burst + bus_turnaround - wl; }
    /// WR to RD, other and same bank group.
    [[nodiscard]] constexpr std::uint32_t write_to_read_s() const { return wl + burst + t_wtr_s; }
    [[nodiscard]] constexpr std::uint32_t write_to_read_l() const { return wl + burst + t_wtr_l; }
    /// WR to PRE, same bank.
    [[nodiscard]] constexpr std::uint32_t write_to_precharge() const { return wl + burst + t_wr; }
    /// tRFC of the smallest density that holds `capacity_bytes`, which must not exceed max_capacity_bytes().
    [[nodiscard]] std::uint32_t t_rfc(std::uint64_t capacity_bytes) const;
};

/// The table's row of that name, or nullptr.
[[nodiscard]] const DramStandard* find_dram_standard(std::string_view name);

/// All names, in the order of the table.
[[nodiscard]] std::vector<std::string> dram_standard_names();

}  // namespace nibble
