// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// Refresh takes longer the more a rank holds.
struct DramDensity {
    std::uint64_t capacity_bytes;  ///< of one rank
    std::uint32_t t_rfc;           ///< REF of all banks to the next ACT or REF
    std::uint32_t t_rfc_bank = 0;  ///< REFpb to the next ACT or REFpb of that bank; 0: there is no REFpb
    std::uint32_t t_pbr2pbr = 0;   ///< REFpb to REFpb of another bank
};

/// One DRAM standard at one speed: the geometry of a channel and its timing rules, as the source has them. All times
/// are clock cycles (tCK); sources that state nanoseconds are converted by rounding up.
///
/// A rule "A to B" is counted from edge to edge: that edge is the command's first slot, or activate_lag, row_lag or
/// column_lag cycles later where the standard counts from the last of a command's slots.
///
/// Pseudo-channels (HBM) are modelled as channels, which share nothing. The two of a channel do share its command
/// buses; each is given half of them: its commands take twice their slots. With both at work that is the rate of the
/// shared bus; for one at work alone it is a little strict.
struct DramStandard {
    std::string_view name;
    std::string_view source;        ///< where the numbers come from
    std::uint32_t clock_period_ps;  ///< tCK

    // What a system typically has.
    std::uint32_t typical_channels;
    std::uint32_t typical_ranks;       ///< of a channel
    std::uint64_t typical_rank_bytes;  ///< capacity of a rank

    // Geometry of one rank of a channel. Counts are powers of two.
    std::uint32_t data_bits;        ///< width of the data bus
    std::uint32_t burst_length;     ///< beats of one RD or WR
    std::uint32_t bank_groups;      ///< 1 where the standard has none; then the _s and _l times are equal
    std::uint32_t banks_per_group;  ///< at most 64 banks in all ranks
    std::uint32_t row_bytes;        ///< page size, of all devices of the rank

    // Command bus.
    bool separate_buses = false;       ///< RD and WR have a bus of their own (HBM)
    std::uint32_t activate_slots = 1;  ///< slots that an ACT takes
    std::uint32_t row_slots = 1;       ///< slots that a PRE or REF takes
    std::uint32_t column_slots = 1;    ///< slots that a RD or WR takes
    std::uint32_t activate_lag = 0;    ///< from an ACT's first slot to the edge that its times count from
    std::uint32_t row_lag = 0;         ///< the same for PRE and REF
    std::uint32_t column_lag = 0;      ///< the same for RD and WR

    // Data bus.
    std::uint32_t burst;           ///< data-bus cycles of one RD or WR
    std::uint32_t rl;              ///< RD to its first data beat
    std::uint32_t wl;              ///< WR to its first data beat
    std::uint32_t bus_turnaround;  ///< idle data-bus cycles between a read's last beat and a write's first
    std::uint32_t rank_switch;     ///< idle data-bus cycles between bursts of different ranks

    // Rows.
    std::uint32_t t_rcd_read;   ///< ACT to RD, same bank
    std::uint32_t t_rcd_write;  ///< ACT to WR, same bank
    std::uint32_t t_rp;         ///< PRE of one bank to its ACT, and to REF
    std::uint32_t t_rp_all;     ///< PRE of all banks of a rank to any ACT, and to REF
    std::uint32_t t_ras;        ///< ACT to PRE, same bank
    std::uint32_t t_rc;         ///< ACT to ACT, same bank; ACT to REF
    std::uint32_t t_rrd_s;      ///< ACT to ACT, other bank group of the rank; ACT to REFpb of another bank
    std::uint32_t t_rrd_l;      ///< ACT to ACT, same bank group
    std::uint32_t t_faw;        ///< ACT to the fourth ACT after it in the rank; a REFpb counts as an ACT
    std::uint32_t t_ppd = 0;    ///< PRE to PRE, same rank

    // Columns.
    std::uint32_t t_ccd_s;        ///< RD to RD and WR to WR, other bank group of the rank
    std::uint32_t t_ccd_l;        ///< RD to RD, same bank group
    std::uint32_t t_ccd_l_write;  ///< WR to WR, same bank group
    std::uint32_t t_wr;           ///< a write's last data beat (end of the burst) to PRE
    std::uint32_t t_wtr_s;        ///< end of a write's burst to RD, other bank group of the rank
    std::uint32_t t_wtr_l;        ///< end of a write's burst to RD, same bank group
    std::uint32_t t_rtp;          ///< RD to PRE

    // Refresh.
    std::uint32_t t_refi;                    ///< mean interval of a rank's all-bank refreshes
    std::uint32_t t_refi_bank = 0;           ///< mean interval of a rank's per-bank refreshes
    std::uint32_t t_rrefd = 0;               ///< REFpb to ACT of another bank of the rank
    std::span<const DramDensity> densities;  ///< ascending

    // Power-down; 0: no source states it, and the model refuses it.
    std::uint32_t t_cke = 0;  ///< entry to exit
    std::uint32_t t_xp = 0;   ///< exit to any command

    /// Of one rank.
    [[nodiscard]] constexpr std::uint32_t banks() const { return bank_groups * banks_per_group; }
    [[nodiscard]] constexpr std::uint32_t burst_bytes() const { return data_bits / 8 * burst_length; }
    /// Of one rank.
    [[nodiscard]] constexpr std::uint64_t max_rank_bytes() const { return densities.back().capacity_bytes; }
    [[nodiscard]] constexpr bool has_bank_refresh() const { return t_refi_bank != 0; }
    [[nodiscard]] constexpr bool has_power_down() const { return t_xp != 0; }

    /// From the first slot of a RD or WR to its last data beat.
    [[nodiscard]] constexpr std::uint32_t read_latency() const { return column_lag + rl + burst - 1; }
    [[nodiscard]] constexpr std::uint32_t write_latency() const { return column_lag + wl + burst - 1; }

    /// RD to WR, any bank of any rank: the write's first beat follows the read's last beat after the turnaround.
    [[nodiscard]] constexpr std::uint32_t read_to_write() const { return rl + burst + bus_turnaround - wl; }
    /// WR to RD, other and same bank group of a rank.
    [[nodiscard]] constexpr std::uint32_t write_to_read_s() const { return wl + burst + t_wtr_s; }
    [[nodiscard]] constexpr std::uint32_t write_to_read_l() const { return wl + burst + t_wtr_l; }
    /// WR to RD of another rank: only the data bus counts, and the command slot.
    [[nodiscard]] constexpr std::uint32_t write_to_read_rank() const {
        return wl + burst + rank_switch > rl ? wl + burst + rank_switch - rl : 1;
    }
    /// RD to RD and WR to WR of another rank.
    [[nodiscard]] constexpr std::uint32_t same_direction_rank() const { return burst + rank_switch; }
    /// WR to PRE, same bank, without lags.
    [[nodiscard]] constexpr std::uint32_t write_to_precharge() const { return wl + burst + t_wr; }

    /// Of the smallest density that holds a rank of `rank_bytes`, which must not exceed max_rank_bytes().
    [[nodiscard]] const DramDensity& density(std::uint64_t rank_bytes) const;
};

/// The table's row of that name, or nullptr.
[[nodiscard]] const DramStandard* find_dram_standard(std::string_view name);

/// All names, in the order of the table.
[[nodiscard]] std::vector<std::string> dram_standard_names();

}  // namespace nibble
