// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/timeline/timeline_writer.h"

namespace nibble {

/// Perfetto's own format: a Trace of TracePackets with TrackEvents (protos/perfetto/trace in the Perfetto repository),
/// encoded by hand. Packets of several writers, one after the other, are one trace, if each has a `sequence` of its
/// own.
class PerfettoTimelineWriter final : public TimelineWriter {
public:
    PerfettoTimelineWriter(std::ostream& out, unsigned process, unsigned sequence, std::uint64_t clock_period_ps);

    void name_machine(std::string_view name, std::string_view label) override;
    void name_track(unsigned track, std::string_view name) override;
    void begin(unsigned track, const TimelineSlice& slice) override;
    void end(unsigned track) override;
    void counter(unsigned number, std::string_view name, std::uint64_t cycle, double value) override;
    /// Facts of interest to programs are not part of this format.
    void note(std::string_view /*name*/, std::span<const TimelineArgument> /*facts*/) override {}
    void flush() override;

private:
    /// Names that were used before are referred to by number, up to so many.
    static constexpr std::size_t most_names = 65536;
    struct Names {
        std::unordered_map<std::string, std::uint64_t> numbers;
        [[nodiscard]] std::uint64_t find_or_add(std::string_view name, bool& added);
    };

    [[nodiscard]] std::uint64_t track_id(unsigned track) const;
    [[nodiscard]] std::uint64_t counter_id(unsigned number) const;
    [[nodiscard]] std::string annotation(const TimelineArgument& argument, std::string& interned);
    void event_packet(std::uint64_t cycle, const std::string& event, const std::string& interned);
    void packet(const std::string& fields);

    std::ostream& out_;
    unsigned process_;
    unsigned sequence_;
    std::uint64_t period_ps_;
    bool started_ = false;
    Names event_names_;
    Names argument_names_;
    Names categories_;
    std::map<unsigned, std::vector<std::uint64_t>> open_;  // cycles at which the open slices of each track end
    std::map<unsigned, bool> counters_;                    // that have been described
    std::string buffer_;
};

}  // namespace nibble
