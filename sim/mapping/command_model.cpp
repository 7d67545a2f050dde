// SPDX-License-Identifier: MIT
#include "sim/mapping/command_model.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "models/mac_array/tile_timing.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

// From the cycle in which a unit tells that a command is complete to the cycle in which another one may start on its
// account: the sequencer counts it in the next cycle, issues in the one after, and the unit takes it in the third.
constexpr double hand_over_cycles = 3;

std::uint64_t lines_of(const PartBytes& bytes, std::uint64_t line_bytes) {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0},
                           [&](std::uint64_t sum, std::uint64_t part) { return sum + ceil_div(part, line_bytes); });
}

}  // namespace

CommandModel::CommandModel(const MachineParameters& machine) : machine_(machine), transfers_(machine) {}

double CommandModel::run(const Source& next) {
    next_ = next();
    while (true) {
        do {
            fetch(next);
        } while (start_some());
        const std::optional<TransferModel::Done> done = transfers_.next();
        if (!done) {
            return end_;
        }
        UnitState& unit = state(done->write ? Unit::store : Unit::load);
        complete(unit, unit.under_way.front(), done->cycle);
        unit.under_way.pop_front();
    }
}

/// One command is fetched a cycle, in program order, when its unit's queue has room.
void CommandModel::fetch(const Source& next) {
    for (; next_; next_ = next()) {
        UnitState& unit = state(next_->unit);
        const std::size_t entries = machine_.sequencer.queue_entries;
        if (unit.queue.size() == entries) {
            return;
        }
        fetched_ += 1;
        if (unit.issued.size() + unit.queue.size() >= entries) {
            const std::size_t left_last = unit.issued.size() + unit.queue.size() - entries;
            fetched_ = std::max(fetched_, unit.issued[left_last] + 1);
            unit.issued.erase(unit.issued.begin(), unit.issued.begin() + static_cast<std::ptrdiff_t>(left_last));
        }
        unit.queue.push_back({std::move(*next_), fetched_});
    }
}

/// Starts the commands of which it is known when they can; says whether there were any.
bool CommandModel::start_some() {
    bool any = false;
    for (UnitState& unit : units_) {
        while (!unit.queue.empty() && can_start(unit.queue.front().command)) {
            start(unit);
            any = true;
        }
    }
    return any;
}

bool CommandModel::can_start(const Command& command) const {
    for (std::size_t unit = 0; unit < unit_count; ++unit) {
        if (units_[unit].completions.size() < command.needs[unit]) {
            return false;
        }
    }
    return true;
}

void CommandModel::start(UnitState& unit) {
    const UnitState::Waiting waiting = std::move(unit.queue.front());
    unit.queue.pop_front();
    const Command& command = waiting.command;
    double start = std::max(waiting.fetched + 2, unit.free);
    for (std::size_t other = 0; other < unit_count; ++other) {
        if (command.needs[other] > 0) {
            start = std::max(start, units_[other].completions[command.needs[other] - 1] + hand_over_cycles);
        }
    }
    unit.issued.push_back(start - 1);
    if (const auto* transfer = std::get_if<TransferCommand>(&command.work)) {
        unit.free = start;
        unit.under_way.push_back(command.operation);
        transfers_.start(command.unit == Unit::store, transfer->slice, start);
    } else if (const auto* tile = std::get_if<MatmulCommand>(&command.work)) {
        complete(unit, command.operation, run(*tile, start));
    } else if (const auto* vector = std::get_if<VectorCommand>(&command.work)) {
        complete(unit, command.operation, run_vector(*vector, start));
    } else {
        complete(unit, command.operation, run_convert(std::get<ConvertCommand>(command.work), start));
    }
}

void CommandModel::complete(UnitState& unit, std::uint64_t operation, double cycle) {
    const double after = unit.completions.empty() ? cycle : std::max(cycle, unit.completions.back() + 1);
    unit.completions.push_back(after);
    completed_.resize(std::max<std::size_t>(completed_.size(), operation + 1));
    completed_[operation] = std::max(completed_[operation], after);
    end_ = std::max(end_, after);
}

double CommandModel::run(const MatmulCommand& tile, double start) {
    const MacArrayParameters& array = machine_.mac_array;
    const ArrayGeometry& geometry = *array.modes[static_cast<std::size_t>(tile.mode)];
    const TileTraffic traffic = tile_traffic(geometry, tile);
    const std::uint64_t line = machine_.scratchpad.line_bytes;
    const std::uint64_t lines =
        ceil_div(traffic.left_bytes, line) + ceil_div(traffic.right_bytes, line) + ceil_div(traffic.result_bytes, line);
    const std::uint64_t pass = cycles_of_lines(machine_.scratchpad, lines);
    std::uint64_t cycles = 0;
    if (array.ideal) {
        cycles = pass + to_the_scratchpad_and_back_cycles;  // nothing hides these
    } else {
        const TileTiming timing =
            tile_timing(geometry, tile.dataflow, FoldRule{.overlap = array.overlap}, tile.passes, tile.accumulate);
        // A scratchpad that cannot feed the array holds it up.
        cycles = timing.fill + std::max(timing.stream, pass) + timing.drain;
    }
    const double end = start + static_cast<double>(cycles);
    state(Unit::mac_array).free = end;
    return end - 1;
}

double CommandModel::run_vector(const VectorCommand& vector, double start) {
    constexpr std::uint64_t port_bytes_per_lane = 3 * 4;  // as in models/vector_unit/vector_unit.cpp
    const std::uint64_t line = machine_.scratchpad.line_bytes;
    const VectorUnitParameters& unit = machine_.vector_unit;
    const std::uint64_t lines = lines_of(vector.read_bytes, line) + lines_of(vector.write_bytes, line);
    if (unit.ideal) {
        return run_lanes(Unit::vector_unit, start, 0, lines, most_lines_per_cycle(machine_.scratchpad));
    }
    return run_lanes(Unit::vector_unit, start, ceil_div(vector.lane_ops, unit.lanes) + unit.pipeline_depth, lines,
                     ceil_div(unit.lanes * port_bytes_per_lane, line));
}

double CommandModel::run_convert(const ConvertCommand& convert, double start) {
    constexpr std::uint64_t gradient_bytes = 2;  // as in models/log_gradient/log_gradient.cpp
    const std::uint64_t line = machine_.scratchpad.line_bytes;
    const LogGradientParameters& unit = machine_.log_gradient;
    const auto code_bytes = [&](std::uint64_t elements) {
        return bytes_for(Bits(elements * convert.code_bits)).count();
    };
    const std::uint64_t lines =
        ceil_div(convert.elements * gradient_bytes, line) + ceil_div(code_bytes(convert.elements), line);
    if (unit.ideal) {
        return run_lanes(Unit::log_gradient, start, 0, lines, most_lines_per_cycle(machine_.scratchpad));
    }
    return run_lanes(Unit::log_gradient, start, ceil_div(convert.elements, unit.lanes) + unit.pipeline_depth, lines,
                     ceil_div(unit.lanes * gradient_bytes + code_bytes(unit.lanes), line));
}

/// Lanes compute while their lines pass the scratchpad.
double CommandModel::run_lanes(Unit unit, double start, std::uint64_t lane_cycles, std::uint64_t lines,
                               std::uint64_t lines_per_cycle) {
    const std::uint64_t pass =
        cycles_of_lines(machine_.scratchpad, lines, lines_per_cycle) + to_the_scratchpad_and_back_cycles;
    const double done = start + static_cast<double>(std::max(lane_cycles, pass));
    state(unit).free = done + 1;
    return done;
}

}  // namespace nibble
