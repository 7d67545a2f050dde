// SPDX-License-Identifier: MIT
#include "models/dram/dram_core.h"

#include <functional>
#include <random>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/dram_addresses.h"

namespace nibble {

namespace {

std::vector<DramCompletion> take_completions(DramCore& core) {
    std::vector<DramCompletion> completions;
    while (core.has_completion()) {
        completions.push_back(core.pop_completion());
    }
    return completions;
}

/// Simulates until nothing is in flight.
std::vector<DramCompletion> drain(DramCore& core) {
    while (!core.idle()) {
        core.advance_until(core.now() + 1'000'000);
    }
    return take_completions(core);
}

class OneChannelDram : public testing::Test {
protected:
    OneChannelDram() { parameters_.channels = 1; }

    [[nodiscard]] std::uint64_t row(std::uint32_t bank, std::uint32_t row) const {
        return address_of_row(standard_, AddressMap(standard_, parameters_), bank, row);
    }

    const DramStandard& standard_ = *find_dram_standard("LPDDR5-6400");
    DramParameters parameters_;
};

class AnyStandardDram : public testing::TestWithParam<std::string> {
protected:
    AnyStandardDram() { parameters_.channels = 1; }

    [[nodiscard]] std::uint64_t row(std::uint32_t bank, std::uint32_t row) const {
        return address_of_row(standard_, AddressMap(standard_, parameters_), bank, row, parameters_.ranks);
    }

    /// Cycles from the acceptance of a request for one burst, with nothing else to do, to its last data beat.
    std::uint64_t latency(DramCore& core, std::uint64_t address, bool write) {
        const std::uint64_t accepted = core.now();
        core.accept({1, address, standard_.burst_bytes(), write});
        const std::vector<DramCompletion> completions = drain(core);
        EXPECT_EQ(completions.size(), 1U);
        return completions.at(0).cycle - accepted;
    }

    DramParameters parameters_ = typical_dram(GetParam());
    const DramStandard& standard_ = *find_dram_standard(GetParam());
};

// From the first slot of the first command; the edges that times count from are lag cycles later.
TEST_P(AnyStandardDram, UnloadedLatencyIsTheSumOfItsCommands) {
    const DramStandard& s = standard_;
    const std::uint32_t open_read = s.column_lag + s.rl + s.burst - 1;
    const std::uint32_t open_write = s.column_lag + s.wl + s.burst - 1;
    const std::uint32_t closed_read = s.activate_lag + s.t_rcd_read + s.rl + s.burst - 1;
    const std::uint32_t closed_write = s.activate_lag + s.t_rcd_write + s.wl + s.burst - 1;
    const std::uint32_t conflict_read = s.row_lag + s.t_rp + s.t_rcd_read + s.rl + s.burst - 1;
    const std::uint32_t conflict_write = s.row_lag + s.t_rp + s.t_rcd_write + s.wl + s.burst - 1;
    const std::uint32_t other = s.banks_per_group * (s.bank_groups - 1) + 1;
    DramCore core(parameters_);
    const auto expect_latency = [&](const char* what, std::uint32_t expected, std::uint64_t address, bool write) {
        const std::uint64_t measured = latency(core, address, write);
        fmt::print("{:12} {:26} expected {:4} measured {:4}\n", s.name, what, expected, measured);
        EXPECT_EQ(measured, expected) << what;
    };
    core.advance_until(100);
    expect_latency("read, closed row", closed_read, row(0, 1), false);
    expect_latency("read, open row", open_read, row(0, 1), false);
    expect_latency("write, closed row", closed_write, row(other, 1), true);
    core.advance_until(core.now() + 100);  // tCCD_L of writes is over
    expect_latency("write, open row", open_write, row(other, 1), true);
    core.advance_until(core.now() + 300);  // tRAS, tWR, tWTR are over
    expect_latency("read, conflicting row", conflict_read, row(0, 2), false);
    expect_latency("write, conflicting row", conflict_write, row(other, 2), true);
}

TEST_P(AnyStandardDram, ReadAfterWriteAndWriteAfterReadWaitForTheBus) {
    const DramStandard& s = standard_;
    const std::uint32_t read = s.column_lag + s.rl + s.burst - 1;
    const std::uint32_t write = s.column_lag + s.wl + s.burst - 1;
    DramCore core(parameters_);
    latency(core, row(0, 1), false);  // opens the row
    core.advance_until(500);
    // WR at 500, RD of the same bank tWTR_L after the end of its burst.
    core.accept({1, row(0, 1), s.burst_bytes(), true});
    core.advance_until(501);
    core.accept({2, row(0, 1), s.burst_bytes(), false});
    const std::uint64_t read_command = 500 + s.wl + s.burst + s.t_wtr_l;
    EXPECT_THAT(drain(core), testing::ElementsAre(DramCompletion{1, true, 500 + write},
                                                  DramCompletion{2, false, read_command + read}));

    // Both at 700: RD, and the WR so that its data follows the read's after the turnaround.
    core.advance_until(700);
    core.accept({3, row(0, 1), s.burst_bytes(), true});
    core.accept({4, row(0, 1), s.burst_bytes(), false});
    EXPECT_THAT(drain(core), testing::ElementsAre(DramCompletion{4, false, 700 + read},
                                                  DramCompletion{3, true, 700 + read + s.bus_turnaround + s.burst}));
}

// Two reads of open rows: of two ranks their bursts keep the distance of a switch.
TEST_P(AnyStandardDram, RanksShareTheDataBus) {
    const DramStandard& s = standard_;
    parameters_.ranks = 2;
    parameters_.capacity_bytes_per_channel = 2 * s.typical_rank_bytes;
    DramCore core(parameters_);
    latency(core, row(0, 1), false);
    latency(core, row(s.banks(), 1), false);
    core.advance_until(500);
    core.accept({1, row(0, 1), s.burst_bytes(), false});
    core.accept({2, row(s.banks(), 1), s.burst_bytes(), false});
    const std::uint64_t first = 500 + s.column_lag + s.rl + s.burst - 1;
    EXPECT_THAT(drain(core), testing::ElementsAre(DramCompletion{1, false, first},
                                                  DramCompletion{2, false, first + s.burst + s.rank_switch}));
}

INSTANTIATE_TEST_SUITE_P(Standards, AnyStandardDram, testing::ValuesIn(dram_standard_names()),
                         [](const auto& standard) {
                             std::string name = standard.param;
                             std::erase(name, '-');
                             return name;
                         });

TEST_F(OneChannelDram, StopsRightAfterTheFirstCompletion) {
    DramCore core(parameters_);
    const std::uint32_t last_beat = standard_.t_rcd_read + standard_.rl + standard_.burst - 1;
    core.accept({7, row(0, 1), 1, false});
    EXPECT_FALSE(core.idle());
    EXPECT_EQ(core.advance_until(last_beat), last_beat);
    EXPECT_FALSE(core.has_completion());
    EXPECT_EQ(core.advance_until(10'000), last_beat + 1);
    ASSERT_TRUE(core.has_completion());
    EXPECT_TRUE(core.idle());
    EXPECT_EQ(core.pop_completion(), (DramCompletion{7, false, last_beat}));
    EXPECT_FALSE(core.has_completion());
    EXPECT_THROW(core.pop_completion(), ModelError);
    EXPECT_EQ(core.advance_until(10'000), 10'000U) << "nothing left to stop for";
}

TEST_F(OneChannelDram, PartialBurstsCountAsWholeOnes) {
    const std::uint32_t burst = standard_.burst_bytes();
    const auto bursts = [&](std::uint64_t address, std::uint32_t bytes) {
        DramCore core(parameters_);
        core.accept({1, address, bytes, false});
        drain(core);
        return core.counters().reads;
    };
    EXPECT_EQ(bursts(0, 1), 1U);
    EXPECT_EQ(bursts(burst - 1, 1), 1U);
    EXPECT_EQ(bursts(burst - 1, 2), 2U);
    EXPECT_EQ(bursts(1, burst), 2U);
    EXPECT_EQ(bursts(0, max_dram_request_bytes), max_dram_request_bytes / burst);
    EXPECT_EQ(bursts(1, max_dram_request_bytes), max_dram_request_bytes / burst + 1);
}

TEST_F(OneChannelDram, AcceptsWhileTheLargestRequestWouldFit) {
    parameters_.read_queue_entries = 20;
    parameters_.write_queue_entries = 20;
    parameters_.write_high_watermark = 10;
    parameters_.write_low_watermark = 5;
    DramCore core(parameters_);
    // One line is one run is one entry; 8 entries must be free: 2 rows in each of 4 bank groups.
    for (std::uint64_t id = 0; id < 20 - 8 + 1; ++id) {
        ASSERT_TRUE(core.can_accept()) << id;
        core.accept({id, id * 64, 64, false});
    }
    EXPECT_FALSE(core.can_accept());
    // One entry is enough for a line, and writes have entries of their own. From 2048 bytes
    // before a row ends in every group on, 4096 bytes go to 8 rows.
    const std::uint64_t straddling = std::uint64_t{standard_.row_bytes} * standard_.bank_groups - 2048;
    EXPECT_TRUE(core.can_accept({99, 0, 64, false}));
    EXPECT_FALSE(core.can_accept({99, straddling, 4096, false}));
    EXPECT_TRUE(core.can_accept({99, straddling, 4096, true}));
    EXPECT_THROW(core.accept({99, straddling, 4096, false}), ModelError);
    // The first line's two RDs come after tRCD, tCCD_L apart; then its entry is free.
    const std::uint64_t freed = standard_.t_rcd_read + standard_.t_ccd_l + 1;
    core.advance_until(freed - 1);
    EXPECT_FALSE(core.can_accept());
    core.advance_until(freed);
    EXPECT_TRUE(core.can_accept());
}

TEST_F(OneChannelDram, RefusesWhatIsNotInTheMemory) {
    DramCore core(parameters_);
    const std::uint64_t end = parameters_.capacity_bytes_per_channel;
    EXPECT_NO_THROW(core.accept({1, end - 1, 1, false}));
    EXPECT_THROW(core.accept({2, end - 1, 2, false}), ModelError);
    EXPECT_THROW(core.accept({3, end, 1, false}), ModelError);
    EXPECT_THROW(core.accept({4, ~std::uint64_t{0}, 2, false}), ModelError);
    EXPECT_THROW(core.accept({5, 0, 0, false}), ModelError);
    EXPECT_THROW(core.accept({6, 0, max_dram_request_bytes + 1, false}), ModelError);
    EXPECT_EQ(drain(core).size(), 1U);
}

TEST_F(OneChannelDram, RefusesBadParameters) {
    parameters_.channels = 0;
    EXPECT_THROW(DramCore core(parameters_), ModelError);
}

TEST(DramCore, LongIdleTimesRefreshAndCostNothing) {
    const DramParameters parameters;
    const DramStandard& standard = *find_dram_standard(parameters.standard);
    DramCore core(parameters);
    core.accept({1, 0, 4096, true});
    drain(core);
    // Far more than could be simulated refresh by refresh in the time of a test.
    const std::uint64_t intervals = 10'000'000'000'000;
    core.advance_until(intervals * standard.t_refi + 1);
    EXPECT_EQ(core.now(), intervals * standard.t_refi + 1);
    EXPECT_EQ(core.counters().refreshes, parameters.channels * intervals);
    EXPECT_EQ(core.counters().channel_cycles, parameters.channels * core.now());
}

TEST(DramCore, ChannelsWorkAtTheSameTime) {
    const DramParameters parameters;
    const DramStandard& standard = *find_dram_standard(parameters.standard);
    DramCore core(parameters);
    // One line on each channel, all as if alone.
    for (std::uint64_t channel = 0; channel < parameters.channels; ++channel) {
        core.accept({channel, channel * parameters.channel_interleave_bytes, standard.burst_bytes(), false});
    }
    const std::vector<DramCompletion> completions = drain(core);
    ASSERT_EQ(completions.size(), parameters.channels);
    for (std::uint64_t channel = 0; channel < parameters.channels; ++channel) {
        EXPECT_EQ(completions[channel],
                  (DramCompletion{channel, false, standard.t_rcd_read + standard.rl + standard.burst - 1}))
            << "in the order of acceptance";
    }
}

struct Arrival {
    std::uint64_t cycle;
    DramRequest request;
};

struct Outcome {
    std::vector<DramCompletion> completions;
    DramCounters counters;
};

/// Bursts of requests of every size, some of them local, with pauses from none to several refresh intervals.
std::vector<Arrival> random_arrivals(std::mt19937_64& random, std::uint64_t capacity) {
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    std::vector<Arrival> arrivals;
    std::uint64_t cycle = 0;
    std::uint64_t place = 0;
    for (std::uint64_t id = 0; id < 600; ++id) {
        const std::uint64_t pause = below(20);
        cycle += pause == 0 ? below(8'000) : pause < 10 ? below(60) : 0;
        const auto bytes = static_cast<std::uint32_t>(1 + below(below(3) == 0 ? max_dram_request_bytes : 256));
        place = below(4) == 0 ? below(capacity - max_dram_request_bytes)
                              : (place + bytes) % (capacity - max_dram_request_bytes);
        arrivals.push_back({cycle, {id, place, bytes, below(3) == 0}});
    }
    return arrivals;
}

/// Offers each request at its cycle, or as soon after as there is room; `step` says how far to ask to advance.
Outcome run(const DramParameters& parameters, const std::vector<Arrival>& arrivals,
            const std::function<std::uint64_t()>& step) {
    DramCore core(parameters);
    Outcome outcome;
    std::size_t next = 0;
    constexpr std::uint64_t end = 3'000'000;
    while (core.now() < end) {
        while (next < arrivals.size() && arrivals[next].cycle <= core.now() && core.can_accept()) {
            core.accept(arrivals[next++].request);
        }
        std::uint64_t until = std::min(core.now() + step(), end);
        if (next < arrivals.size() && arrivals[next].cycle > core.now()) {
            until = std::min(until, arrivals[next].cycle);
        }
        core.advance_until(until, DramCore::Stop::completion_or_room);
        for (const DramCompletion& completion : take_completions(core)) {
            EXPECT_EQ(completion.cycle + 1, core.now()) << "stops right after";
            outcome.completions.push_back(completion);
        }
    }
    EXPECT_TRUE(core.idle());
    outcome.counters = core.counters();
    return outcome;
}

TEST(DramCore, OutcomeDoesNotDependOnTheStepsOfTheCaller) {
    std::mt19937_64 random(5);
    for (const std::uint32_t channels : {1U, 2U, 3U, 4U}) {
        DramParameters parameters = channels == 2   ? typical_dram("HBM2-2000")
                                    : channels == 3 ? typical_dram("DDR4-2400")
                                                    : DramParameters{};
        parameters.channels = channels;
        parameters.power_down = channels == 4;
        parameters.page_policy = channels == 3   ? PagePolicy::timeout
                                 : channels == 2 ? PagePolicy::open
                                                 : PagePolicy::closed;
        parameters.page_timeout_cycles = channels == 3 ? 100 : 0;
        parameters.refresh = channels == 4 ? RefreshMode::per_bank : RefreshMode::all_bank;
        parameters.read_queue_entries = 11;
        parameters.write_queue_entries = 10;
        parameters.write_high_watermark = 8;
        parameters.write_low_watermark = 3;
        parameters.age_cap_bursts = 30;
        const std::vector<Arrival> arrivals =
            random_arrivals(random, parameters.capacity_bytes_per_channel * parameters.channels);
        const Outcome cycle_by_cycle = run(parameters, arrivals, [] { return 1; });
        const Outcome long_jumps = run(parameters, arrivals, [] { return 1'000'000'000; });
        const Outcome random_steps = run(parameters, arrivals, [&] { return 1 + random() % (1 + random() % 500); });
        EXPECT_EQ(cycle_by_cycle.completions, long_jumps.completions);
        EXPECT_EQ(cycle_by_cycle.completions, random_steps.completions);
        EXPECT_EQ(cycle_by_cycle.counters, long_jumps.counters);
        EXPECT_EQ(cycle_by_cycle.counters, random_steps.counters);

        // Conservation: each request completes once, each burst is moved once.
        std::uint64_t reads = 0;
        std::uint64_t writes = 0;
        std::set<std::uint64_t> ids;
        const std::uint32_t burst = find_dram_standard(parameters.standard)->burst_bytes();
        for (const Arrival& arrival : arrivals) {
            const DramRequest& request = arrival.request;
            const std::uint64_t bursts = (request.address + request.bytes - 1) / burst - request.address / burst + 1;
            (request.write ? writes : reads) += bursts;
        }
        for (const DramCompletion& completion : long_jumps.completions) {
            ids.insert(completion.id);
            EXPECT_EQ(completion.write, arrivals[completion.id].request.write);
        }
        EXPECT_EQ(ids.size(), arrivals.size());
        EXPECT_EQ(long_jumps.completions.size(), arrivals.size());
        EXPECT_EQ(long_jumps.counters.reads, reads);
        EXPECT_EQ(long_jumps.counters.writes, writes);
        EXPECT_EQ(long_jumps.counters.data_bus_cycles,
                  (reads + writes) * find_dram_standard(parameters.standard)->burst);
    }
}

}  // namespace
}  // namespace nibble
