// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/run_result.h"

namespace nibble {

/// The same part of two runs. One that only one of the runs has costs nothing in the other.
struct CostChange {
    RunCost a;
    RunCost b;

    [[nodiscard]] std::int64_t cycles() const { return static_cast<std::int64_t>(b.cycles - a.cycles); }
    [[nodiscard]] std::int64_t cycles(std::size_t cause) const {
        return static_cast<std::int64_t>(b.causes[cause] - a.causes[cause]);
    }
    [[nodiscard]] double energy_pj() const { return b.energy_pj - a.energy_pj; }
    /// The cause whose cycles changed the most; nothing if none did.
    [[nodiscard]] std::optional<std::size_t> cause() const;
};

struct PhaseChange {
    std::string phase;
    CostChange change;
};

struct OperationChange {
    std::uint64_t index = 0;  ///< in A, or else in B
    std::string layer;
    std::string phase;
    std::string kind;
    bool in_a = false;
    bool in_b = false;
    CostChange change;
};

struct SetupChange {
    std::string what;
    std::string a;
    std::string b;
};

/// What moved from one run to another. Phases sum to the whole, and so do operations: cycles and causes exactly.
struct ResultDifference {
    std::vector<SetupChange> setup;
    CostChange whole;
    std::vector<PhaseChange> phases;
    /// All operations, those whose cycles moved the most first, then by energy. Operations are the same if layer,
    /// phase and kind are; several of one layer are matched in their order. The index says nothing: it counts what was
    /// selected to run.
    std::vector<OperationChange> operations;
};

[[nodiscard]] ResultDifference difference_of(const RunResult& a, const RunResult& b);

}  // namespace nibble
