// SPDX-License-Identifier: MIT
// What limits the bandwidth of each pattern, as a formula over the table, against what the model delivers, for every
// standard. Each comparison prints a line: run the test to see the table.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include <fmt/format.h>
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
    DramBandwidth() {
        parameters_.channels = 1;
        parameters_.ranks = 1;
        parameters_.capacity_bytes_per_channel = standard_.typical_rank_bytes;
    }

    [[nodiscard]] std::uint32_t t_rfc() const {
        return standard_.density(parameters_.capacity_bytes_per_channel / parameters_.ranks).t_rfc;
    }

    /// Prints both and checks that `measured` is within 1% of `expected`.
    void expect_near(const std::string& what, double expected, double measured) const {
        const double deviation = measured / expected - 1;
        fmt::print("{:12} {:52} expected {:8.4f} measured {:8.4f} deviation {:+6.2f}%\n", standard_.name, what,
                   expected, measured, 100 * deviation);
        EXPECT_LE(std::abs(deviation), 0.01) << what;
    }

    /// Of each refresh interval an always loaded channel can use this share: the last RD before, the PRE of all banks
    /// tRTP later, REF, ACT, and the first RD after; one burst time of that is the last RD's own. Lags cancel.
    [[nodiscard]] double share_after_refresh() const {
        const std::uint32_t lost =
            standard_.t_rtp + standard_.t_rp_all + t_rfc() + standard_.t_rcd_read - standard_.burst;
        return 1.0 - static_cast<double>(lost) / standard_.t_refi;
    }
    /// The same for writes, whose recovery takes longer.
    [[nodiscard]] double share_of_writes_after_refresh() const {
        const std::uint32_t lost =
            standard_.write_to_precharge() + standard_.t_rp_all + t_rfc() + standard_.t_rcd_write - standard_.burst;
        return 1.0 - static_cast<double>(lost) / standard_.t_refi;
    }

    /// A stream opens a row in every bank group at a time. On a bus shared with RDs an ACT takes the slots between two
    /// of them, and those beyond come at the expense of the next.
    [[nodiscard]] double share_after_activates() const {
        const double bursts_of_a_row = static_cast<double>(standard_.row_bytes) / standard_.burst_bytes();
        return 1.0 - lost_slots() / (bursts_of_a_row * standard_.burst);
    }
    [[nodiscard]] double lost_slots() const {
        const std::uint32_t between = standard_.burst - standard_.column_slots;
        return standard_.separate_buses || standard_.activate_slots <= between ? 0 : standard_.activate_slots - between;
    }

    /// Share of the peak that a sequential stream gets.
    double stream(std::uint32_t bytes, bool write) {
        DramCore core(parameters_);
        const std::uint64_t cycles = intervals * standard_.t_refi;
        const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) {
            return DramRequest{index, index * bytes, bytes, write};
        });
        return static_cast<double>(bursts * standard_.burst) / static_cast<double>(cycles * parameters_.channels);
    }

    /// Cycles from one access to the next, if each opens a row in the bank whose turn it is, of `banks`.
    double cycles_per_row(std::uint32_t banks) {
        const AddressMap map(standard_, parameters_);
        DramCore core(parameters_);
        const std::uint64_t cycles = intervals * standard_.t_refi;
        const std::uint64_t accesses = bursts_moved(core, cycles, [&](std::uint64_t index) {
            const auto turn = static_cast<std::uint32_t>(index % banks);
            const std::uint32_t bank =
                turn % standard_.bank_groups * standard_.banks_per_group + turn / standard_.bank_groups;
            const auto row = static_cast<std::uint32_t>(index / banks % 1000);
            return DramRequest{index, address_of_row(standard_, map, bank, row), standard_.burst_bytes(), false};
        });
        return static_cast<double>(cycles) / static_cast<double>(accesses);
    }

    /// What rows of many banks are limited by: four in tFAW, tRRD_S, the data bus, the command buses.
    [[nodiscard]] double row_limit(bool precharges) const {
        const std::uint32_t row = standard_.activate_slots + (precharges ? standard_.row_slots : 0);
        const std::uint32_t slots =
            standard_.separate_buses ? std::max(row, standard_.column_slots) : row + standard_.column_slots;
        return std::max({standard_.t_faw / 4.0, 1.0 * standard_.t_rrd_s, 1.0 * standard_.burst, 1.0 * slots});
    }

    static constexpr std::uint64_t intervals = 40;

    DramParameters parameters_ = typical_dram(GetParam());
    const DramStandard& standard_ = *find_dram_standard(GetParam());
    DramStandard standard_without_refresh_ = standard_;
};

TEST_P(DramBandwidth, SequentialReadsReachThePeakLessRefresh) {
    for (const std::uint32_t channels : {1U, 4U}) {
        parameters_.channels = channels;
        for (const std::uint32_t bytes : {64U, 256U, 1024U, 4096U}) {
            const double share = stream(bytes, false);
            EXPECT_GE(share, 0.9);
            expect_near(fmt::format("sequential reads of {} bytes, {} channels: of peak", bytes, channels),
                        share_after_refresh() * share_after_activates(), share);
        }
    }
}

TEST_P(DramBandwidth, ATypicalSystemStreamsToo) {
    parameters_ = typical_dram(GetParam());
    parameters_.channels = std::min(parameters_.channels, 4U);
    EXPECT_GE(stream(1024, false), 0.9);
    // Where banks are refreshed one by one, the others go on.
    if (standard_.has_bank_refresh()) {
        const double all_banks = stream(1024, false);
        parameters_.refresh = RefreshMode::per_bank;
        const double per_bank = stream(1024, false);
        fmt::print("{:12} sequential reads: of peak {:.4f} with all-bank, {:.4f} with per-bank refresh\n",
                   standard_.name, all_banks, per_bank);
        EXPECT_GT(per_bank, all_banks);
    }
}

TEST_P(DramBandwidth, SequentialWritesReachThePeakLessRefresh) {
    for (const std::uint32_t bytes : {64U, 256U, 1024U, 4096U}) {
        expect_near(fmt::format("sequential writes of {} bytes: of peak", bytes),
                    share_of_writes_after_refresh() * share_after_activates(), stream(bytes, true));
    }
}

// Larger devices refresh longer; the difference is tRFC and nothing else.
TEST_P(DramBandwidth, RefreshCostsItsTime) {
    for (const DramDensity& density : standard_.densities) {
        parameters_.capacity_bytes_per_channel = density.capacity_bytes;
        expect_near(fmt::format("tRFC = {}: of peak", density.t_rfc), share_after_refresh() * share_after_activates(),
                    stream(1024, false));
    }
}

// Rows of the next requests are opened while the bus is busy with this one's.
TEST_P(DramBandwidth, BetweenRefreshesAStreamIsAtThePeak) {
    DramCore core(parameters_);
    const NextRequest next = [](std::uint64_t index) { return DramRequest{index, index * 1024, 1024, false}; };
    bursts_moved(core, 500, next);
    const std::uint64_t cycles = 2400;
    ASSERT_LT(core.now() + cycles, standard_.t_refi);
    // The queue holds requests from 0 on already; go on behind them.
    const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) { return next(1000 + index); });
    expect_near("between refreshes: of peak", share_after_activates(),
                static_cast<double>(bursts * standard_.burst) / static_cast<double>(cycles));
}

// New row in a bank of its own turn each time: four activates every tFAW, if nothing else is slower. On a shared bus a
// RD may hold the slot of the ACT that ends the window, and so make it longer by the slots of a RD.
TEST_P(DramBandwidth, RowsInManyBanksAreLimitedByTheFourActivateWindow) {
    ASSERT_LE(standard_.t_rc, standard_.banks() * row_limit(false)) << "tRC must not be what limits";
    for (const PagePolicy policy : {PagePolicy::open, PagePolicy::closed}) {
        parameters_.page_policy = policy;
        const double limit = row_limit(policy == PagePolicy::open);
        const double late = standard_.separate_buses ? 0 : standard_.column_slots / 4.0;
        const double measured = cycles_per_row(standard_.banks());
        const double expected =
            std::clamp(measured, limit / share_after_refresh(), (limit + late) / share_after_refresh());
        expect_near(
            fmt::format("a row an access, {} page: cycles each, {:.2f} to {:.2f}", page_policy_text(parameters_),
                        limit / share_after_refresh(), (limit + late) / share_after_refresh()),
            expected, measured);
    }
}

// New row of one bank each time: a row cycle each.
TEST_P(DramBandwidth, RowsInOneBankAreLimitedByTheRowCycle) {
    // One access takes max(tRC, tRCD + tRTP + tRP). A refresh waits for the row cycle that it meets.
    const double row_cycle = std::max(standard_.t_rc, standard_.t_rcd_read + standard_.t_rtp + standard_.t_rp);
    const double usable = 1.0 - static_cast<double>(t_rfc() + standard_.t_rp_all - standard_.t_rp) / standard_.t_refi;
    expect_near("rows of one bank: cycles each", row_cycle / usable, cycles_per_row(1));
}

// Lines at random: no better than what their rows and bursts allow, and not much worse, as banks collide.
TEST_P(DramBandwidth, RandomLinesReachAPlausibleShareOfTheirLimit) {
    for (const PagePolicy policy : {PagePolicy::open, PagePolicy::closed}) {
        parameters_.page_policy = policy;
        DramCore core(parameters_);
        std::mt19937_64 random(1);
        constexpr std::uint64_t line = AddressMap::line_bytes;
        const std::uint64_t lines = parameters_.capacity_bytes_per_channel / line;
        const std::uint64_t cycles = intervals * standard_.t_refi;
        const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) {
            return DramRequest{index, random() % lines * line, line, false};
        });
        const double bursts_of_line = static_cast<double>(line) / standard_.burst_bytes();
        const double limit = std::max({row_limit(policy == PagePolicy::open), bursts_of_line * standard_.burst,
                                       1.0 * standard_.t_rc / standard_.banks()}) /
                             share_after_refresh();
        const double each = static_cast<double>(cycles) / (static_cast<double>(bursts) / bursts_of_line);
        fmt::print("{:12} random lines, {:6}: {:.1f} cycles each, limit {:.1f}: {:.0f}% of it, {:.0f}% of peak\n",
                   standard_.name, page_policy_text(parameters_), each, limit, 100 * limit / each,
                   100 * bursts_of_line * standard_.burst / each);
        EXPECT_GE(each, 0.99 * limit);
        EXPECT_GE(limit / each, 0.6);
    }
}

// Reads and writes in equal parts, each to rows of their own that are always open. Each drain writes the runs between
// the watermarks, and as many are read before the next, since requests arrive in turn: two turnarounds for that many.
TEST_P(DramBandwidth, ADrainCostsTwoTurnarounds) {
    parameters_.age_cap_bursts = 1'000'000;  // a run that is overtaken too often turns the bus as well
    parameters_.capacity_bytes_per_channel = standard_.densities.front().capacity_bytes;
    standard_without_refresh_.t_refi = 1'000'000'000;
    DramChannel channel(standard_without_refresh_, parameters_);
    std::vector<DramChannel::Done> done;
    const std::uint32_t bursts = AddressMap::line_bytes / standard_.burst_bytes();
    std::uint32_t index = 0;
    const std::uint64_t cycles = 200'000;
    while (channel.now() < cycles) {
        while (channel.free_entries(index % 2 == 1) > 0) {
            const bool write = index % 2 == 1;
            const std::uint32_t group = index / 2 % standard_.bank_groups;
            channel.enqueue({0, group * standard_.banks_per_group + (write ? 1 : 0), 1, bursts}, write, index);
            ++index;
        }
        channel.run_until(channel.now() + 1, done);
    }
    const std::uint32_t drain = parameters_.write_high_watermark - parameters_.write_low_watermark;
    // The first read after a write goes to another bank group, if there is one; a burst is in the gap already.
    const std::uint32_t turnarounds = standard_.read_to_write() + standard_.write_to_read_s() - 2 * standard_.burst;
    const double period = 2.0 * drain * bursts * standard_.burst + turnarounds;
    const DramCounters counters = channel.counters();
    expect_near("reads and writes to open rows: of peak", 2.0 * drain * bursts * standard_.burst / period,
                static_cast<double>(counters.data_bus_cycles) / static_cast<double>(cycles));
    expect_near(
        "reads and writes to open rows: cycles to turn, each drain", turnarounds,
        static_cast<double>(counters.wait_turnaround_cycles) * drain * bursts / static_cast<double>(counters.writes));
}

// Streams of reads and of writes, each of which closes rows of the other.
TEST_P(DramBandwidth, MixedTrafficWastesNoCycleUnnamed) {
    parameters_.age_cap_bursts = 1'000'000;
    DramCore core(parameters_);
    const std::uint64_t cycles = intervals * standard_.t_refi;
    const std::uint64_t bursts = bursts_moved(core, cycles, [&](std::uint64_t index) {
        const bool write = index % 2 == 1;
        const std::uint64_t half = parameters_.capacity_bytes_per_channel / 2;
        return DramRequest{index, (write ? half : 0) + index / 2 * 1024, 1024, write};
    });
    const DramCounters& counters = core.counters();
    // The difference is still queued.
    const double bursts_of_request = 1024.0 / standard_.burst_bytes();
    const double runs_of_request = std::min(standard_.bank_groups, 1024 / AddressMap::line_bytes);
    EXPECT_NEAR(static_cast<double>(counters.reads), static_cast<double>(counters.writes),
                64 * bursts_of_request / runs_of_request);
    EXPECT_EQ(counters.reads + counters.writes, bursts);
    // Every cycle is a burst, or is named.
    const std::uint64_t named = counters.wait_refresh_cycles + counters.wait_turnaround_cycles +
                                counters.wait_row_cycles + counters.wait_column_cycles;
    EXPECT_NEAR(static_cast<double>(counters.data_bus_cycles + named), static_cast<double>(cycles),
                standard_.t_refi * 0.1);
    // A drain writes high - low runs at least, between two turnarounds. A request of 1 KB has a run in each bank group.
    const double drain_bursts =
        (parameters_.write_high_watermark - parameters_.write_low_watermark) * bursts_of_request / runs_of_request;
    const double turnarounds = standard_.read_to_write() + standard_.write_to_read_l() - 2.0 * standard_.burst;
    // Reads as many as writes, two turnarounds, and at worst one row cycle when each direction meets the other's rows.
    const double moved = 2.0 * drain_bursts * standard_.burst;
    const double least = share_of_writes_after_refresh() * share_after_activates() * moved /
                         (moved + turnarounds + 2.0 * standard_.t_rc);
    fmt::print("{:12} reads and writes: of peak {:.4f}, at least {:.4f}\n", standard_.name,
               static_cast<double>(counters.data_bus_cycles) / static_cast<double>(cycles), least);
    EXPECT_GT(static_cast<double>(counters.data_bus_cycles), least * static_cast<double>(cycles));
}

INSTANTIATE_TEST_SUITE_P(Standards, DramBandwidth, testing::ValuesIn(dram_standard_names()), [](const auto& standard) {
    std::string name = standard.param;
    std::erase(name, '-');
    return name;
});

}  // namespace
}  // namespace nibble
