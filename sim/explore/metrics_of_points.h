// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/report/result.h"
#include "sim/report/tally.h"

namespace nibble {

/// Metrics that a machine has before it runs: area, memory, peaks.
[[nodiscard]] const std::vector<std::string>& design_metric_names();
/// In the order of their names.
[[nodiscard]] std::vector<double> design_metrics(const Subject& machine);

/// All metrics of a point: those of a run first, then those of its design.
[[nodiscard]] const std::vector<std::string>& point_metric_names();

/// What one workload came to on one machine.
struct StepOutcome {
    Tally totals;
    bool has_causes = true;  ///< a prediction knows no causes
};

/// One design on one workload, or on several with their weights.
struct WeightedOutcome {
    double weight = 1;
    const Subject* machine = nullptr;
    const StepOutcome* outcome = nullptr;
    const Subject* baseline = nullptr;  ///< null: none
    const StepOutcome* baseline_outcome = nullptr;
};

/// In the order of point_metric_names(); nothing where the study has no baseline, or a prediction does not know. There
/// is at least one outcome, and all are of one design. Cycles, time, energy and bytes are weighted sums; everything
/// else follows from these.
[[nodiscard]] std::vector<std::optional<double>> point_metrics(const std::vector<WeightedOutcome>& outcomes);

}  // namespace nibble
