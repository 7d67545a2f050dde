// SPDX-License-Identifier: MIT
// What limits the bandwidth of each pattern, as a formula over the table, against what the model delivers.
#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "models/dram/dram_core.h"
#include "tests/support/dram_addresses.h"

namespace nibble {
namespace {

using NextRequest = std::function<DramRequest(std::uint64_t index)>;

/// Bursts that `core` moves in `cycles`, its queues kept full.
std::uint64_t bursts_moved(DramCore& core, std::uint64_t cycles, const NextRequest& next) {
    const std::uint64_t end = core.now() + cycles;
    const std::uint64_t before = core.counters().reads + core.counters().writes;
    std::uint64_t index = 0;
    while (core.now() < end) {
        while (core.can_accept()) {
            core.accept(next(index++));
        }
        core.advance_until(std::min(core.now() + 1, end));
        while (core.has_completion()) {
            core.pop_completion();
        }
    }
    return core.counters().reads + core.counters().writes - before;
}

class DramBandwidth : public testing::TestWithParam<std::string> {
protected:
    DramBandwidth() { parameters_.standard = GetParam(); }

    [[nodiscard]] std::uint32_t t_rfc() const { return standard_.t_rfc(parameters_.capacity_bytes_per_channel); }

    /// Of each refresh interval an always loaded channel can use this share: the last RD before, the PRE of all banks
    /// tRTP later, REF, ACT, and the first RD after; one burst time of that is the last RD's own.
    [[nodiscard]] double share_after_refresh() const {
        const std::uint32_t lost =
            standard_.t_rtp + standard_.t_rp_all + t_rfc() + standard_.t_rcd_read - standard_.burst;
        return 1.0 - static_cast<double>(lost) / standard_.t_refi;
    }

    /// A stream opens a row in every bank group at a time, and the slots of an activate but one come at the expense of
    /// a RD or WR.
    [[nodiscard]] double share_after_activates() const {
        const double bursts_of_a_row = static_cast<double>(standard_.row_bytes) / standard_.burst_bytes();
        return 1.0 - (standard_.activate_slots - 1) / (bursts_of_a_row * standard_.burst);
    }

    /// Share of the peak that a sequential stream gets.
    double stream(std::uint32_t bytes, bool write, std::uint64_t cycles) {
        DramCore core(parameters_);
        const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) {
            return DramRequest{index, index * bytes, bytes, write};
        });
        return static_cast<double>(bursts * standard_.burst) / static_cast<double>(cycles * parameters_.channels);
    }

    const DramStandard& standard_ = *find_dram_standard(GetParam());
    DramParameters parameters_;
};

constexpr std::uint64_t intervals = 40;

TEST_P(DramBandwidth, SequentialReadsReachThePeakLessRefresh) {
    for (const std::uint32_t channels : {1U, 4U}) {
        parameters_.channels = channels;
        for (const std::uint32_t bytes : {64U, 256U, 1024U, 4096U}) {
            SCOPED_TRACE(std::to_string(channels) + " channels, requests of " + std::to_string(bytes));
            const double share = stream(bytes, false, intervals * standard_.t_refi);
            EXPECT_GE(share, 0.9);
            EXPECT_NEAR(share, share_after_refresh() * share_after_activates(), 0.01);
        }
    }
}

TEST_P(DramBandwidth, SequentialWritesReachThePeakLessRefresh) {
    for (const std::uint32_t bytes : {64U, 256U, 1024U, 4096U}) {
        SCOPED_TRACE(bytes);
        // A write's recovery takes longer than a read's.
        const double recovery = standard_.write_to_precharge() - standard_.t_rtp;
        const double usable = share_after_refresh() - recovery / standard_.t_refi;
        EXPECT_NEAR(stream(bytes, true, intervals * standard_.t_refi), usable * share_after_activates(), 0.01);
    }
}

// Larger devices refresh longer; the difference is tRFC and nothing else.
TEST_P(DramBandwidth, RefreshCostsItsTime) {
    for (const DramDensity& density : standard_.densities) {
        parameters_.capacity_bytes_per_channel = density.capacity_bytes;
        EXPECT_NEAR(stream(1024, false, intervals * standard_.t_refi), share_after_refresh() * share_after_activates(),
                    0.01);
    }
}

TEST_P(DramBandwidth, BetweenRefreshesOnlyActivatesDisturbAStream) {
    parameters_.channels = 1;
    DramCore core(parameters_);
    const NextRequest next = [](std::uint64_t index) { return DramRequest{index, index * 1024, 1024, false}; };
    bursts_moved(core, 500, next);
    const std::uint64_t cycles = 2000;
    ASSERT_LT(core.now() + cycles, standard_.t_refi);
    const std::uint64_t activates = core.counters().activates;
    // The queue holds requests from 0 on already; go on behind them.
    const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) { return next(1000 + index); });
    // An activate may take the slot of a RD: all but one of its slots, one cycle each, are lost.
    const std::uint64_t lost = (core.counters().activates - activates) * (standard_.activate_slots - 1);
    EXPECT_GE(bursts * standard_.burst + lost + standard_.t_rc, cycles);
}

// New row in a bank of its own turn each time: four activates every tFAW.
TEST_P(DramBandwidth, RowsInManyBanksAreLimitedByTheFourActivateWindow) {
    parameters_.channels = 1;
    const AddressMap map(standard_, parameters_);
    DramCore core(parameters_);
    const std::uint64_t cycles = intervals * standard_.t_refi;
    const std::uint64_t accesses = bursts_moved(core, cycles, [&](std::uint64_t index) {
        const auto turn = static_cast<std::uint32_t>(index % standard_.banks());
        const std::uint32_t bank =
            turn % standard_.bank_groups * standard_.banks_per_group + turn / standard_.bank_groups;
        const auto row = static_cast<std::uint32_t>(index / standard_.banks() % 1000);
        return DramRequest{index, address_of_row(standard_, map, bank, row), standard_.burst_bytes(), false};
    });
    ASSERT_LE(standard_.t_rc * 4, standard_.banks() * standard_.t_faw) << "tRC must not be what limits";
    const double per_access = std::max(standard_.t_faw / 4.0, 1.0 * standard_.t_rrd_s);
    const double usable = share_after_refresh();
    EXPECT_NEAR(static_cast<double>(accesses), usable * static_cast<double>(cycles) / per_access,
                0.01 * static_cast<double>(cycles) / per_access);
}

// New row of one bank each time: a row cycle each.
TEST_P(DramBandwidth, RowsInOneBankAreLimitedByTheRowCycle) {
    parameters_.channels = 1;
    const AddressMap map(standard_, parameters_);
    DramCore core(parameters_);
    const std::uint64_t cycles = intervals * standard_.t_refi;
    const std::uint64_t accesses = bursts_moved(core, cycles, [&](std::uint64_t index) {
        const auto row = static_cast<std::uint32_t>(index % 1000);
        return DramRequest{index, address_of_row(standard_, map, 0, row), standard_.burst_bytes(), false};
    });
    // One access takes max(tRC, tRCD + tRTP + tRP). A refresh waits for the row cycle that it meets.
    const double row_cycle = std::max(standard_.t_rc, standard_.t_rcd_read + standard_.t_rtp + standard_.t_rp);
    const double usable = 1.0 - static_cast<double>(t_rfc() + standard_.t_rp_all - standard_.t_rp) / standard_.t_refi;
    EXPECT_NEAR(static_cast<double>(accesses), usable * static_cast<double>(cycles) / row_cycle,
                0.01 * static_cast<double>(cycles) / row_cycle);
}

// Reads and writes in equal parts to open rows: each drain of the write queue costs two turnarounds.
TEST_P(DramBandwidth, MixedTrafficPaysItsTurnarounds) {
    parameters_.channels = 1;
    parameters_.age_cap_bursts = 1'000'000;  // a run that is overtaken too often turns the bus as well
    DramCore core(parameters_);
    const std::uint64_t cycles = intervals * standard_.t_refi;
    const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) {
        const bool write = index % 2 == 1;
        const std::uint64_t half = parameters_.capacity_bytes_per_channel / 2;
        return DramRequest{index, (write ? half : 0) + index / 2 * 1024, 1024, write};
    });
    const DramCounters& counters = core.counters();
    EXPECT_NEAR(static_cast<double>(counters.reads), static_cast<double>(counters.writes),
                0.02 * static_cast<double>(bursts));
    // Every cycle is a burst, or is named.
    const std::uint64_t named = counters.wait_refresh_cycles + counters.wait_turnaround_cycles +
                                counters.wait_row_cycles + counters.wait_column_cycles;
    EXPECT_NEAR(static_cast<double>(counters.data_bus_cycles + named), static_cast<double>(cycles),
                standard_.t_refi * 0.1);
    // A drain writes high - low runs at least (a request of 1 KB is 4 runs of 8 bursts here), between two turnarounds.
    const double drain_bursts =
        (parameters_.write_high_watermark - parameters_.write_low_watermark) * 1024.0 / standard_.burst_bytes() / 4;
    const double turnarounds = standard_.read_to_write() + standard_.write_to_read_l() - 2.0 * standard_.burst;
    EXPECT_LE(static_cast<double>(counters.wait_turnaround_cycles),
              static_cast<double>(counters.writes) / drain_bursts * turnarounds * 1.1);
    // Reads as many as writes, two turnarounds, and at worst one row cycle when each direction meets the other's rows.
    const double moved = 2.0 * drain_bursts * standard_.burst;
    const double least =
        share_after_refresh() * share_after_activates() * moved / (moved + turnarounds + 2.0 * standard_.t_rc);
    EXPECT_GT(static_cast<double>(counters.data_bus_cycles), least * static_cast<double>(cycles));
}

INSTANTIATE_TEST_SUITE_P(Standards, DramBandwidth, testing::ValuesIn(dram_standard_names()), [](const auto& standard) {
    std::string name = standard.param;
    std::erase(name, '-');
    return name;
});

}  // namespace
}  // namespace nibble
