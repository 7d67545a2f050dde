// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

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

struct Summaries {
    RunSummary machine;
    std::optional<RunSummary> baseline;
};

/// Both records of one operation; null for the baseline if there is none.
using PairSink = std::function<void(const OpRecord& machine, const OpRecord* baseline)>;

/// Runs one or two machines on the same trace, each in a process of its own, at the same time. `sink` gets every
/// operation in trace order, as soon as both have it. Throws what went wrong in either; the other is ended then.
[[nodiscard]] Summaries simulate(const std::string& trace_path, const Job& machine, const Job* baseline,
                                 const PairSink& sink, Progress& progress);

}  // namespace nibble
