// SPDX-License-Identifier: MIT
#include "models/sequencer/sequencer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/bench.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

/// A program from a list.
class ListSource final : public ProgramSource {
public:
    explicit ListSource(std::vector<ProgramItem> items) : items_(std::move(items)) {}
    ProgramItem next() override { return at_ < items_.size() ? items_[at_++] : ProgramItem{ProgramEnd{}}; }

private:
    std::vector<ProgramItem> items_;
    std::size_t at_ = 0;
};

/// Executes commands in order: one after the other, each for a number of cycles.
class Executor final : public test::Stub {
public:
    sc_core::sc_port<PopIf<CommandPtr>> command_in{"command_in"};
    sc_core::sc_port<PushIf<Completion>> completion_out{"completion_out"};
    struct Executed {
        std::uint64_t begin = 0;  // cycle in which the command was taken
        std::uint64_t end = 0;    // cycle in which its completion was pushed
        CommandPtr command;
    };
    std::vector<Executed> executed;

    Executor(const sc_core::sc_module_name& name, Clock& clock, std::vector<std::uint64_t> cycles, test::Stalls stalls)
        : Stub(name, clock), cycles_(std::move(cycles)), stalls_(stalls) {}

    [[nodiscard]] std::uint64_t quiet_until() const override {
        if (!working_) {
            return command_in->valid() ? stalls_.first_free(now() + 1) : never;
        }
        return completion_out->ready() ? std::max(now() + 1, end_) : never;
    }

private:
    Activity tick() override {
        if (!working_ && command_in->valid() && !stalls_.at(now())) {
            end_ = now() + cycles_[executed.size() % cycles_.size()] - 1;
            executed.push_back({now(), never, command_in->pop()});
            working_ = true;
        }
        if (working_ && now() >= end_ && completion_out->ready()) {
            executed.back().end = now();
            completion_out->push({executed.back().command->operation});
            working_ = false;
        }
        return Activity::busy;
    }
    std::vector<std::uint64_t> cycles_;
    test::Stalls stalls_;
    bool working_ = false;
    std::uint64_t end_ = 0;
};

struct Program {
    std::vector<ProgramItem> items;
    std::vector<Command> commands;  // of items, in order
    std::uint64_t operations = 0;

    void begin() {
        end();
        OpRecord record;
        record.index = operations++;
        items.emplace_back(OperationBegin{record});
    }
    /// Of the operation last begun, if it has not ended.
    void end() {
        if (!items.empty() && !std::holds_alternative<OperationEnd>(items.back())) {
            items.emplace_back(OperationEnd{});
        }
    }
    void add(Unit unit, const Dependencies& needs) {
        Command command;
        command.operation = operations - 1;
        command.unit = unit;
        command.needs = needs;
        command.work = ConvertCommand{};
        commands.push_back(command);
        items.emplace_back(command);
    }
};

struct Bench {
    Program program;
    std::uint32_t queue_entries = 16;
    std::array<std::vector<std::uint64_t>, unit_count> cycles{{{1}, {1}, {1}, {1}, {1}}};
    test::BenchOptions options{};
};

struct Seen {
    std::array<std::vector<Executor::Executed>, unit_count> executed;
    std::vector<std::uint64_t> retired_at;  // cycle of the retirement of each operation
    std::vector<OpRecord> records;
    ActivityCycles activity{};
    std::uint64_t cycles = 0;
};

/// Retires operations in the books when the sequencer says so, as the machine does.
class Accountant final : public CycleObserver {
public:
    Accountant(const Clock& clock, const Sequencer& sequencer, Ledger& ledger, std::vector<std::uint64_t>& retired_at)
        : clock_(clock), sequencer_(sequencer), ledger_(ledger), retired_at_(retired_at) {}
    void edge_passed() override {
        ledger_.pass(Cause::control, 1);
        if (sequencer_.retiring()) {
            ledger_.retire_oldest();
            retired_at_.push_back(clock_.now());
        }
    }
    void cycles_skipped(std::uint64_t cycles) override { ledger_.pass(Cause::control, cycles); }

private:
    const Clock& clock_;
    const Sequencer& sequencer_;
    Ledger& ledger_;
    std::vector<std::uint64_t>& retired_at_;
};

std::string run(const Bench& bench, const std::function<void(const Seen&)>& check) {
    return test::simulate([&] {
        Seen seen;
        Ledger ledger([&](const OpRecord& record) { seen.records.push_back(record); });
        Program program = bench.program;
        program.end();
        ListSource source(program.items);
        Clock clock("clock", 1000, bench.options.skipping, 1'000'000);
        std::unique_ptr<Sequencer> sequencer;
        const auto make = [&] {
            sequencer = std::make_unique<Sequencer>("sequencer", clock, SequencerParameters{bench.queue_entries},
                                                    source, ledger);
        };
        if (!bench.options.stubs_first) {
            make();
        }
        std::vector<std::unique_ptr<Executor>> units;
        std::vector<std::unique_ptr<Channel<CommandPtr>>> commands;
        std::vector<std::unique_ptr<Channel<Completion>>> completions;
        for (std::size_t u = 0; u < unit_count; ++u) {
            units.push_back(std::make_unique<Executor>(fmt::format("unit{}", u).c_str(), clock, bench.cycles[u],
                                                       bench.options.sink_stalls));
            commands.push_back(std::make_unique<Channel<CommandPtr>>(fmt::format("commands{}", u).c_str(), 2));
            completions.push_back(std::make_unique<Channel<Completion>>(fmt::format("completions{}", u).c_str(), 2));
        }
        if (bench.options.stubs_first) {
            make();
        }
        for (std::size_t u = 0; u < unit_count; ++u) {
            (*sequencer->command_out[u])(*commands[u]);
            units[u]->command_in(*commands[u]);
            units[u]->completion_out(*completions[u]);
            (*sequencer->completion_in[u])(*completions[u]);
        }
        Accountant accountant(clock, *sequencer, ledger, seen.retired_at);
        clock.set_observer(accountant);
        clock.run();
        std::string story;
        for (std::size_t u = 0; u < unit_count; ++u) {
            seen.executed[u] = units[u]->executed;
            for (const Executor::Executed& one : units[u]->executed) {
                story += fmt::format("{}-{} ", one.begin, one.end);
            }
        }
        seen.activity = sequencer->activity_cycles();
        seen.cycles = clock.now() + 1;
        EXPECT_EQ(test::sum_of(seen.activity), seen.cycles);
        EXPECT_TRUE(ledger.empty());
        check(seen);
        return story + fmt::format("| {} | {}", fmt::join(seen.retired_at, " "), test::text_of(seen.activity));
    });
}

// Cycle 0 opens the operation, 1 fetches its command, 2 issues it (and sees that the operation has no more); taken by
// the unit in 3, which works for 5 cycles and tells in 7; heard of in 8, retired in 9, which is the last cycle.
TEST(Sequencer, OneCommandFromIdle) {
    Bench bench;
    bench.program.begin();
    bench.program.add(Unit::mac_array, {});
    bench.cycles[1] = {5};
    run(bench, [](const Seen& seen) {
        EXPECT_EQ(seen.executed[1].front().begin, 3U);
        EXPECT_EQ(seen.executed[1].front().end, 7U);
        EXPECT_EQ(seen.retired_at, (std::vector<std::uint64_t>{9}));
        EXPECT_EQ(seen.cycles, 10U);
        EXPECT_EQ(seen.records.front().counters[index_of(Counter::commands)], 1U);
        EXPECT_EQ(seen.records.front().counters[index_of(Counter::cycles)], 10U);
        // Acts in cycles 0, 1, 2, 8 and 9.
        EXPECT_EQ(seen.activity, (ActivityCycles{5, 5, 0, 0}));
    });
}

// A command that waits for another unit's is issued in the cycle after it has heard of it: told in cycle t, heard in t
// + 1, issued in t + 2, taken in t + 3.
TEST(Sequencer, ADependentCommandFollowsThreeCyclesLater) {
    Bench bench;
    bench.program.begin();
    bench.program.add(Unit::load, {});
    bench.program.add(Unit::mac_array, {1, 0, 0, 0, 0});
    bench.cycles[0] = {20};
    run(bench, [](const Seen& seen) {
        EXPECT_EQ(seen.executed[0].front().end, 3U + 20 - 1);
        EXPECT_EQ(seen.executed[1].front().begin, seen.executed[0].front().end + 3);
    });
}

// Independent units overlap: both work at once.
TEST(Sequencer, UnitsWorkSideBySide) {
    Bench bench;
    bench.program.begin();
    bench.program.add(Unit::load, {});
    bench.program.add(Unit::store, {});
    bench.cycles[0] = {100};
    bench.cycles[4] = {100};
    run(bench, [](const Seen& seen) {
        EXPECT_EQ(seen.executed[0].front().begin, 3U);
        EXPECT_EQ(seen.executed[4].front().begin, 4U);
    });
}

// Commands without dependencies reach a unit one a cycle: 30 of one cycle each follow each other without a gap.
TEST(Sequencer, IssuesACommandACycle) {
    Bench bench;
    bench.program.begin();
    for (int i = 0; i < 30; ++i) {
        bench.program.add(Unit::load, {});
    }
    run(bench, [](const Seen& seen) {
        for (std::uint64_t i = 0; i < 30; ++i) {
            EXPECT_EQ(seen.executed[0][i].begin, 3 + i);
        }
    });
}

TEST(Sequencer, AnEmptyProgramStopsAtOnce) {
    run({}, [](const Seen& seen) { EXPECT_EQ(seen.cycles, 1U); });
}

// An operation without commands retires all the same.
TEST(Sequencer, OperationsWithoutCommandsRetire) {
    Bench bench;
    bench.queue_entries = 1;
    for (int i = 0; i < 5; ++i) {
        bench.program.begin();
    }
    run(bench, [](const Seen& seen) { EXPECT_EQ(seen.records.size(), 5U); });
}

Program random_program(test::RandomCase& random) {
    Program program;
    Dependencies issued{};
    for (std::uint64_t operations = random.number(1, 12); operations-- > 0;) {
        program.begin();
        for (std::uint64_t n = random.number(0, 20); n-- > 0;) {
            Dependencies needs{};
            for (std::size_t u = 0; u < unit_count; ++u) {
                needs[u] = random.coin() ? random.number(0, issued[u]) : 0;
            }
            const auto unit = static_cast<std::size_t>(random.number(0, unit_count - 1));
            program.add(static_cast<Unit>(unit), needs);
            ++issued[unit];
        }
    }
    return program;
}

/// What any run must show.
void check_laws(const Bench& bench, const Seen& seen) {
    std::array<std::size_t, unit_count> next{};
    std::vector<std::uint64_t> complete(bench.program.operations);  // cycle of an operation's last completion
    for (const Command& command : bench.program.commands) {
        const auto u = static_cast<std::size_t>(command.unit);
        ASSERT_LT(next[u], seen.executed[u].size());
        const Executor::Executed& one = seen.executed[u][next[u]++];
        EXPECT_EQ(one.command->operation, command.operation) << "units execute in program order";
        EXPECT_EQ(one.command->needs, command.needs);
        for (std::size_t other = 0; other < unit_count; ++other) {
            if (command.needs[other] > 0) {
                EXPECT_GE(one.begin, seen.executed[other][command.needs[other] - 1].end + 3) << "issued too early";
            }
        }
        complete[command.operation] = std::max(complete[command.operation], one.end);
    }
    for (std::size_t u = 0; u < unit_count; ++u) {
        EXPECT_EQ(next[u], seen.executed[u].size());
    }
    // Operations retire in order, one a cycle, and each two cycles or more after its last completion was told.
    ASSERT_EQ(seen.retired_at.size(), bench.program.operations);
    ASSERT_EQ(seen.records.size(), bench.program.operations);
    std::uint64_t cycles = 0;
    std::uint64_t commands = 0;
    for (std::size_t i = 0; i < seen.records.size(); ++i) {
        EXPECT_EQ(seen.records[i].index, i);
        EXPECT_TRUE(complete[i] == 0 || seen.retired_at[i] >= complete[i] + 2);
        EXPECT_TRUE(i == 0 || seen.retired_at[i] > seen.retired_at[i - 1]);
        cycles += seen.records[i].counters[index_of(Counter::cycles)];
        commands += seen.records[i].counters[index_of(Counter::commands)];
    }
    EXPECT_EQ(cycles, seen.cycles);
    EXPECT_EQ(commands, bench.program.commands.size());
}

// Whatever the program, the queues and the units: dependencies are kept, and it comes to its end.
TEST(Sequencer, RandomProgramsKeepTheLaws) {
    test::RandomCase random(121);
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        Bench bench;
        bench.program = random_program(random);
        bench.queue_entries = seed % 3 == 0 ? 1 : static_cast<std::uint32_t>(random.number(1, 10));
        for (auto& cycles : bench.cycles) {
            cycles = {random.number(1, 40), random.number(1, 5), random.number(1, 100)};
        }
        if (seed % 2 == 0) {
            bench.options.sink_stalls = {seed, 50};
        }
        const auto check = [&](const Seen& seen) { check_laws(bench, seen); };
        SCOPED_TRACE(fmt::format("seed {}", seed));
        const std::string story = run(bench, check);
        bench.options.stubs_first = true;
        EXPECT_EQ(story, run(bench, check));
        bench.options.skipping = false;
        EXPECT_EQ(story, run(bench, check));
    }
}

TEST(Sequencer, ACommandOutsideItsOperationIsAModelError) {
    test::simulate([] {
        Program program;
        program.begin();
        Command stray;
        stray.operation = 3;
        stray.work = ConvertCommand{};
        program.items.emplace_back(stray);
        ListSource source(program.items);
        Ledger ledger([](const OpRecord&) {});
        Clock clock("clock", 1000, true);
        Sequencer sequencer("sequencer", clock, {}, source, ledger);
        std::vector<std::unique_ptr<Channel<CommandPtr>>> commands;
        std::vector<std::unique_ptr<Channel<Completion>>> completions;
        for (std::size_t u = 0; u < unit_count; ++u) {
            commands.push_back(std::make_unique<Channel<CommandPtr>>(fmt::format("commands{}", u).c_str(), 2));
            completions.push_back(std::make_unique<Channel<Completion>>(fmt::format("completions{}", u).c_str(), 2));
            (*sequencer.command_out[u])(*commands[u]);
            (*sequencer.completion_in[u])(*completions[u]);
        }
        try {
            clock.run();
            ADD_FAILURE();
        } catch (const ModelError& error) {
            EXPECT_STREQ(error.what(), "a command for operation 3, which is not the present one");
        }
        return std::string{};
    });
}

}  // namespace
}  // namespace nibble
