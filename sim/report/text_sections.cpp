// SPDX-License-Identifier: MIT
#include "sim/report/text_sections.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/energy/baseline.h"
#include "sim/report/metrics.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"
#include "sim/report/waterfall.h"

namespace nibble {

namespace {

using Align = TextTable::Align;

constexpr std::size_t name_width = 40;
constexpr std::size_t half_bar = 20;     // where two bars stand side by side
constexpr std::size_t most_groups = 24;  // rows of the table of layer groups

std::string joules(double picojoules) {
    return with_prefix(picojoules * 1e-12, "J");
}

std::string seconds(double value) {
    return with_prefix(value, "s");
}

std::string machine_line(const Subject& subject) {
    const MachineParameters& machine = subject.machine;
    const ArrayMode mode = fastest_mode(machine);
    const double clock_hertz = 1 / seconds_of(1, machine);
    const std::optional<double> bandwidth = dram_bytes_per_second(machine);
    const std::string memory = bandwidth ? fmt::format("{} x {}, {}", machine.dram.channels, machine.dram.standard,
                                                       with_prefix(*bandwidth, "B/s"))
                                         : "ideal memory";
    return fmt::format("{}, recipe {}\n            {} PEs at {}, {} in {}; {}; {}",
                       for_terminal(machine.name, name_width), for_terminal(subject.recipe, name_width),
                       grouped(std::uint64_t{machine.mac_array.rows} * machine.mac_array.cols),
                       with_prefix(clock_hertz, "Hz"), with_prefix(macs_per_second(mode, machine), "MAC/s"),
                       array_mode_names[static_cast<std::size_t>(mode)], memory,
                       for_terminal(machine.technology, name_width));
}

/// Rows with cycles and energy of both machines (or of one), and what was gained.
class ComparisonTable {
public:
    ComparisonTable(const std::string& title, const Result& result) : result_(result), table_(columns(title, result)) {}

    void add(const std::string& name, const Comparison& row) {
        const Setup& setup = result_.setup;
        std::vector<std::string> cells{name, grouped(row.machine.cycles())};
        if (setup.baseline) {
            cells.push_back(grouped(row.baseline.cycles()));
            cells.push_back(ratio(speedup(row, setup)));
        }
        cells.push_back(joules(energy_pj(row.machine, setup.machine)));
        if (setup.baseline) {
            cells.push_back(joules(energy_pj(row.baseline, *setup.baseline)));
            cells.push_back(ratio(energy_gain(row, setup)));
        }
        cells.push_back(percent(share(row.machine.cycles())));
        table_.add(std::move(cells));
    }

    std::string text(const TextStyle& style) {
        table_.add_rule();
        add("all", {"", "", result_.machine.totals, result_.baseline ? result_.baseline->totals : Tally{}});
        return table_.text(style);
    }

private:
    static std::vector<TextTable::Column> columns(const std::string& title, const Result& result) {
        if (result.setup.baseline) {
            return {{title, Align::left}, {"cycles"},   {"baseline"}, {"speed-up"},
                    {"energy"},           {"baseline"}, {"gain"},     {"of time"}};
        }
        return {{title, Align::left}, {"cycles"}, {"energy"}, {"of time"}};
    }

    [[nodiscard]] double share(std::uint64_t cycles) const {
        const std::uint64_t all = result_.machine.totals.cycles();
        return all > 0 ? static_cast<double>(cycles) / static_cast<double>(all) : 0;
    }

    const Result& result_;
    TextTable table_;
};

/// One quantity of both machines (or of one), a row for each thing that it went to, with bars on one scale.
class BreakdownTable {
public:
    using Format = std::string (*)(double);

    BreakdownTable(const Result& result, Format format) : two_(result.baseline.has_value()), format_(format) {}

    void add(std::string name, double machine, double baseline) {
        if (machine > 0 || baseline > 0) {
            rows_.push_back({std::move(name), machine, baseline});
        }
    }

    [[nodiscard]] std::string text(const TextStyle& style) const {
        double largest = 0;
        double machine_total = 0;
        double baseline_total = 0;
        for (const Row& row : rows_) {
            largest = std::max({largest, row.machine, row.baseline});
            machine_total += row.machine;
            baseline_total += row.baseline;
        }
        std::vector<TextTable::Column> columns{{"", Align::left}, {two_ ? "machine" : ""}, {""}, {"", Align::left}};
        if (two_) {
            columns.insert(columns.end(), {{"baseline"}, {""}, {"", Align::left}});
        }
        TextTable table(std::move(columns));
        const std::size_t width = two_ ? half_bar : 2 * half_bar;
        const auto cells = [&](double value, double total) -> std::vector<std::string> {
            return {format_(value), total > 0 ? percent(value / total) : "",
                    bar(largest > 0 ? value / largest : 0, width, style)};
        };
        for (const Row& row : rows_) {
            std::vector<std::string> line{row.name};
            std::ranges::move(cells(row.machine, machine_total), std::back_inserter(line));
            if (two_) {
                std::ranges::move(cells(row.baseline, baseline_total), std::back_inserter(line));
            }
            table.add(std::move(line));
        }
        return table.text(style);
    }

private:
    struct Row {
        std::string name;
        double machine;
        double baseline;
    };

    bool two_;
    Format format_;
    std::vector<Row> rows_;
};

std::uint64_t compute_cycles(const std::vector<Comparison>& modes, Tally Comparison::*side, std::string_view mode) {
    const auto row = std::ranges::find(modes, mode, &Comparison::name);
    return row == modes.end() ? 0 : (*row.*side)[Cause::compute];
}

}  // namespace

std::string setup_section(const Result& result, const TextStyle& style) {
    const Setup& setup = result.setup;
    std::string text = heading(
        fmt::format("{}: one training step, batch {}", for_terminal(setup.network, name_width), grouped(setup.batch)),
        style);
    text += "  machine   " + machine_line(setup.machine) + "\n";
    if (setup.baseline) {
        text += "  baseline  " + machine_line(*setup.baseline) + "\n";
        text += "  rule      " + for_terminal(setup.baseline->rule, style.width - 12) + "\n";
        for (const std::string& note : setup.baseline->notes) {
            text += wrapped(for_terminal(note, 1000), 12, style) + "\n";
        }
    }
    if (setup.phases != "forward,dx,dw,vector,update" || setup.layers != "*") {
        text += fmt::format("  only      phases {}, layers {}\n", setup.phases, for_terminal(setup.layers, name_width));
    }
    return text;
}

std::string headline_section(const Result& result, const TextStyle& style) {
    const Setup& setup = result.setup;
    const bool two = result.baseline.has_value();
    const auto batch = static_cast<double>(setup.batch);
    std::vector<TextTable::Column> columns{{"", Align::left}, {two ? "machine" : ""}};
    if (two) {
        columns.insert(columns.end(), {{"baseline"}, {"gain"}});
    }
    TextTable table(std::move(columns));
    struct Figures {
        double seconds, joules, operations, utilization;
    };
    const auto figures_of = [](const Outcome& outcome, const Subject& subject) {
        return Figures{seconds_of(outcome.totals.cycles(), subject.machine), energy_pj(outcome.totals, subject) * 1e-12,
                       2 * static_cast<double>(outcome.totals.macs), utilization_of(outcome.totals, subject.machine)};
    };
    const Figures one = figures_of(result.machine, setup.machine);
    const Figures other = two ? figures_of(*result.baseline, *setup.baseline) : Figures{};
    const auto add = [&](const char* name, auto text_of, const std::string& gain) {
        table.add(two ? std::vector<std::string>{name, text_of(one), text_of(other), gain}
                      : std::vector<std::string>{name, text_of(one)});
    };
    const double faster = two ? speedup(whole_run(result), setup) : 0;
    const double frugal = two ? energy_gain(whole_run(result), setup) : 0;
    add(
        "time per step", [](const Figures& f) { return seconds(f.seconds); }, ratio(faster));
    add(
        "throughput", [&](const Figures& f) { return with_prefix(f.seconds > 0 ? batch / f.seconds : 0, "samples/s"); },
        "");
    add(
        "energy per step", [](const Figures& f) { return with_prefix(f.joules, "J"); }, ratio(frugal));
    add(
        "power", [](const Figures& f) { return with_prefix(f.seconds > 0 ? f.joules / f.seconds : 0, "W"); }, "");
    add(
        "efficiency", [](const Figures& f) { return with_prefix(f.joules > 0 ? f.operations / f.joules : 0, "OPS/W"); },
        "");
    add(
        "array utilisation", [](const Figures& f) { return percent(f.utilization); }, "");
    std::string text = heading("Result", style) + table.text(style);
    if (two) {
        text +=
            "\n  " + emphasised(fmt::format("{} faster, {} less energy", ratio(faster), ratio(frugal)), style) + "\n";
        const double promised = promised_speedup(setup.machine.machine, setup.baseline->machine);
        if (promised > 0) {
            text += fmt::format("  MAC area alone promised {} (Sun et al. 2020: {:.1f}x): {} of it is left\n",
                                ratio(promised), density_promised_by_sun, percent(faster / promised));
        }
    }
    return text;
}

std::string phase_section(const Result& result, const TextStyle& style) {
    ComparisonTable table("phase", result);
    for (const Comparison& phase : result.phases) {
        table.add(phase.name, phase);
    }
    return heading("By phase", style) + table.text(style);
}

std::string group_section(const Result& result, const TextStyle& style) {
    std::vector<Comparison> groups;
    for (const Comparison& part : result.groups) {  // phases of a group are added up
        auto group = std::ranges::find(groups, part.group, &Comparison::group);
        if (group == groups.end() && groups.size() < most_groups) {
            group = groups.insert(groups.end(), Comparison{part.group, part.group, {}, {}});
        } else if (group == groups.end()) {
            group = groups.end() - 1;
            group->name = "(this and later groups)";
        }
        group->machine += part.machine;
        group->baseline += part.baseline;
    }
    ComparisonTable table("layer group", result);
    for (const Comparison& group : groups) {
        table.add(group.name.empty() ? "(no group)" : group.name, group);
    }
    return heading("By layer group", style) + table.text(style);
}

std::string cycles_section(const Result& result, const TextStyle& style) {
    BreakdownTable table(result, [](double value) { return grouped(static_cast<std::uint64_t>(value)); });
    const auto add = [&](const std::string& name, std::uint64_t machine, std::uint64_t baseline) {
        table.add(name, static_cast<double>(machine), static_cast<double>(baseline));
    };
    const Tally baseline = result.baseline ? result.baseline->totals : Tally{};
    const Tally& machine = result.machine.totals;
    // A cycle belongs to the oldest unfinished operation, so a few compute cycles belong to vector work that is
    // still being stored; they are told apart by no mode.
    std::uint64_t left = machine[Cause::compute];
    std::uint64_t left_of_baseline = baseline[Cause::compute];
    for (const std::string_view mode : array_mode_names) {
        const std::uint64_t here = compute_cycles(result.modes, &Comparison::machine, mode);
        const std::uint64_t there = compute_cycles(result.baseline_modes, &Comparison::baseline, mode);
        add(fmt::format("compute, {}", mode), here, there);
        left -= here;
        left_of_baseline -= there;
    }
    add("compute, overlapped", left, left_of_baseline);
    const auto cause = [&](const char* name, Cause which) { add(name, machine[which], baseline[which]); };
    cause("fill and drain", Cause::fill_drain);
    cause("waiting for DRAM", Cause::memory);
    cause("gradient conversion", Cause::gradient_conversion);
    cause("vector work", Cause::vector);
    cause("control", Cause::control);
    return heading("Where the cycles went", style) + table.text(style);
}

std::string energy_section(const Result& result, const TextStyle& style) {
    BreakdownTable table(result, joules);
    const EnergyBreakdown machine = result.setup.machine.energy.price(result.machine.totals.counters);
    const EnergyBreakdown baseline =
        result.baseline ? result.setup.baseline->energy.price(result.baseline->totals.counters) : EnergyBreakdown{};
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        table.add(spaced(energy_component_names[i]), machine.parts[i].count(), baseline.parts[i].count());
    }
    std::string text = heading("Where the energy went", style) + table.text(style);
    if (!result.values.empty()) {
        const auto with_activity = [](const EnergyBreakdown& nominal, const Outcome& outcome) {
            return joules((nominal.total() + outcome.activity).count());
        };
        text += fmt::format("\n  With the toggle rates of recorded operands: {}{} instead of {}{}\n",
                            with_activity(machine, result.machine),
                            result.baseline ? " (baseline " + with_activity(baseline, *result.baseline) + ")" : "",
                            joules(machine.total().count()),
                            result.baseline ? fmt::format(" ({})", joules(baseline.total().count())) : "");
    }
    if (const std::string& basis = result.setup.machine.energy.dram_basis(); !basis.empty()) {
        text += wrapped("dram prices: " + basis, 2, style) + "\n";
    }
    return text;
}

std::string waterfall_section(const Result& result, const TextStyle& style) {
    const std::vector<WaterfallStep> steps = waterfall_of(result);
    if (steps.empty()) {
        return {};
    }
    double largest = 0;
    for (const WaterfallStep& step : steps) {
        largest = std::max(largest, step.speedup);
    }
    TextTable table({{"", Align::left}, {"factor"}, {"speed-up"}, {"", Align::left}});
    for (const WaterfallStep& step : steps) {
        table.add({step.what, fmt::format("{:.3f}", step.factor), ratio(step.speedup),
                   bar(step.speedup / largest, 2 * half_bar, style)});
    }
    return heading("From the promise to what is left", style) + table.text(style);
}

std::string simulation_section(const Result& result, const TextStyle& style) {
    std::string text = heading("Simulation", style);
    const auto add = [&](const char* name, const RunSummary& summary) {
        const double rate = summary.wall_seconds > 0 ? static_cast<double>(summary.cycles) / summary.wall_seconds : 0;
        text += fmt::format("  {:<9} {} operations in {}: {}, {} clock edges\n", name, grouped(summary.operations),
                            duration(summary.wall_seconds), with_prefix(rate, "cycles/s"), grouped(summary.edges));
        if (summary.values_checked > 0) {
            text +=
                fmt::format("            {} GEMM outputs equal the plain reference\n", grouped(summary.values_checked));
        }
    };
    add("machine", result.machine.summary);
    if (result.baseline) {
        add("baseline", result.baseline->summary);
    }
    return text;
}

}  // namespace nibble
