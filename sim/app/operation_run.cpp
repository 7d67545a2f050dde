// SPDX-License-Identifier: MIT
#include "sim/app/operation_run.h"

#include <cstddef>
#include <optional>

#include "models/machine/machine.h"
#include "sim/app/interrupt.h"
#include "sim/app/machine_process.h"
#include "sim/base/content_hash.h"
#include "sim/config/machine_config.h"
#include "sim/counters/ledger.h"
#include "sim/lowering/operation_alone.h"

namespace nibble {

namespace {

RunSummary run(const OperationTask& operation, const MachineParameters& machine, const Ledger::Sink& sink) {
    OperationAlone program(operation, machine);
    Ledger ledger(sink);
    Machine model(machine, program, ledger);
    return model.run();
}

/// Units that the operation gives commands to, besides those that move data.
struct UnitsUsed {
    std::optional<ArrayMode> mode;  ///< of the array
    bool vector_unit = false;
    bool log_gradient = false;
};

UnitsUsed units_used(const OperationTask& operation) {
    if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
        const GemmTask& task = gemm->task;
        const bool rounds = task.left.rounded_bits > 0 || task.right.rounded_bits > 0;
        return {task.mode, task.lane_ops > 0, task.code_bits > 0 || rounds};
    }
    return {std::nullopt, true, std::get<VectorTask>(operation).gradients > 0};
}

}  // namespace

OpRecord run_alone(const OperationTask& operation, const MachineParameters& machine) {
    OpRecord measured;
    static_cast<void>(run(operation, machine, [&](const OpRecord& record) { measured = record; }));
    return measured;
}

OpRecord run_alone_in_process(const OperationTask& operation, const MachineParameters& machine) {
    MachineProcess process(machine.name,
                           [&](const MachineProcess::RecordSink& sink) { return run(operation, machine, sink); });
    while (!process.finished()) {
        process.receive();
        throw_if_interrupted();
    }
    return process.take_record();
}

MachineParameters what_matters(const OperationTask& operation, const MachineParameters& machine) {
    const UnitsUsed used = units_used(operation);
    MachineParameters kept;
    kept.clock_period_ps = machine.clock_period_ps;
    kept.ideal_memory = machine.ideal_memory;
    kept.sequencer = machine.sequencer;
    kept.dma = machine.dma;
    kept.dram = machine.dram;
    // How much the scratchpad holds decides what an operation is cut into, which the task says; its banks decide what
    // is served in a cycle.
    kept.scratchpad = machine.scratchpad;
    kept.scratchpad.capacity_bytes = 0;
    kept.scratchpad.resident_bytes = 0;
    kept.scratchpad.buffering = 0;
    kept.scratchpad.buffer_banks = {};
    if (machine.scratchpad.buffers) {
        kept.scratchpad.buffers = TileBytes{};
        for (std::size_t part = 0; part < tile_buffer_count; ++part) {
            kept.scratchpad.buffer_banks[part] = memory_of(machine.scratchpad, static_cast<ScratchpadPart>(part)).banks;
        }
    }
    if (used.mode) {
        const auto mode = static_cast<std::size_t>(*used.mode);
        kept.mac_array.modes[mode] = machine.mac_array.modes[mode];
        kept.mac_array.overlap = machine.mac_array.overlap;
        kept.mac_array.ideal = machine.mac_array.ideal;
    }
    kept.mac_array.sharing = ArraySharing::dedicated;  // so that a mode says its own rows and columns
    if (used.log_gradient) {
        kept.log_gradient = machine.log_gradient;
    }
    if (used.vector_unit) {
        kept.vector_unit = machine.vector_unit;
    }
    return kept;
}

std::string operation_key(const OperationTask& operation, const MachineParameters& machine) {
    ContentHash hash;
    hash.field(content_key(operation)).field(effective_yaml(what_matters(operation, machine))).field(program_hash());
    return hash.text();
}

}  // namespace nibble
