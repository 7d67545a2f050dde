// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/counters/probe.h"
#include "sim/counters/series.h"
#include "sim/timeline/spell_track.h"
#include "sim/timeline/timeline_writer.h"
#include "sim/timeline/unit_track.h"
#include "sim/timeline/watched_operation.h"

namespace nibble {

/// Records a run over time, and, if there is a writer, its timeline.
class RunProbe final : public Probe {
public:
    /// Slices of all commands that a timeline may have, about, and the least that an operation gets of them in a unit.
    static constexpr std::uint64_t slices_of_commands = 300'000;
    static constexpr std::size_t least_slices = 4;
    static constexpr std::size_t most_slices = 1024;
    /// Characters of a name; what is longer is cut.
    static constexpr std::size_t longest_name = 200;

    /// `operations`: that the run will have; decides how many slices one may have. `timeline` may be null.
    RunProbe(std::uint64_t operations, TimelineWriter* timeline);

    void operation_opened(const OpRecord& record) override;
    void operation_retired(const OpRecord& record) override;
    void counted(Counter counter, std::uint64_t amount) override;
    void issued(MachineUnit unit, std::optional<MachineUnit> waited_for) override;
    void scratchpad_room(const RoomNote& room) override;
    void command_done(const CommandNote& command) override;
    void lines_served(const LineNote& lines) override;
    void memory_moved(Counter direction, std::uint64_t cycle, std::uint64_t bytes) override;
    [[nodiscard]] std::uint64_t memory_note_due() const override;
    void memory_counted(const MemoryNote& note) override;
    void cycles_passed(std::uint64_t first, std::uint64_t cycles, const UnitActivities& activities,
                       Cause cause) override;

    /// The run has ended: writes what is left of the timeline.
    void finish();

    [[nodiscard]] const Series& series() const { return series_.series(); }

private:
    /// What a unit has been doing, and since when.
    struct Spell {
        std::uint64_t begin = 0;
        Activity activity = Activity::idle;
        std::uint64_t waited = 0;  ///< cycles in either kind of waiting, before begin
    };
    using Amounts = std::vector<std::pair<Counter, std::uint64_t>>;

    void name_tracks();
    void end_spell(std::size_t unit);
    void end_cause();
    void end_room();
    [[nodiscard]] std::uint64_t waited_so_far(std::size_t unit) const;
    void take_command(const CommandNote& command);
    [[nodiscard]] UnitTrack* track_of(MachineUnit unit);

    SeriesRecorder series_;
    TimelineWriter* timeline_;
    std::uint64_t passed_ = 0;  // cycles
    std::array<Spell, machine_unit_count> spells_{};
    UnitActivities activities_{};
    Cause cause_ = Cause::control;
    std::uint64_t cause_begin_ = 0;
    std::uint64_t tile_bytes_ = 0;                   // in the scratchpad, since room_begin_
    std::uint64_t resident_bytes_ = 0;               // likewise, of tensors that stay
    std::uint64_t room_begin_ = 0;                   // cycle
    RoomNote room_;                                  // that changed hands in the cycle that has not passed yet
    std::uint64_t memory_told_ = 0;                  // first cycle of which the memory has not told
    Amounts fresh_;                                  // counted in the cycle that has not passed yet
    std::array<Amounts, machine_unit_count> begun_;  // counted for the present command of each unit
    std::vector<CommandNote> done_;                  // in the cycle that has not passed yet

    std::deque<WatchedOperationPtr> open_;                                           // operations, in order
    std::uint64_t first_open_ = 0;                                                   // number of open_.front()
    std::uint64_t retired_at_ = 0;                                                   // cycle
    std::array<std::deque<std::optional<MachineUnit>>, machine_unit_count> issued_;  // and not done
    std::array<std::uint64_t, machine_unit_count> waited_{};  // waited_so_far() when the last command was done
    std::vector<UnitTrack> tracks_;
    std::array<std::optional<SpellTrack>, machine_unit_count> spell_tracks_;
};

}  // namespace nibble
