// SPDX-License-Identifier: MIT
// How full the scratchpad is never goes below nothing or beyond what software has set aside, on random machines and
// traces, and everything that is taken is freed.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/lowering/recipe.h"
#include "sim/timeline/run_probe.h"
#include "tests/support/random_case.h"
#include "tests/support/run_trace.h"

namespace nibble {
namespace {

/// Keeps the books of the scratchpad, change by change, in the order in which it is told of them.
class RoomBooks final : public Probe {
public:
    explicit RoomBooks(const ScratchpadParameters& scratchpad)
        : most_tiles_(scratchpad.capacity_bytes - scratchpad.resident_bytes),
          most_resident_(scratchpad.resident_bytes) {}

    void scratchpad_room(const RoomNote& room) override {
        recorder_.scratchpad_room(room);
        tiles_ = tiles_ + room.tiles_taken - room.tiles_freed;
        resident_ = resident_ + room.resident_taken - room.resident_freed;
        taken_ += room.tiles_taken + room.resident_taken;
        // Below nothing is above everything: the numbers have no sign.
        EXPECT_LE(tiles_, most_tiles_);
        EXPECT_LE(resident_, most_resident_);
        story_ += fmt::format("{} {}\n", tiles_, resident_);
    }
    void cycles_passed(std::uint64_t first, std::uint64_t cycles, const UnitActivities& activities,
                       Cause cause) override {
        recorder_.cycles_passed(first, cycles, activities, cause);
        tile_byte_cycles_ += tiles_ * cycles;
        resident_byte_cycles_ += resident_ * cycles;
    }

    void operation_opened(const OpRecord& record) override { recorder_.operation_opened(record); }
    void operation_retired(const OpRecord& record) override { recorder_.operation_retired(record); }
    void counted(Counter counter, std::uint64_t amount) override { recorder_.counted(counter, amount); }
    void issued(MachineUnit unit, std::optional<MachineUnit> waited_for) override {
        recorder_.issued(unit, waited_for);
    }
    void command_done(const CommandNote& command) override { recorder_.command_done(command); }
    void lines_served(const LineNote& lines) override { recorder_.lines_served(lines); }
    void memory_moved(Counter direction, std::uint64_t cycle, std::uint64_t bytes) override {
        recorder_.memory_moved(direction, cycle, bytes);
    }
    [[nodiscard]] std::uint64_t memory_note_due() const override { return recorder_.memory_note_due(); }
    void memory_counted(const MemoryNote& note) override { recorder_.memory_counted(note); }

    /// After the run: nothing is left, and the series says what happened.
    void finish() {
        recorder_.finish();
        EXPECT_EQ(tiles_, 0U);
        EXPECT_EQ(resident_, 0U);
        EXPECT_GT(taken_, 0U);
        SeriesBucket sum;
        for (const SeriesBucket& bucket : recorder_.series().buckets) {
            sum += bucket;
        }
        EXPECT_EQ(sum.tile_byte_cycles, tile_byte_cycles_);
        EXPECT_EQ(sum.resident_byte_cycles, resident_byte_cycles_);
    }

    [[nodiscard]] const std::string& story() const { return story_; }

private:
    RunProbe recorder_{1, nullptr};
    std::uint64_t most_tiles_, most_resident_;
    std::uint64_t tiles_ = 0, resident_ = 0;  // bytes
    std::uint64_t taken_ = 0;
    std::uint64_t tile_byte_cycles_ = 0, resident_byte_cycles_ = 0;
    std::string story_;
};

class ScratchpadBooks : public testing::TestWithParam<std::uint64_t> {
protected:
    static constexpr std::uint64_t cases_per_test = 50;
    const std::vector<std::uint64_t> tile_bytes{24576, 32768, 49152};
};

TEST_P(ScratchpadBooks, IsNeverExceededAndAlwaysGivenBack) {
    for (std::uint64_t seed = GetParam(); seed < GetParam() + cases_per_test; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::RandomCase random(seed);
        MachineParameters machine = random.machine();
        if (!machine.scratchpad.buffers) {  // so little that operations wait for each other's room
            machine.scratchpad.capacity_bytes = machine.scratchpad.resident_bytes + random.one_of(tile_bytes);
        }
        const test::TraceFile trace(random.trace());
        LoweringOptions lowering;
        lowering.recipe = find_recipe(random.one_of(recipe_names()));
        const auto watched = [&](RunOptions options) {
            return test::simulate([&] {
                RoomBooks books(machine.scratchpad);
                options.probe = &books;
                static_cast<void>(test::run_here(trace.path(), machine, lowering, options));
                books.finish();
                return books.story();
            });
        };
        const std::string skipping = watched({.skipping = true});
        EXPECT_EQ(watched({.skipping = false}), skipping);
        RunOptions shuffled;
        std::mt19937_64 order(seed);
        std::shuffle(shuffled.construction_order.begin(), shuffled.construction_order.end(), order);
        EXPECT_EQ(watched(shuffled), skipping);
    }
}

INSTANTIATE_TEST_SUITE_P(From, ScratchpadBooks, testing::Range<std::uint64_t>(40000, 40400, 50));

}  // namespace
}  // namespace nibble
