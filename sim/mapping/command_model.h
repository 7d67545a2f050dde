// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/mapping/transfer_model.h"
#include "sim/program/command.h"

namespace nibble {

/// Predicts when the commands of a program complete, command by command instead of cycle by cycle: a command starts
/// when what it waits for is complete and its unit is free; on the array, the vector and the log-gradient unit it takes
/// the time that the unit's closed form says; transfers are served by the DRAM core (TransferModel). What is left out:
/// collisions in the scratchpad.
class CommandModel {
public:
    /// The commands of a program in order; nothing at its end.
    using Source = std::function<std::optional<Command>()>;

    /// `machine` must outlive the model.
    explicit CommandModel(const MachineParameters& machine);

    /// Runs a program from an idle machine. Returns the core cycle in which everything is complete.
    double run(const Source& next);

    /// Core cycle in which all commands of an operation of the program were complete.
    [[nodiscard]] double completed(std::uint64_t operation) const { return completed_[operation]; }

private:
    /// One unit: what it is to do, and what it has done.
    struct UnitState {
        struct Waiting {
            Command command;
            double fetched = 0;
        };
        std::deque<Waiting> queue;
        double free = 0;                      // when it may start the next command
        std::vector<double> completions;      // times; they ascend
        std::deque<double> issued;            // when the last commands left the queue
        std::deque<std::uint64_t> under_way;  // operations of the transfers that are not done
    };

    void fetch(const Source& next);
    bool start_some();
    [[nodiscard]] bool can_start(const Command& command) const;
    void start(UnitState& unit);
    void complete(UnitState& unit, std::uint64_t operation, double cycle);
    double run(const MatmulCommand& tile, double start);
    double run_vector(const VectorCommand& vector, double start);
    double run_convert(const ConvertCommand& convert, double start);
    double run_lanes(Unit unit, double start, std::uint64_t lane_cycles, std::uint64_t lines,
                     std::uint64_t lines_per_cycle);
    [[nodiscard]] UnitState& state(Unit unit) { return units_[static_cast<std::size_t>(unit)]; }

    const MachineParameters& machine_;
    TransferModel transfers_;
    std::array<UnitState, unit_count> units_;
    std::optional<Command> next_;  // not yet fetched
    double fetched_ = 0;           // when the last command was
    std::vector<double> completed_;
    double end_ = 0;
};

}  // namespace nibble
