// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nibble {

/// What of a timeline is to be seen, in cycles of each machine.
struct TimelineWindow {
    std::uint64_t from = 0;
    std::optional<std::uint64_t> to{};  ///< first cycle that is left out; nothing: the end
    std::size_t columns = 60;           ///< into which the window is divided
};

/// One column of a lane.
struct TimelineCell {
    double busy = 0;     ///< cycles
    double stalled = 0;  ///< cycles
    double named = 0;    ///< cycles of the operation that takes the most of them
    std::string name;    ///< of that operation
};

/// One unit of a machine, or its operations as they retire.
struct TimelineLane {
    std::string name;
    double busy = 0;     ///< cycles in the window
    double stalled = 0;  ///< cycles in the window in which it had to wait for others
    std::vector<TimelineCell> cells;
};

/// One machine's window of a timeline. Memory grows with lanes and columns only.
struct MachineTimeline {
    std::string role;
    std::string name;
    std::uint64_t clock_period_ps = 0;
    std::uint64_t cycles = 0;  ///< of the run
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t commands = 0;
    std::uint64_t commands_in_shared_slices = 0;
    std::vector<TimelineLane> lanes;  ///< in the order of their tracks
};

/// Reads a timeline in JSON, plain or compressed, as write_timeline() makes it. Throws InputError if the file is
/// something else, is damaged, or has nothing in the window.
[[nodiscard]] std::vector<MachineTimeline> read_timeline(const std::filesystem::path& path,
                                                         const TimelineWindow& window);

}  // namespace nibble
