// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/explore/point_table.h"
#include "sim/lowering/lowering.h"
#include "sim/lowering/tensor_plan.h"
#include "sim/report/result.h"
#include "sim/report/tally.h"

namespace nibble {

/// Where results of single operations are kept from one evaluation to others. Both directions may do nothing.
class OperationStore {
public:
    virtual ~OperationStore() = default;
    /// A value that was put under this key, a line of JSON.
    [[nodiscard]] virtual std::optional<std::string> find(const std::string& key) = 0;
    virtual void put(const std::string& key, const std::string& value) = 0;
};

/// What a training step takes on a machine.
struct StepEvaluation {
    Tally totals;
    std::uint64_t operations_evaluated = 0;  ///< predicted or simulated for this evaluation
    std::uint64_t operations_shared = 0;     ///< taken from an equal one of the step, or from the store
};

/// Evaluates a step, quickly or truly:
///  - predicted: every kind of operation by predict(), times how often it occurs. Causes stay 0, as do the counters
///    that predict() does not know.
///  - composed: every kind of operation simulated alone (run_alone()), times how often it occurs.
///  - simulated: the whole step simulated, as by `nibblesim run`.
/// The sums of the first two leave out that an operation may begin before the one before it has ended.
///
/// `lowering` has the mappings; `tensors` comes from the same trace, recipe and machine. Equal operations are evaluated
/// once, and looked up in `store`, which may be null; with `sharing` false every operation is evaluated by itself: for
/// the proof that this changes no total. Processes are forked: no threads may run. Throws InputError, ModelError,
/// Interrupted.
[[nodiscard]] StepEvaluation evaluate_step(const std::string& trace_path, const TensorPlan& tensors,
                                           const Subject& subject, const LoweringOptions& lowering, Fidelity fidelity,
                                           OperationStore* store, bool sharing = true);

}  // namespace nibble
