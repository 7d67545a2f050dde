// SPDX-License-Identifier: MIT
#include "sim/timeline/perfetto_timeline_writer.h"

#include <bit>
#include <cstddef>

#include "sim/base/error.h"

namespace nibble {

namespace {

// Numbers of fields, from protos/perfetto/trace: trace.proto, trace_packet.proto, track_event/track_event.proto,
// track_event/track_descriptor.proto, process_descriptor.proto, thread_descriptor.proto,
// track_event/debug_annotation.proto, interned_data/interned_data.proto.
namespace trace {
constexpr unsigned packet = 1;
}
namespace packet_field {
constexpr unsigned timestamp = 8;
constexpr unsigned sequence = 10;
constexpr unsigned track_event = 11;
constexpr unsigned interned_data = 12;
constexpr unsigned sequence_flags = 13;
constexpr unsigned track_descriptor = 60;
}  // namespace packet_field
namespace event {
constexpr unsigned categories = 3;
constexpr unsigned annotations = 4;
constexpr unsigned type = 9;
constexpr unsigned name = 10;
constexpr unsigned track = 11;
constexpr unsigned plain_name = 23;
constexpr unsigned counter_value = 44;
constexpr std::uint64_t slice_begin = 1;
constexpr std::uint64_t slice_end = 2;
constexpr std::uint64_t is_counter = 4;
}  // namespace event
namespace descriptor {
constexpr unsigned id = 1;
constexpr unsigned name = 2;
constexpr unsigned process = 3;
constexpr unsigned thread = 4;
constexpr unsigned parent = 5;
constexpr unsigned counter = 8;
}  // namespace descriptor
namespace process_field {
constexpr unsigned pid = 1;
constexpr unsigned name = 6;
constexpr unsigned labels = 8;
}  // namespace process_field
namespace thread_field {
constexpr unsigned pid = 1;
constexpr unsigned tid = 2;
constexpr unsigned name = 5;
}  // namespace thread_field
namespace annotation_field {
constexpr unsigned name = 1;
constexpr unsigned number = 3;
constexpr unsigned text = 6;
constexpr unsigned plain_name = 10;
}  // namespace annotation_field
namespace interned_field {
constexpr unsigned categories = 1;
constexpr unsigned event_names = 2;
constexpr unsigned annotation_names = 3;
constexpr unsigned number = 1;
constexpr unsigned name = 2;
}  // namespace interned_field

// Wire types of protocol buffers.
constexpr unsigned varint_type = 0;
constexpr unsigned fixed64_type = 1;
constexpr unsigned bytes_type = 2;

void varint(std::string& out, std::uint64_t value) {
    constexpr std::uint64_t low = 0x7f;
    constexpr std::uint64_t more = 0x80;
    constexpr unsigned bits = 7;
    for (; value > low; value >>= bits) {
        out += static_cast<char>((value & low) | more);
    }
    out += static_cast<char>(value);
}

void key(std::string& out, unsigned field, unsigned type) {
    constexpr unsigned bits_of_type = 3;
    varint(out, (field << bits_of_type) | type);
}

void number(std::string& out, unsigned field, std::uint64_t value) {
    key(out, field, varint_type);
    varint(out, value);
}

void bytes(std::string& out, unsigned field, std::string_view value) {
    key(out, field, bytes_type);
    varint(out, value.size());
    out += value;
}

void real(std::string& out, unsigned field, double value) {
    key(out, field, fixed64_type);
    constexpr unsigned bits_of_byte = 8;
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof bits; ++i, bits >>= bits_of_byte) {
        out += static_cast<char>(bits & 0xffU);
    }
}

/// A name and its number, as an element of interned data.
void interned_name(std::string& interned, unsigned field, std::uint64_t id, std::string_view name) {
    std::string entry;
    number(entry, interned_field::number, id);
    bytes(entry, interned_field::name, name);
    bytes(interned, field, entry);
}

// Tracks of all processes are numbered together.
constexpr std::uint64_t ids_of_process = 1000;
constexpr std::uint64_t first_counter = 500;

}  // namespace

PerfettoTimelineWriter::PerfettoTimelineWriter(std::ostream& out, unsigned process, unsigned sequence,
                                               std::uint64_t clock_period_ps)
    : out_(out), process_(process), sequence_(sequence), period_ps_(clock_period_ps) {}

/// Number of a name, from 1; 0 if there are too many to remember another one.
std::uint64_t PerfettoTimelineWriter::Names::find_or_add(std::string_view name, bool& added) {
    added = false;
    const auto found = numbers.find(std::string(name));
    if (found != numbers.end()) {
        return found->second;
    }
    if (numbers.size() >= most_names) {
        return 0;
    }
    added = true;
    const std::uint64_t id = numbers.size() + 1;
    numbers.emplace(name, id);
    return id;
}

std::uint64_t PerfettoTimelineWriter::track_id(unsigned track) const {
    return process_ * ids_of_process + track;
}

std::uint64_t PerfettoTimelineWriter::counter_id(unsigned number) const {
    return process_ * ids_of_process + first_counter + number;
}

void PerfettoTimelineWriter::name_machine(std::string_view name, std::string_view label) {
    std::string process;
    number(process, process_field::pid, process_);
    bytes(process, process_field::name, name);
    bytes(process, process_field::labels, label);
    std::string track;
    number(track, descriptor::id, process_ * ids_of_process);
    bytes(track, descriptor::process, process);
    std::string fields;
    bytes(fields, packet_field::track_descriptor, track);
    packet(fields);
}

void PerfettoTimelineWriter::name_track(unsigned track, std::string_view name) {
    std::string thread;
    number(thread, thread_field::pid, process_);
    number(thread, thread_field::tid, track_id(track));
    bytes(thread, thread_field::name, name);
    std::string described;
    number(described, descriptor::id, track_id(track));
    bytes(described, descriptor::name, name);
    bytes(described, descriptor::thread, thread);
    std::string fields;
    bytes(fields, packet_field::track_descriptor, described);
    packet(fields);
}

std::string PerfettoTimelineWriter::annotation(const TimelineArgument& argument, std::string& interned) {
    std::string encoded;
    bool added = false;
    const std::uint64_t id = argument_names_.find_or_add(argument.name, added);
    if (added) {
        interned_name(interned, interned_field::annotation_names, id, argument.name);
    }
    if (id > 0) {
        number(encoded, annotation_field::name, id);
    } else {
        bytes(encoded, annotation_field::plain_name, argument.name);
    }
    if (const auto* value = std::get_if<std::uint64_t>(&argument.value)) {
        number(encoded, annotation_field::number, *value);
    } else {
        bytes(encoded, annotation_field::text, std::get<std::string_view>(argument.value));
    }
    return encoded;
}

void PerfettoTimelineWriter::begin(unsigned track, const TimelineSlice& slice) {
    std::string encoded;
    std::string interned;
    number(encoded, event::type, event::slice_begin);
    number(encoded, event::track, track_id(track));
    bool added = false;
    const std::uint64_t category = categories_.find_or_add(slice.category, added);
    if (added) {
        interned_name(interned, interned_field::categories, category, slice.category);
    }
    number(encoded, event::categories, category);
    const std::uint64_t name = event_names_.find_or_add(slice.name, added);
    if (added) {
        interned_name(interned, interned_field::event_names, name, slice.name);
    }
    if (name > 0) {
        number(encoded, event::name, name);
    } else {
        bytes(encoded, event::plain_name, slice.name);
    }
    for (const TimelineArgument& argument : slice.arguments) {
        bytes(encoded, event::annotations, annotation(argument, interned));
    }
    open_[track].push_back(slice.end);
    event_packet(slice.begin, encoded, interned);
}

void PerfettoTimelineWriter::end(unsigned track) {
    std::vector<std::uint64_t>& open = open_[track];
    if (open.empty()) {
        throw ModelError("a timeline's slice ends that has not begun");
    }
    std::string encoded;
    number(encoded, event::type, event::slice_end);
    number(encoded, event::track, track_id(track));
    event_packet(open.back(), encoded, {});
    open.pop_back();
}

void PerfettoTimelineWriter::counter(unsigned number_of_counter, std::string_view name, std::uint64_t cycle,
                                     double value) {
    if (!counters_[number_of_counter]) {
        counters_[number_of_counter] = true;
        std::string track;
        number(track, descriptor::id, counter_id(number_of_counter));
        number(track, descriptor::parent, process_ * ids_of_process);
        bytes(track, descriptor::name, name);
        bytes(track, descriptor::counter, {});
        std::string fields;
        bytes(fields, packet_field::track_descriptor, track);
        packet(fields);
    }
    std::string encoded;
    number(encoded, event::type, event::is_counter);
    number(encoded, event::track, counter_id(number_of_counter));
    real(encoded, event::counter_value, value);
    event_packet(cycle, encoded, {});
}

void PerfettoTimelineWriter::event_packet(std::uint64_t cycle, const std::string& encoded,
                                          const std::string& interned) {
    std::string fields;
    number(fields, packet_field::timestamp, nanosecond_of(cycle, period_ps_));
    if (!interned.empty()) {
        bytes(fields, packet_field::interned_data, interned);
    }
    bytes(fields, packet_field::track_event, encoded);
    packet(fields);
}

void PerfettoTimelineWriter::packet(const std::string& fields) {
    constexpr std::size_t most_bytes = std::size_t{64} << 10U;
    constexpr std::uint64_t state_cleared = 1;  // SEQ_INCREMENTAL_STATE_CLEARED: numbers of names begin here
    constexpr std::uint64_t needs_state = 2;    // SEQ_NEEDS_INCREMENTAL_STATE
    std::string whole = fields;
    number(whole, packet_field::sequence, sequence_);
    number(whole, packet_field::sequence_flags, started_ ? needs_state : state_cleared);
    started_ = true;
    bytes(buffer_, trace::packet, whole);
    if (buffer_.size() > most_bytes) {
        flush();
    }
}

void PerfettoTimelineWriter::flush() {
    out_ << buffer_;
    buffer_.clear();
}

}  // namespace nibble
