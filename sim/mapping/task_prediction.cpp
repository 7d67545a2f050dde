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
#include "sim/lowering/operation_alone.h"
#include "sim/lowering/vector_emission.h"
#include "sim/mapping/command_counters.h"
#include "sim/mapping/command_model.h"

namespace nibble {

namespace {

// Tiles that are put through the model; the pace is taken from the second half of them.
constexpr std::uint64_t modelled_tiles = 384;
// Fewer if they move much: so many bytes, but no fewer tiles than show how they overlap.
constexpr std::uint64_t modelled_bytes = 2 * 1024 * 1024;
constexpr std::uint64_t least_modelled_tiles = 16;
// Streams of the vector unit meet in DRAM's banks in patterns that repeat slowly: their pace shows late. They are
// predicted once, and not for every mapping that is looked at.
constexpr std::uint64_t modelled_vector_bytes = 8 * 1024 * 1024;

/// The commands of an operation that runs alone, tile by tile, or chunk by chunk.
template <class Emission>
class CommandsAlone {
public:
    template <class... Arguments>
    explicit CommandsAlone(const MachineParameters& machine, const Arguments&... arguments)
        : emitter_(machine), emission_(arguments..., emitter_) {}

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
    Emission emission_;
    std::uint64_t tile_ = 0;
};

template <class Emission>
TaskPrediction predict(CommandsAlone<Emission>& commands, std::uint64_t tiles, std::uint64_t most_bytes,
                       const MachineParameters& machine) {
    std::uint64_t modelled = std::min(tiles, modelled_tiles);
    CommandModel model(machine);
    TaskPrediction prediction;
    prediction.cycles = model.run([&] {
        std::optional<Command> command = commands.next(modelled);
        if (command) {
            count_command(*command, machine, commands.emitter(), prediction.counters);
            const std::uint64_t moved = prediction.counters[index_of(Counter::dram_bytes_read)] +
                                        prediction.counters[index_of(Counter::dram_bytes_written)];
            if (moved > most_bytes) {
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

}  // namespace

TaskPrediction predict(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine) {
    CommandsAlone<GemmEmission> commands(machine, task, tiling, places_alone(task));
    return predict(commands, tile_counts(task.problem, tiling).all(), modelled_bytes, machine);
}

TaskPrediction predict(const OperationTask& operation, const MachineParameters& machine) {
    TaskPrediction prediction;
    if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
        prediction = predict(gemm->task, gemm->tiling, machine);
    } else {
        const auto& vector = std::get<VectorTask>(operation);
        CommandsAlone<VectorEmission> commands(machine, vector, places_alone(vector));
        prediction = predict(commands, vector.chunks, modelled_vector_bytes, machine);
    }
    const std::uint64_t cycles = prediction.counters[index_of(Counter::cycles)];
    prediction.counters = {};
    OperationAlone program(operation, machine);
    for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
        if (const auto* command = std::get_if<Command>(&item)) {
            count_command(*command, machine, program.emitter(), prediction.counters);
        }
    }
    prediction.counters[index_of(Counter::cycles)] = cycles;
    return prediction;
}

TaskTraffic predict_traffic(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine) {
    CommandsAlone<GemmEmission> commands(machine, task, tiling, places_alone(task));
    CounterValues counters{};
    while (const std::optional<Command> command = commands.next(std::numeric_limits<std::uint64_t>::max())) {
        count_command(*command, machine, commands.emitter(), counters);
    }
    return {counters[index_of(Counter::dram_bytes_read)], counters[index_of(Counter::dram_bytes_written)]};
}

}  // namespace nibble
