// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/base/error.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/tiling.h"
#include "sim/mapping/mapping_plan.h"

namespace nibble {

/// Mappings as a file has them: YAML, a section for each machine, a mapping for each kind of GEMM.
class MappingFile {
public:
    struct Entry {
        std::string gemm;  ///< GemmTask::key()
        MappedTask mapped{};
        SourceLocation where{};
    };
    struct Section {
        std::string machine;
        std::vector<Entry> entries;
    };

    /// Throws InputError with every problem of the text.
    [[nodiscard]] static MappingFile load(const std::string& path);

    /// The entries for a machine; null if there is no section for it.
    [[nodiscard]] const Section* section(const std::string& machine) const;
    [[nodiscard]] const std::vector<Section>& sections() const { return sections_; }

private:
    std::vector<Section> sections_;
};

/// What is wrong with an entry's mapping for a task on a machine; empty if it can be used.
[[nodiscard]] std::vector<Problem> problems_of(const MappingFile::Entry& entry, const GemmTask& task,
                                               const MachineParameters& machine);

/// Writes one entry of a section.
void write_mapping(std::ostream& out, const std::string& gemm, const MappedTask& mapped);

/// Writes the section of one machine: the first mapping of each kind of GEMM. A file is any number of them.
void write_mappings(std::ostream& out, const std::string& machine, const std::vector<PlannedGemm>& planned);

}  // namespace nibble
