// SPDX-License-Identifier: MIT
#include "sim/report/waterfall.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "sim/energy/baseline.h"
#include "sim/report/metrics.h"

namespace nibble {

namespace {

struct Step {
    std::string_view name;
    std::string_view what;
};

constexpr std::size_t step_count = 8;
constexpr std::array<Step, step_count> steps{{
    {"array", "these arrays, at peak"},
    {"precision", "MACs kept in 8 or 16 bits"},
    {"utilization", "partial tiles"},
    {"fill_drain", "array fill and drain"},
    {"memory", "waiting for DRAM"},
    {"conversion", "gradient conversion"},
    {"vector", "element-wise work"},
    {"control", "control"},
}};

/// Seconds of a machine after each step.
std::array<double, step_count> hypothetical_times(const Tally& totals, const MachineParameters& machine) {
    const double period = seconds_of(1, machine);
    std::array<double, step_count> times{};
    times[0] = static_cast<double>(array_macs(totals.counters)) / macs_per_second(fastest_mode(machine), machine);
    times[1] = cycles_at_peak(totals.counters, machine) * period;
    constexpr std::array<Cause, step_count - 2> added{
        Cause::compute, Cause::fill_drain, Cause::memory, Cause::gradient_conversion, Cause::vector, Cause::control};
    std::uint64_t cycles = 0;
    for (std::size_t i = 0; i < added.size(); ++i) {
        cycles += totals[added[i]];
        times[i + 2] = seconds_of(cycles, machine);
    }
    return times;
}

}  // namespace

std::vector<WaterfallStep> waterfall_of(const Result& result) {
    if (!result.baseline || array_macs(result.machine.totals.counters) == 0 ||
        array_macs(result.baseline->totals.counters) == 0) {
        return {};
    }
    const auto machine = hypothetical_times(result.machine.totals, result.setup.machine.machine);
    const auto baseline = hypothetical_times(result.baseline->totals, result.setup.baseline->machine);
    double before = density_promised_by_sun;
    std::vector<WaterfallStep> waterfall{{"paper", "Sun et al. 2020: MAC area alone", before, before}};
    for (std::size_t i = 0; i < step_count; ++i) {
        const double now = baseline[i] / machine[i];
        waterfall.push_back({std::string(steps[i].name), std::string(steps[i].what), now / before, now});
        before = now;
    }
    return waterfall;
}

}  // namespace nibble
