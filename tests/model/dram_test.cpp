// SPDX-License-Identifier: MIT
#include "models/dram/dram.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/dram/dram_standard.h"
#include "tests/support/bench.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

using Requests = std::vector<test::Source<MemoryRequest>::Beat>;

constexpr std::size_t load = 0;
constexpr std::size_t store = 1;

struct Bench {
    DramParameters params{};
    std::uint64_t core_period_ps = 1000;
    std::array<Requests, Dram::client_count> requests;  // tags are given by the bench
    test::BenchOptions options{};
};

struct Seen {
    std::array<std::vector<test::Sink<MemoryResponse>::Arrival>, Dram::client_count> responses;
    ActivityCycles activity{};
    std::uint64_t cycles = 0;
};

std::string run(Bench bench, const std::function<void(const Seen&, test::Books&)>& check) {
    return test::simulate([&] {
        test::Books books;
        Clock clock("clock", bench.core_period_ps, bench.options.skipping);
        std::unique_ptr<Dram> dram;
        const auto make = [&] {
            dram = std::make_unique<Dram>("dram", clock, bench.params, bench.core_period_ps, books.ledger);
        };
        if (!bench.options.stubs_first) {
            make();
        }
        test::Countdown countdown(bench.requests[load].size() + bench.requests[store].size());
        std::vector<std::unique_ptr<Channel<MemoryRequest>>> requests;
        std::vector<std::unique_ptr<Channel<MemoryResponse>>> responses;
        std::vector<std::unique_ptr<test::Source<MemoryRequest>>> sources;
        std::vector<std::unique_ptr<test::Sink<MemoryResponse>>> sinks;
        for (std::size_t i = 0; i < Dram::client_count; ++i) {
            for (std::size_t n = 0; n < bench.requests[i].size(); ++n) {
                bench.requests[i][n].value.tag = n;
            }
            const auto name = [&](const char* what) { return fmt::format("{}{}", what, i); };
            requests.push_back(std::make_unique<Channel<MemoryRequest>>(name("requests").c_str(), 2));
            responses.push_back(std::make_unique<Channel<MemoryResponse>>(name("responses").c_str(), 2));
            sources.push_back(std::make_unique<test::Source<MemoryRequest>>(
                name("source").c_str(), clock, bench.requests[i], bench.options.source_stalls));
            sinks.push_back(std::make_unique<test::Sink<MemoryResponse>>(name("sink").c_str(), clock, countdown,
                                                                         bench.options.sink_stalls));
        }
        if (bench.options.stubs_first) {
            make();
        }
        for (std::size_t i = 0; i < Dram::client_count; ++i) {
            sources[i]->out(*requests[i]);
            (*dram->request_in[i])(*requests[i]);
            (*dram->response_out[i])(*responses[i]);
            sinks[i]->in(*responses[i]);
        }
        clock.run();
        Seen seen;
        std::string story;
        for (std::size_t i = 0; i < Dram::client_count; ++i) {
            seen.responses[i] = sinks[i]->arrivals;
            for (const auto& arrival : sinks[i]->arrivals) {
                story += fmt::format("{}:{} ", arrival.cycle, arrival.value.tag);
            }
            story += "| ";
        }
        seen.activity = dram->activity_cycles();
        seen.cycles = clock.now() + 1;
        EXPECT_EQ(test::sum_of(seen.activity), seen.cycles);
        check(seen, books);
        return story + fmt::format("{} | {} | {}", test::text_of(seen.activity), seen.cycles,
                                   fmt::join(books.close().front().counters, " "));
    });
}

/// Every core period with every cycle of pushing.
std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs_of(const std::vector<std::uint64_t>& periods,
                                                              const std::vector<std::uint64_t>& cycles) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
    for (const std::uint64_t period : periods) {
        for (const std::uint64_t cycle : cycles) {
            pairs.emplace_back(period, cycle);
        }
    }
    return pairs;
}

// A read of one burst from a closed bank: ACT in the first memory cycle after it was taken, RD tRCD later, the first
// beat RL later, the last one burst - 1 after that (times count from the last slot of an ACT). Pushed in core cycle c
// it is taken in c + 1, and seen by the memory from the first memory cycle on that does not end by the end of c + 1.
// What ends in core cycle e is heard of in e + 1.
TEST(Dram, ASingleReadTakesItsTimingsOnAnyCoreClock) {
    for (const std::string& name : dram_standard_names()) {
        SCOPED_TRACE(name);
        const DramStandard& standard = *find_dram_standard(name);
        const std::uint64_t service = standard.activate_lag + standard.t_rcd_read + standard.rl + standard.burst;
        const std::uint64_t burst_bytes = standard.burst_bytes();
        const std::vector<std::uint64_t> core_periods =
            name == "LPDDR5-6400" ? std::vector<std::uint64_t>{400, 500, 640, 1000, 1250, 1429, 2500, 3000}
                                  : std::vector<std::uint64_t>{640, 1429};
        for (const auto& [core_ps, pushed] : pairs_of(core_periods, {0, 1, 5, 17})) {
            const std::uint64_t memory_ps = standard.clock_period_ps;
            const std::uint64_t seen_from = (pushed + 2) * core_ps / memory_ps;  // memory cycles done by then
            const std::uint64_t done_ps = (seen_from + service) * memory_ps;     // end of the last beat
            const std::uint64_t heard =
                (done_ps + core_ps - 1) / core_ps - 1 + 1;  // the core cycle it ends in, and one
            Bench bench;
            bench.core_period_ps = core_ps;
            bench.params = typical_dram(name);
            bench.requests[load] = {{pushed, {0, 0, 4096, static_cast<std::uint32_t>(burst_bytes)}}};
            for (const bool skipping : {false, true}) {
                bench.options.skipping = skipping;
                run(bench, [&](const Seen& seen, test::Books& books) {
                    ASSERT_EQ(seen.responses[load].size(), 1U);
                    EXPECT_EQ(seen.responses[load][0].cycle, heard) << core_ps << " ps, pushed in " << pushed;
                    EXPECT_EQ(books.counted(Counter::dram_bytes_read), burst_bytes);
                    EXPECT_EQ(books.counted(Counter::dram_bytes_written), 0U);
                    EXPECT_EQ(books.counted(Counter::dram_activates), 1U);
                    // Busy from the cycle in which the request is taken to the one in which it is answered.
                    EXPECT_EQ(seen.activity[0], heard - 1 - pushed);
                });
            }
        }
    }
}

TEST(Dram, ASingleWriteTakesItsTimings) {
    const DramStandard& standard = *find_dram_standard("LPDDR5-6400");
    Bench bench;
    bench.core_period_ps = standard.clock_period_ps;  // one core cycle is one memory cycle
    bench.requests[store] = {{0, {0, 0, 4096, 32}}};
    run(bench, [&](const Seen& seen, test::Books& books) {
        // Taken in 1, seen from memory cycle 2 on; its last beat is tRCD + WL + burst - 1 later.
        const std::uint64_t last_beat = 2U + standard.t_rcd_write + standard.wl + standard.burst - 1;
        EXPECT_EQ(seen.responses[store][0].cycle, last_beat + 1);
        EXPECT_EQ(books.counted(Counter::dram_bytes_written), 32U);
    });
}

TEST(Dram, PartsOfBurstsCountAsWholeOnes) {
    Bench bench;
    bench.requests[load] = {{0, {0, 0, 31, 2}}, {0, {0, 0, 64, 33}}};  // 0 to 63; 64 to 127
    bench.requests[store] = {{0, {0, 0, 8192 + 1, 1}}};
    run(bench, [](const Seen&, test::Books& books) {
        EXPECT_EQ(books.counted(Counter::dram_bytes_read), 64U + 64);
        EXPECT_EQ(books.counted(Counter::dram_bytes_written), 32U);
    });
}

// Refresh goes on while nobody asks: tREFI apart, told to the books whenever somebody looks.
TEST(Dram, RefreshesGoOnWhileIdle) {
    const DramStandard& standard = *find_dram_standard("LPDDR5-6400");
    constexpr std::uint64_t late = 100'000;
    for (const bool skipping : {false, true}) {
        Bench bench;
        bench.params.channels = 1;
        bench.core_period_ps = standard.clock_period_ps;
        bench.requests[load] = {{late, {0, 0, 0, 32}}};
        bench.options.skipping = skipping;
        run(bench, [&](const Seen& seen, test::Books& books) {
            // The k-th is due in memory cycle k tREFI, and with no row open it goes out at once.
            EXPECT_EQ(books.counted(Counter::dram_refreshes), seen.responses[load][0].cycle / standard.t_refi);
        });
    }
}

Bench random_bench(test::RandomCase& random, std::uint64_t seed) {
    Bench bench;
    bench.params = random.dram();
    bench.core_period_ps = random.one_of<std::uint64_t>({313, 500, 1000, 1250, 1429, 3001});
    for (Requests& requests : bench.requests) {
        std::uint64_t at = 0;
        for (std::uint64_t n = random.number(20, 60); n-- > 0;) {
            at += random.number(0, 9) == 0 ? random.number(0, 3000) : 0;
            requests.push_back(
                {at, {0, 0, random.number(0, 1 << 16), static_cast<std::uint32_t>(random.number(1, 4096))}});
        }
    }
    if (seed % 2 == 0) {
        bench.options.source_stalls = {seed, 50};
        bench.options.sink_stalls = {seed + 1000, 70};
    }
    return bench;
}

// Crowded queues, bursts of requests and long silences, any core clock: the same answers in the same cycles, whichever
// clock runs the simulation and whatever is built first; every request is answered once.
TEST(Dram, SkippingAndConstructionOrderChangeNothing) {
    test::RandomCase random(131);
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        Bench bench = random_bench(random, seed);
        std::array<std::uint64_t, Dram::client_count> bytes{};
        const std::uint64_t burst = find_dram_standard(bench.params.standard)->burst_bytes();
        for (std::size_t i = 0; i < Dram::client_count; ++i) {
            for (const auto& [cycle, request] : bench.requests[i]) {
                bytes[i] += ((request.address + request.bytes - 1) / burst - request.address / burst + 1) * burst;
            }
        }
        const auto check = [&](const Seen& seen, test::Books& books) {
            for (std::size_t i = 0; i < Dram::client_count; ++i) {
                std::vector<std::uint64_t> tags;
                for (const auto& arrival : seen.responses[i]) {
                    tags.push_back(arrival.value.tag);
                }
                std::sort(tags.begin(), tags.end());
                ASSERT_EQ(tags.size(), bench.requests[i].size());
                for (std::size_t n = 0; n < tags.size(); ++n) {
                    EXPECT_EQ(tags[n], n);
                }
            }
            EXPECT_EQ(books.counted(Counter::dram_bytes_read), bytes[load]);
            EXPECT_EQ(books.counted(Counter::dram_bytes_written), bytes[store]);
            // Every rank is in one state in each memory cycle that ends by the end of the run.
            const std::uint64_t memory_cycles =
                seen.cycles * bench.core_period_ps / find_dram_standard(bench.params.standard)->clock_period_ps;
            EXPECT_EQ(books.counted(Counter::dram_active_standby_cycles) +
                          books.counted(Counter::dram_precharge_standby_cycles) +
                          books.counted(Counter::dram_active_power_down_cycles) +
                          books.counted(Counter::dram_precharge_power_down_cycles),
                      memory_cycles * bench.params.channels * bench.params.ranks);
        };
        SCOPED_TRACE(fmt::format("seed {}", seed));
        const std::string story = run(bench, check);
        bench.options.stubs_first = true;
        EXPECT_EQ(story, run(bench, check));
        bench.options.skipping = false;
        EXPECT_EQ(story, run(bench, check));
    }
}

}  // namespace
}  // namespace nibble
