// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/lowering/lowering.h"
#include "sim/lowering/mapping_table.h"
#include "sim/mapping/mapping_search.h"

namespace nibble {

/// Where a mapping comes from.
enum class MappingOrigin : std::uint8_t { searched, cached, file, greedy };
inline constexpr std::size_t mapping_origin_count = 4;
inline constexpr std::array<std::string_view, mapping_origin_count> mapping_origin_names{"searched", "cached", "file",
                                                                                         "greedy"};

/// One kind of GEMM of a trace with the mapping that it gets.
struct PlannedGemm {
    Lowering::ListedGemm gemm;
    MappedTask mapped{};
    MappingOrigin origin = MappingOrigin::searched;
};

/// What mappings of a trace's GEMMs are found with.
struct MappingRequest {
    MappingObjective objective = MappingObjective::cycles;
    bool search = true;  ///< otherwise what `known` does not have is mapped greedily
    MappingSearch::Price price;
    /// A mapping that is known already, with its origin; may be empty. What to expect of one from a file is found out.
    std::function<const MappedTask*(const GemmTask& task, MappingOrigin& origin)> known;
    /// Called as GEMMs are done, from one thread at a time; may throw, which ends the search.
    std::function<void(std::size_t done, std::size_t all)> progress;
    unsigned threads = 1;
};

/// Chooses a mapping for each of the GEMMs. The result does not depend on the number of threads. Throws InputError if a
/// GEMM does not fit the machine.
[[nodiscard]] std::vector<PlannedGemm> plan_mappings(std::vector<Lowering::ListedGemm> gemms,
                                                     const MachineParameters& machine, const MappingRequest& request);

[[nodiscard]] MappingTable table_of(const std::vector<PlannedGemm>& planned);

}  // namespace nibble
