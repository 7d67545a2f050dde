// SPDX-License-Identifier: MIT
#include "sim/app/diff_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_text = 40;

std::string signed_count(std::int64_t count) {
    const char* const sign = count > 0 ? "+" : count < 0 ? "-" : "";
    return sign + grouped(static_cast<std::uint64_t>(std::abs(count)));
}

std::string joules(double energy_pj) {
    return with_prefix(energy_pj * 1e-12, "J");
}

std::string signed_joules(double energy_pj) {
    return (energy_pj > 0 ? "+" : "") + joules(energy_pj);
}

/// "+3.4%" from `a` to `b`; nothing is said of a growth from 0.
std::string relative(double a, double b) {
    return a == 0 || a == b ? "" : (b > a ? "+" : "") + percent((b - a) / a);
}

/// A part's change, of the whole's.
std::string part_of(std::int64_t part, std::int64_t whole) {
    return part == 0 || whole == 0 ? "" : percent(static_cast<double>(part) / static_cast<double>(whole));
}

std::string cause_text(const CostChange& change) {
    const std::optional<std::size_t> cause = change.cause();
    return cause ? fmt::format("{} {}", spaced(cause_names[*cause]), signed_count(change.cycles(*cause))) : "";
}

std::string what_was_run(char letter, const RunResult& run, const TextStyle& style) {
    const auto setup = [&](std::string_view what) {
        const auto found = std::ranges::find(run.setup, what, &std::pair<std::string, std::string>::first);
        return for_terminal(found->second, most_text);
    };
    return wrapped(fmt::format("{}: {}: {}, batch {}, on {}, recipe {}", letter, for_terminal(run.file, 80),
                               setup("network"), setup("batch"), for_terminal(run.machine, most_text), setup("recipe")),
                   2, style) +
           "\n";
}

std::string setup_text(const DiffReport& report, const TextStyle& style) {
    std::string text;
    if (!report.difference.setup.empty()) {
        TextTable table({{"not the same run"}, {"A", TextTable::Align::name}, {"B", TextTable::Align::name}});
        for (const SetupChange& change : report.difference.setup) {
            table.add({change.what, for_terminal(change.a, most_text), for_terminal(change.b, most_text)});
        }
        text += "\n" + table.text(style);
    }
    if (!report.machines) {
        text += "\n  machines are not compared: machine.yaml is not beside both results\n";
    } else if (!report.machines->empty()) {
        TextTable table({{"machine"}, {"A", TextTable::Align::name}, {"B", TextTable::Align::name}});
        const auto value = [](const std::optional<std::string>& one) {
            return one ? for_terminal(*one, most_text) : std::string("none");
        };
        for (const ParameterChange& change : *report.machines) {
            table.add({change.parameter, value(change.a), value(change.b)});
        }
        text += "\n" + table.text(style);
    }
    return text;
}

std::string whole_text(const DiffReport& report, const TextStyle& style) {
    const CostChange& whole = report.difference.whole;
    TextTable table({{""}, {"A"}, {"B"}, {"B - A"}, {"change"}});
    table.add({"cycles", grouped(whole.a.cycles), grouped(whole.b.cycles), signed_count(whole.cycles()),
               relative(static_cast<double>(whole.a.cycles), static_cast<double>(whole.b.cycles))});
    const double seconds = report.b.seconds - report.a.seconds;
    table.add({"time", with_prefix(report.a.seconds, "s"), with_prefix(report.b.seconds, "s"),
               (seconds > 0 ? "+" : "") + with_prefix(seconds, "s"), relative(report.a.seconds, report.b.seconds)});
    table.add({"energy", joules(whole.a.energy_pj), joules(whole.b.energy_pj), signed_joules(whole.energy_pj()),
               relative(whole.a.energy_pj, whole.b.energy_pj)});
    const auto gain = [&](const char* name, std::optional<double> a, std::optional<double> b) {
        if (a || b) {
            table.add({name, a ? ratio(*a) : "none", b ? ratio(*b) : "none", "", a && b ? relative(*a, *b) : ""});
        }
    };
    gain("speed-up", report.a.speedup, report.b.speedup);
    gain("energy gain", report.a.energy_gain, report.b.energy_gain);
    return "\n" + heading("What moved", style) + table.text(style);
}

std::string causes_text(const CostChange& whole, const TextStyle& style) {
    TextTable table({{"cycles by cause"}, {"A"}, {""}, {"B"}, {""}, {"B - A"}, {"of it"}});
    const auto share = [](std::uint64_t part, std::uint64_t all) {
        return all == 0 ? "" : percent(static_cast<double>(part) / static_cast<double>(all));
    };
    for (std::size_t i = 0; i < cause_count; ++i) {
        table.add({spaced(cause_names[i]), grouped(whole.a.causes[i]), share(whole.a.causes[i], whole.a.cycles),
                   grouped(whole.b.causes[i]), share(whole.b.causes[i], whole.b.cycles), signed_count(whole.cycles(i)),
                   part_of(whole.cycles(i), whole.cycles())});
    }
    table.add_rule();
    table.add({"all", grouped(whole.a.cycles), "", grouped(whole.b.cycles), "", signed_count(whole.cycles())});
    return "\n" + table.text(style);
}

std::string energy_text(const DiffReport& report, const TextStyle& style) {
    TextTable table({{"energy by component"}, {"A"}, {"B"}, {"B - A"}, {"change"}});
    const auto add = [&](std::string name, double a, double b) {
        table.add({std::move(name), joules(a), joules(b), signed_joules(b - a), relative(a, b)});
    };
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        add(spaced(energy_component_names[i]), report.a.components_pj[i], report.b.components_pj[i]);
    }
    table.add_rule();
    add("all", report.a.total.energy_pj, report.b.total.energy_pj);
    return "\n" + table.text(style);
}

std::string phases_text(const ResultDifference& difference, const TextStyle& style) {
    TextTable table({{"phase"}, {"cycles A"}, {"B"}, {"B - A"}, {"of it"}, {"energy"}, {"most moved"}});
    const auto add = [&](const std::string& name, const CostChange& change) {
        table.add({name, grouped(change.a.cycles), grouped(change.b.cycles), signed_count(change.cycles()),
                   part_of(change.cycles(), difference.whole.cycles()), signed_joules(change.energy_pj()),
                   cause_text(change)});
    };
    for (const PhaseChange& phase : difference.phases) {
        add(for_terminal(phase.phase, most_text), phase.change);
    }
    table.add_rule();
    add("all", difference.whole);
    return "\n" + table.text(style);
}

std::string operations_text(const DiffReport& report, const TextStyle& style) {
    const std::vector<OperationChange>& operations = report.difference.operations;
    const std::size_t shown = std::min(report.top, operations.size());
    TextTable table(
        {{"operation"}, {"phase", TextTable::Align::left}, {"cycles A"}, {"B"}, {"B - A"}, {"energy"}, {"most moved"}});
    for (std::size_t i = 0; i < shown; ++i) {
        const OperationChange& op = operations[i];
        table.add({fmt::format("{} {}", op.index, op.layer), for_terminal(op.phase, most_text),
                   op.in_a ? grouped(op.change.a.cycles) : "none", op.in_b ? grouped(op.change.b.cycles) : "none",
                   signed_count(op.change.cycles()), signed_joules(op.change.energy_pj()), cause_text(op.change)});
    }
    CostChange rest;
    for (std::size_t i = shown; i < operations.size(); ++i) {
        rest.a.cycles += operations[i].change.a.cycles;
        rest.b.cycles += operations[i].change.b.cycles;
        rest.a.energy_pj += operations[i].change.a.energy_pj;
        rest.b.energy_pj += operations[i].change.b.energy_pj;
    }
    if (shown < operations.size()) {
        table.add({fmt::format("{} others", grouped(operations.size() - shown)), "", grouped(rest.a.cycles),
                   grouped(rest.b.cycles), signed_count(rest.cycles()), signed_joules(rest.energy_pj())});
    }
    const auto only = [&](bool in_a) {
        return static_cast<std::size_t>(
            std::ranges::count_if(operations, [&](const OperationChange& op) { return in_a ? !op.in_b : !op.in_a; }));
    };
    std::string text = "\n" + heading("Operations that moved most", style) + table.text(style);
    if (only(true) + only(false) > 0) {
        text += fmt::format("  only in A: {}, only in B: {}\n", grouped(only(true)), grouped(only(false)));
    }
    return text;
}

Json cost_json(const RunCost& cost) {
    Json json = {{"cycles", cost.cycles}, {"energy_pj", cost.energy_pj}};
    for (std::size_t i = 0; i < cause_count; ++i) {
        json["causes"][std::string(cause_names[i])] = cost.causes[i];
    }
    return json;
}

Json change_json(const CostChange& change) {
    const std::optional<std::size_t> cause = change.cause();
    return {{"a", cost_json(change.a)},
            {"b", cost_json(change.b)},
            {"cycles", change.cycles()},
            {"energy_pj", change.energy_pj()},
            {"cause", cause ? Json(cause_names[*cause]) : Json(nullptr)}};
}

template <class Value>
Json or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json run_json(const RunResult& run) {
    Json json = {{"file", run.file}, {"machine", run.machine}};
    for (const auto& [what, text] : run.setup) {
        json[what] = text;
    }
    json["seconds"] = run.seconds;
    json["speedup"] = or_null(run.speedup);
    json["energy_gain"] = or_null(run.energy_gain);
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        json["energy_by_component"][std::string(energy_component_names[i])] = run.components_pj[i];
    }
    return json;
}

}  // namespace

Json diff_json(const DiffReport& report) {
    Json json = {{"a", run_json(report.a)}, {"b", run_json(report.b)}, {"setup", Json::array()}};
    for (const SetupChange& change : report.difference.setup) {
        json["setup"].push_back({{"what", change.what}, {"a", change.a}, {"b", change.b}});
    }
    json["machine"] = nullptr;
    if (report.machines) {
        json["machine"] = Json::array();
        for (const ParameterChange& change : *report.machines) {
            json["machine"].push_back(
                {{"parameter", change.parameter}, {"a", or_null(change.a)}, {"b", or_null(change.b)}});
        }
    }
    json["whole"] = change_json(report.difference.whole);
    json["phases"] = Json::array();
    for (const PhaseChange& phase : report.difference.phases) {
        Json one = {{"phase", phase.phase}};
        one.update(change_json(phase.change));
        json["phases"].push_back(std::move(one));
    }
    json["operations"] = Json::array();
    for (const OperationChange& op : report.difference.operations) {
        Json one = {{"index", op.index}, {"layer", op.layer}, {"phase", op.phase},
                    {"kind", op.kind},   {"in_a", op.in_a},   {"in_b", op.in_b}};
        one.update(change_json(op.change));
        json["operations"].push_back(std::move(one));
    }
    return json;
}

std::string diff_text(const DiffReport& report, const TextStyle& style) {
    return what_was_run('A', report.a, style) + what_was_run('B', report.b, style) + setup_text(report, style) +
           whole_text(report, style) + causes_text(report.difference.whole, style) + energy_text(report, style) +
           phases_text(report.difference, style) + operations_text(report, style);
}

}  // namespace nibble
