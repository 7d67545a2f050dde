// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/timeline/run_probe.h"
#include "sim/timeline/spell_track.h"
#include "sim/timeline/unit_track.h"

namespace nibble {
namespace {

/// Notes slices as text: "category begin-end name argument=number ...", nested ones behind spaces.
class Notes final : public TimelineWriter {
public:
    void name_machine(std::string_view /*name*/, std::string_view /*label*/) override {}
    void name_track(unsigned /*track*/, std::string_view /*name*/) override {}
    void begin(unsigned /*track*/, const TimelineSlice& slice) override {
        std::string line =
            std::string(depth_++, ' ') + fmt::format("{} {}-{} {}", slice.category, slice.begin, slice.end, slice.name);
        for (const TimelineArgument& argument : slice.arguments) {
            if (const auto* number = std::get_if<std::uint64_t>(&argument.value)) {
                line += fmt::format(" {}={}", argument.name, *number);
            }
        }
        lines.push_back(line);
    }
    void end(unsigned /*track*/) override { --depth_; }
    void counter(unsigned /*number*/, std::string_view /*name*/, std::uint64_t /*cycle*/, double /*value*/) override {}
    void note(std::string_view /*name*/, std::span<const TimelineArgument> /*facts*/) override {}
    void flush() override {}

    std::vector<std::string> lines;

private:
    std::size_t depth_ = 0;
};

CommandNote tile(std::uint64_t begin, std::uint64_t end) {
    CommandNote note{.unit = MachineUnit::mac_array, .operation = 0, .begin = begin, .end = end};
    note.what = "int4";
    note.m = 4;
    note.n = 2;
    note.k = 8;
    note.passes = 1;
    note.amount = 64;
    return note;
}

WatchedOperationPtr label(const std::string& name) {
    return std::make_shared<WatchedOperation>(WatchedOperation{name, {}});
}

using Lines = std::vector<std::string>;

TEST(UnitTrack, NestsCommandsInOperationsAndSaysWhatIsWaitedFor) {
    Notes out;
    UnitTrack track(MachineUnit::mac_array, 1, 4);
    const WatchedOperationPtr a = label("a forward");
    CommandNote starved = tile(20, 30);
    starved.wait_begin = 22;
    starved.wait = 3;
    track.add(out, tile(5, 15), MachineUnit::load, 0, a);
    track.add(out, starved, MachineUnit::store, 0, a);
    track.add(out, tile(33, 34), std::nullopt, 0, label("b dx"));
    track.finish(out);
    EXPECT_EQ(
        out.lines,
        (Lines{"stall 0-5 waits for load", "operation 5-30 a forward operation=0 commands=2 cycles=20 batch=1",
               " command 5-15 4x2x8 int4 cycles=10 macs=64 m=4 n=2 k=8 passes=1", " stall 15-20 waits for store",
               " command 20-30 4x2x8 int4 cycles=10 macs=64 m=4 n=2 k=8 passes=1 "
               "waiting_for_scratchpad=3",
               "  stall 22-25 waits for scratchpad", "operation 33-34 b dx operation=0 commands=1 cycles=1 batch=1",
               " command 33-34 4x2x8 int4 cycles=1 macs=64 m=4 n=2 k=8 passes=1"}));
    EXPECT_EQ(track.merged(), 0U);
}

// With at most 2 * 1 slices: the third command makes pairs of the first two and opens a new slice, which takes the
// fourth; the fifth makes one of all four.
TEST(UnitTrack, JoinsNeighboursWhenThereAreTooMany) {
    Notes out;
    UnitTrack track(MachineUnit::mac_array, 1, 1);
    const WatchedOperationPtr a = label("a");
    for (std::uint64_t i = 0; i < 5; ++i) {
        track.add(out, tile(10 * i, 10 * i + 8), MachineUnit::load, 0, a);
    }
    track.finish(out);
    EXPECT_EQ(out.lines, (Lines{"operation 0-48 a operation=0 commands=5 cycles=40 batch=1",
                                " command 0-38 4 tiles cycles=32 macs=256 commands=4", " stall 38-40 waits for load",
                                " command 40-48 4x2x8 int4 cycles=8 macs=64 m=4 n=2 k=8 passes=1"}));
    EXPECT_EQ(track.commands(), 5U);
    EXPECT_EQ(track.merged(), 4U);
}

// Transfers overlap in their engine: each counts from when it is the oldest.
TEST(UnitTrack, TransfersDoNotOverlap) {
    Notes out;
    UnitTrack track(MachineUnit::load, 1, 4);
    const WatchedOperationPtr a = label("a");
    CommandNote first{.unit = MachineUnit::load, .operation = 0, .begin = 1, .end = 10, .what = "left"};
    first.amount = 100;
    CommandNote second = first;
    second.begin = 3;
    second.end = 12;
    track.add(out, first, std::nullopt, 6, a);
    track.add(out, second, std::nullopt, 0, a);
    track.finish(out);
    EXPECT_EQ(out.lines, (Lines{"operation 1-12 a operation=0 commands=2 cycles=11",
                                " command 1-10 100 B to left cycles=9 bytes=100 waiting=6",
                                " command 10-12 100 B to left cycles=2 bytes=100"}));
}

TEST(SpellTrack, JoinsWhatIsClosestAndKeepsTheSum) {
    SpellTrack track(1);
    constexpr std::uint64_t spells = 100'000;
    for (std::uint64_t i = 0; i < spells; ++i) {
        track.add(100 * i, 100 * i + 1 + i % 50);
    }
    Notes out;
    track.write(out);
    EXPECT_LE(out.lines.size(), SpellTrack::most_slices);
    std::uint64_t busy = 0;
    std::uint64_t last_end = 0;
    for (const std::string& line : out.lines) {
        unsigned long long begin = 0;
        unsigned long long end = 0;
        unsigned long long cycles = 0;
        ASSERT_EQ(std::sscanf(line.c_str(), "busy %llu-%llu busy cycles=%llu", &begin, &end, &cycles), 3);
        EXPECT_GE(begin, last_end);
        EXPECT_LE(cycles, end - begin);
        last_end = end;
        busy += cycles;
    }
    EXPECT_EQ(busy, spells / 50 * (50 * 51 / 2));
}

}  // namespace
}  // namespace nibble
