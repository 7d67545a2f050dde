// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/app/step_evaluation.h"
#include "sim/app/trace_source.h"
#include "sim/explore/metrics_of_points.h"
#include "sim/explore/point_table.h"
#include "sim/explore/result_store.h"

namespace nibble {

/// One machine on one trace: what a sweep evaluates once, however many of its points need it.
struct StepJob {
    std::string key;  ///< content hash of all below and of the program
    const Subject* subject = nullptr;
    const TraceSource* trace = nullptr;
    std::string mapping;  ///< as of `run --mapping`
    Fidelity fidelity = Fidelity::simulated;
};

/// The key of a job. `trace_hash` is that of the trace's content. Names and descriptions of machines do not count.
[[nodiscard]] std::string job_key(const Subject& subject, const std::string& trace_hash, const std::string& mapping,
                                  Fidelity fidelity);

/// What a job came to, as a store keeps it: the outcome, or why there is none.
struct StepResult {
    StepOutcome outcome;
    std::string error;        ///< empty: there is an outcome
    bool impossible = false;  ///< the error: the machine cannot execute the step, whatever its limits
};
[[nodiscard]] std::string to_json(const StepResult& result);
[[nodiscard]] StepResult step_result_of(const std::string& json);

/// Results of operations by their keys.
using OperationResults = std::vector<std::pair<std::string, std::string>>;
/// What a job's process tells its parent: its result, and the operations that it has evaluated.
struct JobReport {
    std::string result;
    OperationResults operations;
};
[[nodiscard]] std::string encode(const JobReport& report);
[[nodiscard]] JobReport decode_job_report(const std::string& bytes);

/// Evaluates the job. `known` are operations that have been evaluated before; with `sharing` false all are evaluated
/// anew, each by itself. Throws InputError if the machine cannot
/// execute the trace.
[[nodiscard]] JobReport run_step_job(const StepJob& job, const ResultStore& known, bool sharing);

}  // namespace nibble
