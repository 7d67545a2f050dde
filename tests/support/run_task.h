// SPDX-License-Identifier: MIT
#pragma once

#include "models/machine/machine.h"
#include "sim/counters/ledger.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/gemm_emission.h"
#include "sim/mapping/task_prediction.h"

namespace nibble::test {

/// The program of one GEMM alone.
class TaskProgram final : public ProgramSource {
public:
    TaskProgram(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine)
        : emitter_(machine), emission_(task, tiling, places_alone(task), emitter_) {
        emitter_.begin(OpRecord{});
    }

    ProgramItem next() override {
        while (emitter_.empty()) {
            if (ended_) {
                return ProgramEnd{};
            }
            if (emission_.done()) {
                emitter_.end();
                ended_ = true;
            } else {
                emission_.step();
            }
        }
        return emitter_.pop();
    }

private:
    Emitter emitter_;
    GemmEmission emission_;
    bool ended_ = false;
};

/// Runs one GEMM on a machine in this process: only inside simulate().
inline OpRecord run_task_here(const GemmTask& task, const Tiling& tiling, const MachineParameters& machine) {
    TaskProgram program(task, tiling, machine);
    OpRecord measured;
    Ledger ledger([&](const OpRecord& record) { measured = record; });
    Machine model(machine, program, ledger);
    static_cast<void>(model.run());
    return measured;
}

}  // namespace nibble::test
