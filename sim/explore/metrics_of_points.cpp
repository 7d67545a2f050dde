// SPDX-License-Identifier: MIT
#include "sim/explore/metrics_of_points.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "sim/counters/counter.h"
#include "sim/report/metrics.h"

namespace nibble {

namespace {

/// Everything works at its peak: the fastest mode's MACs, and the DRAM's bytes, with what leaks and stands by.
double peak_power_mw(const Subject& subject) {
    const MachineParameters& machine = subject.machine;
    const double seconds = seconds_of(1, machine);
    const ArrayMode mode = fastest_mode(machine);
    const Counter macs = mac_counters[static_cast<std::size_t>(mode)];
    double pj_per_second = macs_per_second(mode, machine) * subject.energy.price_of(macs).count() +
                           subject.energy.price_of(Counter::cycles).count() / seconds;
    if (const std::optional<double> bytes = dram_bytes_per_second(machine)) {
        pj_per_second += *bytes * subject.energy.price_of(Counter::dram_bytes_read).count();
    }
    return pj_per_second * 1e-9;
}

}  // namespace

const std::vector<std::string>& design_metric_names() {
    static const std::vector<std::string> names{"area_mm2", "sram_bytes", "peak_macs_per_s", "peak_power_mw",
                                                "dram_bytes_per_s"};
    return names;
}

std::vector<double> design_metrics(const Subject& subject) {
    const MachineParameters& machine = subject.machine;
    const std::uint64_t sram = machine.scratchpad.capacity_bytes + machine.mac_array.accumulator_bytes;
    return {subject.area.total().count() * 1e-6, static_cast<double>(sram),
            macs_per_second(fastest_mode(machine), machine), peak_power_mw(subject),
            dram_bytes_per_second(machine).value_or(0)};
}

const std::vector<std::string>& point_metric_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all{"cycles",     "time_ms",     "energy_pj", "energy_delay_pj_s", "power_mw",
                                     "dram_bytes", "utilization", "speedup",   "energy_gain"};
        for (const std::string_view cause : cause_names) {
            all.push_back(std::string(cause) + "_share");
        }
        all.insert(all.end(), design_metric_names().begin(), design_metric_names().end());
        return all;
    }();
    return names;
}

std::vector<std::optional<double>> point_metrics(const std::vector<WeightedOutcome>& outcomes) {
    double cycles = 0;
    double seconds = 0;
    double energy = 0;
    double bytes = 0;
    double busy = 0;
    double baseline_seconds = 0;
    double baseline_energy = 0;
    bool has_baseline = true;
    bool has_causes = true;
    std::array<double, cause_count> causes{};
    for (const WeightedOutcome& one : outcomes) {
        const Tally& totals = one.outcome->totals;
        cycles += one.weight * static_cast<double>(totals.cycles());
        seconds += one.weight * seconds_of(totals.cycles(), one.machine->machine);
        energy += one.weight * energy_pj(totals, *one.machine);
        bytes +=
            one.weight * static_cast<double>(totals[Counter::dram_bytes_read] + totals[Counter::dram_bytes_written]);
        busy += one.weight * cycles_at_peak(totals.counters, one.machine->machine);
        for (std::size_t i = 0; i < cause_count; ++i) {
            causes[i] += one.weight * static_cast<double>(totals.causes[i]);
        }
        has_causes = has_causes && one.outcome->has_causes;
        if (one.baseline == nullptr) {
            has_baseline = false;
        } else {
            const Tally& other = one.baseline_outcome->totals;
            baseline_seconds += one.weight * seconds_of(other.cycles(), one.baseline->machine);
            baseline_energy += one.weight * energy_pj(other, *one.baseline);
        }
    }
    const auto over = [](double dividend, double divisor) { return divisor > 0 ? dividend / divisor : 0; };
    const auto known = [](bool is_known, double value) { return is_known ? std::optional(value) : std::nullopt; };
    std::vector<std::optional<double>> metrics{cycles,
                                               seconds * 1e3,
                                               energy,
                                               energy * seconds,
                                               over(energy, seconds) * 1e-9,
                                               bytes,
                                               over(busy, cycles),
                                               known(has_baseline, over(baseline_seconds, seconds)),
                                               known(has_baseline, over(baseline_energy, energy))};
    for (const double cause : causes) {
        metrics.push_back(known(has_causes, over(cause, cycles)));
    }
    for (const double value : design_metrics(*outcomes.front().machine)) {
        metrics.emplace_back(value);
    }
    return metrics;
}

}  // namespace nibble
