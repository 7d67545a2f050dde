// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "sim/report/result.h"
#include "sim/timeline/timeline_writer.h"

namespace nibble {

/// Both of Perfetto's formats. By name: FILE.json and FILE.pftrace, and compressed JSON otherwise.
enum class TimelineFormat : std::uint8_t { json, json_gz, native };
[[nodiscard]] TimelineFormat timeline_format_of(const std::string& path);

/// Writes the events of the `process`-th machine, from 1, to be put into a file by write_timeline().
[[nodiscard]] std::unique_ptr<TimelineWriter> make_timeline_writer(TimelineFormat format, std::ostream& out,
                                                                   unsigned process, std::uint64_t clock_period_ps);

/// One machine's run.
struct TimelinePart {
    std::string_view role;  ///< machine, baseline
    const Subject* subject = nullptr;
    const RunSummary* summary = nullptr;  ///< with its series
    std::filesystem::path events;         ///< what a writer of make_timeline_writer() has written
};

/// Makes the file of all machines' events, in their order, with counters of what happened over time: memory bandwidth,
/// row hits, scratchpad bandwidth, power, and how busy units were. Throws InputError if it cannot be written.
void write_timeline(const std::filesystem::path& path, TimelineFormat format, const Setup& setup,
                    std::span<const TimelinePart> parts);

}  // namespace nibble
