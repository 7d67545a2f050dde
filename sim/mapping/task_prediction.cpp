// SPDX-License-Identifier: MIT
#include "sim/mapping/task_prediction.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <variant>

#include "sim/base/units.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/gemm_emission.h"
#include "sim/mapping/command_counters.h"
#include "sim/mapping/command_model.h"

namespace nibble {

namespace {

// Tiles that are put through the model; the pace is taken from the second half of them.
constexpr std::uint64_t modelled_tiles = 384;
// Fewer if they move much: so many bytes, but no fewer tiles than show how they overlap.
constexpr std::uint64_t modelled_bytes = 2 * 1024 * 1024;
constexpr std::uint64_t least_modelled_tiles = 16;

// Tensors begin on pages of their own.
constexpr std::uint64_t page_bytes = 4096;

}  // namespace

GemmPlaces places_alone(const GemmTask& task) {
    GemmPlaces places;
    std::uint64_t next = 0;
    const auto place = [&](std::uint64_t elements, std::uint64_t bits) {
        const std::uint64_t address = next;
        next += round_up(bytes_for(Bits(elements * bits)).count(), page_bytes);
        return address;
    };
    const GemmProblem& p = task.problem;
    places.inputs.push_back({.address = place(p.batch() * p.m() * p.k(), task.left.bits)});
    places.inputs.push_back({.address = place(p.batch() * p.k() * p.n(), task.right.bits)});
    const std::uint64_t outputs = p.batch() * p.m() * p.n();
    for (const GemmTask::Operand& side : task.side_inputs) {
        places.inputs.push_back({.address = place(outputs, side.bits)});
    }
    for (const GemmTask::StoredCopy& copy : task.stored) {
        places.stored.push_back(place(outputs, copy.bits));
    }
    return places;
}

namespace {

/// The commands of a GEMM that runs alone, tile by tile.
class CommandsAlone {
public:
    CommandsAlone(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine)
        : emitter_(machine), emission_(task, tiling, places_alone(task), emitter_) {}

    /// The next command of the first `tiles` tiles; its operation is the number of its tile.
    std::optional<Command> next(std::uint64_t tiles) {
        while (emitter_.empty()) {
            if (emission_.done() || tile_ == tiles) {
                return std::nullopt;
            }
            emission_.step();
            ++tile_;
        }
        Command command = std::get<Command>(emitter_.pop());
        command.operation = tile_ - 1;
        return command;
    }

    [[nodiscard]] const Emitter& emitter() const { return emitter_; }

private:
    Emitter emitter_;
    GemmEmission emission_;
    std::uint64_t tile_ = 0;
};

}  // namespace

TaskPrediction predict(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine) {
    CommandsAlone commands(task, tiling, machine);
    const std::uint64_t tiles = tile_counts(task.problem, tiling).all();
    std::uint64_t modelled = std::min(tiles, modelled_tiles);
    CommandModel model(machine);
    TaskPrediction prediction;
    prediction.cycles = model.run([&] {
        std::optional<Command> command = commands.next(modelled);
        if (command) {
            count_command(*command, machine, commands.emitter(), prediction.counters);
            const std::uint64_t moved = prediction.counters[index_of(Counter::dram_bytes_read)] +
                                        prediction.counters[index_of(Counter::dram_bytes_written)];
            if (moved > modelled_bytes) {
                modelled = std::min(modelled, std::max(command->operation + 1, least_modelled_tiles));
            }
        }
        return command;
    });
    if (modelled < tiles) {
        const std::uint64_t half = modelled / 2;
        const double pace = (prediction.cycles - model.completed(half - 1)) / static_cast<double>(modelled - half);
        prediction.cycles += pace * static_cast<double>(tiles - modelled);
        for (std::uint64_t& counter : prediction.counters) {
            counter = scaled(counter, tiles, modelled);
        }
    }
    prediction.counters[index_of(Counter::cycles)] = static_cast<std::uint64_t>(std::llround(prediction.cycles));
    return prediction;
}

TaskTraffic predict_traffic(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine) {
    CommandsAlone commands(task, tiling, machine);
    CounterValues counters{};
    while (const std::optional<Command> command = commands.next(std::numeric_limits<std::uint64_t>::max())) {
        count_command(*command, machine, commands.emitter(), counters);
    }
    return {counters[index_of(Counter::dram_bytes_read)], counters[index_of(Counter::dram_bytes_written)]};
}

}  // namespace nibble
