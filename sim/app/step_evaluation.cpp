// SPDX-License-Identifier: MIT
#include "sim/app/step_evaluation.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include "sim/app/interrupt.h"
#include "sim/app/operation_run.h"
#include "sim/app/progress.h"
#include "sim/app/simulation.h"
#include "sim/base/content_hash.h"
#include "sim/mapping/task_prediction.h"
#include "sim/report/tally_json.h"

namespace nibble {

namespace {

Tally predicted(const OperationTask& operation, const MachineParameters& machine) {
    Tally tally{.operations = 1, .counters = predict(operation, machine).counters};
    for (const Counter counter : mac_counters) {
        tally.macs += tally[counter];
    }
    tally.macs += tally[Counter::vector_macs];
    return tally;
}

/// Evaluates operations one by one, and remembers.
class Operations {
public:
    Operations(const MachineParameters& machine, Fidelity fidelity, OperationStore* store, bool sharing)
        : machine_(machine), fidelity_(fidelity), store_(program_hash().empty() ? nullptr : store), sharing_(sharing) {}

    void add(const OperationTask& operation) {
        throw_if_interrupted();
        step_.totals += sharing_ ? shared(operation) : evaluated(operation);
    }

    [[nodiscard]] StepEvaluation finish() const {
        StepEvaluation step = step_;
        step.operations_shared = step.totals.operations - step.operations_evaluated;
        return step;
    }

private:
    Tally evaluated(const OperationTask& operation) {
        ++step_.operations_evaluated;
        if (fidelity_ == Fidelity::predicted) {
            return predicted(operation, machine_);
        }
        Tally tally;
        tally += run_alone_in_process(operation, machine_);
        return tally;
    }

    const Tally& shared(const OperationTask& operation) {
        // On one machine the operation says it all; the store knows other machines, too.
        const auto [found, added] = known_.try_emplace(content_key(operation));
        if (added) {
            found->second = store_ != nullptr ? stored(operation) : evaluated(operation);
        }
        return found->second;
    }

    Tally stored(const OperationTask& operation) {
        const std::string key =
            std::string(fidelity_names[static_cast<std::size_t>(fidelity_)]) + '-' + operation_key(operation, machine_);
        if (const std::optional<std::string> text = store_->find(key)) {
            // What is something else is evaluated anew.
            if (const std::optional<Tally> tally = tally_of(nlohmann::json::parse(*text, nullptr, false))) {
                return *tally;
            }
        }
        const Tally tally = evaluated(operation);
        store_->put(key, json_of(tally).dump());
        return tally;
    }

    const MachineParameters& machine_;
    Fidelity fidelity_;
    OperationStore* store_;
    bool sharing_;
    std::unordered_map<std::string, Tally> known_;
    StepEvaluation step_;
};

StepEvaluation simulate_step(const std::string& trace_path, const TensorPlan& tensors, const MachineParameters& machine,
                             const LoweringOptions& lowering) {
    StepEvaluation step;
    Progress silent(machine.name, "operations", tensors.operations(), false);
    const Job job{.machine = machine, .plan = &tensors, .lowering = lowering};
    static_cast<void>(simulate(
        trace_path, {&job, 1}, [&](std::span<const OpRecord> record) { step.totals += record.front(); }, silent));
    step.operations_evaluated = step.totals.operations;
    return step;
}

}  // namespace

StepEvaluation evaluate_step(const std::string& trace_path, const TensorPlan& tensors, const Subject& subject,
                             const LoweringOptions& lowering, Fidelity fidelity, OperationStore* store, bool sharing) {
    if (fidelity == Fidelity::simulated) {
        return simulate_step(trace_path, tensors, subject.machine, lowering);
    }
    Operations operations(subject.machine, fidelity, store, sharing);
    Lowering::list_operations(trace_path, tensors, subject.machine, lowering,
                              [&](const OperationTask& operation) { operations.add(operation); });
    return operations.finish();
}

}  // namespace nibble
