// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "models/machine/machine_params.h"
#include "sim/mapping/mapping_plan.h"

namespace nibble {

/// Mappings that earlier runs have searched, on disk: a file for each machine, objective and program, named after a
/// hash of all that a search depends on besides the GEMM. Only a convenience: what cannot be read or written is done
/// without.
class MappingCache {
public:
    MappingCache(const MachineParameters& machine, MappingObjective objective);

    /// Null if it is not there.
    [[nodiscard]] const MappedTask* find(const std::string& gemm) const;
    /// Adds what was searched, and writes the file anew under a temporary name first. Two runs that do so at the same
    /// time lose one's additions, nothing else.
    void add(const std::vector<PlannedGemm>& planned);

private:
    std::filesystem::path file_;  // empty: there is nowhere to keep it
    std::map<std::string, MappedTask> known_;
};

}  // namespace nibble
