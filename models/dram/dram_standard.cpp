// SPDX-License-Identifier: MIT
#include "models/dram/dram_standard.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"

namespace nibble {

namespace {

/// Whole cycles of a clock of `megahertz` that cover `time_ps`.
constexpr std::uint32_t cycles_covering(std::uint64_t time_ps, std::uint64_t megahertz) {
    return static_cast<std::uint32_t>((time_ps * megahertz + 999'999) / 1'000'000);
}

constexpr std::uint64_t gigabit = (std::uint64_t{1} << 30) / 8;
constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30;

constexpr std::uint64_t ddr4_2400_mhz = 1200;
constexpr std::uint64_t ddr4_3200_mhz = 1600;
constexpr std::uint64_t lpddr5_6400_mhz = 800;
constexpr std::uint64_t hbm2_2000_mhz = 1000;
constexpr std::uint64_t hbm3_6400_mhz = 1600;
constexpr std::uint64_t ddr5_4800_mhz = 2400;

// Eight x8 devices a rank: the capacity of the rank is eight times the device's. 8 Gbit take 350 ns in DRAMsim3 and
// gem5 (ramulator2 has 360); the other densities are ramulator2's.
constexpr std::array<DramDensity, 3> ddr4_densities(std::uint64_t megahertz) {
    return {DramDensity{4 * gigabyte, cycles_covering(260'000, megahertz)},
            DramDensity{8 * gigabyte, cycles_covering(350'000, megahertz)},
            DramDensity{16 * gigabyte, cycles_covering(550'000, megahertz)}};
}
constexpr std::array ddr4_2400_densities = ddr4_densities(ddr4_2400_mhz);
constexpr std::array ddr4_3200_densities = ddr4_densities(ddr4_3200_mhz);

// tpbR2pbR is tRFCpb (DRAMSys, CheckerLPDDR4). 16 Gbit: DRAMSys JEDEC_1Gbx16_LPDDR4-3200.json.
constexpr std::array lpddr4_3200_densities = {
    DramDensity{8 * gigabit, 448, 224, 224},
    DramDensity{16 * gigabit, 608, 304, 304},
};

// tRFCab as in ramulator2, but 180 ns for 4 Gbit; that, tRFCpb, and tpbR2pbR as in the LPDDR5 model of Ramulator 2.0
// (the 32 Gbit tRFCpb is of ramulator2's lpddr5.py, and its tpbR2pbR is taken over from 16 Gbit).
constexpr DramDensity lpddr5_density(std::uint64_t capacity, std::uint64_t all_ps, std::uint64_t bank_ps) {
    return {capacity, cycles_covering(all_ps, lpddr5_6400_mhz), cycles_covering(bank_ps, lpddr5_6400_mhz),
            cycles_covering(90'000, lpddr5_6400_mhz)};
}
constexpr std::array lpddr5_6400_densities = {
    lpddr5_density(4 * gigabit, 180'000, 90'000),
    lpddr5_density(8 * gigabit, 210'000, 120'000),
    lpddr5_density(16 * gigabit, 280'000, 140'000),
    lpddr5_density(32 * gigabit, 380'000, 210'000),
};

// Of a pseudo-channel. REFSB to REFSB of another bank: tRREFD (HBM3's rule, in ramulator2).
constexpr DramDensity hbm2_density(std::uint64_t capacity, std::uint64_t all_ps) {
    return {capacity, cycles_covering(all_ps, hbm2_2000_mhz), cycles_covering(160'000, hbm2_2000_mhz), 8};
}
constexpr std::array hbm2_2000_densities = {
    hbm2_density(gigabit, 110'000),
    hbm2_density(2 * gigabit, 160'000),
    hbm2_density(4 * gigabit, 260'000),
    hbm2_density(8 * gigabit, 350'000),
};

// The source has channel densities, twice those of a pseudo-channel, with one stack ID. tRREFD = max(3 tCK, 8 ns).
constexpr std::uint32_t hbm3_t_rrefd = cycles_covering(8'000, hbm3_6400_mhz);
constexpr DramDensity hbm3_density(std::uint64_t capacity, std::uint64_t all_ps) {
    return {capacity, cycles_covering(all_ps, hbm3_6400_mhz), 320, hbm3_t_rrefd};
}
constexpr std::array hbm3_6400_densities = {
    hbm3_density(2 * gigabit, 260'000),
    hbm3_density(4 * gigabit, 350'000),
    hbm3_density(8 * gigabit, 450'000),
    hbm3_density(16 * gigabit, 550'000),
};

// Four x8 devices a rank.
constexpr std::array ddr5_4800_densities = {
    DramDensity{4 * gigabyte, cycles_covering(195'000, ddr5_4800_mhz)},
    DramDensity{8 * gigabyte, cycles_covering(295'000, ddr5_4800_mhz)},
    DramDensity{16 * gigabyte, cycles_covering(410'000, ddr5_4800_mhz)},
};

constexpr std::array standards = {
    // tREFI at normal temperature. The preamble makes the turnaround 2 cycles (ramulator2 ddr4.py; DRAMsim3 has 1).
    DramStandard{
        .name = "DDR4-2400",
        .source = "umd-memsys/DRAMsim3@29817593 configs/DDR4_8Gb_x8_2400.ini (CL-RCD-RP 17-17-17)",
        .clock_period_ps = 833,
        .typical_channels = 2,
        .typical_ranks = 2,
        .typical_rank_bytes = 8 * gigabyte,
        .data_bits = 64,
        .burst_length = 8,
        .bank_groups = 4,
        .banks_per_group = 4,
        .row_bytes = 8192,
        .burst = 4,
        .rl = 17,
        .wl = 12,
        .bus_turnaround = 2,
        .rank_switch = 1,
        .t_rcd_read = 17,
        .t_rcd_write = 17,
        .t_rp = 17,
        .t_rp_all = 17,
        .t_ras = 39,
        .t_rc = 56,
        .t_rrd_s = 4,
        .t_rrd_l = 6,
        .t_faw = 26,
        .t_ccd_s = 4,
        .t_ccd_l = 6,
        .t_ccd_l_write = 6,
        .t_wr = 18,
        .t_wtr_s = 3,
        .t_wtr_l = 9,
        .t_rtp = 9,
        .t_refi = 9360,
        .densities = ddr4_2400_densities,
        .t_cke = 6,
        .t_xp = 8,
    },
    DramStandard{
        .name = "DDR4-3200",
        .source = "umd-memsys/DRAMsim3@29817593 configs/DDR4_8Gb_x8_3200.ini (CL-RCD-RP 22-22-22)",
        .clock_period_ps = 625,
        .typical_channels = 2,
        .typical_ranks = 2,
        .typical_rank_bytes = 8 * gigabyte,
        .data_bits = 64,
        .burst_length = 8,
        .bank_groups = 4,
        .banks_per_group = 4,
        .row_bytes = 8192,
        .burst = 4,
        .rl = 22,
        .wl = 16,
        .bus_turnaround = 2,
        .rank_switch = 1,
        .t_rcd_read = 22,
        .t_rcd_write = 22,
        .t_rp = 22,
        .t_rp_all = 22,
        .t_ras = 52,
        .t_rc = 74,
        .t_rrd_s = 4,
        .t_rrd_l = 8,
        .t_faw = 34,
        .t_ccd_s = 4,
        .t_ccd_l = 8,
        .t_ccd_l_write = 8,
        .t_wr = 24,
        .t_wtr_s = 4,
        .t_wtr_l = 12,
        .t_rtp = 12,
        .t_refi = 12480,
        .densities = ddr4_3200_densities,
        .t_cke = 8,
        .t_xp = 10,
    },
    // A subchannel of 32 bits. tFAW of 1 KB pages is 32 tCK (gem5, after Micron's data sheet; ramulator2 has 20 ns),
    // tXP
    // is gem5's; [assumption] tPD, here tCKE, is as long as tXP. tCCD_L_WR is that of a write that reads the rest of
    // its
    // line first, as in the source. REFsb is not modelled.
    DramStandard{
        .name = "DDR5-4800",
        .source =
            "CMU-SAFARI/ramulator2@02568b06 python/ramulator/dram/ddr5.py, DDR5_4800BN, 16 Gbit x8; tFAW and tXP: "
            "gem5 DDR5_4400_4x8",
        .clock_period_ps = 416,
        .typical_channels = 4,
        .typical_ranks = 1,
        .typical_rank_bytes = 8 * gigabyte,
        .data_bits = 32,
        .burst_length = 16,
        .bank_groups = 8,
        .banks_per_group = 4,
        .row_bytes = 4096,
        .activate_slots = 2,
        .column_slots = 2,
        .activate_lag = 1,
        .column_lag = 1,
        .burst = 8,
        .rl = 36,
        .wl = 34,
        .bus_turnaround = 4,
        .rank_switch = 2,
        .t_rcd_read = 36,
        .t_rcd_write = 36,
        .t_rp = 36,
        .t_rp_all = 36,
        .t_ras = 77,
        .t_rc = 113,
        .t_rrd_s = 8,
        .t_rrd_l = 12,
        .t_faw = 32,
        .t_ppd = 2,
        .t_ccd_s = 8,
        .t_ccd_l = 12,
        .t_ccd_l_write = 48,
        .t_wr = 72,
        .t_wtr_s = 6,
        .t_wtr_l = 24,
        .t_rtp = 18,
        .t_refi = cycles_covering(3'900'000, ddr5_4800_mhz),
        .densities = ddr5_4800_densities,
        .t_cke = cycles_covering(7'500, ddr5_4800_mhz),
        .t_xp = cycles_covering(7'500, ddr5_4800_mhz),
    },
    // No bank groups. Commands are 2 (PRE, REF) or 4 cycles long, and times count from the last of them. rl is RL 28
    // and
    // the longest tDQSCK 6, wl is WL 14 and tDQSS 1; the turnaround is the write preamble 2 and tDQSS 1. Masked writes
    // (tCCDMW) are not modelled: the DMA writes whole bursts. tRTP is RD to PRE with BL/2 - 8 = 0.
    DramStandard{
        .name = "LPDDR4-3200",
        .source = "tukl-msd/DRAMSys@21079661 configs/memspec/JEDEC_8Gb_LPDDR4-3200_16bit.json, rules of CheckerLPDDR4",
        .clock_period_ps = 625,
        .typical_channels = 4,
        .typical_ranks = 1,
        .typical_rank_bytes = 8 * gigabit,
        .data_bits = 16,
        .burst_length = 16,
        .bank_groups = 1,
        .banks_per_group = 8,
        .row_bytes = 2048,
        .activate_slots = 4,
        .row_slots = 2,
        .column_slots = 4,
        .activate_lag = 3,
        .row_lag = 1,
        .column_lag = 3,
        .burst = 8,
        .rl = 34,
        .wl = 15,
        .bus_turnaround = 3,
        .rank_switch = 1,
        .t_rcd_read = 29,
        .t_rcd_write = 29,
        .t_rp = 29,
        .t_rp_all = 34,
        .t_ras = 68,
        .t_rc = 97,
        .t_rrd_s = 16,
        .t_rrd_l = 16,
        .t_faw = 64,
        .t_ppd = 4,
        .t_ccd_s = 8,
        .t_ccd_l = 8,
        .t_ccd_l_write = 8,
        .t_wr = 29,
        .t_wtr_s = 16,
        .t_wtr_l = 16,
        .t_rtp = 12,
        .t_refi = 6246,
        .t_refi_bank = 780,
        .t_rrefd = 16,
        .densities = lpddr4_3200_densities,
        .t_cke = 12,
        .t_xp = 12,
    },
    // Bank-group mode, WCK:CK 4:1. An activate is ACT-1 and ACT-2; the standard lets up to nAAD = 8 cycles pass between
    // the two, here ACT-2 always takes the next slot. The CAS command that synchronises WCK is not modelled. A REFpb
    // refreshes a pair of banks every tREFI / 8 in the standard, here one bank every tREFI / 16. tpbR2act 7.5 ns:
    // Micron,
    // as quoted in forks of Ramulator 2.0. tXP 7 ns: gem5 LPDDR5_5500; [assumption] entry to exit takes as long.
    DramStandard{
        .name = "LPDDR5-6400",
        .source = "CMU-SAFARI/ramulator2@c5b1c3a4 python/ramulator/dram/lpddr5.py, which cites JESD209-5B",
        .clock_period_ps = 1250,
        .typical_channels = 4,
        .typical_ranks = 1,
        .typical_rank_bytes = 16 * gigabit,
        .data_bits = 16,
        .burst_length = 16,
        .bank_groups = 4,
        .banks_per_group = 4,
        .row_bytes = 2048,
        .activate_slots = 2,
        .burst = 2,
        .rl = 17,
        .wl = 9,
        .bus_turnaround = 2,
        .rank_switch = 2,
        .t_rcd_read = 15,
        .t_rcd_write = 15,
        .t_rp = 15,
        .t_rp_all = 17,
        .t_ras = 34,
        .t_rc = 49,
        .t_rrd_s = cycles_covering(5'000, lpddr5_6400_mhz),
        .t_rrd_l = cycles_covering(5'000, lpddr5_6400_mhz),
        .t_faw = cycles_covering(20'000, lpddr5_6400_mhz),
        .t_ppd = 2,
        .t_ccd_s = 2,
        .t_ccd_l = 4,
        .t_ccd_l_write = 4,
        .t_wr = 28,
        .t_wtr_s = 5,
        .t_wtr_l = 10,
        .t_rtp = 8,
        .t_refi = cycles_covering(3'906'000, lpddr5_6400_mhz),
        .t_refi_bank = cycles_covering(3'906'000 / 16, lpddr5_6400_mhz),
        .t_rrefd = cycles_covering(7'500, lpddr5_6400_mhz),
        .densities = lpddr5_6400_densities,
        .t_cke = cycles_covering(7'000, lpddr5_6400_mhz),
        .t_xp = cycles_covering(7'000, lpddr5_6400_mhz),
    },
    // A pseudo-channel, two a channel. An ACT takes two cycles of the row bus, and its times count from the second; the
    // slots here are doubled, see DramStandard. Ranks are stack IDs; bursts of two follow each other as those of one
    // (DRAMSys HBM2.json, tCCDR = burst). tREFISB is tREFI / 16 banks. tCKE and tXP: DRAMsim3, DRAMSys.
    DramStandard{
        .name = "HBM2-2000",
        .source = "CMU-SAFARI/ramulator2@c5b1c3a4 python/ramulator/dram/hbm2.py, HBM2_2000Mbps",
        .clock_period_ps = 1000,
        .typical_channels = 16,
        .typical_ranks = 1,
        .typical_rank_bytes = 4 * gigabit,
        .data_bits = 64,
        .burst_length = 4,
        .bank_groups = 4,
        .banks_per_group = 4,
        .row_bytes = 1024,
        .separate_buses = true,
        .activate_slots = 4,
        .row_slots = 2,
        .column_slots = 2,
        .activate_lag = 1,
        .burst = 2,
        .rl = 14,
        .wl = 5,
        .bus_turnaround = 2,
        .rank_switch = 0,
        .t_rcd_read = 14,
        .t_rcd_write = 12,
        .t_rp = 14,
        .t_rp_all = 14,
        .t_ras = 34,
        .t_rc = 48,
        .t_rrd_s = 4,
        .t_rrd_l = 4,
        .t_faw = 15,
        .t_ccd_s = 2,
        .t_ccd_l = 4,
        .t_ccd_l_write = 4,
        .t_wr = 16,
        .t_wtr_s = 6,
        .t_wtr_l = 8,
        .t_rtp = 5,
        .t_refi = 3900,
        .t_refi_bank = 244,
        .t_rrefd = 8,
        .densities = hbm2_2000_densities,
        .t_cke = 8,
        .t_xp = 8,
    },
    // A pseudo-channel, two a channel. An ACT takes 1.5 cycles of the row bus and a PRE or REF half a cycle: doubled, 3
    // and 1. The turnaround makes RD to WR nRTW = 20. Ranks are stack IDs (tCCD_R = 3); the source lets tRRD and tFAW
    // span them, the model does not, so typical is one.
    DramStandard{
        .name = "HBM3-6400",
        .source = "CMU-SAFARI/ramulator2@c5b1c3a4 python/ramulator/dram/hbm3.py, HBM3_6400Mbps, which cites JESD238",
        .clock_period_ps = 625,
        .typical_channels = 32,
        .typical_ranks = 1,
        .typical_rank_bytes = 2 * gigabit,
        .data_bits = 32,
        .burst_length = 8,
        .bank_groups = 4,
        .banks_per_group = 4,
        .row_bytes = 1024,
        .separate_buses = true,
        .activate_slots = 3,
        .row_slots = 1,
        .column_slots = 2,
        .activate_lag = 1,
        .burst = 2,
        .rl = 20,
        .wl = 10,
        .bus_turnaround = 8,
        .rank_switch = 1,
        .t_rcd_read = 31,
        .t_rcd_write = 15,
        .t_rp = 26,
        .t_rp_all = 26,
        .t_ras = 45,
        .t_rc = 72,
        .t_rrd_s = 4,
        .t_rrd_l = 5,
        .t_faw = 24,
        .t_ppd = 2,
        .t_ccd_s = 2,
        .t_ccd_l = 4,
        .t_ccd_l_write = 4,
        .t_wr = 33,
        .t_wtr_s = 7,
        .t_wtr_l = 10,
        .t_rtp = 9,
        .t_refi = 6240,
        .t_refi_bank = 390,
        .t_rrefd = hbm3_t_rrefd,
        .densities = hbm3_6400_densities,
    },
};

}  // namespace

const DramDensity& DramStandard::density(std::uint64_t rank_bytes) const {
    const auto found =
        std::ranges::find_if(densities, [&](const DramDensity& d) { return d.capacity_bytes >= rank_bytes; });
    if (found == densities.end()) {
        throw ModelError("DRAM rank larger than the largest density of its standard");
    }
    return *found;
}

const DramStandard* find_dram_standard(std::string_view name) {
    const auto* const found = std::ranges::find(standards, name, &DramStandard::name);
    return found == standards.end() ? nullptr : found;
}

std::vector<std::string> dram_standard_names() {
    std::vector<std::string> names;
    names.reserve(standards.size());
    for (const DramStandard& standard : standards) {
        names.emplace_back(standard.name);
    }
    return names;
}

}  // namespace nibble
