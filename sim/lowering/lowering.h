// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/counters/on_chip_record.h"
#include "sim/input/operation.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/mapping_table.h"
#include "sim/lowering/operation_task.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/selection.h"
#include "sim/lowering/tensor_plan.h"
#include "sim/program/program_source.h"

namespace nibble {

/// What a program is made from, besides the trace.
struct LoweringOptions {
    const Recipe* recipe = nullptr;
    const MappingTable* mappings = nullptr;  ///< null: every GEMM gets the greedy mapping
    Selection selection;                     ///< operations to simulate
    bool values = false;     ///< GEMMs carry operand values, and results are checked against a plain reference
    bool results = false;    ///< with values: what the trace says of results is compared with what the array delivers
    std::string dump_codes;  ///< .npz file that gets the codes of recorded operands, with values; empty: none
};

/// Turns a trace into the commands of one machine, operation by operation, as the machine fetches them: precision by
/// the recipe, GEMMs mapped as they were told to be, element-wise work cut into chunks, loads, work and stores
/// overlapping, tensors kept on chip where the plan says so. Memory does not grow with the length of the trace, except
/// by what TensorPlan keeps.
class Lowering final : public ProgramSource {
public:
    /// A GEMM of the trace, and how often it occurs.
    struct ListedGemm {
        GemmTask task;
        std::string layer;  ///< of the first
        std::string phase;
        std::uint64_t count = 1;
    };

    /// The GEMMs that a run would lower, each kind of task once, in the order in which they first occur.
    [[nodiscard]] static std::vector<ListedGemm> list_gemms(const std::string& trace_path, const TensorPlan& plan,
                                                            const MachineParameters& machine,
                                                            const LoweringOptions& options);

    /// Tells `sink` of every operation that a run would lower, in the order of the trace: what it asks of the machine,
    /// and for GEMMs the mapping that it would get.
    static void list_operations(const std::string& trace_path, const TensorPlan& plan, const MachineParameters& machine,
                                const LoweringOptions& options, const std::function<void(const OperationTask&)>& sink);

    /// Opens the trace again; `plan` must come from the same trace, recipe and machine. With values, recorded ones are
    /// read as they are needed: check_recorded_values() finds beforehand what is wrong with them.
    Lowering(const std::string& trace_path, const TensorPlan& plan, const MachineParameters& machine,
             const LoweringOptions& options);
    ~Lowering() override;

    ProgramItem next() override;
    /// What stayed on chip so far.
    [[nodiscard]] OnChipRecord on_chip() const;
    /// GEMM outputs and gradient codes compared with the plain reference so far; a difference throws ModelError.
    [[nodiscard]] std::uint64_t values_checked() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nibble
