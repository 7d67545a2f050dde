// SPDX-License-Identifier: MIT
#include "sim/report/conservation.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/report/metrics.h"

namespace nibble {

namespace {

// Room for the rounding of sums of doubles, far below anything that a lost count would change.
constexpr double rounding = 1e-9;

template <class Counts>
std::uint64_t sum(const Counts& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void require_equal(std::uint64_t found, std::uint64_t expected, std::string_view law, const std::string& whose) {
    if (found != expected) {
        throw ModelError(fmt::format("{}: {}: {} instead of {}", whose, law, found, expected));
    }
}

void require_near(double found, double expected, std::string_view law, const std::string& whose) {
    if (!(std::abs(found - expected) <= rounding * std::abs(expected))) {
        throw ModelError(fmt::format("{}: {}: {} instead of {}", whose, law, found, expected));
    }
}

void require_at_least(double found, double bound, std::string_view law, const std::string& whose) {
    if (!(found >= bound * (1 - rounding))) {
        throw ModelError(fmt::format("{}: {}: {} is below {}", whose, law, found, bound));
    }
}

void check_sums(const Tally& totals, const RunSummary& summary, const std::string& whose) {
    require_equal(totals.operations, summary.operations, "operations reported do not add up to the run", whose);
    require_equal(totals.cycles(), summary.cycles, "cycles of the operations do not add up to the run", whose);
    for (std::size_t i = 0; i < cause_count; ++i) {
        require_equal(totals.causes[i], summary.causes[i],
                      fmt::format("cycles of cause {} do not add up over operations", cause_names[i]), whose);
    }
    require_equal(sum(totals.causes), summary.cycles, "causes do not add up to the cycles", whose);
    for (std::size_t i = 0; i < counter_count; ++i) {
        require_equal(totals.counters[i], summary.counters[i],
                      fmt::format("counter {} does not add up over operations", counter_info[i].name), whose);
    }
    std::uint64_t conflicts = 0;
    for (const Counter client : client_conflict_counters) {
        conflicts += totals.counters[index_of(client)];
    }
    require_equal(conflicts, totals.counters[index_of(Counter::scratchpad_conflict_cycles)],
                  "conflict cycles of the scratchpad's clients do not add up", whose);
    for (const UnitActivity& unit : summary.units) {
        require_equal(sum(unit.cycles), summary.cycles,
                      fmt::format("activities of unit {} do not add up to the cycles", unit.unit), whose);
    }
}

void check_bounds(const Tally& totals, const MachineParameters& machine) {
    if (!machine.mac_array.ideal) {
        require_at_least(static_cast<double>(totals[Cause::compute]), cycles_at_peak(totals.counters, machine),
                         "compute cycles against those that the MACs need at peak", machine.name);
    }
    if (const std::optional<double> bandwidth = dram_bytes_per_second(machine); bandwidth && !machine.dma.ideal) {
        const auto bytes = static_cast<double>(totals[Counter::dram_bytes_read] + totals[Counter::dram_bytes_written]);
        require_at_least(seconds_of(totals.cycles(), machine), bytes / *bandwidth,
                         "seconds of the run against those that DRAM needs at peak bandwidth", machine.name);
    }
}

void check_energy(const Tally& totals, const Subject& subject) {
    const EnergyBreakdown breakdown = subject.energy.price(totals.counters);
    EnergyBreakdown from_lines;
    for (const EnergyLine& line : subject.energy.lines(totals.counters)) {
        from_lines.parts[static_cast<std::size_t>(line.component)] += line.energy;
    }
    double total = 0;
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        require_near(from_lines.parts[i].count(), breakdown.parts[i].count(),
                     fmt::format("energy of {} by counter does not add up", energy_component_names[i]),
                     subject.machine.name);
        total += breakdown.parts[i].count();
    }
    require_near(total, breakdown.total().count(), "energy by component does not add up", subject.machine.name);
}

void check_parts(const std::vector<Comparison>& parts, Tally Comparison::*side, const Tally& totals,
                 const Subject& subject) {
    Tally together;
    double energy = 0;
    for (const Comparison& part : parts) {
        together += part.*side;
        energy += energy_pj(part.*side, subject);
    }
    if (together != totals) {
        throw ModelError(subject.machine.name + ": counts of the parts do not add up to the run");
    }
    require_near(energy, energy_pj(totals, subject), "energy of the parts does not add up to the run",
                 subject.machine.name);
}

}  // namespace

void check_conservation(const OpRecord& record) {
    const std::string whose = fmt::format("operation {} ({}, {})", record.index, printable(record.layer), record.phase);
    const auto counted = [&](Counter counter) { return record.counters[index_of(counter)]; };
    require_equal(sum(record.causes), counted(Counter::cycles), "causes do not add up to the cycles", whose);
    require_equal(array_macs(record.counters) + counted(Counter::vector_macs), record.macs, "MACs executed", whose);
    require_equal(counted(Counter::dram_bytes_read), record.predicted_dram_bytes_read, "bytes read from DRAM", whose);
    require_equal(counted(Counter::dram_bytes_written), record.predicted_dram_bytes_written, "bytes written to DRAM",
                  whose);
}

void check_conservation(const Outcome& outcome, const Subject& subject) {
    check_sums(outcome.totals, outcome.summary, subject.machine.name);
    check_bounds(outcome.totals, subject.machine);
    check_energy(outcome.totals, subject);
}

void check_partition(const std::vector<Comparison>& parts, const Result& result) {
    check_parts(parts, &Comparison::machine, result.machine.totals, result.setup.machine);
    if (result.baseline) {
        check_parts(parts, &Comparison::baseline, result.baseline->totals, *result.setup.baseline);
    }
}

}  // namespace nibble
