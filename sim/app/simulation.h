// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "models/machine/wave_recorder.h"
#include "sim/counters/op_record.h"
#include "sim/lowering/lowering.h"
#include "sim/lowering/tensor_plan.h"
#include "sim/timeline/timeline_file.h"

namespace nibble {

class Progress;

/// One machine and what it is to run.
struct Job {
    MachineParameters machine;
    const TensorPlan* plan = nullptr;
    LoweringOptions lowering;
    bool skipping = true;
    bool series = false;  ///< the summary says how the run went over time
    /// Where events of the timeline go, to be put together later.
    struct Timeline {
        std::filesystem::path events;
        TimelineFormat format = TimelineFormat::json;
        unsigned process = 1;
    };
    std::optional<Timeline> timeline{};
    std::optional<WaveRequest> wave{};
};

/// The records of one operation, in the order of the jobs.
using RecordsSink = std::function<void(std::span<const OpRecord> records)>;

/// Runs one or more machines on the same trace, each in a process of its own, at the same time. `sink` gets every
/// operation in trace order, as soon as all have it. Summaries are in the order of the jobs. Throws what went wrong in
/// any; the others are ended then.
[[nodiscard]] std::vector<RunSummary> simulate(const std::string& trace_path, std::span<const Job> jobs,
                                               const RecordsSink& sink, Progress& progress);

}  // namespace nibble
