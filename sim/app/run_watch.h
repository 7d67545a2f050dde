// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/app/pending_file.h"
#include "sim/app/simulation.h"
#include "sim/app/temporary_file.h"
#include "sim/report/result.h"

namespace nibble {

/// What the user wants to see of a run beside its sums.
struct WatchRequest {
    bool series = false;   ///< the run over time, in the result
    std::string timeline;  ///< file for it; empty: none
    std::string wave;      ///< file for the waveform; empty: none
    std::uint64_t wave_from = 0;
    std::uint64_t wave_to = 0;  ///< first cycle that is left out; 0: not given
    std::string wave_units = "*";
    std::string wave_machine = "machine";  ///< machine, or baseline
};

/// Throws InputError if the request makes no sense.
void check(const WatchRequest& request, bool has_baseline);

/// Has machines watched, and makes the files of what was seen: whole or not at all.
class RunWatch {
public:
    /// Throws InputError if files cannot be made.
    explicit RunWatch(const WatchRequest& request);

    /// Has the machines watched as they run; `baseline` may be null.
    void prepare(Job& machine, Job* baseline);
    /// Writes the files, not yet under their names. Throws InputError if that fails.
    void write(const Result& result, bool quiet);
    /// Gives the files their names.
    void commit();

private:
    void watch(Job& job, unsigned process);

    WatchRequest request_;
    std::unique_ptr<PendingFile> timeline_;
    std::vector<std::unique_ptr<TemporaryFile>> events_;  // of the timeline, one a machine
    std::unique_ptr<PendingFile> wave_;
};

}  // namespace nibble
