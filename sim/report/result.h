// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/machine/machine_params.h"
#include "sim/counters/op_record.h"
#include "sim/energy/area.h"
#include "sim/energy/energy_model.h"
#include "sim/report/tally.h"
#include "sim/report/value_summary.h"

namespace nibble {

/// One machine of a comparison, before it runs.
struct Subject {
    MachineParameters machine;
    std::string recipe;
    AreaBreakdown area;
    EnergyModel energy;
    std::string rule;                ///< how it was made from the machine it is compared with; empty: its own file
    std::vector<std::string> notes;  ///< what a reader of the comparison should know of the rule
};

/// How the trace of a run was made from what the command line named.
struct SourceOptions {
    std::string from;  ///< what the file was said to be
    std::optional<std::uint64_t> batch{};
    std::optional<std::uint64_t> iteration{};  ///< of a recording; nothing: all
    std::string training;                      ///< what was done about missing parts of the step
    bool fusion = true;                        ///< element-wise work joined what it works on
};

/// What is to be run, and everything that a reader needs to run it again.
struct Setup {
    std::string program;       ///< name and version
    std::string program_hash;  ///< of the executable, as program_hash() has it
    std::string trace;         ///< as given on the command line
    SourceOptions source;
    std::string trace_hash;  ///< ContentHash of the step that was simulated, in the format of traces
    std::string network;     ///< as the trace calls itself
    std::uint64_t batch = 1;
    std::string phases;  ///< simulated ones
    std::string layers;  ///< shell pattern of simulated ones
    bool skipping = true;
    bool values = false;
    std::vector<std::string> energy_sources;  ///< publications behind the energy table
    Subject machine;
    std::optional<Subject> baseline;
};

/// One machine after its run.
struct Outcome {
    Tally totals;         ///< sums over operations
    Picojoules activity;  ///< sum of EnergyModel::activity_correction() of GEMMs with recorded operands
    RunSummary summary;
};

/// A set of operations on both machines.
struct Comparison {
    std::string group;  ///< layer group; empty where all groups are meant
    std::string name;   ///< phase or mode
    Tally machine;
    Tally baseline;
};

/// Everything that reports are printed from, except single operations, which stream past.
struct Result {
    Setup setup;
    Outcome machine;
    std::optional<Outcome> baseline;
    std::vector<Comparison> groups;          ///< by layer group and phase, in order of first appearance
    std::vector<Comparison> phases;          ///< by phase, in the order of a training step
    std::vector<Comparison> modes;           ///< by array mode on the machine
    std::vector<Comparison> baseline_modes;  ///< by array mode on the baseline
    ValueSummary values;                     ///< of recorded values
};

}  // namespace nibble
