// SPDX-License-Identifier: MIT
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

#include "models/dma/dma_engine.h"
#include "tests/support/bench.h"
#include "tests/support/line_requests.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

constexpr std::uint32_t line_bytes = 32;
constexpr std::uint32_t burst_bytes = 32;

using Memory = test::Server<MemoryRequest, MemoryResponse>;
using Lines = test::Server<ScratchpadRequest, ScratchpadDone>;

struct Bench {
    TransferDirection direction = TransferDirection::load;
    DmaParameters params{};
    std::vector<Slice> slices;                                   // one command each
    std::function<std::uint64_t(const MemoryRequest&)> latency;  // of memory
    test::BenchOptions options{};
};

struct Seen {
    std::vector<std::uint64_t> completions;
    std::vector<std::uint64_t> operations;  // in the order of completion
    std::vector<Memory::Taken> memory;
    std::vector<Lines::Taken> lines;
    std::vector<std::uint64_t> memory_answered, lines_answered;
    ActivityCycles activity{};
};

std::string run(const Bench& bench, const std::function<void(const Seen&, test::Books&)>& check) {
    return test::simulate([&] {
        test::Books books(bench.slices.size());
        Clock clock("clock", 1000, bench.options.skipping);
        Channel<CommandPtr> commands("commands", 2);
        Channel<Completion> completions("completions", 2);
        Channel<MemoryRequest> memory_requests("memory_requests", 2);
        Channel<MemoryResponse> memory_responses("memory_responses", 2);
        Channel<ScratchpadRequest> line_requests("line_requests", 2);
        Channel<ScratchpadDone> lines_done("lines_done", 2);
        std::vector<CommandPtr> given;
        for (const Slice& slice : bench.slices) {
            auto command = std::make_shared<Command>();
            command->operation = given.size();
            command->work = TransferCommand{slice, ScratchpadPart::gradient};
            given.push_back(command);
        }
        test::Countdown countdown(given.size());
        std::unique_ptr<DmaEngine> engine;
        const auto make = [&] {
            engine = std::make_unique<DmaEngine>("dma", clock, bench.direction, bench.params, line_bytes, burst_bytes,
                                                 books.ledger);
        };
        if (!bench.options.stubs_first) {
            make();
        }
        test::Source<CommandPtr> source("source", clock, test::at_once(given), bench.options.source_stalls);
        test::Sink<Completion> sink("sink", clock, countdown, bench.options.sink_stalls);
        Memory memory("memory", clock, bench.latency, bench.options.source_stalls);
        Lines lines("lines", clock, test::at_own_pace, bench.options.sink_stalls);
        if (bench.options.stubs_first) {
            make();
        }
        source.out(commands);
        engine->command_in(commands);
        engine->completion_out(completions);
        sink.in(completions);
        engine->memory_request_out(memory_requests);
        memory.in(memory_requests);
        memory.out(memory_responses);
        engine->memory_response_in(memory_responses);
        engine->scratchpad_request_out(line_requests);
        lines.in(line_requests);
        lines.out(lines_done);
        engine->scratchpad_done_in(lines_done);
        clock.run();
        Seen seen{.completions = sink.cycles(),
                  .operations = {},
                  .memory = memory.taken,
                  .lines = lines.taken,
                  .memory_answered = memory.answered,
                  .lines_answered = lines.answered,
                  .activity = engine->activity_cycles()};
        for (const auto& arrival : sink.arrivals) {
            seen.operations.push_back(arrival.value.operation);
        }
        EXPECT_EQ(test::sum_of(seen.activity), clock.now() + 1);
        check(seen, books);
        return fmt::format("{} | {} | {}", fmt::join(seen.completions, " "), fmt::join(seen.memory_answered, " "),
                           test::text_of(seen.activity));
    });
}

std::function<std::uint64_t(const MemoryRequest&)> always(std::uint64_t latency) {
    return [=](const MemoryRequest&) { return latency; };
}

constexpr std::array<TransferDirection, 2> directions{TransferDirection::load, TransferDirection::store};

// 100 bytes from memory after 50 cycles: 4 lines at 2 a cycle, 2 cycles. Load: command taken and memory asked in cycle
// 1, asked of in 2, answered in 52, heard of and scratchpad asked in 53, served in 54 and 55, heard of and complete in
// 56, which the sequencer would hear in 57. A store goes through the same stages the other way round.
TEST(Dma, OneRequestFromIdle) {
    for (const TransferDirection direction : directions) {
        const Bench bench{.direction = direction,
                          .params = {.max_request_bytes = 1024, .max_outstanding = 4, .lines_per_cycle = 2},
                          .slices = {{.address = 64, .run_bytes = 100}},
                          .latency = always(50)};
        run(bench, [&](const Seen& seen, test::Books& books) {
            EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{5 + 50 + 2}));
            ASSERT_EQ(seen.memory.size(), 1U);
            EXPECT_EQ(seen.memory[0].request.address, 64U);
            EXPECT_EQ(seen.memory[0].request.bytes, 100U);
            ASSERT_EQ(seen.lines.size(), 1U);
            const bool load = direction == TransferDirection::load;
            ASSERT_EQ(seen.lines[0].request.count, 1U);
            EXPECT_EQ(seen.lines[0].request.slots[0], (LineStream{.part = ScratchpadPart::gradient,
                                                                  .access = load ? LineAccess::write : LineAccess::read,
                                                                  .lines_per_cycle = 2,
                                                                  .first_line = 0,
                                                                  .lines = 4}));
            EXPECT_EQ(books.counted(Counter::dma_requests), 1U);
            // Idle in cycle 0 and, all done, in 57; acts in 1, 53 and 56; waits in between.
            EXPECT_EQ(seen.activity[0], 3U);
            EXPECT_EQ(seen.activity[load ? 1 : 2], 53U);
            EXPECT_EQ(seen.activity[3], 2U);
        });
    }
}

// An ideal engine asks memory for nothing. Of 100 bytes at 64, requests of 64 bytes would take 64 and 36: 2 lines and 2
// bursts each. All 4 lines at once: taken and asked for in cycle 1, served in 2 by a scratchpad as wide, heard of and
// complete in 3, which the sequencer would hear in 4. The 9 lines of the next command, 288 bytes, are a cycle behind.
TEST(Dma, AnIdealEngineTakesAsLongAsItsLines) {
    for (const TransferDirection direction : directions) {
        Bench bench{.direction = direction,
                    .params = {.max_request_bytes = 64, .max_outstanding = 4, .lines_per_cycle = 1, .ideal = true},
                    .slices = {{.address = 64, .run_bytes = 100}, {.address = 0, .run_bytes = 288}},
                    .latency = always(50)};
        for (const bool skipping : {false, true}) {
            bench.options.skipping = skipping;
            run(bench, [&](const Seen& seen, test::Books& books) {
                EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{4, 5}));
                EXPECT_TRUE(seen.memory.empty());
                ASSERT_EQ(seen.lines.size(), 2U);
                EXPECT_EQ(seen.lines[0].request.slots[0].lines, 4U);
                EXPECT_EQ(seen.lines[0].request.slots[0].lines_per_cycle, 4U);
                EXPECT_EQ(seen.lines[1].request.slots[0].lines, 9U);
                EXPECT_EQ(seen.lines[1].request.slots[0].lines_per_cycle, 9U);
                EXPECT_EQ(books.counted(Counter::dma_requests), 2U + 5U);
                const bool load = direction == TransferDirection::load;
                EXPECT_EQ(books.counted(Counter::dram_bytes_read), load ? 128U + 288U : 0U);
                EXPECT_EQ(books.counted(Counter::dram_bytes_written), load ? 0U : 128U + 288U);
            });
        }
    }
}

// With room for all of them, requests go out one a cycle: the last of 40 is 39 cycles behind the first.
TEST(Dma, RequestsGoOutOneACycle) {
    for (const TransferDirection direction : directions) {
        const Bench bench{.direction = direction,
                          .params = {.max_request_bytes = 64, .max_outstanding = 64, .lines_per_cycle = 2},
                          .slices = {{.address = 0, .run_bytes = 40 * 64}},
                          .latency = always(20)};
        run(bench, [](const Seen& seen, test::Books& books) {
            EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{5 + 20 + 1 + 39}));
            EXPECT_EQ(books.counted(Counter::dma_requests), 40U);
        });
    }
}

// Commands follow each other without a gap, too: 10 of 4 requests each; the last request goes out in cycle 40.
TEST(Dma, CommandsFollowEachOtherWithoutAGap) {
    const Bench bench{.params = {.max_request_bytes = 64, .max_outstanding = 64, .lines_per_cycle = 2},
                      .slices = std::vector<Slice>(10, {.address = 0, .run_bytes = 4 * 64}),
                      .latency = always(20)};
    run(bench, [](const Seen& seen, test::Books&) {
        std::vector<std::uint64_t> expected;
        for (std::uint64_t n = 1; n <= 10; ++n) {
            expected.push_back(5 + 20 + 1 + 4 * n - 1);
        }
        EXPECT_EQ(seen.completions, expected);
    });
}

// With m slots a slot is used again in the cycle in which its request comes back: 4 + latency cycles after it went out.
TEST(Dma, NoMoreRequestsAreUnderWayThanAllowed) {
    for (const std::uint32_t slots : {1U, 3U}) {
        const Bench bench{.params = {.max_request_bytes = 64, .max_outstanding = slots, .lines_per_cycle = 2},
                          .slices = {{.address = 0, .run_bytes = 12 * 64}},
                          .latency = always(20)};
        run(bench, [&](const Seen& seen, test::Books&) {
            ASSERT_EQ(seen.memory.size(), 12U);
            for (std::uint64_t i = 0; i < 12; ++i) {
                // Pushed in 1 + i % m + (i / m)(latency + 4), taken one later.
                EXPECT_EQ(seen.memory[i].cycle, 2 + i % slots + i / slots * (20 + 4))
                    << slots << " slots, request " << i;
            }
        });
    }
}

// Little's law: with m requests of s bytes under way and an answer 4 + latency cycles after each, m s / (latency + 4)
// bytes a cycle, up to one request a cycle. 10,000 requests, so that the first and the last weigh little: within 1%.
TEST(Dma, BandwidthIsWhatIsUnderWayOverTheLatency) {
    constexpr std::uint64_t requests = 10'000;
    constexpr std::uint64_t bytes = 64;
    for (const TransferDirection direction : directions) {
        for (const std::uint32_t slots : {1U, 2U, 5U, 16U, 40U, 104U, 200U}) {
            constexpr std::uint64_t latency = 100;
            const Bench bench{.direction = direction,
                              .params = {.max_request_bytes = bytes, .max_outstanding = slots, .lines_per_cycle = 2},
                              .slices = {{.address = 0, .run_bytes = requests * bytes}},
                              .latency = always(latency)};
            run(bench, [&](const Seen& seen, test::Books&) {
                const double measured =
                    static_cast<double>(requests * bytes) / static_cast<double>(seen.completions.back() - latency);
                const double law = std::min(1.0, slots / (latency + 4.0)) * bytes;
                EXPECT_NEAR(measured / law, 1, 0.01) << slots << " slots: " << measured << " instead of " << law;
            });
        }
    }
}

// A tile lies in consecutive lines: each request of a command goes on where the one before ended, whole lines each. The
// next command fills the next tile, which begins anew.
TEST(Dma, RequestsOfACommandFillConsecutiveLines) {
    const Slice three_runs{.address = 0, .run_bytes = 100, .outer = {{{}, {}, {3, 1024}}}};  // of 4 lines of 32 bytes
    const Bench bench{.params = {.max_request_bytes = 1024, .max_outstanding = 4, .lines_per_cycle = 2},
                      .slices = {three_runs, three_runs},
                      .latency = always(5)};
    run(bench, [](const Seen& seen, test::Books&) {
        std::vector<std::uint64_t> first_lines;
        for (const auto& taken : seen.lines) {
            first_lines.push_back(taken.request.slots[0].first_line);
        }
        EXPECT_EQ(first_lines, (std::vector<std::uint64_t>{0, 4, 8, 0, 4, 8}));
    });
}

TEST(Dma, AnEmptySliceCompletesAtOnce) {
    const Bench bench{.params = {}, .slices = {{}, {.address = 0, .run_bytes = 32}, {}}, .latency = always(10)};
    run(bench, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.operations, (std::vector<std::uint64_t>{0, 1, 2}));
        EXPECT_EQ(seen.completions[0], 3U);  // taken in 1, found complete in 2
        EXPECT_EQ(books.counted(Counter::dma_requests), 1U);
    });
}

std::vector<Slice> random_slices(test::RandomCase& random, std::size_t count) {
    std::vector<Slice> slices(count);
    for (Slice& slice : slices) {
        slice.address = random.number(0, 5000);
        slice.run_bytes = random.number(0, 9) == 0 ? 0 : random.number(1, 500);
        slice.outer[2] = {random.number(1, 6), random.number(0, 900)};
        slice.outer[1] = {random.number(1, 2), random.number(0, 5000)};
    }
    return slices;
}

/// What any run must show: requests are those of the walkers in order, counted for their operation; commands complete
/// in order and not before all of their requests; never more under way than there are slots.
void check_laws(const Bench& bench, const Seen& seen, test::Books& books) {
    std::vector<std::uint64_t> operations;
    std::size_t next = 0;
    for (std::size_t c = 0; c < bench.slices.size(); ++c) {
        operations.push_back(c);
        std::uint64_t extents = 0;
        for (SliceWalker walker(bench.slices[c], bench.params.max_request_bytes); !walker.done(); ++extents) {
            const Extent extent = walker.next();
            if (bench.direction == TransferDirection::load) {
                ASSERT_LT(next, seen.memory.size());
                EXPECT_EQ(seen.memory[next].request.address, extent.address);
                EXPECT_EQ(seen.memory[next].request.bytes, extent.bytes);
                EXPECT_EQ(seen.memory[next].request.operation, c);
            }
            ++next;
        }
        EXPECT_EQ(books.close()[c].counters[index_of(Counter::dma_requests)], extents);
    }
    EXPECT_EQ(next, seen.memory.size());
    EXPECT_EQ(next, seen.lines.size());
    EXPECT_EQ(seen.operations, operations);
    const bool load = bench.direction == TransferDirection::load;
    // Between being taken by the first stage and being answered by the second a request holds a slot.
    std::vector<std::pair<std::uint64_t, int>> changes;
    const auto enter = [&](std::uint64_t cycle) { changes.emplace_back(cycle, 1); };
    const auto leave = [&](std::uint64_t cycle) { changes.emplace_back(cycle, -1); };
    if (load) {
        std::for_each(seen.memory.begin(), seen.memory.end(), [&](const auto& taken) { enter(taken.cycle); });
        std::for_each(seen.lines_answered.begin(), seen.lines_answered.end(), leave);
    } else {
        std::for_each(seen.lines.begin(), seen.lines.end(), [&](const auto& taken) { enter(taken.cycle); });
        std::for_each(seen.memory_answered.begin(), seen.memory_answered.end(), leave);
    }
    std::sort(changes.begin(), changes.end());
    std::int64_t under_way = 0;
    for (const auto& [cycle, change] : changes) {
        under_way += change;
        EXPECT_LE(under_way, bench.params.max_outstanding) << "cycle " << cycle;
    }
    EXPECT_EQ(under_way, 0);
}

// Memory answers in any order, everybody stalls: the laws hold, on every clock and in every order of construction.
TEST(Dma, AnyOrderOfAnswersKeepsTheLaws) {
    test::RandomCase random(111);
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
        Bench bench;
        bench.direction = directions[seed % 2];
        bench.params = {.max_request_bytes = random.one_of<std::uint32_t>({32, 64, 256}),
                        .max_outstanding = static_cast<std::uint32_t>(random.number(1, 9)),
                        .lines_per_cycle = static_cast<std::uint32_t>(random.number(1, 3))};
        bench.slices = random_slices(random, 12);
        bench.latency = [=](const MemoryRequest& request) {
            return (request.address * 7 + request.bytes * 3 + seed) % 60;
        };
        if (seed % 4 != 0) {
            bench.options.source_stalls = {seed, 50};
            bench.options.sink_stalls = {seed + 1000, 50};
        }
        const auto check = [&](const Seen& seen, test::Books& books) { check_laws(bench, seen, books); };
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
