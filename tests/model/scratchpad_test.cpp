// SPDX-License-Identifier: MIT
#include "models/scratchpad/scratchpad.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/bench.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

using Requests = std::vector<test::Source<ScratchpadRequest>::Beat>;
using Clients = std::array<Requests, scratchpad_client_count>;

ScratchpadRequest lines(ScratchpadPart part, LineAccess access, std::uint64_t count, std::uint32_t per_cycle) {
    ScratchpadRequest request;
    request.add({.part = part, .access = access, .lines_per_cycle = per_cycle, .first_line = 0, .lines = count});
    return request;
}

ScratchpadRequest read(std::uint64_t count, std::uint32_t per_cycle) {
    return lines(ScratchpadPart::left, LineAccess::read, count, per_cycle);
}

ScratchpadRequest written(std::uint64_t count, std::uint32_t per_cycle) {
    return lines(ScratchpadPart::right, LineAccess::write, count, per_cycle);
}

ScratchpadParameters memory(std::uint32_t banks) {
    return {.capacity_bytes = 1024, .resident_bytes = 0, .banks = banks, .line_bytes = 32};
}

struct Seen {
    std::array<std::vector<std::uint64_t>, scratchpad_client_count> done;  // cycles in which the clients heard of it
    ActivityCycles activity{};
};

constexpr auto array_port = static_cast<std::size_t>(ScratchpadClient::mac_array);
constexpr auto load_port = static_cast<std::size_t>(ScratchpadClient::load);

std::string run(const ScratchpadParameters& params, Clients clients, const test::BenchOptions& options,
                const std::function<void(const Seen&, test::Books&)>& check) {
    return test::simulate([&] {
        test::Books books;
        Clock clock("clock", 1000, options.skipping);
        std::uint64_t total = 0;
        for (Requests& requests : clients) {
            for (std::size_t i = 0; i < requests.size(); ++i) {
                requests[i].value.tag = i;
            }
            total += requests.size();
        }
        test::Countdown countdown(total);
        std::unique_ptr<Scratchpad> scratchpad;
        const auto make = [&] { scratchpad = std::make_unique<Scratchpad>("scratchpad", clock, params, books.ledger); };
        if (!options.stubs_first) {
            make();
        }
        std::vector<std::unique_ptr<test::Source<ScratchpadRequest>>> sources;
        std::vector<std::unique_ptr<test::Sink<ScratchpadDone>>> sinks;
        std::vector<std::unique_ptr<Channel<ScratchpadRequest>>> requests;
        std::vector<std::unique_ptr<Channel<ScratchpadDone>>> done;
        for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
            const auto name = [&](const char* what) { return fmt::format("{}{}", what, i); };
            requests.push_back(std::make_unique<Channel<ScratchpadRequest>>(name("requests").c_str(), 2));
            done.push_back(std::make_unique<Channel<ScratchpadDone>>(name("done").c_str(), 2));
            sources.push_back(std::make_unique<test::Source<ScratchpadRequest>>(name("source").c_str(), clock,
                                                                                clients[i], options.source_stalls));
            sinks.push_back(std::make_unique<test::Sink<ScratchpadDone>>(name("sink").c_str(), clock, countdown,
                                                                         options.sink_stalls));
        }
        if (options.stubs_first) {
            make();
        }
        for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
            sources[i]->out(*requests[i]);
            (*scratchpad->request_in[i])(*requests[i]);
            (*scratchpad->done_out[i])(*done[i]);
            sinks[i]->in(*done[i]);
        }
        clock.run();
        Seen seen;
        std::string story;
        for (std::size_t i = 0; i < scratchpad_client_count; ++i) {
            seen.done[i] = sinks[i]->cycles();
            EXPECT_EQ(seen.done[i].size(), clients[i].size());
            for (std::size_t n = 0; n < sinks[i]->arrivals.size(); ++n) {
                EXPECT_EQ(sinks[i]->arrivals[n].value.tag, n) << "in order";
            }
            story += fmt::format("{} | ", fmt::join(seen.done[i], " "));
        }
        seen.activity = scratchpad->activity_cycles();
        EXPECT_EQ(test::sum_of(seen.activity), clock.now() + 1);
        check(seen, books);
        const std::uint64_t conflicts = books.counted(Counter::scratchpad_conflict_cycles);
        return story + fmt::format("{} | {} conflicts", test::text_of(seen.activity), conflicts);
    });
}

// Pushed in cycle 0, taken in 1, served in cycles 1 to 4 (10 lines at 3), heard of in 5. The other stream is shorter.
TEST(Scratchpad, OneRequestFromIdle) {
    Clients clients;
    ScratchpadRequest request = read(10, 3);
    request.add({.part = ScratchpadPart::resident, .access = LineAccess::write, .lines_per_cycle = 3, .lines = 6});
    clients[load_port] = {{0, request}};
    run(memory(8), clients, {}, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.done[load_port], (std::vector<std::uint64_t>{5}));
        EXPECT_EQ(seen.activity, (ActivityCycles{4, 0, 0, 2}));
        EXPECT_EQ(books.counted(Counter::left_lines_read), 10U);
        EXPECT_EQ(books.counted(Counter::resident_lines_written), 6U);
        EXPECT_EQ(books.counted(Counter::left_lines_written), 0U);
        EXPECT_EQ(books.counted(Counter::scratchpad_conflict_cycles), 1U) << "both wanted bank 0 in the first cycle";
    });
}

// A client's requests follow each other without a gap; one of nothing takes a cycle.
TEST(Scratchpad, RequestsOfAClientFollowEachOther) {
    Clients clients;
    clients[load_port] = {{0, read(10, 2)}, {0, read(0, 1)}, {0, written(3, 1)}};
    run(memory(8), clients, {}, [](const Seen& seen, test::Books&) {
        EXPECT_EQ(seen.done[load_port], (std::vector<std::uint64_t>{1 + 5, 1 + 5 + 1, 1 + 5 + 1 + 3}));
    });
}

// 4 banks, from bank 0. The array reads 4 lines a cycle, all banks, in cycles 1 to 3; the load waits, then has its 9
// lines in 4 to 6. In memories of their own both go at once.
TEST(Scratchpad, ConflictsDelayAndAreCountedForTheClient) {
    Clients clients;
    clients[array_port] = {{0, read(12, 4)}};
    clients[load_port] = {{0, written(9, 4)}};
    run(memory(4), clients, {}, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.done[array_port], (std::vector<std::uint64_t>{4}));
        EXPECT_EQ(seen.done[load_port], (std::vector<std::uint64_t>{7}));
        EXPECT_EQ(books.counted(Counter::scratchpad_conflict_cycles), 3U);
        EXPECT_EQ(books.counted(Counter::load_conflict_cycles), 3U);
        EXPECT_EQ(books.counted(Counter::mac_array_conflict_cycles), 0U);
    });
    ScratchpadParameters separate = memory(4);
    separate.buffers = TileBytes{256, 256, 256, 256};
    run(separate, clients, {}, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.done[array_port], (std::vector<std::uint64_t>{4}));
        EXPECT_EQ(seen.done[load_port], (std::vector<std::uint64_t>{4}));
        EXPECT_EQ(books.counted(Counter::scratchpad_conflict_cycles), 0U);
    });
}

// The same in an ideal scratchpad: everything is served in the cycle in which it was taken, and nobody waits.
TEST(Scratchpad, AnIdealOneServesARequestACycle) {
    Clients clients;
    clients[array_port] = {{0, read(12, 4)}, {0, read(1000, 1)}};
    clients[load_port] = {{0, written(9, 4)}};
    ScratchpadParameters ideal = memory(4);
    ideal.ideal = true;
    for (const bool skipping : {false, true}) {
        run(ideal, clients, {.skipping = skipping}, [](const Seen& seen, test::Books& books) {
            EXPECT_EQ(seen.done[array_port], (std::vector<std::uint64_t>{2, 3}));
            EXPECT_EQ(seen.done[load_port], (std::vector<std::uint64_t>{2}));
            EXPECT_EQ(seen.activity, (ActivityCycles{2, 0, 0, 2}));
            EXPECT_EQ(books.counted(Counter::left_lines_read), 1012U);
            EXPECT_EQ(books.counted(Counter::right_lines_written), 9U);
            EXPECT_EQ(books.counted(Counter::scratchpad_conflict_cycles), 0U);
        });
    }
}

std::uint64_t all_lines(const ScratchpadRequest& request) {
    std::uint64_t sum = 0;
    for (const LineStream& stream : request.streams()) {
        sum += stream.lines;
    }
    return sum;
}

// Any clients, any memories, any stalls: nothing depends on skipping or on the order of construction, and no more than
// the banks can give is served in a busy cycle.
TEST(Scratchpad, RandomClientsAgreeOnEveryClockAndInEveryOrder) {
    test::RandomCase random(91);
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        Clients clients;
        std::uint64_t total = 0;
        for (Requests& requests : clients) {
            for (std::uint64_t n = random.number(0, 12); n-- > 0;) {
                ScratchpadRequest request;
                for (std::uint64_t streams = random.number(0, 3); streams-- > 0;) {
                    request.add({.part = static_cast<ScratchpadPart>(random.number(0, scratchpad_part_count - 1)),
                                 .access = random.coin() ? LineAccess::read : LineAccess::write,
                                 .lines_per_cycle = static_cast<std::uint32_t>(random.number(1, 9)),
                                 .first_line = random.number(0, 20),
                                 .lines = random.number(0, 90)});
                }
                requests.push_back({random.number(0, 60), request});
                total += all_lines(request);
            }
            std::sort(requests.begin(), requests.end(), [](const auto& a, const auto& b) { return a.cycle < b.cycle; });
        }
        clients[load_port].push_back({0, read(2, 1)});
        const ScratchpadParameters params = random.machine().scratchpad;
        test::BenchOptions options;
        if (seed % 3 != 0) {
            options.source_stalls = {seed, 60};
            options.sink_stalls = {seed + 1000, 60};
        }
        const auto check = [&](const Seen& seen, test::Books& books) {
            std::uint64_t counted = 0;
            for (const auto& [lines_read, lines_written] : line_counters) {
                counted += books.counted(lines_read) + books.counted(lines_written);
            }
            EXPECT_EQ(counted, total + 2);
            if (!params.ideal) {
                EXPECT_GE(seen.activity[0] * most_lines_per_cycle(params), total);
            }
            std::uint64_t conflicts = 0;
            for (const Counter client : client_conflict_counters) {
                conflicts += books.counted(client);
            }
            EXPECT_EQ(books.counted(Counter::scratchpad_conflict_cycles), conflicts);
        };
        const std::string story = run(params, clients, options, check);
        options.stubs_first = true;
        EXPECT_EQ(story, run(params, clients, options, check)) << "seed " << seed;
        options.skipping = false;
        EXPECT_EQ(story, run(params, clients, options, check)) << "seed " << seed;
    }
}

}  // namespace
}  // namespace nibble
