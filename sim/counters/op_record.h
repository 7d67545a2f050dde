// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/counters/counter.h"
#include "sim/counters/mapping_record.h"
#include "sim/counters/on_chip_record.h"
#include "sim/counters/series.h"
#include "sim/counters/value_record.h"

namespace nibble {

/// What the commands of an operation ask for: stated before they run, and to be met by them exactly.
struct OperationStatement {
    std::uint64_t macs = 0;
    std::uint64_t dram_bytes_read = 0;
    std::uint64_t dram_bytes_written = 0;
};

/// What was measured of one operation of the trace on one machine. Operations retire in trace order; an operation's
/// cycles are those from the retirement of the one before it to its own, so they add up to the run exactly, while
/// its counters are everything that its own commands did, whenever they ran.
struct OpRecord {
    std::uint64_t index = 0;  ///< place among the operations that are run, from 0
    std::string layer;
    std::string group;
    std::string phase;     ///< forward, dx, dw, vector, update
    std::string kind;      ///< conv, matmul, depthwise, vector
    std::string mode;      ///< array mode, or "vector"
    std::string dataflow;  ///< output, weight, input; empty if the array was not used
    MappingRecord mapping;
    std::uint64_t batch = 1, m = 0, n = 0, k = 0;  ///< GEMM shape (of one of `batch` products); 0 for vector work
    std::uint64_t macs = 0;                        ///< multiply-accumulates that the operation asks for
    double peak_macs_per_cycle = 0;                ///< of its mode; 0 for vector work
    std::uint64_t predicted_dram_bytes_read = 0;   ///< stated by the tiling before the run
    std::uint64_t predicted_dram_bytes_written = 0;
    std::uint64_t predicted_cycles = 0;  ///< of a GEMM alone, when its mapping was chosen; 0: unknown
    CauseCycles causes{};                ///< sums to counters[cycles]
    CounterValues counters{};
    /// Of GEMMs on the array in values mode, else null. Measured while the operation runs: complete when it retires.
    std::shared_ptr<const ValueRecord> values;
};

/// One unit's cycles by class; they sum to the run.
struct UnitActivity {
    std::string unit;
    ActivityCycles cycles{};
};

/// What is left to say when a machine has finished.
struct RunSummary {
    std::uint64_t operations = 0;
    std::uint64_t cycles = 0;
    std::uint64_t edges = 0;  ///< clock edges made; fewer than cycles when skipping
    double wall_seconds = 0;  ///< of the simulation alone
    CauseCycles causes{};
    CounterValues counters{};  ///< sum over operations
    std::vector<UnitActivity> units;
    OnChipRecord on_chip;
    std::shared_ptr<const Series> series;  ///< the run over time, if that was asked for, else null
    std::uint64_t values_checked = 0;      ///< GEMM outputs compared with the plain reference (values mode)
};

}  // namespace nibble
