// SPDX-License-Identifier: MIT
#include "models/dram/dram_channel.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

using enum DramCommand;
using Done = DramChannel::Done;

class DramChannelTest : public testing::Test {
protected:
    static std::vector<std::uint32_t> requests(const std::vector<Done>& done) {
        std::vector<std::uint32_t> requests;
        for (const Done& d : done) {
            requests.push_back(d.request);
        }
        return requests;
    }

    const DramStandard& standard_ = *find_dram_standard("LPDDR5-6400");
    DramParameters parameters_;
    std::vector<Done> done_;
};

TEST_F(DramChannelTest, ServesRowHitsFirst) {
    DramChannel channel(standard_, parameters_);
    channel.enqueue({0, 0, 1, 1}, false, 1);
    channel.enqueue({0, 0, 2, 1}, false, 2);  // other row of the bank
    channel.enqueue({0, 0, 1, 1}, false, 3);
    channel.run_until(1000, done_);
    EXPECT_THAT(requests(done_), testing::ElementsAre(1, 3, 2));
    const DramCounters counters = channel.counters();
    EXPECT_EQ(counters.row_misses, 1U);
    EXPECT_EQ(counters.row_hits(), 1U);
    EXPECT_EQ(counters.row_conflicts, 1U);
    EXPECT_EQ(counters.activates, 2U);
    EXPECT_EQ(counters.precharges, 1U);
}

TEST_F(DramChannelTest, OpensRowsOfOtherBanksBehindHits) {
    DramChannel channel(standard_, parameters_);
    constexpr std::uint32_t bursts = 32;
    channel.enqueue({0, 0, 1, bursts}, false, 1);
    channel.enqueue({0, 4, 1, bursts}, false, 2);
    channel.enqueue({0, 8, 1, 2}, false, 3);
    channel.run_until(1000, done_);
    ASSERT_EQ(done_.size(), 3U);
    // Banks 0 and 4 alternate at the data rate; the activates of banks 4 and 8 may each displace one RD by a cycle, and
    // bank 4 opens tRRD after bank 0, of which one burst time is lost.
    const std::uint64_t all = (2 * bursts + 2) * standard_.burst;
    const std::uint64_t last = std::max(done_[1].cycle, done_[2].cycle);
    EXPECT_GE(last, standard_.t_rcd_read + standard_.rl + all - 1);
    EXPECT_LE(last, standard_.t_rcd_read + standard_.rl + all - 1 + standard_.t_rrd_s + 2);
}

// Waits that the age cap bounds: rows of one bank, the younger requests always hit the open row.
TEST_F(DramChannelTest, ServesTheOldestWhenOvertakenByTheAgeCap) {
    parameters_.age_cap_bursts = 40;
    DramChannel channel(standard_, parameters_);
    constexpr std::uint32_t bursts = 3;
    channel.enqueue({0, 0, 1, bursts}, false, 1);
    channel.enqueue({0, 0, 2, bursts}, false, 2);
    std::uint32_t next = 3;
    const auto served = [&](std::uint32_t request) {
        return std::ranges::find(done_, request, &Done::request) != done_.end();
    };
    while (!served(2) && channel.now() < 10'000) {
        while (channel.free_entries(false) > 0) {
            channel.enqueue({0, 0, 1, bursts}, false, next++);
        }
        channel.run_until(channel.now() + 1, done_);
    }
    // 1, which is older; the hits that overtook; 2 itself.
    EXPECT_EQ(channel.counters().reads, bursts + parameters_.age_cap_bursts + bursts);
}

TEST_F(DramChannelTest, ServesAWriteThatReadsOvertookTooLong) {
    parameters_.age_cap_bursts = 40;
    DramChannel channel(standard_, parameters_);
    channel.enqueue({0, 4, 1, 64}, false, 1);
    channel.run_until(1, done_);
    channel.enqueue({0, 0, 1, 1}, true, 2);
    std::uint32_t next = 3;
    while (channel.counters().writes == 0 && channel.now() < 10'000) {
        while (channel.free_entries(false) > 0) {
            channel.enqueue({0, 4, 1, 1}, false, next++);
        }
        channel.run_until(channel.now() + 1, done_);
    }
    EXPECT_EQ(channel.counters().reads, 64 + parameters_.age_cap_bursts);
}

TEST_F(DramChannelTest, GathersWritesUpToTheHighWatermark) {
    parameters_.write_high_watermark = 4;
    parameters_.write_low_watermark = 1;
    DramChannel channel(standard_, parameters_);
    for (std::uint32_t read = 0; read < 3; ++read) {
        channel.enqueue({0, 0, 1, 64}, false, read);
    }
    for (std::uint32_t write = 0; write < 3; ++write) {
        channel.enqueue({0, 4, 1, 1}, true, 100 + write);
    }
    channel.run_until(200, done_);
    EXPECT_EQ(channel.counters().writes, 0U);
    EXPECT_GT(channel.counters().reads, 0U);

    channel.enqueue({0, 4, 1, 1}, true, 103);
    channel.run_until(300, done_);
    EXPECT_EQ(channel.counters().writes, 3U) << "one is left, the low watermark";

    channel.run_until(2000, done_);
    EXPECT_TRUE(channel.empty());
    EXPECT_EQ(done_.back().request, 103U) << "written when no read was left";
}

TEST_F(DramChannelTest, WritesAtOnceWhenNothingIsToBeRead) {
    DramChannel channel(standard_, parameters_);
    channel.enqueue({0, 0, 1, 1}, true, 1);
    channel.run_until(100, done_);
    ASSERT_EQ(done_.size(), 1U);
    EXPECT_EQ(done_[0].cycle, standard_.t_rcd_write + standard_.wl + standard_.burst - 1);
}

TEST_F(DramChannelTest, RefreshesAnIdleChannelExactlyWhenDue) {
    for (const std::uint64_t intervals : {1U, 2U, 3U, 1000U}) {
        DramChannel channel(standard_, parameters_);
        channel.run_until(intervals * standard_.t_refi, done_);
        EXPECT_EQ(channel.counters().refreshes, intervals - 1);
        channel.run_until(intervals * standard_.t_refi + 1, done_);
        EXPECT_EQ(channel.counters().refreshes, intervals);
        EXPECT_EQ(channel.counters().precharge_standby_cycles, channel.now());
    }
}

// A request that arrives while the channel refreshes waits for tRFC, and knows that it did.
TEST_F(DramChannelTest, RefreshDelaysARequestByItsTime) {
    const std::uint32_t t_rfc = standard_.density(parameters_.capacity_bytes_per_channel).t_rfc;
    for (const std::uint64_t intervals : {1U, 50U}) {
        done_.clear();
        DramChannel channel(standard_, parameters_);
        const std::uint64_t refreshed = intervals * standard_.t_refi;
        channel.run_until(refreshed + 1, done_);
        channel.enqueue({0, 0, 1, 1}, false, 1);
        channel.run_until(refreshed + 1000, done_);
        ASSERT_EQ(done_.size(), 1U);
        const std::uint64_t read = refreshed + t_rfc + standard_.t_rcd_read;
        EXPECT_EQ(done_[0].cycle, read + standard_.rl + standard_.burst - 1);
    }
}

TEST_F(DramChannelTest, KeepsTheRefreshRateUnderLoad) {
    DramChannel channel(standard_, parameters_);
    constexpr std::uint64_t intervals = 20;
    std::uint64_t due = standard_.t_refi;
    while (channel.now() < intervals * standard_.t_refi + 100) {
        while (channel.free_entries(false) > 0) {
            channel.enqueue({0, 0, 1, 64}, false, 0);
        }
        const std::uint64_t before = channel.counters().refreshes;
        channel.run_until(channel.now() + 1, done_);
        if (channel.counters().refreshes != before) {
            // At the latest the row was opened in the cycle before: tRAS, then the precharge's tRP.
            EXPECT_GE(channel.now() - 1, due);
            EXPECT_LE(channel.now() - 1, due + standard_.t_ras + standard_.t_rp_all);
            due += standard_.t_refi;
        }
    }
    EXPECT_EQ(channel.counters().refreshes, intervals);
}

TEST_F(DramChannelTest, CountsHowLongBanksAreOpen) {
    DramChannel channel(standard_, parameters_);
    channel.enqueue({0, 0, 1, 1}, false, 1);  // ACT at 0
    channel.enqueue({0, 4, 1, 1}, false, 2);  // ACT at tRRD
    channel.run_until(500, done_);
    EXPECT_EQ(channel.counters().bank_open_cycles, 500 + (500 - standard_.t_rrd_s));
    EXPECT_EQ(channel.counters().active_standby_cycles, 500U);
    EXPECT_EQ(channel.counters().precharge_standby_cycles, 0U);

    // The refresh that is due at tREFI closes both.
    channel.run_until(standard_.t_refi + 500, done_);
    EXPECT_EQ(channel.counters().bank_open_cycles, 2 * standard_.t_refi - standard_.t_rrd_s);
    EXPECT_EQ(channel.counters().active_standby_cycles, standard_.t_refi);
    EXPECT_EQ(channel.counters().precharge_standby_cycles, 500U);
    EXPECT_EQ(channel.counters().precharges, 2U);
}

TEST_F(DramChannelTest, SaysWhatTheDataBusWaitedFor) {
    DramChannel channel(standard_, parameters_);
    channel.enqueue({0, 0, 1, 2}, false, 1);  // opens the row, then tCCD_L after a burst
    channel.enqueue({0, 0, 1, 1}, true, 2);   // turns the bus
    channel.run_until(1000, done_);
    const DramCounters counters = channel.counters();
    EXPECT_EQ(counters.wait_row_cycles, standard_.t_rcd_read);
    EXPECT_EQ(counters.wait_column_cycles, standard_.t_ccd_l - standard_.burst);
    EXPECT_EQ(counters.wait_turnaround_cycles, standard_.read_to_write() - standard_.burst);
    EXPECT_EQ(counters.wait_refresh_cycles, 0U);
}

// HBM has a bus for rows and one for columns: a RD and an ACT in one cycle, also when the RD frees the entry for which
// the simulation stops.
TEST_F(DramChannelTest, SeparateBusesCarryACommandEachInOneCycle) {
    const DramStandard& hbm = *find_dram_standard("HBM2-2000");
    DramChannel channel(hbm, typical_dram("HBM2-2000"));
    channel.enqueue({0, 0, 1, 1}, false, 1);
    channel.run_until(500, done_);
    channel.enqueue({0, 0, 1, 1}, false, 2);  // hit
    channel.enqueue({0, 4, 1, 1}, false, 3);  // closed
    EXPECT_EQ(channel.run_until(1000, done_, 63), 501U);
    channel.run_until(1000, done_);
    ASSERT_EQ(done_.size(), 3U);
    EXPECT_EQ(done_[1].cycle, 500U + hbm.read_latency());
    EXPECT_EQ(done_[2].cycle, 500U + hbm.activate_lag + hbm.t_rcd_read + hbm.rl + hbm.burst - 1);
}

TEST_F(DramChannelTest, RefusesARunWithoutAFreeEntryOfItsDirection) {
    parameters_.write_queue_entries = 40;
    DramChannel channel(standard_, parameters_);
    for (const bool write : {false, true}) {
        for (std::uint32_t i = 0; i < (write ? 40U : 64U); ++i) {
            channel.enqueue({0, 0, 1, 1}, write, i);
        }
        EXPECT_EQ(channel.free_entries(write), 0U);
        EXPECT_THROW(channel.enqueue({0, 0, 1, 1}, write, 0), ModelError);
    }
}

}  // namespace
}  // namespace nibble
