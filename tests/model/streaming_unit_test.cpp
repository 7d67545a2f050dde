// SPDX-License-Identifier: MIT
#include "models/streaming_unit/streaming_unit.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/log_gradient/log_gradient.h"
#include "models/vector_unit/vector_unit.h"
#include "tests/support/bench.h"
#include "tests/support/line_requests.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

/// A scratchpad so wide that ports and lanes alone decide.
constexpr ScratchpadParameters wide{.capacity_bytes = 1 << 20, .resident_bytes = 0, .banks = 1 << 10, .line_bytes = 32};

template <class Work>
CommandPtr command_of(const Work& work) {
    auto command = std::make_shared<Command>();
    command->work = work;
    return command;
}

CommandPtr conversion(std::uint64_t elements, std::uint32_t code_bits) {
    ConvertCommand convert;
    convert.elements = elements;
    convert.code_bits = code_bits;
    return command_of(convert);
}

struct Seen {
    std::vector<std::uint64_t> completions;
    std::vector<ScratchpadRequest> requests;
    ActivityCycles activity{};
    std::uint64_t cycles = 0;
};

using Make = std::function<std::unique_ptr<StreamingUnit>(Clock&, Ledger&)>;

std::string run(const Make& make, const std::vector<CommandPtr>& given, const test::BenchOptions& options,
                const std::function<void(const Seen&, test::Books&)>& check) {
    return test::simulate([&] {
        test::Books books;
        Clock clock("clock", 1000, options.skipping);
        Channel<CommandPtr> commands("commands", 2);
        Channel<Completion> completions("completions", 2);
        Channel<ScratchpadRequest> requests("requests", 2);
        Channel<ScratchpadDone> done("done", 2);
        test::Countdown countdown(given.size());
        std::unique_ptr<StreamingUnit> unit;
        if (!options.stubs_first) {
            unit = make(clock, books.ledger);
        }
        test::Source<CommandPtr> source("source", clock, test::at_once(given), options.source_stalls);
        test::Sink<Completion> sink("sink", clock, countdown, options.sink_stalls);
        // A scratchpad with nothing else to do and no conflicts.
        test::Server<ScratchpadRequest, ScratchpadDone> memory("memory", clock, test::at_own_pace);
        if (options.stubs_first) {
            unit = make(clock, books.ledger);
        }
        source.out(commands);
        unit->command_in(commands);
        unit->completion_out(completions);
        sink.in(completions);
        unit->scratchpad_request_out(requests);
        memory.in(requests);
        memory.out(done);
        unit->scratchpad_done_in(done);
        clock.run();
        Seen seen;
        seen.completions = sink.cycles();
        for (const auto& taken : memory.taken) {
            seen.requests.push_back(taken.request);
        }
        seen.activity = unit->activity_cycles();
        seen.cycles = clock.now() + 1;
        EXPECT_EQ(seen.completions.size(), given.size());
        EXPECT_EQ(test::sum_of(seen.activity), seen.cycles);
        check(seen, books);
        return fmt::format("{} | {} | {}", fmt::join(seen.completions, " "), test::text_of(seen.activity), seen.cycles);
    });
}

Make vector_unit(std::uint32_t lanes, std::uint32_t depth, const ScratchpadParameters& scratchpad = wide) {
    return [=](Clock& clock, Ledger& ledger) {
        return std::make_unique<VectorUnit>("unit", clock, VectorUnitParameters{lanes, depth}, scratchpad, ledger);
    };
}

Make log_gradient(std::uint32_t lanes, std::uint32_t depth) {
    return [=](Clock& clock, Ledger& ledger) {
        return std::make_unique<LogGradient>("unit", clock, LogGradientParameters{lanes, depth}, wide, ledger);
    };
}

std::uint64_t up(std::uint64_t a, std::uint64_t b) {
    return (a + b - 1) / b;
}

/// Cycles that a command occupies the unit: from the cycle in which it is taken to the one in which its completion is
/// pushed. The lanes and the pipeline take lane_cycles + depth, and are empty in the cycle after; the lines take
/// line_cycles, and the request and its answer one cycle each through their channels.
std::uint64_t occupied(std::uint64_t lane_cycles, std::uint64_t depth, std::uint64_t line_cycles) {
    const std::uint64_t lanes = lane_cycles + depth + 1;
    return line_cycles == 0 ? lanes : std::max(lanes, line_cycles + 2);
}

VectorCommand vector_work(std::uint64_t lane_ops, std::uint64_t read_bytes, std::uint64_t write_bytes) {
    VectorCommand work{.lane_ops = lane_ops};
    work.read_bytes[static_cast<std::size_t>(ScratchpadPart::left)] = read_bytes;
    work.write_bytes[static_cast<std::size_t>(ScratchpadPart::output)] = write_bytes;
    return work;
}

LineStream stream(ScratchpadPart part, LineAccess access, std::uint64_t lines, std::uint32_t per_cycle) {
    return {.part = part, .access = access, .lines_per_cycle = per_cycle, .first_line = 0, .lines = lines};
}

/// Cycles that lines take which are asked for at the slowest whole pace that moves them all in `cycles`.
std::uint64_t paced(std::uint64_t read, std::uint64_t written, std::uint64_t cycles) {
    const auto alone = [&](std::uint64_t lines) { return lines == 0 ? 0 : up(lines, up(lines, cycles)); };
    return std::max(alone(read), alone(written));
}

// 100 lane operations on 16 lanes: 7 cycles, and 6 of pipeline. 320 bytes in and 64 out: 10 and 2 lines, of which the
// ports move 16 * 12 / 32 = 6 a cycle. At the pace of the lanes they take 7 cycles: 2 and 1 a cycle keep up. Taken in
// cycle 1, complete in cycle 14, heard of in 15.
TEST(VectorUnit, LanesBindNarrowWork) {
    EXPECT_EQ(occupied(7, 6, 5), 14U);
    VectorCommand work = vector_work(100, 320, 64);
    work.macs = 30;
    run(vector_unit(16, 6), {command_of(work)}, {}, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{15}));
        ASSERT_EQ(seen.requests.size(), 1U);
        ASSERT_EQ(seen.requests[0].count, 2U);
        EXPECT_EQ(seen.requests[0].slots[0], stream(ScratchpadPart::left, LineAccess::read, 10, 2));
        EXPECT_EQ(seen.requests[0].slots[1], stream(ScratchpadPart::output, LineAccess::write, 2, 1));
        EXPECT_EQ(seen.activity, (ActivityCycles{14, 2, 0, 0}));
        EXPECT_EQ(books.counted(Counter::vector_lane_ops), 100U);
        EXPECT_EQ(books.counted(Counter::vector_macs), 30U);
    });
}

// 16 lane operations, 1 cycle; 6400 bytes in: 200 lines at 6: 34 cycles. Asked for in cycle 1, served in 2 to 35, heard
// of and complete in 36.
TEST(VectorUnit, LinesBindWideWork) {
    EXPECT_EQ(occupied(1, 6, 34), 36U);
    run(vector_unit(16, 6), {command_of(vector_work(16, 6400, 0))}, {},
        [](const Seen& seen, test::Books&) { EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{37})); });
    // Four banks serve no more than 4 of the 6: 50 cycles, in 2 to 51.
    ScratchpadParameters four_banks = wide;
    four_banks.banks = 4;
    run(vector_unit(16, 6, four_banks), {command_of(vector_work(16, 6400, 0))}, {}, [](const Seen& seen, test::Books&) {
        EXPECT_EQ(seen.requests[0].slots[0], stream(ScratchpadPart::left, LineAccess::read, 200, 4));
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1 + occupied(1, 6, 50)}));
    });
}

// An ideal unit's lanes, pipeline and ports take no time: 50 lines at once. Asked for in cycle 1, served in 2 by a
// scratchpad as wide, heard of and complete in 3. Without lines a command takes the one cycle in which it is seen.
TEST(VectorUnit, AnIdealOneTakesAsLongAsItsLines) {
    const Make ideal = [](Clock& clock, Ledger& ledger) {
        return std::make_unique<VectorUnit>("unit", clock, VectorUnitParameters{1, 6, true}, wide, ledger);
    };
    run(ideal, {command_of(vector_work(1000, 1600, 0)), command_of(vector_work(1000, 0, 0))}, {},
        [](const Seen& seen, test::Books& books) {
            EXPECT_EQ(seen.requests[0].slots[0], stream(ScratchpadPart::left, LineAccess::read, 50, 50));
            EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{4, 5}));
            EXPECT_EQ(books.counted(Counter::vector_lane_ops), 2000U);
        });
}

// 7 and 4 lines at once: complete in cycle 1 + 1 + 1.
TEST(LogGradient, AnIdealOneTakesAsLongAsItsLines) {
    const Make ideal = [](Clock& clock, Ledger& ledger) {
        return std::make_unique<LogGradient>("unit", clock, LogGradientParameters{1, 4, true}, wide, ledger);
    };
    run(ideal, {conversion(100, 8)}, {}, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{4}));
        EXPECT_EQ(books.counted(Counter::gradients_converted), 100U);
    });
}

TEST(VectorUnit, WorkWithoutDataAsksForNoLines) {
    run(vector_unit(4, 3), {command_of(vector_work(8, 0, 0))}, {}, [](const Seen& seen, test::Books&) {
        EXPECT_TRUE(seen.requests.empty());
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1 + 2 + 3 + 1}));
    });
}

// 100 gradients on 8 lanes: 13 cycles, and 4 of pipeline. 200 bytes in (7 lines), two codes of 4 bits each out: 100
// bytes (4 lines); 8 lanes move 16 + 8 bytes a cycle: one line. One line of each a cycle is more than enough.
TEST(LogGradient, ConvertsAGradientALaneACycle) {
    EXPECT_EQ(occupied(13, 4, 7), 18U);
    run(log_gradient(8, 4), {conversion(100, 8)}, {}, [](const Seen& seen, test::Books& books) {
        EXPECT_EQ(seen.completions, (std::vector<std::uint64_t>{1 + 18}));
        ASSERT_EQ(seen.requests[0].count, 2U);
        EXPECT_EQ(seen.requests[0].slots[0], stream(ScratchpadPart::output, LineAccess::read, 7, 1));
        EXPECT_EQ(seen.requests[0].slots[1], stream(ScratchpadPart::gradient, LineAccess::write, 4, 1));
        EXPECT_EQ(books.counted(Counter::gradients_converted), 100U);
    });
}

// A packed pair is 5 bits: 100 of them 62.5 bytes, 2 lines instead of 4.
TEST(LogGradient, APackedPairIsNarrower) {
    run(log_gradient(8, 4), {conversion(100, 5)}, {},
        [](const Seen& seen, test::Books&) { EXPECT_EQ(seen.requests[0].slots[1].lines, 2U); });
}

std::vector<CommandPtr> random_work(test::RandomCase& random, bool vector, std::size_t count) {
    std::vector<CommandPtr> all;
    for (std::size_t n = 0; n < count; ++n) {
        all.push_back(
            vector ? command_of(vector_work(random.number(0, 300), random.number(0, 2000), random.number(0, 2000)))
                   : conversion(random.number(1, 500), random.one_of<std::uint32_t>({4, 5, 8})));
    }
    return all;
}

// Back to back each command takes exactly its cycles: the n-th completion arrives 1 cycle after their sum.
TEST(StreamingUnit, CommandsFollowEachOtherWithoutAGap) {
    test::RandomCase random(101);
    for (int n = 0; n < 10; ++n) {
        const bool vector = n % 2 == 0;
        const auto lanes = static_cast<std::uint32_t>(random.number(1, 20));
        const auto depth = static_cast<std::uint32_t>(random.number(0, 8));
        const std::vector<CommandPtr> work = random_work(random, vector, 20);
        std::vector<std::uint64_t> arrivals;
        std::uint64_t at = 1;
        for (const CommandPtr& command : work) {
            if (vector) {
                const auto& w = std::get<VectorCommand>(command->work);
                const std::uint64_t read = up(w.read_bytes[static_cast<std::size_t>(ScratchpadPart::left)], 32);
                const std::uint64_t written = up(w.write_bytes[static_cast<std::size_t>(ScratchpadPart::output)], 32);
                const std::uint64_t lane_cycles = up(w.lane_ops, lanes);
                const std::uint64_t port_cycles = up(read + written, up(lanes * 12, 32));
                at += occupied(lane_cycles, depth, paced(read, written, std::max(lane_cycles, port_cycles)));
            } else {
                const auto& w = std::get<ConvertCommand>(command->work);
                const std::uint64_t read = up(w.elements * 2, 32);
                const std::uint64_t written = up(up(w.elements * w.code_bits, 8), 32);
                const std::uint64_t lane_cycles = up(w.elements, lanes);
                const std::uint64_t port_cycles = up(read + written, up(lanes * 2 + up(lanes * w.code_bits, 8), 32));
                at += occupied(lane_cycles, depth, paced(read, written, std::max(lane_cycles, port_cycles)));
            }
            arrivals.push_back(at);
        }
        for (const bool skipping : {false, true}) {
            run(vector ? vector_unit(lanes, depth) : log_gradient(lanes, depth), work, {.skipping = skipping},
                [&](const Seen& seen, test::Books&) { EXPECT_EQ(seen.completions, arrivals) << "case " << n; });
        }
    }
}

TEST(StreamingUnit, UnderStallsNothingIsLostInWhateverOrderUnitsAreBuilt) {
    test::RandomCase random(102);
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const bool vector = seed % 2 == 0;
        const Make make = vector ? vector_unit(8, 6) : log_gradient(8, 4);
        const std::vector<CommandPtr> work = random_work(random, vector, 20);
        test::BenchOptions options;
        options.source_stalls = {seed, 97};
        options.sink_stalls = {seed + 1000, 97};
        const auto check = [](const Seen&, test::Books&) {};
        const std::string story = run(make, work, options, check);
        options.stubs_first = true;
        EXPECT_EQ(story, run(make, work, options, check)) << "seed " << seed;
        options.skipping = false;
        EXPECT_EQ(story, run(make, work, options, check)) << "seed " << seed;
    }
}

}  // namespace
}  // namespace nibble
