// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/counters/probe.h"
#include "sim/timeline/timeline_writer.h"
#include "sim/timeline/watched_operation.h"

namespace nibble {

/// The commands of one unit as slices: one around all commands of an operation, in it one for each command, and, where
/// the unit had to wait for one, a slice that says for which other unit. If an operation has more than twice
/// `most_slices` commands, two neighbours become one, as often as it takes; memory does not grow with their number.
///
/// Commands of a DMA engine overlap: each counts from when it is the oldest in the engine.
class UnitTrack {
public:
    UnitTrack(MachineUnit unit, unsigned track, std::size_t most_slices)
        : unit_(unit), track_(track), most_slices_(most_slices) {}

    [[nodiscard]] MachineUnit unit() const { return unit_; }
    [[nodiscard]] unsigned track() const { return track_; }

    /// The next command. `waited_for`: the unit that it was waiting for last before it was given to this one.
    /// `waiting`: of the cycles since the command before, those in which a DMA engine had nothing to pass on.
    void add(TimelineWriter& out, const CommandNote& command, std::optional<MachineUnit> waited_for,
             std::uint64_t waiting, const WatchedOperationPtr& operation);
    /// Writes what is left.
    void finish(TimelineWriter& out);

    [[nodiscard]] std::uint64_t commands() const { return commands_; }
    /// Commands that share a slice with others.
    [[nodiscard]] std::uint64_t merged() const { return merged_; }

private:
    /// One or several commands.
    struct Piece {
        CommandNote first;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t gap_begin = 0;  ///< the unit had nothing to do from here to begin
        std::optional<MachineUnit> waited_for{};
        std::uint64_t commands = 1;
        std::uint64_t cycles = 0;   ///< that the unit had a command
        std::uint64_t waiting = 0;  ///< of these, DMA only
        std::uint64_t starved = 0;  ///< of these, waiting for the scratchpad
        std::uint64_t amount = 0;
    };

    static void append(Piece& piece, const Piece& next);
    void halve();
    void write_operation(TimelineWriter& out);
    void write_gap(TimelineWriter& out, const Piece& piece) const;
    void write_piece(TimelineWriter& out, const Piece& piece) const;

    MachineUnit unit_;
    unsigned track_;
    std::size_t most_slices_;
    WatchedOperationPtr operation_;  // whose commands pieces_ are
    std::vector<Piece> pieces_;
    std::uint64_t commands_of_piece_ = 1;  // that a piece may have
    std::uint64_t last_end_ = 0;
    std::uint64_t commands_ = 0;
    std::uint64_t merged_ = 0;
};

}  // namespace nibble
