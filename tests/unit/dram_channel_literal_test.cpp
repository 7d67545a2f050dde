// SPDX-License-Identifier: MIT
// The channel that jumps from command to command against one that looks at everything in every cycle.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/dram/dram_channel.h"
#include "tests/support/literal_channel.h"

namespace nibble {
namespace {

using Done = DramChannel::Done;

/// Small queues, watermarks, caps and refresh intervals, so that every rule meets every other; any standard, any
/// policy.
class LiteralComparison {
public:
    explicit LiteralComparison(std::uint64_t seed) : random_(seed) {
        const std::vector<std::string> names = dram_standard_names();
        parameters_ = typical_dram(names[below(names.size())]);
        standard_ = *find_dram_standard(parameters_.standard);
        parameters_.ranks = std::min(1U << below(3), 64 / standard_.banks());
        const DramDensity& density = standard_.density(standard_.typical_rank_bytes);
        parameters_.capacity_bytes_per_channel = standard_.typical_rank_bytes * parameters_.ranks;
        standard_.t_refi = density.t_rfc + 200 + below(2000);
        if (standard_.has_bank_refresh() && below(2) == 0) {
            parameters_.refresh = RefreshMode::per_bank;
            standard_.t_refi_bank = density.t_pbr2pbr + 60 + below(500);
        }
        parameters_.power_down = standard_.has_power_down() && below(2) == 0;
        parameters_.page_policy = static_cast<PagePolicy>(below(3));
        parameters_.page_timeout_cycles = parameters_.page_policy == PagePolicy::timeout ? 1 + below(300) : 0;
        parameters_.read_queue_entries = 4 + below(20);
        parameters_.write_queue_entries = 4 + below(20);
        parameters_.write_high_watermark = 2 + below(parameters_.write_queue_entries - 2);
        parameters_.write_low_watermark = below(parameters_.write_high_watermark);
        parameters_.age_cap_bursts = 1 + below(100);
    }

    void run();

private:
    std::uint32_t below(std::uint64_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

    std::mt19937_64 random_;
    DramStandard standard_;
    DramParameters parameters_;
};

void LiteralComparison::run() {
    const std::uint32_t rows = 1 + below(4);
    const std::uint32_t banks = 1 + below(std::uint64_t{standard_.banks()} * parameters_.ranks);
    const std::uint32_t pause = 1 + below(60);
    DramChannel channel(standard_, parameters_);
    test::LiteralChannel literal(standard_, parameters_);
    std::vector<Done> done;
    std::vector<Done> literally_done;
    std::uint64_t bursts = 0;
    const auto run_both = [&](std::uint64_t cycles) {
        channel.run_until(channel.now() + cycles, done);
        for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
            literal.tick(literally_done);
        }
        const DramCounters ours = channel.counters();
        const DramCounters& theirs = literal.counters();
        ASSERT_EQ(ours.refreshes, theirs.refreshes) << channel.now();
        ASSERT_EQ(ours.bank_refreshes, theirs.bank_refreshes) << channel.now();
        ASSERT_EQ(ours.active_power_down_cycles, theirs.active_power_down_cycles) << channel.now();
        ASSERT_EQ(ours.precharge_power_down_cycles, theirs.precharge_power_down_cycles) << channel.now();
        ASSERT_EQ(ours.active_standby_cycles, theirs.active_standby_cycles) << channel.now();
        ASSERT_EQ(ours.precharge_standby_cycles, theirs.precharge_standby_cycles) << channel.now();
    };
    for (std::uint32_t request = 0; request < 400;) {
        for (std::uint32_t arriving = below(6); arriving > 0; --arriving) {
            const DramRun run{0, below(banks), below(rows), 1 + below(8)};
            const bool write = below(3) == 0;
            if (channel.free_entries(write) == 0) {
                break;
            }
            channel.enqueue(run, write, request);
            literal.enqueue(run, write, request);
            bursts += run.bursts;
            ++request;
        }
        // Now and then long enough for everything to end, and for refresh intervals to be skipped.
        ASSERT_NO_FATAL_FAILURE(run_both(below(40) == 0 ? below(20'000) : 1 + below(pause)));
        ASSERT_EQ(done.size(), literally_done.size()) << "at cycle " << channel.now();
        ASSERT_EQ(parameters_.read_queue_entries - channel.free_entries(false) + parameters_.write_queue_entries -
                      channel.free_entries(true),
                  literal.queued());
    }
    ASSERT_NO_FATAL_FAILURE(run_both(300'000));
    EXPECT_TRUE(channel.empty());
    ASSERT_EQ(done.size(), literally_done.size());
    for (std::size_t i = 0; i < done.size(); ++i) {
        ASSERT_EQ(done[i].request, literally_done[i].request);
        ASSERT_EQ(done[i].cycle, literally_done[i].cycle);
    }
    const DramCounters counters = channel.counters();
    EXPECT_EQ(counters.reads + counters.writes, bursts);
    EXPECT_EQ(counters.row_hits() + counters.row_misses + counters.row_conflicts, bursts);
    EXPECT_EQ(counters.activates, counters.precharges) << "all closed by the refreshes since";
    EXPECT_EQ(counters.active_standby_cycles + counters.precharge_standby_cycles + counters.active_power_down_cycles +
                  counters.precharge_power_down_cycles,
              counters.channel_cycles * parameters_.ranks);
}

constexpr std::uint64_t seeds_per_test = 30;

/// The parameter is the first seed of a block.
class DramChannelAndLiteral : public testing::TestWithParam<std::uint64_t> {};

TEST_P(DramChannelAndLiteral, DoTheSame) {
    for (std::uint64_t seed = GetParam(); seed < GetParam() + seeds_per_test; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        LiteralComparison(seed).run();
        ASSERT_FALSE(HasFatalFailure());
    }
}

INSTANTIATE_TEST_SUITE_P(Random, DramChannelAndLiteral, testing::Values(0, 30, 60, 90));

}  // namespace
}  // namespace nibble
