// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/counters/op_record.h"
#include "sim/lowering/gemm_emission.h"
#include "sim/lowering/gemm_lowering.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/lowering_context.h"
#include "sim/lowering/operation_lowering.h"

namespace nibble {

/// One GEMM being lowered, a tile a step: finds out where its operands are and where its results go, looks up its
/// mapping, and emits.
class GemmJob final : public OperationLowering {
public:
    GemmJob(GemmResources& resources, const Operation& operation, OpRecord record, std::uint64_t first_access);

    bool step() override;

    [[nodiscard]] const GemmTask& task() const { return task_; }

private:
    /// An input in the format in which this GEMM reads it.
    struct Input {
        TensorId id = 0;
        CopyFormat format = CopyFormat::fp16;
        std::uint32_t bits = 16;
        bool on_chip = false;
        bool preload = false;  // to become resident, by a load of its own
        GemmPlaces::Operand place;
    };

    [[nodiscard]] Input operand(std::size_t input, std::uint64_t access);
    [[nodiscard]] Input side_input(std::size_t input);
    void describe_outputs();
    void preload(Input& operand);
    void load_small_inputs();
    void complete();

    GemmResources& resources_;
    LoweringContext& context_;
    Operation operation_;
    GemmTask task_;
    GemmPlaces places_;
    Input left_, right_;
    std::vector<Input> side_inputs_;  // as large as the output
    std::vector<Input> small_inputs_;
    OutputCopies out_;
    std::vector<OutputCopies> side_outputs_;  // masks, statistics
    std::optional<GemmEmission> emission_;
};

}  // namespace nibble
