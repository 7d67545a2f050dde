// SPDX-License-Identifier: MIT
#include "sim/timeline/timeline_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "sim/base/error.h"
#include "sim/import/pytorch/json_array_stream.h"
#include "sim/timeline/timeline_writer.h"

namespace nibble {

namespace {

namespace json = simdjson::dom;

// Machines of a file, and tracks of a machine: far more than nibblesim writes.
constexpr std::size_t most_machines = 16;
constexpr std::size_t most_lanes = 64;
constexpr std::uint64_t most_cycles = std::uint64_t{1} << 53U;

/// A lane, and what is needed while it is filled.
struct Lane {
    TimelineLane lane;
    double command_end = 0;  // cycle; what begins before lies in a command
};

struct Machine {
    MachineTimeline timeline;
    std::map<std::uint64_t, Lane> lanes;
};

class Reader {
public:
    Reader(const std::filesystem::path& path, const TimelineWindow& window)
        : stream_(ByteSource(path, {}), "traceEvents"), window_(window) {}

    std::vector<MachineTimeline> read() {
        while (stream_.next()) {
            json::element element;
            if (parser_.parse(stream_.element().data(), stream_.element().size(), false).get(element) !=
                simdjson::SUCCESS) {
                stream_.fail("event: expected a JSON object");
            }
            json::object event;
            if (element.get(event) != simdjson::SUCCESS) {
                stream_.fail("event: expected a JSON object");
            }
            take(event);
        }
        if (machines_.empty()) {
            stream_.fail("expected a timeline of nibblesim (run --timeline), found another program's");
        }
        std::vector<MachineTimeline> timelines;
        for (auto& [process, machine] : machines_) {
            for (auto& [track, lane] : machine.lanes) {
                machine.timeline.lanes.push_back(std::move(lane.lane));
            }
            timelines.push_back(std::move(machine.timeline));
        }
        return timelines;
    }

private:
    void take(const json::object& event) {
        const std::string_view phase = text_of(event, "ph");
        if (phase == "M") {
            take_fact(event);
        } else if (phase == "X") {
            take_slice(event);
        }
    }

    void take_fact(const json::object& event) {
        const std::string_view name = text_of(event, "name");
        json::object facts;
        if (event.at_key("args").get(facts) != simdjson::SUCCESS) {
            return;
        }
        if (name == "nibblesim_machine") {
            take_machine(number_of(event, "pid"), facts);
        } else if (name == "thread_name") {
            lane_of(event).lane.name = text_of(facts, "name");
        } else if (name == "nibblesim_coalescing") {
            MachineTimeline& timeline = machine_of(event).timeline;
            timeline.commands = number_of(facts, "commands");
            timeline.commands_in_shared_slices = number_of(facts, "commands_in_shared_slices");
        }
    }

    void take_machine(std::uint64_t process, const json::object& facts) {
        if (machines_.size() == most_machines || machines_.contains(process)) {
            stream_.fail("event: a machine too many, or the same one again");
        }
        MachineTimeline timeline;
        timeline.role = text_of(facts, "role");
        timeline.name = text_of(facts, "machine");
        timeline.clock_period_ps = number_of(facts, "clock_period_ps");
        timeline.cycles = number_of(facts, "cycles");
        if (timeline.clock_period_ps == 0) {
            stream_.fail("event: clock_period_ps: expected a number above 0");
        }
        timeline.from = window_.from;
        timeline.to = std::min(window_.to.value_or(timeline.cycles), timeline.cycles);
        if (timeline.from >= timeline.to) {
            throw InputError(fmt::format("the window is empty: cycles {} to {} of a run of {} cycles", timeline.from,
                                         window_.to.value_or(timeline.cycles), timeline.cycles));
        }
        machines_.emplace(process, Machine{std::move(timeline), {}});
    }

    void take_slice(const json::object& event) {
        Lane& lane = lane_of(event);
        const MachineTimeline& timeline = machine_of(event).timeline;
        constexpr double picoseconds = 1e6;  // in a microsecond
        const double begin = time_of(event, "ts") * picoseconds / static_cast<double>(timeline.clock_period_ps);
        const double length = time_of(event, "dur") * picoseconds / static_cast<double>(timeline.clock_period_ps);
        const double end = begin + length;
        json::object facts;
        const bool has_facts = event.at_key("args").get(facts) == simdjson::SUCCESS;
        const auto fact = [&](const char* name) {
            return has_facts ? static_cast<double>(optional_number(facts, name)) : 0.0;
        };
        const std::string_view category = text_of(event, "cat");
        if (category == timeline_category::command) {
            const double waiting = std::min(fact("waiting") + fact("waiting_for_scratchpad"), fact("cycles"));
            spread(timeline, begin, end, fact("cycles") - waiting, lane.lane.busy, lane.lane, &TimelineCell::busy);
            spread(timeline, begin, end, waiting, lane.lane.stalled, lane.lane, &TimelineCell::stalled);
            lane.command_end = end;
        } else if (category == timeline_category::busy) {
            spread(timeline, begin, end, fact("cycles"), lane.lane.busy, lane.lane, &TimelineCell::busy);
        } else if (category == timeline_category::stall && begin >= lane.command_end) {
            spread(timeline, begin, end, length, lane.lane.stalled, lane.lane, &TimelineCell::stalled);
        } else if (category == timeline_category::retired) {
            spread(timeline, begin, end, length, lane.lane.busy, lane.lane, &TimelineCell::busy);
        }
        if (category == timeline_category::operation || category == timeline_category::retired) {
            name_cells(timeline, begin, end, text_of(event, "name"), lane.lane);
        }
    }

    /// Calls `each` with every column that the slice touches and the cycles that they share.
    template <class Each>
    static void for_columns(const MachineTimeline& timeline, double begin, double end, std::size_t columns, Each each) {
        const auto from = static_cast<double>(timeline.from);
        const auto to = static_cast<double>(timeline.to);
        const double first = std::max(begin, from);
        const double last = std::min(end, to);
        const double width = (to - from) / static_cast<double>(columns);
        if (!(first < last)) {
            return;
        }
        const auto column_of = [&](double cycle) {
            return std::min(columns - 1, static_cast<std::size_t>((cycle - from) / width));
        };
        for (std::size_t column = column_of(first); column <= column_of(last); ++column) {
            const double left = from + static_cast<double>(column) * width;
            const double shared = std::min(last, left + width) - std::max(first, left);
            if (shared > 0) {
                each(column, shared);
            }
        }
    }

    void spread(const MachineTimeline& timeline, double begin, double end, double amount, double& sum,
                TimelineLane& lane, double TimelineCell::*what) const {
        for_columns(timeline, begin, end, window_.columns, [&](std::size_t column, double shared) {
            const double part = amount * shared / (end - begin);
            lane.cells[column].*what += part;
            sum += part;
        });
    }

    void name_cells(const MachineTimeline& timeline, double begin, double end, std::string_view name,
                    TimelineLane& lane) const {
        for_columns(timeline, begin, end, window_.columns, [&](std::size_t column, double shared) {
            TimelineCell& cell = lane.cells[column];
            if (shared > cell.named) {
                cell.named = shared;
                cell.name = name;
            }
        });
    }

    Machine& machine_of(const json::object& event) {
        const auto found = machines_.find(number_of(event, "pid"));
        if (found == machines_.end()) {
            stream_.fail(
                "event: its process has not been described: is this a timeline of nibblesim "
                "(run --timeline)?");
        }
        return found->second;
    }

    Lane& lane_of(const json::object& event) {
        Machine& machine = machine_of(event);
        const auto [place, added] = machine.lanes.try_emplace(number_of(event, "tid"));
        if (added) {
            if (machine.lanes.size() > most_lanes) {
                stream_.fail("event: too many tracks");
            }
            place->second.lane.cells.resize(window_.columns);
        }
        return place->second;
    }

    static std::string_view text_of(const json::object& object, const char* key) {
        std::string_view text;
        return object.at_key(key).get(text) == simdjson::SUCCESS ? text : std::string_view();
    }

    static std::uint64_t optional_number(const json::object& object, const char* key) {
        std::uint64_t number = 0;
        return object.at_key(key).get(number) == simdjson::SUCCESS ? number : 0;
    }

    std::uint64_t number_of(const json::object& object, const char* key) {
        std::uint64_t number = 0;
        if (object.at_key(key).get(number) != simdjson::SUCCESS || number > most_cycles) {
            stream_.fail(fmt::format("event: {}: expected a number from 0 to {}", key, most_cycles));
        }
        return number;
    }

    double time_of(const json::object& event, const char* key) {
        constexpr double latest = 9e15;  // beyond, a double does not hold every microsecond
        double time = 0;
        if (event.at_key(key).get(time) != simdjson::SUCCESS || !(time >= 0 && time <= latest)) {
            stream_.fail(fmt::format("event: {}: expected a number of microseconds from 0 to {}", key, latest));
        }
        return time;
    }

    JsonArrayStream stream_;
    TimelineWindow window_;
    json::parser parser_;
    std::map<std::uint64_t, Machine> machines_;
};

}  // namespace

std::vector<MachineTimeline> read_timeline(const std::filesystem::path& path, const TimelineWindow& window) {
    if (path.extension() == ".pftrace") {
        throw InputError(
            {path.string(), 0, 0},
            "timelines are read in JSON, plain or compressed (.json, .json.gz); this format is for Perfetto");
    }
    return Reader(path, window).read();
}

}  // namespace nibble
