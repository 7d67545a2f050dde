// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "sim/timeline/timeline_writer.h"

namespace nibble {

/// Trace Event Format: each event one JSON object, behind a comma. Times are microseconds with three decimals.
class JsonTimelineWriter final : public TimelineWriter {
public:
    JsonTimelineWriter(std::ostream& out, unsigned process, std::uint64_t clock_period_ps);

    void name_machine(std::string_view name, std::string_view label) override;
    void name_track(unsigned track, std::string_view name) override;
    void begin(unsigned track, const TimelineSlice& slice) override;
    void end(unsigned /*track*/) override {}  // events say how long they take
    void counter(unsigned number, std::string_view name, std::uint64_t cycle, double value) override;
    void note(std::string_view name, std::span<const TimelineArgument> facts) override;
    void flush() override;

private:
    void metadata(std::string_view name, unsigned track, std::span<const TimelineArgument> facts);
    void text(std::string_view utf8);
    void arguments(std::span<const TimelineArgument> list);
    void time(std::uint64_t nanoseconds);
    void close();

    std::ostream& out_;
    unsigned process_;
    std::uint64_t period_ps_;
    std::string buffer_;
};

}  // namespace nibble
