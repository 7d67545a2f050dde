// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "models/machine/machine.h"
#include "sim/counters/ledger.h"
#include "sim/lowering/lowering.h"
#include "tests/support/simulate.h"
#include "tests/support/trace_file.h"

namespace nibble::test {

struct TraceRun {
    std::vector<OpRecord> records;
    RunSummary summary;
};

/// Runs a trace on a machine in this process: only inside simulate().
inline TraceRun run_here(const std::string& trace_path, const MachineParameters& machine,
                         const LoweringOptions& options, const RunOptions& run_options = {}) {
    TraceRun run;
    const TensorPlan plan(trace_path, machine, *options.recipe, options.selection);
    Lowering program(trace_path, plan, machine, options);
    Ledger ledger([&](const OpRecord& record) { run.records.push_back(record); });
    Machine model(machine, program, ledger, run_options);
    run.summary = model.run();
    run.summary.on_chip = program.on_chip();
    run.summary.values_checked = program.values_checked();
    return run;
}

/// Everything that must not depend on how a run was made, as text.
inline std::string story(const TraceRun& run) {
    std::string text = fmt::format("cycles {}\n", run.summary.cycles);
    for (const OpRecord& record : run.records) {
        text += fmt::format("{} {} {} {} {} macs {}:", record.index, record.layer, record.phase, record.mode,
                            to_string(record.mapping), record.macs);
        for (std::size_t c = 0; c < counter_count; ++c) {
            text += fmt::format(" {}={}", counter_info[c].name, record.counters[c]);
        }
        for (std::size_t c = 0; c < cause_count; ++c) {
            text += fmt::format(" {}={}", cause_names[c], record.causes[c]);
        }
        text += '\n';
    }
    for (const UnitActivity& unit : run.summary.units) {
        text += unit.unit;
        for (std::size_t a = 0; a < activity_count; ++a) {
            text += fmt::format(" {}={}", activity_names[a], unit.cycles[a]);
        }
        text += '\n';
    }
    return text + fmt::format("checked {}\n", run.summary.values_checked);
}

}  // namespace nibble::test
