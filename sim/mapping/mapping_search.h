// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/counters/counter.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// What a mapping is chosen for.
enum class MappingObjective : std::uint8_t { cycles, energy, energy_delay };
inline constexpr std::size_t mapping_objective_count = 3;
inline constexpr std::array<std::string_view, mapping_objective_count> mapping_objective_names{"cycles", "energy",
                                                                                               "energy-delay"};

/// A mapping, and what is expected of it when the GEMM runs alone.
struct MappedTask {
    Tiling tiling;
    double cycles = 0;
    double energy_pj = 0;  ///< without DRAM rows and refresh, which the prediction does not know
};

/// Searches mappings of GEMMs on one machine: tile sizes (halves of the whole and powers of two, whole images, blocks
/// of memory), the six loop orders, the array's dataflows, and how many buffers each operand has.
///
/// Two steps. All that fit the machine are looked at by closed forms (TilingEstimate). Then the best dozen of them,
/// with the greedy mapping, are put through the command model (predict()), and the best of these by the objective wins;
/// among those within half a percent of it, the one with the least DRAM traffic. Deterministic.
class MappingSearch {
public:
    /// Energy of what a prediction counts.
    using Price = std::function<double(const CounterValues&)>;

    /// `machine` must outlive the search.
    MappingSearch(const MachineParameters& machine, MappingObjective objective, Price price);

    /// Throws InputError if nothing fits the machine.
    [[nodiscard]] MappedTask search(const GemmTask& task) const;
    /// What is expected of a given mapping.
    [[nodiscard]] MappedTask evaluate(const GemmTask& task, const Tiling& tiling) const;

    /// All mappings that the first step looks at and that fit.
    [[nodiscard]] std::vector<Tiling> candidates(const GemmTask& task) const;

private:
    struct Ranked {
        Tiling tiling;
        double score = 0;
    };
    struct Evaluated {
        MappedTask mapped;
        double score = 0;
        double dram_bytes = 0;
    };
    [[nodiscard]] std::vector<Ranked> rank(const GemmTask& task) const;
    [[nodiscard]] Evaluated look_closer(const GemmTask& task, const Tiling& tiling) const;

    const MachineParameters& machine_;
    MappingObjective objective_;
    Price price_;
    double dram_bytes_per_cycle_;  // of a long stream
};

}  // namespace nibble
