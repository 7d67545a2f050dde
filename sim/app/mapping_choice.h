// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "sim/app/subject.h"
#include "sim/lowering/lowering.h"
#include "sim/lowering/tensor_plan.h"
#include "sim/mapping/mapping_file.h"
#include "sim/mapping/mapping_plan.h"

namespace nibble {

/// How the user wants GEMMs to be mapped.
struct MappingOptions {
    std::string choice = "search";  ///< search, greedy, or a mapping file: what that does not have is searched
    MappingObjective objective = MappingObjective::energy_delay;
    bool cache = true;                                       ///< look up and keep searched mappings on disk
    bool quiet = false;                                      ///< show no progress
    unsigned threads = std::thread::hardware_concurrency();  ///< that search
};

/// Finds the mappings of a run.
class MappingChoice {
public:
    /// Reads the mapping file, if one is named. Throws InputError.
    explicit MappingChoice(const MappingOptions& options);

    /// Maps the GEMMs of a trace on a machine. Throws InputError if a GEMM does not fit it, or a mapping of the file
    /// cannot be used for the GEMM that it is for.
    [[nodiscard]] std::vector<PlannedGemm> plan(const std::string& trace_path, const TensorPlan& tensors,
                                                const Subject& subject, const LoweringOptions& lowering) const;

private:
    /// The file's mappings for GEMMs of the trace, by GemmTask::key().
    [[nodiscard]] std::unordered_map<std::string, const MappingFile::Entry*> entries_for(
        const std::vector<Lowering::ListedGemm>& gemms, const MachineParameters& machine) const;

    MappingOptions options_;
    std::optional<MappingFile> file_;
};

}  // namespace nibble
