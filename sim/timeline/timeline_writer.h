// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "sim/base/units.h"

namespace nibble {

/// What a slice says beside its name; numbers and text.
struct TimelineArgument {
    std::string_view name;  ///< letters and underscores
    std::variant<std::uint64_t, std::string_view> value;
};

/// A span of cycles on a track. Slices of a track lie in one another or side by side.
struct TimelineSlice {
    std::string_view name;  ///< UTF-8
    std::string_view category;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::span<const TimelineArgument> arguments{};
};

/// What slices mean; by these names readers know them.
namespace timeline_category {
inline constexpr std::string_view operation = "operation";  ///< all commands of one operation in a unit, around them
inline constexpr std::string_view command = "command";      ///< one or several commands; argument cycles: at work
inline constexpr std::string_view busy = "busy";            ///< a unit at work, whatever for; argument cycles: at work
inline constexpr std::string_view stall = "stall";          ///< a unit has to wait; the name says for what
inline constexpr std::string_view retired = "retired";      ///< an operation's cycles, from one retirement to the next
}  // namespace timeline_category

/// Writes one machine's part of a timeline, in one of the formats. A machine is a process, its tracks are threads.
class TimelineWriter {
public:
    virtual ~TimelineWriter() = default;

    /// Names the machine; `label` is for people.
    virtual void name_machine(std::string_view name, std::string_view label) = 0;
    /// Tracks are shown in the order of their numbers, which begin with 1.
    virtual void name_track(unsigned track, std::string_view name) = 0;
    /// Within a track slices begin in order, each after all that lie before it have ended.
    virtual void begin(unsigned track, const TimelineSlice& slice) = 0;
    /// Ends the slice that began last and has not ended.
    virtual void end(unsigned track) = 0;
    /// A value from this cycle on. `number` tells counters apart, from 0.
    virtual void counter(unsigned number, std::string_view name, std::uint64_t cycle, double value) = 0;
    /// Facts for programs that read the file.
    virtual void note(std::string_view name, std::span<const TimelineArgument> facts) = 0;
    virtual void flush() = 0;

    void slice(unsigned track, const TimelineSlice& slice) {
        begin(track, slice);
        end(track);
    }
};

/// The nanosecond in which a cycle begins: what both formats resolve.
[[nodiscard]] constexpr std::uint64_t nanosecond_of(std::uint64_t cycle, std::uint64_t clock_period_ps) {
    constexpr std::uint64_t picoseconds = 1000;
    return scaled(cycle, clock_period_ps, picoseconds);
}

}  // namespace nibble
