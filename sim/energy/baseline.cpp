// SPDX-License-Identifier: MIT
#include "sim/energy/baseline.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

struct Grid {
    std::uint64_t rows = 0;
    std::uint64_t cols = 0;
    [[nodiscard]] std::uint64_t fpus() const { return rows * cols; }
    [[nodiscard]] std::uint64_t longer() const { return std::max(rows, cols); }
    [[nodiscard]] std::uint64_t shorter() const { return std::min(rows, cols); }
};

/// See make_baseline(). `allowed` must not be 0.
Grid grid_for(std::uint64_t allowed) {
    Grid best;
    for (std::uint64_t cols = 1; cols * cols <= 2 * allowed; cols *= 2) {
        const Grid grid{std::min(allowed / cols, 2 * cols), cols};
        if (2 * grid.rows < grid.cols) {
            continue;
        }
        const bool squarer = grid.longer() * best.shorter() < best.longer() * grid.shorter();
        if (grid.fpus() > best.fpus() || (grid.fpus() == best.fpus() && squarer)) {
            best = grid;
        }
    }
    return best;
}

const std::optional<ArrayGeometry>& geometry_of(const MachineParameters& machine, ArrayMode mode) {
    return machine.mac_array.modes[static_cast<std::size_t>(mode)];
}

/// MACs a cycle of the mode with which the machine does 4-bit work; 0 if it has none.
double four_bit_macs_per_cycle(const MachineParameters& machine) {
    for (const ArrayMode mode : {ArrayMode::int4, ArrayMode::int4_fp4}) {
        if (const std::optional<ArrayGeometry>& geometry = geometry_of(machine, mode)) {
            return peak_macs_per_cycle(*geometry);
        }
    }
    return 0;
}

constexpr double area_rounding = 1e-9;  // a sum of rounded products may fall short of a whole number by a little

/// Whole FPUs in `area`.
std::uint64_t fpus_in(SquareMicrometres area, const AreaTable& table) {
    return static_cast<std::uint64_t>(area.count() / table.each(AreaUnit::fp16_fpu).count() * (1 + area_rounding));
}

std::uint64_t allowed_fpus(const MachineParameters& machine, BaselineRule rule, const AreaTable& table,
                           std::vector<std::string>& notes) {
    const SquareMicrometres fpu = table.each(AreaUnit::fp16_fpu);
    const SquareMicrometres mac_area = mac_area_of(machine.mac_array, table);
    switch (rule) {
        case BaselineRule::iso_mac_area: {
            const std::uint64_t fpus = fpus_in(mac_area, table);
            notes.push_back(fmt::format("same MAC area: {:.0f} um2 hold {} FP16 FPUs of {:.1f} um2", mac_area.count(),
                                        fpus, fpu.count()));
            return fpus;
        }
        case BaselineRule::iso_core_area: {
            const SquareMicrometres gradient_area = area_of(machine, table)[AreaComponent::log_gradient];
            const std::uint64_t fpus = fpus_in(mac_area + gradient_area, table);
            notes.push_back(
                fmt::format("same core area: {:.0f} um2 of MACs and {:.0f} um2 of the log-gradient unit hold "
                            "{} FP16 FPUs of {:.1f} um2",
                            mac_area.count(), gradient_area.count(), fpus, fpu.count()));
            return fpus;
        }
        case BaselineRule::iso_macs: {
            const auto fpus = static_cast<std::uint64_t>(std::llround(four_bit_macs_per_cycle(machine)));
            if (fpus == 0) {
                throw InputError(
                    fmt::format("baseline iso-macs: machine '{}' has no 4-bit mode to take the number of "
                                "MACs from",
                                printable(machine.name)));
            }
            notes.push_back(fmt::format("same MACs: one FP16 FPU for each of {} 4-bit MACs a cycle", fpus));
            return fpus;
        }
    }
    return 0;
}

/// Largest divisor of `number` that is not above `limit`.
std::uint32_t largest_divisor(std::uint32_t number, std::uint32_t limit) {
    std::uint32_t divisor = std::min(number, limit);
    while (number % divisor != 0) {
        --divisor;
    }
    return divisor;
}

void fit_chunk(MacArrayParameters& array, std::vector<std::string>& notes) {
    const bool splits_reduction =
        std::ranges::any_of(array.dataflows, [](Dataflow dataflow) { return dataflow != Dataflow::output_stationary; });
    const std::uint32_t wanted = array.accumulation.chunk;
    if (!splits_reduction || array.rows % wanted == 0) {
        return;
    }
    array.accumulation.chunk = largest_divisor(array.rows, wanted);
    notes.push_back(fmt::format("accumulation chunk {} instead of {}: it divides the {} rows (orders values only)",
                                array.accumulation.chunk, wanted, array.rows));
}

/// Where the machine's accumulators cannot take the sums of the new array's columns, they get as wide as these, in two
/// banks that are read and written by turns.
void fit_accumulators(MacArrayParameters& array, std::vector<std::string>& notes) {
    const ArrayGeometry& geometry = *array.modes[static_cast<std::size_t>(ArrayMode::fp16)];
    if (std::ranges::all_of(array.dataflows,
                            [&](Dataflow dataflow) { return accumulators_keep_up(array, geometry, dataflow); })) {
        return;
    }
    array.accumulator_banks = MacArrayParameters{}.accumulator_banks;
    array.accumulator_line_bytes = MacArrayParameters{}.accumulator_line_bytes;
    array.accumulator_ports = MacArrayParameters{}.accumulator_ports;
    notes.push_back(fmt::format("accumulators in two banks of {} bytes, as wide as {} columns",
                                accumulators_of(array).line_bytes, geometry.cols));
}

/// The machine with an array of one FP16 FPU a PE, and nothing that only four bits need.
MachineParameters with_fpus(const MachineParameters& machine, const Grid& grid) {
    MachineParameters built = machine;
    built.log_gradient.lanes = 0;
    MacArrayParameters& array = built.mac_array;
    array.sharing = ArraySharing::shared;
    array.rows = static_cast<std::uint32_t>(grid.rows);
    array.cols = static_cast<std::uint32_t>(grid.cols);
    array.pe = {.int4_fp4_4way = 0, .fp8 = 0, .fp16 = 1};
    array.modes = {};
    array.modes[static_cast<std::size_t>(ArrayMode::fp16)] = ArrayGeometry{.rows = array.rows, .cols = array.cols};
    return built;
}

/// FPUs whose grid, with the accumulators that its columns need, keeps the core within the machine's area: as many as
/// `allowed`, or fewer where there are more columns than the machine's accumulators are wide.
std::uint64_t fpus_within_core(const MachineParameters& machine, std::uint64_t allowed, const AreaTable& table,
                               std::vector<std::string>& notes) {
    std::uint64_t fpus = allowed;
    const double limit = area_of(machine, table).total().count() * (1 + area_rounding);
    const auto area = [&] {
        MachineParameters built = with_fpus(machine, grid_for(fpus));
        std::vector<std::string> ignored;
        fit_accumulators(built.mac_array, ignored);
        return area_of(built, table).total().count();
    };
    while (fpus > 0 && area() > limit) {
        --fpus;
    }
    if (fpus < allowed) {
        notes.push_back(
            fmt::format("{} of them leave their area to the wider accumulators of more columns", allowed - fpus));
    }
    return fpus;
}

}  // namespace

Baseline make_baseline(const MachineParameters& machine, BaselineRule rule, const AreaTable& table) {
    const std::string_view rule_name = baseline_rule_names[static_cast<std::size_t>(rule)];
    std::vector<std::string> notes;
    std::uint64_t allowed = allowed_fpus(machine, rule, table, notes);
    if (rule == BaselineRule::iso_core_area) {
        allowed = fpus_within_core(machine, allowed, table, notes);
    }
    if (allowed == 0) {
        throw InputError(fmt::format("baseline {}: the area of machine '{}' does not hold one FP16 FPU", rule_name,
                                     printable(machine.name)));
    }
    const Grid grid = grid_for(allowed);
    const double lost_percent = 100.0 * static_cast<double>(allowed - grid.fpus()) / static_cast<double>(allowed);
    notes.push_back(fmt::format("{} FPUs fit, {} x {} = {} built ({:.1f}% lost to rounding)", allowed, grid.rows,
                                grid.cols, grid.fpus(), lost_percent));
    MachineParameters built = with_fpus(machine, grid);
    built.name = fmt::format("{}-fp16-{}", machine.name, rule_name);
    built.description = fmt::format("FP16 baseline of {} by rule {}", machine.name, rule_name);
    fit_chunk(built.mac_array, notes);
    fit_accumulators(built.mac_array, notes);
    return {std::move(built), std::move(notes)};
}

double promised_speedup(const MachineParameters& machine, const MachineParameters& baseline) {
    const std::optional<ArrayGeometry>& fp16 = geometry_of(baseline, ArrayMode::fp16);
    if (!fp16) {
        return 0;
    }
    const double four_bit_rate = four_bit_macs_per_cycle(machine) / static_cast<double>(machine.clock_period_ps);
    const double fp16_rate = peak_macs_per_cycle(*fp16) / static_cast<double>(baseline.clock_period_ps);
    return four_bit_rate / fp16_rate;
}

}  // namespace nibble
