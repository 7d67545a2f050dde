// SPDX-License-Identifier: MIT
#include "sim/report/metrics.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "models/dram/dram_standard.h"
#include "models/mac_array/mac_array_params.h"
#include "models/scratchpad/scratchpad_params.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

double peak_of(std::size_t mode, const MachineParameters& machine) {
    const auto& geometry = machine.mac_array.modes[mode];
    return geometry ? peak_macs_per_cycle(*geometry) : 0;
}

double quotient(double dividend, double divisor) {
    return divisor > 0 ? dividend / divisor : 0;
}

}  // namespace

double seconds_of(std::uint64_t cycles, const MachineParameters& machine) {
    return static_cast<double>(cycles) * static_cast<double>(machine.clock_period_ps) * 1e-12;
}

std::optional<double> dram_bytes_per_second(const MachineParameters& machine) {
    if (machine.ideal_memory) {
        return std::nullopt;
    }
    const DramStandard* standard = find_dram_standard(machine.dram.standard);
    if (standard == nullptr) {
        throw ModelError("machine with unknown DRAM standard '" + machine.dram.standard + "'");
    }
    const double burst_seconds = static_cast<double>(standard->burst) * standard->clock_period_ps * 1e-12;
    return static_cast<double>(machine.dram.channels) * standard->burst_bytes() / burst_seconds;
}

double scratchpad_bytes_per_second(const MachineParameters& machine) {
    const std::uint64_t bytes_per_cycle = most_lines_per_cycle(machine.scratchpad) * machine.scratchpad.line_bytes;
    return static_cast<double>(bytes_per_cycle) / seconds_of(1, machine);
}

std::uint64_t scratchpad_bytes(const CounterValues& counters, const MachineParameters& machine) {
    std::uint64_t lines = 0;
    for (const auto& [read, written] : line_counters) {
        lines += counters[index_of(read)] + counters[index_of(written)];
    }
    return lines * machine.scratchpad.line_bytes;
}

double macs_per_second(ArrayMode mode, const MachineParameters& machine) {
    return peak_of(static_cast<std::size_t>(mode), machine) / seconds_of(1, machine);
}

ArrayMode fastest_mode(const MachineParameters& machine) {
    std::size_t fastest = static_cast<std::size_t>(ArrayMode::int4_fp4);
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        if (peak_of(mode, machine) > peak_of(fastest, machine)) {
            fastest = mode;
        }
    }
    return static_cast<ArrayMode>(fastest);
}

double cycles_at_peak(const CounterValues& counters, const MachineParameters& machine) {
    double cycles = 0;
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        const std::uint64_t macs = counters[index_of(mac_counters[mode])];
        if (macs > 0 && peak_of(mode, machine) <= 0) {
            throw ModelError("MACs counted in a mode that the array does not have: " +
                             std::string(array_mode_names[mode]));
        }
        cycles += quotient(static_cast<double>(macs), peak_of(mode, machine));
    }
    return cycles;
}

std::uint64_t array_macs(const CounterValues& counters) {
    std::uint64_t macs = 0;
    for (const Counter counter : mac_counters) {
        macs += counters[index_of(counter)];
    }
    return macs;
}

double utilization_of(const OpRecord& record) {
    const auto cycles = static_cast<double>(record.counters[index_of(Counter::cycles)]);
    const double needed = quotient(static_cast<double>(record.macs), record.peak_macs_per_cycle);
    return needed > 0 ? std::min(1.0, cycles > 0 ? needed / cycles : 1.0) : 0;
}

double utilization_of(const Tally& tally, const MachineParameters& machine) {
    return quotient(cycles_at_peak(tally.counters, machine), static_cast<double>(tally.cycles()));
}

double energy_pj(const Tally& tally, const Subject& subject) {
    return subject.energy.price(tally.counters).total().count();
}

double speedup(const Comparison& both, const Setup& setup) {
    return quotient(seconds_of(both.baseline.cycles(), setup.baseline->machine),
                    seconds_of(both.machine.cycles(), setup.machine.machine));
}

double energy_gain(const Comparison& both, const Setup& setup) {
    return quotient(energy_pj(both.baseline, *setup.baseline), energy_pj(both.machine, setup.machine));
}

Comparison whole_run(const Result& result) {
    return {"", "", result.machine.totals, result.baseline->totals};
}

}  // namespace nibble
