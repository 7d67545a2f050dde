// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/dma/dma_engine.h"
#include "models/dram/dram.h"
#include "models/log_gradient/log_gradient.h"
#include "models/mac_array/mac_array.h"
#include "models/machine/cycle_account.h"
#include "models/machine/machine_params.h"
#include "models/machine/machine_watch.h"
#include "models/machine/wave_recorder.h"
#include "models/scratchpad/scratchpad.h"
#include "models/sequencer/sequencer.h"
#include "models/vector_unit/vector_unit.h"
#include "sim/counters/ledger.h"
#include "sim/counters/op_record.h"
#include "sim/counters/probe.h"
#include "sim/kernel/clock.h"
#include "sim/program/program_source.h"

namespace nibble {

/// How a machine is run; changes nothing but the speed of the simulation.
struct RunOptions {
    bool skipping = true;
    /// Order in which the units are built (a permutation of 0..7), for the proof that it does not matter.
    std::array<std::uint8_t, 8> construction_order{0, 1, 2, 3, 4, 5, 6, 7};
    /// Who is told of what happens; null: nobody.
    Probe* probe = nullptr;
    std::optional<WaveRequest> wave{};
};

/// One core in front of DRAM: instantiates the units and binds their channels; has no behaviour of its own.
class Machine {
public:
    Machine(const MachineParameters& params, ProgramSource& program, Ledger& ledger, const RunOptions& options = {});

    /// Runs the program to its end. Throws ModelError if a rule of the model is broken.
    RunSummary run();

private:
    template <class T>
    Channel<T>& channel(const std::string& name, MachineUnit client, MachineUnit server);
    [[nodiscard]] std::array<ClockedModule*, machine_unit_count> units() const;
    void watch(const MachineParameters& params, const RunOptions& options);
    void build(std::uint8_t unit, const MachineParameters& params, ProgramSource& program);
    void bind();
    template <class Engine>
    void bind_commands(Unit unit, MachineUnit place, Engine& engine);
    template <class Engine>
    void bind_scratchpad(ScratchpadClient client, MachineUnit place, Engine& engine);
    void bind_memory(Dram::Client client, MachineUnit unit, DmaEngine& engine);

    Ledger& ledger_;
    Clock clock_;
    std::unique_ptr<Sequencer> sequencer_;
    std::unique_ptr<DmaEngine> load_;
    std::unique_ptr<DmaEngine> store_;
    std::unique_ptr<Dram> dram_;
    std::unique_ptr<Scratchpad> scratchpad_;
    std::unique_ptr<MacArray> mac_array_;
    std::unique_ptr<LogGradient> log_gradient_;
    std::unique_ptr<VectorUnit> vector_unit_;
    std::vector<std::shared_ptr<void>> channels_;  // of any beat; the units hold the typed ends
    std::vector<WatchedChannel> watched_;          // the same
    std::unique_ptr<CycleAccount> account_;
    std::unique_ptr<MachineWatch> watch_;  // null if nobody watches
};

}  // namespace nibble
