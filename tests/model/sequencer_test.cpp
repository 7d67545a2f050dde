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
#include "sim/lowering/operation_alone.h"
#include "tests/support/bench.h"
#include "tests/support/quiet_probe.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"
#include "tests/support/test_machine.h"

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
    bool watched = false;
};

struct Seen {
    std::array<std::vector<Executor::Executed>, unit_count> executed;
    std::vector<std::uint64_t> retired_at;  // cycle of the retirement of each operation
    std::vector<OpRecord> records;
    ActivityCycles activity{};
    std::uint64_t cycles = 0;
    std::string fill;  // if it was watched: "cycle:tiles/resident " for every change of how full the scratchpad is
};

/// Adds up room that is taken and freed.
class FillProbe final : public test::QuietProbe {
public:
    FillProbe(const Clock& clock, std::string& fill) : clock_(clock), fill_(fill) {}
    void scratchpad_room(const RoomNote& room) override {
        tiles_ = tiles_ + room.tiles_taken - room.tiles_freed;
        resident_ = resident_ + room.resident_taken - room.resident_freed;
        fill_ += fmt::format("{}:{}/{} ", clock_.now(), tiles_, resident_);
    }

private:
    const Clock& clock_;
    std::string& fill_;
    std::uint64_t tiles_ = 0, resident_ = 0;
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
        FillProbe probe(clock, seen.fill);
        if (bench.watched) {
            sequencer->set_probe(&probe, MachineUnit::sequencer);
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

// 8 x 16 times 16 x 4 in FP16 with two buffers of everything: tiles of 64 bytes on either side, results of 32, four
// products, of which the second and the fourth finish results (unit_command_room_test). Loads take 10 cycles, products
// 5, stores 20, all else as above: the operation is opened in cycle 0, one command fetched from cycle 1 on, issued in
// the next. The two channel entries of the load unit hold what it has not begun.
//    2, 3, 5   left 0, right 0, left 1 (fetched in 4, after the product); the unit begins left 0 in 3
//   14         right 1, as right 0 is begun in 13
//   23         right 0 is heard of: product 0 is issued in 24, works from 25 to 29
//   30         it is heard of and frees left 0 and right 0: left 2 is issued in 31
//   34         right 2, as right 1 is begun in 33
//   44         right 1 (33 to 42) is heard of in 43: product 1, which takes the results, works from 45 to 49
//   50         it frees left 1 and right 1: left 3 is issued in 51, and the store of the results
//   54         right 3, as right 2 is begun in 53
//   70         product 2, issued in 64 after right 2 (53 to 62), frees left 2 and right 2
//   72         the store (52 to 71) frees the results
//   84         right 3 (73 to 82): product 3 takes results
//   90         frees left 3 and right 3; the store is issued in 91
//  112         the store (92 to 111) frees the results
TEST(Sequencer, TellsHowFullTheScratchpadIs) {
    Operation operation;
    operation.work = Matmul{1, 8, 4, 16, false, false};
    const OperationTask task = MappedGemm{{.problem = {operation, 128, 64}, .stored = {{16, ScratchpadPart::output}}},
                                          {.batch = 1, .i = 4, .j = 4, .l = 8, .order = LoopOrder::ijl}};
    const MachineParameters machine = test::small_machine();
    OperationAlone alone(task, machine);
    Bench bench;
    for (ProgramItem item = alone.next(); !std::holds_alternative<ProgramEnd>(item); item = alone.next()) {
        bench.program.items.push_back(std::move(item));
    }
    bench.cycles = {{{10}, {5}, {1}, {1}, {20}}};
    const std::string unwatched = run(bench, [](const Seen& seen) { EXPECT_EQ(seen.fill, ""); });
    bench.watched = true;
    const auto check = [](const Seen& seen) {
        EXPECT_EQ(seen.fill,
                  "2:64/0 3:128/0 5:192/0 14:256/0 30:128/0 31:192/0 34:256/0 44:288/0 50:160/0 51:224/0 54:288/0 "
                  "70:160/0 72:128/0 84:160/0 90:32/0 112:0/0 ");
    };
    EXPECT_EQ(run(bench, check), unwatched);
    bench.options = {.skipping = false, .stubs_first = true};
    EXPECT_EQ(run(bench, check), unwatched);
}

// Tensors that stay hold their room until everything up to the operation that ends their stay has completed, although
// it may retire later. Operation 0 keeps 100 bytes that its array command writes, operation 1 reads them and ends their
// stay, operation 2, whose load takes 90, waits for that. The array's command, issued in 2, works from 3 to 7: heard of
// in 8. The vector unit's, issued in 9, from 10 to 12; heard of in 13, and the room is free although operation 1
// retires in 14 (operation 0 in 9). The load is issued in 14, and works from 15 to 16: heard of in 17, when it, the
// last of its operation, ends its own tensor's stay.
TEST(Sequencer, StaysEndWithTheCompletionOfTheirLastOperation) {
    Bench bench;
    const auto end = [&](std::uint64_t frees) {
        bench.program.items.emplace_back(OperationEnd{.statement = {}, .frees_of_stay_bytes = frees});
    };
    const auto add = [&](Unit unit, const Dependencies& needs, std::uint64_t stays) {
        bench.program.add(unit, needs);
        std::get<Command>(bench.program.items.back()).room.takes_to_stay_bytes = stays;
    };
    bench.program.begin();
    add(Unit::mac_array, {}, 100);
    end(0);
    bench.program.begin();
    add(Unit::vector_unit, {0, 1, 0, 0, 0}, 0);
    end(100);
    bench.program.begin();
    add(Unit::load, {0, 0, 0, 1, 0}, 90);
    end(90);
    bench.cycles = {{{2}, {5}, {1}, {3}, {1}}};
    bench.watched = true;
    run(bench, [](const Seen& seen) {
        EXPECT_EQ(seen.fill, "2:0/100 13:0/0 14:0/90 17:0/0 ");
        EXPECT_EQ(seen.retired_at, (std::vector<std::uint64_t>{9, 14, 18}));
    });
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
