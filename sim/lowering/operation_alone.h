// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <variant>

#include "models/machine/machine_params.h"
#include "sim/lowering/emitter.h"
#include "sim/lowering/gemm_emission.h"
#include "sim/lowering/operation_task.h"
#include "sim/lowering/vector_emission.h"
#include "sim/program/program_source.h"

namespace nibble {

/// Places in DRAM for the operands and results of an operation that runs alone, one behind the other, each on pages of
/// its own as in a whole step.
[[nodiscard]] GemmPlaces places_alone(const GemmTask& task);
[[nodiscard]] VectorPlaces places_alone(const VectorTask& task);

/// The program of one operation that runs alone: it moves and computes exactly what it does inside a step.
class OperationAlone final : public ProgramSource {
public:
    /// Both must outlive the program.
    OperationAlone(const OperationTask& operation, const MachineParameters& machine);

    ProgramItem next() override;

    /// That the commands come from.
    [[nodiscard]] const Emitter& emitter() const { return emitter_; }

private:
    /// Emits what is next; false when there is nothing left.
    bool step();
    void finish(GemmEmission& emission);

    const OperationTask& operation_;
    Emitter emitter_;
    std::variant<std::monostate, GemmEmission, VectorEmission> emission_;
    bool ended_ = false;
};

}  // namespace nibble
