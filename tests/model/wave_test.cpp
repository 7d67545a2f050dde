// SPDX-License-Identifier: MIT
// The waveform of one tile, read back, against the sums that say when each handshake must be.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/machine/machine.h"
#include "tests/support/simulate.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

/// One operation with one command.
class OneTile final : public ProgramSource {
public:
    ProgramItem next() override {
        switch (fetched_++) {
            case 0:
                return OperationBegin{};
            case 1: {
                Command command;
                command.unit = Unit::mac_array;
                MatmulCommand tile;
                tile.mode = ArrayMode::fp16;
                tile.passes = {{8, 8, 8}};
                command.work = tile;
                return command;
            }
            case 2:
                return OperationEnd{};
            default:
                return ProgramEnd{};
        }
    }

private:
    int fetched_ = 0;
};

/// A value change dump as a reader understands it: the value of each signal from each time on, in picoseconds.
class Dump {
public:
    explicit Dump(const std::string& text) {
        std::istringstream in(text);
        std::map<std::string, std::string> names;
        std::string module;
        std::uint64_t time = 0;
        for (std::string word; in >> word;) {
            if (word == "$scope") {
                in >> word >> module >> word;
            } else if (word == "$var") {
                std::string type;
                std::string bits;
                std::string code;
                std::string name;
                in >> type >> bits >> code >> name;
                names[code] = module + "." + name;
                while (word != "$end") {
                    in >> word;
                }
            } else if (word == "$comment" || word == "$timescale") {
                comment += word == "$comment" ? "" : "timescale ";
                for (in >> word; word != "$end"; in >> word) {
                    comment += word + " ";
                }
            } else if (word.starts_with('#')) {
                time = std::stoull(word.substr(1));
                EXPECT_TRUE(times.empty() || times.back() < time);
                times.push_back(time);
            } else if (word.starts_with('b')) {
                std::string code;
                in >> code;
                changes_[names.at(code)][time] = std::stoull(word.substr(1), nullptr, 2);
            } else if (word.starts_with('0') || word.starts_with('1')) {
                changes_[names.at(word.substr(1))][time] = word[0] == '1' ? 1 : 0;
            }
        }
    }

    [[nodiscard]] std::uint64_t at(const std::string& signal, std::uint64_t cycle) const {
        return std::prev(changes_.at(signal).upper_bound(cycle * 1000))->second;
    }
    /// Cycles before 80 in which the signal is not 0.
    [[nodiscard]] std::vector<std::uint64_t> cycles_of(const std::string& signal) const {
        std::vector<std::uint64_t> cycles;
        for (std::uint64_t cycle = times.front() / 1000; cycle < 80; ++cycle) {
            if (at(signal, cycle) != 0) {
                cycles.push_back(cycle);
            }
        }
        return cycles;
    }
    [[nodiscard]] std::size_t signals() const { return changes_.size(); }

    std::string comment;
    std::vector<std::uint64_t> times;

private:
    std::map<std::string, std::map<std::uint64_t, std::uint64_t>> changes_;
};

Dump wave_of_a_tile(std::uint64_t from, std::uint64_t to, const std::string& units, bool skipping) {
    return Dump(test::simulate([&] {
        const std::string path = fmt::format("{}/nibble_wave_{}.vcd", testing::TempDir(), getpid());
        OneTile program;
        std::uint64_t cycles = 0;
        Ledger ledger([](const OpRecord&) {});
        RunOptions options;
        options.skipping = skipping;
        options.wave = {path, from, to, units};
        Machine machine(test::small_machine(), program, ledger, options);
        cycles = machine.run().cycles;
        EXPECT_EQ(cycles, 59U);
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        std::filesystem::remove(path);
        return text.str();
    }));
}

std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> cycles;
    for (; from < to; ++from) {
        cycles.push_back(from);
    }
    return cycles;
}

// The sequencer opens the operation in cycle 0, fetches the command in 1, issues it in 2; the array takes it in 3.
// The tile is 8 x 8 x 8 on 8 x 8 PEs, output-stationary, one MAC in 4 cycles: it fills for 8 + 8 - 2 = 14 cycles, to
// 17, streams for 8 * 4 = 32, to 49, drains 8 rows, to 57. So it completes in 56, and the sequencer takes that in 57.
//
// Its lines: 8 * 8 * 2 = 128 B of each operand and of results, 4 lines of 32 B each, one a cycle, all from bank 0 of
// banks with one port, left before right before results. Asked for in 3, taken in 4: left is served in 4 to 7, right
// one behind in 5 to 8, results in 6 to 9. That is told in 9 and heard in 10.
TEST(Wave, ShowsTheHandshakesOfATileWhereTheSumsSay) {
    for (const bool skipping : {false, true}) {
        const Dump dump = wave_of_a_tile(0, 80, "*", skipping);
        using Cycles = std::vector<std::uint64_t>;
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_commands_push"), Cycles{2});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_commands_valid"), Cycles{3});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_commands_used"), Cycles{3});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_commands_pop"), Cycles{3});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_commands_ready"), range(0, 80));  // two slots, one in use
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_line_requests_push"), Cycles{3});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_line_requests_pop"), Cycles{4});
        EXPECT_EQ(dump.cycles_of("scratchpad.busy"), range(4, 10));
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_lines_done_push"), Cycles{9});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_lines_done_pop"), Cycles{10});
        EXPECT_EQ(dump.cycles_of("mac_array.streaming"), range(17, 49));
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_completions_push"), Cycles{56});
        EXPECT_EQ(dump.cycles_of("mac_array.mac_array_completions_pop"), Cycles{57});
        EXPECT_EQ(dump.cycles_of("load.load_commands_push"), Cycles{});
        // Retired in 58, where the run and the dump end.
        EXPECT_EQ(dump.times.back(), 59'000U);
        EXPECT_EQ(dump.at("mac_array.activity", 58), 1U);  // waiting for input
        const std::vector<std::uint64_t> busy = dump.cycles_of("mac_array.busy");
        EXPECT_EQ(std::vector(busy.begin(), busy.begin() + 54), range(3, 57));
        EXPECT_EQ(busy.size(), 54U);
    }
}

TEST(Wave, ShowsOnlyTheWindowAndTheUnitsThatAreAskedFor) {
    for (const bool skipping : {false, true}) {
        const Dump dump = wave_of_a_tile(20, 50, "mac_*", skipping);
        EXPECT_EQ(dump.times, (std::vector<std::uint64_t>{20'000, 49'000, 50'000}));  // only streaming ends meanwhile
        EXPECT_EQ(dump.at("mac_array.streaming", 20), 1U);
        EXPECT_EQ(dump.at("mac_array.streaming", 49), 0U);
        // 3 of the unit and 6 of each of its 4 channels.
        EXPECT_EQ(dump.signals(), 3U + 4 * 6);
        EXPECT_EQ(dump.comment.find("cycles 20 to 50 of 1000 ps"), 0U);
    }
    // The channels between two units belong to both: 10 between the scratchpad and its clients, and its own state.
    EXPECT_EQ(wave_of_a_tile(0, 80, "scratchpad", true).signals(), 10U * 6 + 2);
    EXPECT_EQ(wave_of_a_tile(60, 80, "*", true).times.size(), 1U);  // the run ends before
}

}  // namespace
}  // namespace nibble
