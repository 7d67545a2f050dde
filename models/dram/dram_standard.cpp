// SPDX-License-Identifier: MIT
#include "models/dram/dram_standard.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"

namespace nibble {

namespace {

/// Whole clock cycles that cover `time_ps`.
constexpr std::uint32_t cycles_covering(std::uint32_t time_ps, std::uint32_t clock_period_ps) {
    return (time_ps + clock_period_ps - 1) / clock_period_ps;
}

constexpr std::uint64_t gigabit = (std::uint64_t{1} << 30) / 8;

constexpr std::uint32_t lpddr5_6400_clock_ps = 1250;

constexpr std::array lpddr5_6400_densities = {
    DramDensity{4 * gigabit, cycles_covering(130'000, lpddr5_6400_clock_ps)},
    DramDensity{8 * gigabit, cycles_covering(210'000, lpddr5_6400_clock_ps)},
    DramDensity{16 * gigabit, cycles_covering(280'000, lpddr5_6400_clock_ps)},
    DramDensity{32 * gigabit, cycles_covering(380'000, lpddr5_6400_clock_ps)},
};

constexpr std::array standards = {
    // Bank-group mode, WCK:CK 4:1. An activate is ACT-1 and ACT-2; the standard lets up to nAAD = 8 cycles pass between
    // the two, here ACT-2 always takes the next slot. The CAS command that synchronises WCK is not modelled.
    DramStandard{
        .name = "LPDDR5-6400",
        .source = "CMU-SAFARI/ramulator2@c5b1c3a4 python/ramulator/dram/lpddr5.py, which cites JESD209-5B",
        .clock_period_ps = lpddr5_6400_clock_ps,
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
        .t_rcd_read = 15,
        .t_rcd_write = 15,
        .t_rp = 15,
        .t_rp_all = 17,
        .t_ras = 34,
        .t_rc = 49,
        .t_rrd_s = cycles_covering(5'000, lpddr5_6400_clock_ps),
        .t_rrd_l = cycles_covering(5'000, lpddr5_6400_clock_ps),
        .t_faw = cycles_covering(20'000, lpddr5_6400_clock_ps),
        .t_ppd = 2,
        .t_ccd_s = 2,
        .t_ccd_l = 4,
        .t_wr = 28,
        .t_wtr_s = 5,
        .t_wtr_l = 10,
        .t_rtp = 8,
        .t_refi = cycles_covering(3'906'000, lpddr5_6400_clock_ps),
        .densities = lpddr5_6400_densities,
    },
};

}  // namespace

std::uint32_t DramStandard::t_rfc(std::uint64_t capacity_bytes) const {
    const auto density =
        std::ranges::find_if(densities, [&](const DramDensity& d) { return d.capacity_bytes >= capacity_bytes; });
    if (density == densities.end()) {
        throw ModelError("DRAM channel larger than the largest density of its standard");
    }
    return density->t_rfc;
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
