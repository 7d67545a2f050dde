// SPDX-License-Identifier: MIT
// Page policies, refresh and power-down of one channel, to the cycle, for every standard.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "models/dram/dram_channel.h"

namespace nibble {
namespace {

class DramPolicy : public testing::TestWithParam<std::string> {
protected:
    DramPolicy() {
        parameters_.ranks = 1;
        parameters_.capacity_bytes_per_channel = standard_.typical_rank_bytes;
    }

    [[nodiscard]] const DramDensity& density() const { return standard_.density(standard_.typical_rank_bytes); }

    /// From an ACT's first slot to the last data beat of the RD that follows it.
    [[nodiscard]] std::uint64_t activate_to_data() const {
        return standard_.activate_lag + standard_.t_rcd_read + standard_.rl + standard_.burst - 1;
    }
    /// From an ACT's first slot to the first slot of the RD.
    [[nodiscard]] std::uint64_t activate_to_read() const {
        return standard_.activate_lag + standard_.t_rcd_read - standard_.column_lag;
    }

    /// Reads one burst of `row` of `bank`; returns the cycle of its last data beat. For a channel with nothing to do.
    std::uint64_t read(DramChannel& channel, std::uint32_t bank, std::uint32_t row) {
        done_.clear();
        channel.enqueue({0, bank, row, 1}, false, 1);
        while (done_.empty()) {
            channel.run_until(channel.now() + 1, done_);
        }
        return done_.front().cycle;
    }

    void run_to(DramChannel& channel, std::uint64_t cycle) {
        channel.run_until(cycle, done_);
        EXPECT_EQ(channel.now(), cycle);
    }

    DramParameters parameters_ = typical_dram(GetParam());
    const DramStandard& standard_ = *find_dram_standard(GetParam());
    std::vector<DramChannel::Done> done_;
};

TEST_P(DramPolicy, OpenRowsStayOpen) {
    DramChannel channel(standard_, parameters_);
    read(channel, 0, 1);
    run_to(channel, 1000);
    EXPECT_EQ(read(channel, 0, 1) - 1000, standard_.read_latency()) << "hit";
    run_to(channel, 2000);
    EXPECT_EQ(read(channel, 0, 2) - 2000,
              standard_.row_lag + standard_.t_rp - standard_.activate_lag + activate_to_data())
        << "conflict";
    EXPECT_EQ(channel.counters().row_hits_read, 1U);
    EXPECT_EQ(channel.counters().row_misses, 1U);
    EXPECT_EQ(channel.counters().row_conflicts, 1U);
}

// The row closes as soon as tRAS and tRTP allow; there is no conflict ever, and no hit after a pause.
TEST_P(DramPolicy, ClosedRowsCloseWithTheirLastBurst) {
    parameters_.page_policy = PagePolicy::closed;
    DramChannel channel(standard_, parameters_);
    read(channel, 0, 1);
    const std::uint64_t closes =
        std::max<std::uint64_t>(standard_.activate_lag + standard_.t_ras - standard_.row_lag,
                                activate_to_read() + standard_.column_lag + standard_.t_rtp - standard_.row_lag);
    EXPECT_EQ(channel.counters().bank_open_cycles, closes);
    run_to(channel, 1000);
    EXPECT_EQ(channel.counters().active_standby_cycles, closes);
    EXPECT_EQ(read(channel, 0, 1) - 1000, activate_to_data()) << "same row";
    run_to(channel, 2000);
    EXPECT_EQ(read(channel, 0, 2) - 2000, activate_to_data()) << "other row";
    EXPECT_EQ(channel.counters().row_misses, 3U);
    EXPECT_EQ(channel.counters().precharges, 3U);
}

TEST_P(DramPolicy, ClosedRowsWaitForEveryQueuedBurst) {
    parameters_.page_policy = PagePolicy::closed;
    DramChannel channel(standard_, parameters_);
    channel.enqueue({0, 0, 1, 2}, false, 1);
    channel.enqueue({0, 0, 2, 1}, false, 2);
    channel.enqueue({0, 0, 1, 1}, false, 3);
    channel.enqueue({0, 0, 1, 1}, true, 4);
    run_to(channel, 1000);
    // All that want row 1 are served by one ACT, the write last; row 2 comes before it, as reads go first, and then the
    // policy has nothing to close: row 1 is closed for it.
    ASSERT_EQ(done_.size(), 4U);
    EXPECT_EQ(channel.counters().reads, 4U);
    EXPECT_EQ(channel.counters().writes, 1U);
    EXPECT_EQ(done_[0].request, 1U);
    EXPECT_EQ(done_[1].request, 3U);
    EXPECT_EQ(channel.counters().row_hits_read, 2U) << "the second burst of 1, and 3";
    EXPECT_EQ(channel.counters().row_conflicts, 1U) << "2: the write still wanted row 1";
    EXPECT_EQ(channel.counters().activates, channel.counters().precharges);
}

// A run that becomes visible in the cycle in which the row would close finds it open; a cycle later it is too late.
TEST_P(DramPolicy, ATimeoutClosesRowsToTheCycle) {
    parameters_.page_policy = PagePolicy::timeout;
    parameters_.page_timeout_cycles = 150;  // longer than tRAS
    ASSERT_LT(standard_.t_ras + standard_.t_rtp, parameters_.page_timeout_cycles);
    const std::uint64_t closes = activate_to_read() + parameters_.page_timeout_cycles;
    {
        DramChannel channel(standard_, parameters_);
        read(channel, 0, 1);
        run_to(channel, closes);
        EXPECT_EQ(read(channel, 0, 1) - closes, standard_.read_latency());
        EXPECT_EQ(channel.counters().row_hits_read, 1U);
    }
    DramChannel channel(standard_, parameters_);
    read(channel, 0, 1);
    run_to(channel, closes + 1);
    EXPECT_EQ(channel.counters().precharges, 1U);
    EXPECT_EQ(channel.counters().bank_open_cycles, closes);
    EXPECT_EQ(read(channel, 0, 2) - closes,
              standard_.row_lag + standard_.t_rp - standard_.activate_lag + activate_to_data())
        << "tRP has begun";
    EXPECT_EQ(channel.counters().row_conflicts, 0U);
}

TEST_P(DramPolicy, APerBankRefreshLeavesTheOtherBanksAtWork) {
    parameters_.refresh = RefreshMode::per_bank;
    ASSERT_EQ(dram_parameter_problems(parameters_).empty(), standard_.has_bank_refresh());
    if (!standard_.has_bank_refresh()) {
        return;
    }
    const std::uint64_t due = standard_.t_refi_bank;
    const std::uint64_t refreshed = density().t_rfc_bank + standard_.row_lag - standard_.activate_lag;
    const std::uint64_t other = standard_.t_rrefd + standard_.row_lag - standard_.activate_lag;
    {
        DramChannel channel(standard_, parameters_);
        run_to(channel, due + 1);
        EXPECT_EQ(channel.counters().bank_refreshes, 1U);
        EXPECT_EQ(read(channel, 0, 1) - due, refreshed + activate_to_data()) << "bank 0 is refreshed";
    }
    {
        DramChannel channel(standard_, parameters_);
        run_to(channel, due + 1);
        EXPECT_EQ(read(channel, 1, 1) - due, other + activate_to_data()) << "bank 1 is not";
    }
    // Each bank in its turn: at the second interval bank 0 is free.
    DramChannel channel(standard_, parameters_);
    run_to(channel, 2 * due + 1);
    EXPECT_EQ(channel.counters().bank_refreshes, 2U);
    EXPECT_EQ(read(channel, 1, 1) - 2 * due, refreshed + activate_to_data());
    EXPECT_EQ(channel.counters().refreshes, 0U);
}

TEST_P(DramPolicy, APerBankRefreshClosesItsBankOnly) {
    parameters_.refresh = RefreshMode::per_bank;
    ASSERT_EQ(dram_parameter_problems(parameters_).empty(), standard_.has_bank_refresh());
    if (!standard_.has_bank_refresh()) {
        return;
    }
    DramChannel channel(standard_, parameters_);
    read(channel, 0, 1);
    read(channel, 1, 1);
    run_to(channel, standard_.t_refi_bank + 100);
    EXPECT_EQ(channel.counters().precharges, 1U);
    EXPECT_EQ(channel.counters().bank_refreshes, 1U);
    const std::uint64_t now = channel.now();
    EXPECT_EQ(read(channel, 1, 1) - now, standard_.read_latency()) << "bank 1 is open";
}

// Ranks take turns; while one refreshes, the other is at work as if alone.
TEST_P(DramPolicy, RanksRefreshInTurn) {
    parameters_.ranks = 2;
    parameters_.capacity_bytes_per_channel = 2 * standard_.typical_rank_bytes;
    const std::uint64_t first = standard_.t_refi;
    const std::uint64_t second = first + standard_.t_refi / 2;
    DramChannel channel(standard_, parameters_);
    run_to(channel, first + 1);
    EXPECT_EQ(channel.counters().refreshes, 1U);
    EXPECT_EQ(read(channel, standard_.banks(), 1) - (first + 1), activate_to_data() + (standard_.row_slots - 1))
        << "the slots of the REF";
    run_to(channel, second);
    EXPECT_EQ(channel.counters().refreshes, 1U);
    run_to(channel, second + standard_.t_rp_all + 100);
    EXPECT_EQ(channel.counters().refreshes, 2U);
}

// Asleep from the cycle after the read's data on; the next command comes tXP after the request.
TEST_P(DramPolicy, AnIdleRankSleepsAndWakes) {
    parameters_.power_down = true;
    ASSERT_EQ(dram_parameter_problems(parameters_).empty(), standard_.has_power_down());
    if (!standard_.has_power_down()) {
        return;
    }
    DramChannel channel(standard_, parameters_);
    const std::uint64_t asleep = read(channel, 0, 1) + 2;  // data, one cycle
    run_to(channel, 1000);
    EXPECT_EQ(channel.counters().active_power_down_cycles, 1000 - asleep) << "its row is open";
    EXPECT_EQ(channel.counters().active_standby_cycles, asleep);
    EXPECT_EQ(read(channel, 0, 1) - 1000, standard_.t_xp + standard_.read_latency());
    EXPECT_EQ(channel.counters().active_power_down_cycles, 1000 - asleep);

    // A request right after entry waits for tCKE, one at entry for nothing.
    DramChannel early(standard_, parameters_);
    read(early, 0, 1);
    run_to(early, asleep + 1);
    EXPECT_EQ(read(early, 0, 1) - asleep, standard_.t_cke + standard_.t_xp + standard_.read_latency());
    DramChannel just(standard_, parameters_);
    read(just, 0, 1);
    run_to(just, asleep);
    EXPECT_EQ(read(just, 0, 1) - asleep, standard_.read_latency());
}

TEST_P(DramPolicy, ASleepingRankWakesToRefresh) {
    parameters_.power_down = true;
    ASSERT_EQ(dram_parameter_problems(parameters_).empty(), standard_.has_power_down());
    if (!standard_.has_power_down()) {
        return;
    }
    for (const RefreshMode mode : {RefreshMode::all_bank, RefreshMode::per_bank}) {
        parameters_.refresh = mode;
        const bool per_bank = mode == RefreshMode::per_bank;
        if (per_bank && !standard_.has_bank_refresh()) {
            continue;
        }
        const std::uint64_t interval = per_bank ? standard_.t_refi_bank : standard_.t_refi;
        // Also far more refreshes than can be simulated one by one.
        for (const std::uint64_t intervals :
             {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1'000}, std::uint64_t{1'000'000'000'000}}) {
            DramChannel channel(standard_, parameters_);
            // Awake from when each is due for tXP and the cycle of the command.
            run_to(channel, intervals * interval + standard_.t_xp + 1);
            const DramCounters counters = channel.counters();
            EXPECT_EQ(per_bank ? counters.bank_refreshes : counters.refreshes, intervals);
            EXPECT_EQ(counters.precharge_standby_cycles, intervals * (standard_.t_xp + 1));
            EXPECT_EQ(counters.precharge_power_down_cycles, channel.now() - intervals * (standard_.t_xp + 1));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Standards, DramPolicy, testing::ValuesIn(dram_standard_names()), [](const auto& standard) {
    std::string name = standard.param;
    std::erase(name, '-');
    return name;
});

}  // namespace
}  // namespace nibble
