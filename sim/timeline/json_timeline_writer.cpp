// SPDX-License-Identifier: MIT
#include "sim/timeline/json_timeline_writer.h"

#include <array>
#include <cstddef>
#include <iterator>

#include <fmt/format.h>

namespace nibble {

JsonTimelineWriter::JsonTimelineWriter(std::ostream& out, unsigned process, std::uint64_t clock_period_ps)
    : out_(out), process_(process), period_ps_(clock_period_ps) {}

void JsonTimelineWriter::name_machine(std::string_view name, std::string_view label) {
    metadata("process_name", 0, std::array{TimelineArgument{"name", name}});
    metadata("process_labels", 0, std::array{TimelineArgument{"labels", label}});
    metadata("process_sort_index", 0, std::array{TimelineArgument{"sort_index", std::uint64_t{process_}}});
}

void JsonTimelineWriter::name_track(unsigned track, std::string_view name) {
    metadata("thread_name", track, std::array{TimelineArgument{"name", name}});
    metadata("thread_sort_index", track, std::array{TimelineArgument{"sort_index", std::uint64_t{track}}});
}

void JsonTimelineWriter::begin(unsigned track, const TimelineSlice& slice) {
    fmt::format_to(std::back_inserter(buffer_), ",\n{{\"ph\":\"X\",\"pid\":{},\"tid\":{},\"ts\":", process_, track);
    const std::uint64_t begin = nanosecond_of(slice.begin, period_ps_);
    time(begin);
    buffer_ += ",\"dur\":";
    time(nanosecond_of(slice.end, period_ps_) - begin);
    buffer_ += ",\"cat\":";
    text(slice.category);
    buffer_ += ",\"name\":";
    text(slice.name);
    arguments(slice.arguments);
    close();
}

void JsonTimelineWriter::counter(unsigned /*number*/, std::string_view name, std::uint64_t cycle, double value) {
    fmt::format_to(std::back_inserter(buffer_), ",\n{{\"ph\":\"C\",\"pid\":{},\"ts\":", process_);
    time(nanosecond_of(cycle, period_ps_));
    buffer_ += ",\"name\":";
    text(name);
    fmt::format_to(std::back_inserter(buffer_), ",\"args\":{{\"value\":{:.6g}}}", value);
    close();
}

void JsonTimelineWriter::note(std::string_view name, std::span<const TimelineArgument> facts) {
    metadata(name, 0, facts);
}

void JsonTimelineWriter::metadata(std::string_view name, unsigned track, std::span<const TimelineArgument> facts) {
    fmt::format_to(std::back_inserter(buffer_), ",\n{{\"ph\":\"M\",\"pid\":{},\"tid\":{},\"name\":", process_, track);
    text(name);
    arguments(facts);
    close();
}

void JsonTimelineWriter::arguments(std::span<const TimelineArgument> list) {
    buffer_ += ",\"args\":{";
    const char* separator = "";
    for (const TimelineArgument& argument : list) {
        buffer_ += separator;
        separator = ",";
        text(argument.name);
        buffer_ += ':';
        if (const auto* number = std::get_if<std::uint64_t>(&argument.value)) {
            fmt::format_to(std::back_inserter(buffer_), "{}", *number);
        } else {
            text(std::get<std::string_view>(argument.value));
        }
    }
    buffer_ += '}';
}

void JsonTimelineWriter::text(std::string_view utf8) {
    constexpr unsigned char first_plain = 0x20;
    buffer_ += '"';
    for (const char c : utf8) {
        if (c == '"' || c == '\\') {
            buffer_ += '\\';
            buffer_ += c;
        } else if (static_cast<unsigned char>(c) < first_plain) {
            fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            buffer_ += c;
        }
    }
    buffer_ += '"';
}

void JsonTimelineWriter::time(std::uint64_t nanoseconds) {
    constexpr std::uint64_t in_microsecond = 1000;
    fmt::format_to(std::back_inserter(buffer_), "{}.{:03}", nanoseconds / in_microsecond, nanoseconds % in_microsecond);
}

void JsonTimelineWriter::close() {
    constexpr std::size_t most_bytes = std::size_t{64} << 10U;
    buffer_ += '}';
    if (buffer_.size() > most_bytes) {
        flush();
    }
}

void JsonTimelineWriter::flush() {
    out_ << buffer_;
    buffer_.clear();
}

}  // namespace nibble
