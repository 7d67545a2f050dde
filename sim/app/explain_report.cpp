// SPDX-License-Identifier: MIT
#include "sim/app/explain_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/units.h"
#include "sim/report/metrics.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_text = 40;
constexpr double worth_a_word = 1.01;  // a gain of one per cent

constexpr std::array<std::string_view, ideal_unit_count> unit_texts{"memory (DRAM and DMA engines)", "scratchpad",
                                                                    "MAC array", "log-gradient unit", "vector unit"};

constexpr std::array<std::string_view, cause_count> cause_texts{
    "the array streams operands",
    "the array fills, drains, or waits for lines of the scratchpad",
    "the array stands while gradients are converted",
    "the array stands while the vector unit works",
    "everything waits for DRAM",
    "commands are on their way"};

std::string_view text_of(IdealUnit unit) {
    return unit_texts[static_cast<std::size_t>(unit)];
}

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Times faster; nothing to gain where nothing is left.
double gain(std::uint64_t before, std::uint64_t after) {
    return after == 0 ? 1 : share(before, after);
}

std::uint64_t cycles_of(const OpRecord& record) {
    return record.counters[index_of(Counter::cycles)];
}

std::uint64_t dram_bytes(const CounterValues& counters) {
    return counters[index_of(Counter::dram_bytes_read)] + counters[index_of(Counter::dram_bytes_written)];
}

std::string operation_name(const OpRecord& record) {
    return fmt::format("{} {}", for_terminal(record.layer, most_text), record.phase);
}

std::string joined(const std::vector<std::string>& parts) {
    if (parts.size() < 2) {
        return parts.empty() ? std::string{} : parts.front();
    }
    const auto end = parts.end() - 1;
    return fmt::format("{} and {}", fmt::join(parts.begin(), end, ", "), *end);
}

/// Who is meant, at the beginning of a sentence.
std::string layers_text(const Explanation& found) {
    const std::string name = for_terminal(found.pattern, most_text);
    return found.pattern.find_first_of("*?[") == std::string::npos ? name
           : found.pattern == "*"                                  ? "The step"
                                                                   : "What fits " + name;
}

/// "in 61% of its cycles the array streams operands and in 30% everything waits for DRAM."
std::string causes_text(const CauseCycles& causes, std::string_view of_what) {
    constexpr double least_share = 0.01;
    std::array<std::size_t, cause_count> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t cause) { return causes[cause]; });
    const std::uint64_t all = std::accumulate(causes.begin(), causes.end(), std::uint64_t{0});
    std::vector<std::string> parts;
    for (const std::size_t cause : order) {
        const double part = share(causes[cause], all);
        if (part >= least_share) {
            parts.push_back(fmt::format("in {}{} {}", percent(part), parts.empty() ? of_what : std::string_view{},
                                        cause_texts[cause]));
        }
    }
    return joined(parts) + ".";
}

/// What the array does in the cycles in which it streams.
std::string array_reason(const Explanation& found, const MachineParameters& machine) {
    const CounterValues& counters = found.layer.counters;
    const std::uint64_t macs = array_macs(counters);
    if (macs == 0) {
        return {};
    }
    const double at_peak = cycles_at_peak(counters, machine);
    std::string text =
        fmt::format("Its {} MACs take the array {} cycles with every PE at work",
                    with_prefix(static_cast<double>(macs)), grouped(static_cast<std::uint64_t>(std::ceil(at_peak))));
    if (const std::uint64_t streaming = found.layer[Cause::compute]; streaming > 0) {
        text += fmt::format(", {} of those in which it streams",
                            percent(std::min(1.0, at_peak / static_cast<double>(streaming))));
    }
    text += ".";
    const ArrayMode fastest = fastest_mode(machine);
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        const std::uint64_t in_mode = counters[index_of(mac_counters[mode])];
        const double rate = macs_per_second(static_cast<ArrayMode>(mode), machine) / macs_per_second(fastest, machine);
        if (in_mode > 0 && rate < 1) {
            CounterValues of_mode{};
            of_mode[index_of(mac_counters[mode])] = in_mode;
            text += fmt::format(" {} of them are in {}, at {} of the rate of {}: they take {} of these cycles.",
                                percent(share(in_mode, macs)), array_mode_names[mode], percent(rate),
                                array_mode_names[static_cast<std::size_t>(fastest)],
                                percent(cycles_at_peak(of_mode, machine) / at_peak));
        }
    }
    return text;
}

/// Whether DRAM has no more bandwidth to give is seen where it is waited for most.
std::string memory_reason(const Explanation& found, const MachineParameters& machine) {
    std::string text =
        fmt::format("It moves {} from and to DRAM.", byte_size(static_cast<double>(dram_bytes(found.layer.counters))));
    if (!found.most_waiting) {
        return text;
    }
    const OpRecord& record = *found.most_waiting;
    const double peak = dram_bytes_per_second(machine).value_or(0);
    const double rate = static_cast<double>(dram_bytes(record.counters)) / seconds_of(cycles_of(record), machine);
    constexpr double nearly_all = 0.7;  // refresh, turnarounds and row misses take the rest
    const bool bandwidth = rate >= nearly_all * peak;
    return text + fmt::format(" DRAM is waited for most in {}, where it gives {} of its peak of {}: {}.",
                              operation_name(record), percent(std::min(1.0, rate / peak)), with_prefix(peak, "B/s"),
                              bandwidth ? "bandwidth is what is missing"
                                        : "not bandwidth is missing; nothing hides how long it takes");
}

std::string scratchpad_reason(const Explanation& found, const MachineParameters& machine) {
    const std::uint64_t lines = scratchpad_bytes(found.layer.counters, machine) / machine.scratchpad.line_bytes;
    std::string text =
        fmt::format("It reads and writes {} lines, {} a cycle in the mean, where all banks serve {}", grouped(lines),
                    with_prefix(share(lines, found.layer.cycles())), most_lines_per_cycle(machine.scratchpad));
    std::size_t worst = 0;
    for (std::size_t client = 1; client < client_conflict_counters.size(); ++client) {
        worst = found.layer[client_conflict_counters[client]] > found.layer[client_conflict_counters[worst]] ? client
                                                                                                             : worst;
    }
    if (const std::uint64_t cycles = found.layer[client_conflict_counters[worst]]; cycles > 0) {
        constexpr std::array<std::string_view, client_conflict_counters.size()> clients{
            "the array", "the log-gradient unit", "the vector unit", "loads", "stores"};
        text += fmt::format("; most often {} found banks taken, in {} cycles", clients[worst], grouped(cycles));
    }
    return text + ".";
}

std::string lanes_reason(std::uint64_t amount, std::string_view what, std::uint32_t lanes) {
    return fmt::format("Its {} {} take {} lanes {} cycles.", with_prefix(static_cast<double>(amount)), what, lanes,
                       grouped(ceil_div(amount, lanes)));
}

std::string reason_of(IdealUnit unit, const Explanation& found, const MachineParameters& machine) {
    switch (unit) {
        case IdealUnit::memory:
            return memory_reason(found, machine);
        case IdealUnit::scratchpad:
            return scratchpad_reason(found, machine);
        case IdealUnit::mac_array:
            return array_reason(found, machine);
        case IdealUnit::log_gradient:
            return lanes_reason(found.layer[Counter::gradients_converted], "gradients", machine.log_gradient.lanes);
        case IdealUnit::vector_unit:
            break;
    }
    return lanes_reason(found.layer[Counter::vector_lane_ops], "lane operations", machine.vector_unit.lanes);
}

double gain_of(const Explanation::Freed& freed, const Explanation& found) {
    return gain(found.layer.cycles(), freed.layer.cycles());
}

/// What binds, why, and what would be left without it; then what comes next. A paragraph each.
std::vector<std::string> binding_texts(const Explanation& found, const MachineParameters& machine) {
    const std::vector<const Explanation::Freed*> ranked = by_gain(found);
    if (ranked.empty()) {
        return {"No unit binds alone: with any one of them free it takes as long, within 1%; others take its place."};
    }
    std::vector<std::string> texts;
    for (const Explanation::Freed* freed : ranked) {
        const std::string faster = ratio(gain_of(*freed, found));
        const std::string reason = reason_of(freed->unit, found, machine);
        if (texts.empty()) {
            texts.push_back(fmt::format(
                "What binds it is the {}: if that took no time, it would take {} cycles, {} faster, and the step {}. "
                "{} Of what is left then, {}",
                text_of(freed->unit), grouped(freed->layer.cycles()), faster,
                ratio(gain(found.step_cycles, freed->step_cycles)), reason, causes_text(freed->layer.causes, {})));
        } else {
            texts.push_back(fmt::format("{} the {}: {} faster if that took no time. {}",
                                        texts.size() == 1 ? "Next is" : "Then comes", text_of(freed->unit), faster,
                                        reason));
        }
    }
    return texts;
}

std::string energy_sentence(const Explanation& found, const Subject& subject) {
    const EnergyBreakdown energy = subject.energy.price(found.layer.counters);
    std::size_t most = 0;
    for (std::size_t i = 1; i < energy_component_count; ++i) {
        most = energy.parts[i].count() > energy.parts[most].count() ? i : most;
    }
    const double total = energy.total().count();
    const bool dram = most == static_cast<std::size_t>(EnergyComponent::dram);
    const std::string component = dram ? "DRAM" : spaced(energy_component_names[most]);
    return fmt::format("It takes {}, {} of that for {}.", with_prefix(total * 1e-12, "J"),
                       percent(total > 0 ? energy.parts[most].count() / total : 0), component);
}

std::string operations_table(const Explanation& found, const TextStyle& style) {
    TextTable table({{"operation"}, {"mode"}, {"cycles"}, {"of it"}, {"of peak"}, {"DRAM"}});
    const std::uint64_t all = found.layer.cycles();
    const auto traffic = [](const CounterValues& counters) {
        return byte_size(static_cast<double>(dram_bytes(counters)));
    };
    std::uint64_t listed = 0;
    for (const OpRecord& record : found.operations) {
        listed += cycles_of(record);
        table.add({operation_name(record), record.mode, grouped(cycles_of(record)),
                   percent(share(cycles_of(record), all)),
                   record.mode == "vector" ? "" : percent(utilization_of(record)), traffic(record.counters)});
    }
    if (const std::uint64_t others = found.layer.operations - found.operations.size(); others > 0) {
        table.add(
            {fmt::format("{} others", grouped(others)), "", grouped(all - listed), percent(share(all - listed, all))});
    }
    table.add_rule();
    table.add({"all", "", grouped(all), "", "", traffic(found.layer.counters)});
    return table.text(style);
}

std::string freed_table(const Explanation& found, const TextStyle& style) {
    TextTable table({{"without the time of"}, {"cycles"}, {"faster"}, {"step"}, {"faster"}});
    for (const Explanation::Freed& freed : found.freed) {
        table.add({std::string(text_of(freed.unit)), grouped(freed.layer.cycles()), ratio(gain_of(freed, found)),
                   grouped(freed.step_cycles), ratio(gain(found.step_cycles, freed.step_cycles))});
    }
    table.add_rule();
    table.add({"as it is", grouped(found.layer.cycles()), "", grouped(found.step_cycles)});
    return table.text(style);
}

Json tally_json(const Tally& tally) {
    Json causes = Json::object();
    for (std::size_t i = 0; i < cause_count; ++i) {
        causes[std::string(cause_names[i])] = tally.causes[i];
    }
    return {{"operations", tally.operations}, {"cycles", tally.cycles()}, {"causes", std::move(causes)}};
}

}  // namespace

std::vector<const Explanation::Freed*> by_gain(const Explanation& explanation) {
    std::vector<const Explanation::Freed*> ranked;
    for (const Explanation::Freed& freed : explanation.freed) {
        if (gain_of(freed, explanation) >= worth_a_word) {
            ranked.push_back(&freed);
        }
    }
    std::ranges::stable_sort(ranked, {}, [](const Explanation::Freed* freed) { return freed->layer.cycles(); });
    return ranked;
}

std::string explanation_text(const Explanation& explanation, const Subject& subject, const TextStyle& style) {
    const MachineParameters& machine = subject.machine;
    const std::uint64_t cycles = explanation.layer.cycles();
    const std::string head = fmt::format(
        "{} takes {} cycles, {}: {} of a step of {} (batch {}, {}). I{} {}", layers_text(explanation), grouped(cycles),
        with_prefix(seconds_of(cycles, machine), "s"), percent(share(cycles, explanation.step_cycles)),
        for_terminal(explanation.network, most_text), explanation.batch, for_terminal(machine.name, most_text),
        causes_text(explanation.layer.causes, " of its cycles").substr(1), energy_sentence(explanation, subject));
    std::string text = wrapped(head, 0, style) + "\n\n";
    for (const std::string& paragraph : binding_texts(explanation, machine)) {
        text += wrapped(paragraph, 0, style) + "\n\n";
    }
    return text + heading("Its operations", style) + operations_table(explanation, style) + "\n" +
           heading("The same run with one unit taking no time", style) + freed_table(explanation, style);
}

nlohmann::ordered_json explanation_json(const Explanation& explanation, const Subject& subject) {
    const std::vector<const Explanation::Freed*> ranked = by_gain(explanation);
    Json freed = Json::array();
    for (const Explanation::Freed& one : explanation.freed) {
        Json json = {{"unit", ideal_unit_names[static_cast<std::size_t>(one.unit)]}};
        json.update(tally_json(one.layer));
        json["gain"] = gain_of(one, explanation);
        json["step_cycles"] = one.step_cycles;
        json["step_gain"] = gain(explanation.step_cycles, one.step_cycles);
        freed.push_back(std::move(json));
    }
    Json json = {{"schema", "nibblesim-explanation-1"}, {"network", explanation.network},
                 {"batch", explanation.batch},          {"machine", subject.machine.name},
                 {"layers", explanation.pattern},       {"step_cycles", explanation.step_cycles}};
    json.update(tally_json(explanation.layer));
    json["energy_pj"] = energy_pj(explanation.layer, subject);
    json["binding"] =
        ranked.empty() ? Json(nullptr) : Json(ideal_unit_names[static_cast<std::size_t>(ranked.front()->unit)]);
    json["free"] = std::move(freed);
    return json;
}

}  // namespace nibble
