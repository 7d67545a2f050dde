// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/counters/counter.h"
#include "sim/energy/energy_model.h"
#include "sim/explore/json_reader.h"

namespace nibble {

/// Cycles and energy of a part of a run on the machine.
struct RunCost {
    std::uint64_t cycles = 0;
    CauseCycles causes{};  ///< sum to cycles
    double energy_pj = 0;
};

struct RunPhase {
    std::string phase;
    RunCost cost;
};

struct RunOperation {
    std::uint64_t index = 0;  ///< among those of the run
    std::string layer;
    std::string phase;
    std::string kind;
    RunCost cost;
};

/// What a comparison needs of result.json.
struct RunResult {
    std::string file;
    std::string machine;
    /// What was run, as names and texts: program, trace, network, batch and so on.
    std::vector<std::pair<std::string, std::string>> setup;
    double seconds = 0;
    std::optional<double> speedup;  ///< nothing without a baseline
    std::optional<double> energy_gain;
    RunCost total;
    std::array<double, energy_component_count> components_pj{};  ///< in this order they sum to total.energy_pj
    std::vector<RunPhase> phases;                                ///< their cycles and causes sum to total's
    std::vector<RunOperation> operations;                        ///< as well
};

/// The result.json of a directory that `run --out` made; any other path is taken to be that file.
[[nodiscard]] std::filesystem::path result_file(const std::filesystem::path& path);
/// Reads a result.json. Throws InputError if it is none of the version that this program writes.
[[nodiscard]] JsonValue read_result_document(const std::filesystem::path& file);

/// Reads a directory that `run --out` made, or its result.json. Throws InputError if it is none, or if its parts do not
/// add up to its whole.
[[nodiscard]] RunResult read_run_result(const std::filesystem::path& path);
/// The same of a document that read_result_document() has read, from `file`.
[[nodiscard]] RunResult read_run_result(const JsonValue& document, const std::string& file);

}  // namespace nibble
