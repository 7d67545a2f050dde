// SPDX-License-Identifier: MIT
// Both writers against readers of the test's own.
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/timeline/json_timeline_writer.h"
#include "sim/timeline/perfetto_timeline_writer.h"

namespace nibble {
namespace {

/// The same little timeline for both: two tracks, nested slices, a counter. A cycle takes 640 ps.
void write_sample(TimelineWriter& out) {
    out.name_machine("machine: m", "a label");
    out.name_track(1, "first");
    out.name_track(2, "second");
    out.begin(1,
              {"outer \"<b>\x01", "operation", 0, 100, std::array{TimelineArgument{"text", std::string_view("a\\b")}}});
    out.slice(1, {"inner", "command", 0, 10, std::array{TimelineArgument{"cycles", std::uint64_t{10}}}});
    out.slice(1, {"inner", "command", 10, 100, std::array{TimelineArgument{"cycles", std::uint64_t{90}}}});
    out.end(1);
    out.slice(2, {"other", "stall", 5, 6});
    out.counter(0, "power W", 100, 1.5);
    out.flush();
}

TEST(JsonTimelineWriter, WritesEventsWithTimesInMicroseconds) {
    std::ostringstream text;
    JsonTimelineWriter writer(text, 7, 640);
    write_sample(writer);
    const nlohmann::json events = nlohmann::json::parse("[" + text.str().substr(1) + "]");
    ASSERT_EQ(events.size(), 3U + 2 * 2 + 4 + 1);
    for (const auto& event : events) {
        EXPECT_EQ(event["pid"], 7);
    }
    EXPECT_EQ(events[0]["name"], "process_name");
    EXPECT_EQ(events[3]["args"]["name"], "first");
    const auto& outer = events[7];
    EXPECT_EQ(outer["ph"], "X");
    EXPECT_EQ(outer["name"], "outer \"<b>\x01");
    EXPECT_EQ(outer["cat"], "operation");
    EXPECT_EQ(outer["args"]["text"], "a\\b");
    EXPECT_EQ(outer["dur"], 0.064);  // 100 cycles of 640 ps
    // 10 cycles are 6.4 ns, cut to the nanosecond in which the cycle begins; what follows begins where this ends.
    EXPECT_EQ(events[8]["dur"], 0.006);
    EXPECT_EQ(events[9]["ts"], 0.006);
    EXPECT_EQ(events[9]["dur"], 0.058);
    EXPECT_EQ(events[10]["tid"], 2);
    EXPECT_EQ(events[11]["ph"], "C");
    EXPECT_EQ(events[11]["args"]["value"], 1.5);
}

/// One message of protocol buffers: numbers and byte strings by field, in order.
struct WireMessage {
    std::multimap<unsigned, std::uint64_t> numbers;
    std::multimap<unsigned, std::string> bytes;

    explicit WireMessage(std::string_view data) {
        const auto varint = [&] {
            std::uint64_t value = 0;
            for (unsigned shift = 0;; shift += 7) {
                const auto byte = static_cast<unsigned char>(data.at(0));
                data.remove_prefix(1);
                value |= std::uint64_t{byte & 0x7fU} << shift;
                if (byte < 0x80) {
                    return value;
                }
            }
        };
        while (!data.empty()) {
            const std::uint64_t key = varint();
            const auto field = static_cast<unsigned>(key >> 3U);
            switch (key & 7U) {
                case 0:
                    numbers.emplace(field, varint());
                    break;
                case 1: {
                    std::uint64_t value = 0;
                    for (unsigned i = 0; i < 8; ++i) {
                        value |= std::uint64_t{static_cast<unsigned char>(data.at(i))} << 8 * i;
                    }
                    numbers.emplace(field, value);
                    data.remove_prefix(8);
                    break;
                }
                default: {
                    EXPECT_EQ(key & 7U, 2U);
                    const std::uint64_t size = varint();
                    EXPECT_LE(size, data.size());
                    bytes.emplace(field, data.substr(0, size));
                    data.remove_prefix(size);
                }
            }
        }
    }
    [[nodiscard]] std::uint64_t number(unsigned field) const {
        return numbers.contains(field) ? numbers.find(field)->second : 0;
    }
    [[nodiscard]] WireMessage message(unsigned field) const { return WireMessage(bytes.find(field)->second); }
};

// Numbers of fields as in Perfetto's trace.proto and what it includes.
TEST(PerfettoTimelineWriter, CanBeReadByTheFormatsRules) {
    std::ostringstream text;
    PerfettoTimelineWriter writer(text, 7, 3, 640);
    write_sample(writer);
    const WireMessage trace(text.str());
    std::map<std::uint64_t, std::string> names;               // of events, by number
    std::map<std::uint64_t, std::vector<std::string>> story;  // of each track
    std::map<std::uint64_t, std::string> tracks;
    bool first = true;
    for (auto [packet, end] = trace.bytes.equal_range(1); packet != end; ++packet) {
        const WireMessage fields(packet->second);
        EXPECT_EQ(fields.number(10), 3U);               // trusted_packet_sequence_id
        EXPECT_EQ(fields.number(13), first ? 1U : 2U);  // cleared once, needed ever after
        first = false;
        if (fields.bytes.contains(60)) {  // track_descriptor
            const WireMessage track = fields.message(60);
            tracks[track.number(1)] = track.bytes.contains(2) ? track.bytes.find(2)->second : "";
        }
        if (fields.bytes.contains(12)) {  // interned_data.event_names
            const WireMessage interned = fields.message(12);
            for (auto [name, last] = interned.bytes.equal_range(2); name != last; ++name) {
                const WireMessage entry(name->second);
                names[entry.number(1)] = entry.bytes.find(2)->second;
            }
        }
        if (fields.bytes.contains(11)) {  // track_event
            const WireMessage event = fields.message(11);
            std::string what = std::to_string(fields.number(8)) + ' ';
            if (event.number(9) == 1) {
                what += "begin " + names.at(event.number(10));
                for (auto [note, last] = event.bytes.equal_range(4); note != last; ++note) {
                    what += " " + std::to_string(WireMessage(note->second).number(3));
                }
            } else if (event.number(9) == 2) {
                what += "end";
            } else {
                what += std::to_string(std::bit_cast<double>(event.number(44)));
            }
            story[event.number(11)].push_back(what);
        }
    }
    std::map<std::string, std::vector<std::string>> by_name;
    for (const auto& [track, events] : story) {
        by_name[tracks.at(track)] = events;
    }
    using Events = std::vector<std::string>;
    EXPECT_EQ(by_name["first"], (Events{"0 begin outer \"<b>\x01 0", "0 begin inner 10", "6 end", "6 begin inner 90",
                                        "64 end", "64 end"}));
    EXPECT_EQ(by_name["second"], (Events{"3 begin other", "3 end"}));  // 3.2 and 3.84 ns
    EXPECT_EQ(by_name["power W"], Events{"64 1.500000"});
}

}  // namespace
}  // namespace nibble
