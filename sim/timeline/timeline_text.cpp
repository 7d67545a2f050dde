// SPDX-License-Identifier: MIT
#include "sim/timeline/timeline_text.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t name_width = 14;

/// Consecutive columns with one name.
struct Run {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string name;
};

std::vector<Run> runs_of(const TimelineLane& lane) {
    std::vector<Run> runs;
    for (std::size_t column = 0; column < lane.cells.size(); ++column) {
        const std::string& name = lane.cells[column].name;
        if (!runs.empty() && runs.back().end == column && runs.back().name == name) {
            runs.back().end = column + 1;
        } else if (!name.empty()) {
            runs.push_back({column, column + 1, name});
        }
    }
    return runs;
}

/// '#' at least three quarters of the column busy, '=' one quarter, '-' less; '.' only stalled.
char sign_of(const TimelineCell& cell, double width) {
    constexpr double most = 0.75;
    constexpr double some = 0.25;
    constexpr double least = 1e-6;
    const double busy = cell.busy / width;
    if (busy >= most) {
        return '#';
    }
    if (busy >= some) {
        return '=';
    }
    if (busy > least) {
        return '-';
    }
    return cell.stalled / width > least ? '.' : ' ';
}

/// Text of exactly `width` characters.
std::string fitted(std::string_view text, std::size_t width) {
    std::string shown = for_terminal(text, width);
    const std::size_t characters = display_width(shown);
    return shown.append(width - std::min(width, characters), ' ');
}

std::string names_line(const TimelineLane& lane) {
    constexpr std::size_t least_room = 5;  // for the bar, a character and "..."
    std::string line(name_width, ' ');
    std::size_t column = 0;
    bool any = false;
    for (const Run& run : runs_of(lane)) {
        line.append(run.begin - column, ' ');
        const std::size_t room = run.end - run.begin;
        line += '|';
        line += room >= least_room ? fitted(run.name, room - 1) : std::string(room - 1, ' ');
        any = any || room >= least_room;
        column = run.end;
    }
    return any ? line.substr(0, line.find_last_not_of(' ') + 1) + '\n' : std::string();
}

std::string lane_line(const TimelineLane& lane, const MachineTimeline& machine) {
    const auto window = static_cast<double>(machine.to - machine.from);
    const double width = window / static_cast<double>(lane.cells.size());
    std::string line = fitted(lane.name, name_width);
    for (const TimelineCell& cell : lane.cells) {
        line += sign_of(cell, width);
    }
    constexpr double percent = 100;
    return line + fmt::format("  busy {:>3.0f}%  stalled {:>3.0f}%\n", percent * lane.busy / window,
                              percent * lane.stalled / window);
}

}  // namespace

std::string timeline_text(const std::vector<MachineTimeline>& machines, const TextStyle& style) {
    std::string text;
    for (const MachineTimeline& machine : machines) {
        if (!text.empty()) {
            text += '\n';
        }
        constexpr std::size_t longest_name = 40;
        text += heading(
            fmt::format("{}: {}", for_terminal(machine.role, longest_name), for_terminal(machine.name, longest_name)),
            style);
        const std::size_t columns = machine.lanes.empty() ? 1 : machine.lanes.front().cells.size();
        text += fmt::format("cycles {} to {} of {}, {} ps each; a column is {:.6g} cycles\n", grouped(machine.from),
                            grouped(machine.to), grouped(machine.cycles), machine.clock_period_ps,
                            static_cast<double>(machine.to - machine.from) / static_cast<double>(columns));
        for (const TimelineLane& lane : machine.lanes) {
            text += lane_line(lane, machine);
            text += names_line(lane);
        }
        if (machine.commands_in_shared_slices > 0) {
            text += fmt::format("{} of {} commands share a slice with others\n",
                                grouped(machine.commands_in_shared_slices), grouped(machine.commands));
        }
    }
    return text + "# busy for 75% of a column or more, = 25%, - less, . only stalled\n";
}

std::string timeline_json(const std::vector<MachineTimeline>& machines) {
    Json list = Json::array();
    for (const MachineTimeline& machine : machines) {
        Json lanes = Json::array();
        for (const TimelineLane& lane : machine.lanes) {
            Json busy = Json::array();
            Json stalled = Json::array();
            for (const TimelineCell& cell : lane.cells) {
                busy.push_back(cell.busy);
                stalled.push_back(cell.stalled);
            }
            Json operations = Json::array();
            for (const Run& run : runs_of(lane)) {
                operations.push_back({{"name", run.name}, {"first_column", run.begin}, {"end_column", run.end}});
            }
            lanes.push_back({{"name", lane.name},
                             {"busy_cycles", lane.busy},
                             {"stalled_cycles", lane.stalled},
                             {"busy", std::move(busy)},
                             {"stalled", std::move(stalled)},
                             {"operations", std::move(operations)}});
        }
        list.push_back({{"role", machine.role},
                        {"machine", machine.name},
                        {"clock_period_ps", machine.clock_period_ps},
                        {"cycles", machine.cycles},
                        {"from", machine.from},
                        {"to", machine.to},
                        {"commands", machine.commands},
                        {"commands_in_shared_slices", machine.commands_in_shared_slices},
                        {"lanes", std::move(lanes)}});
    }
    return Json{{"schema", "nibblesim-timeline-1"}, {"machines", std::move(list)}}.dump(
               2, ' ', false, Json::error_handler_t::replace) +
           '\n';
}

}  // namespace nibble
