// SPDX-License-Identifier: MIT
#include "sim/app/memtest_report.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/dram/dram_standard.h"
#include "sim/energy/dram_energy.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

constexpr double picojoule = 1e-12;  // in joules
constexpr double bits_per_byte = 8;
constexpr std::size_t longest_name = 60;  // of a file, in characters
constexpr std::array<double, 3> percentiles{50, 90, 99};

/// Figures that both reports show.
class Figures {
public:
    explicit Figures(const MemtestReport& report)
        : standard_(*find_dram_standard(report.memory.standard)), report_(report) {}

    [[nodiscard]] double clock_seconds() const { return standard_.clock_period_ps * 1e-12; }
    [[nodiscard]] double seconds() const {
        return static_cast<double>(report_.test.completion_cycles) * clock_seconds();
    }
    [[nodiscard]] double peak_bytes_per_cycle() const {
        return static_cast<double>(report_.memory.channels) * standard_.burst_bytes() / standard_.burst;
    }
    [[nodiscard]] double share_of_peak() const { return report_.test.bytes_per_cycle() / peak_bytes_per_cycle(); }
    [[nodiscard]] std::uint64_t capacity() const {
        return report_.memory.capacity_bytes_per_channel * report_.memory.channels;
    }
    [[nodiscard]] const DramStandard& standard() const { return standard_; }
    [[nodiscard]] DramPrices prices() const { return {report_.energy, standard_}; }

private:
    const DramStandard& standard_;
    const MemtestReport& report_;
};

struct Command {
    std::string_view name;
    std::uint64_t DramCounters::*count;
};
constexpr std::array<Command, 6> commands{{{"ACT", &DramCounters::activates},
                                           {"PRE", &DramCounters::precharges},
                                           {"RD", &DramCounters::reads},
                                           {"WR", &DramCounters::writes},
                                           {"REF", &DramCounters::refreshes},
                                           {"REFpb", &DramCounters::bank_refreshes}}};

std::string_view refresh_text(const DramParameters& memory) {
    return memory.refresh == RefreshMode::per_bank ? "per-bank" : "all-bank";
}

Json latency_json(const LatencyTally& tally) {
    Json json = {{"mean", tally.mean()}};
    for (const double percent : percentiles) {
        json[fmt::format("p{:.0f}", percent)] = tally.percentile(percent);
    }
    json["max"] = tally.longest();
    return json;
}

bool is_state(DramEnergyTerm term) {
    return term >= DramEnergyTerm::active_standby;
}

std::string plural(std::uint64_t count, const char* what) {
    return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
}

std::string header_text(const MemtestReport& report, const Figures& figures) {
    const DramParameters& memory = report.memory;
    const MemoryTest& test = report.test;
    const double peak = figures.peak_bytes_per_cycle() / figures.clock_seconds();
    std::string text =
        fmt::format("{}: {} and {} of {} B\n", for_terminal(report.file, longest_name), plural(test.reads, "read"),
                    plural(test.writes, "write"), RequestReader::request_bytes);
    text += fmt::format("  memory      {}: {} of {} bits, {}, {}; {}, peak {}\n", memory.standard,
                        plural(memory.channels, "channel"), figures.standard().data_bits, plural(memory.ranks, "rank"),
                        byte_size(static_cast<double>(figures.capacity())),
                        with_prefix(1 / figures.clock_seconds(), "Hz"), with_prefix(peak, "B/s"));
    text += fmt::format("  controller  mapping {}; page {}; refresh {}{}\n", memory.address_mapping,
                        page_policy_text(memory), refresh_text(memory), memory.power_down ? "; power-down" : "");
    text += fmt::format("  queues      {} reads, {} writes; writing from {} down to {} of these\n",
                        memory.read_queue_entries, memory.write_queue_entries, memory.write_high_watermark,
                        memory.write_low_watermark);
    return text;
}

std::string time_text(const MemtestReport& report, const Figures& figures, const TextStyle& style) {
    constexpr std::size_t bar_width = 30;
    const MemoryTest& test = report.test;
    std::string text = heading("Time and bandwidth", style);
    text += fmt::format("  completion  {} cycles, {}\n", emphasised(grouped(test.completion_cycles), style),
                        with_prefix(figures.seconds(), "s"));
    text += fmt::format("  bandwidth   {} B/cycle, {}: {} of peak  {}\n",
                        emphasised(fmt::format("{:.3f}", test.bytes_per_cycle()), style),
                        with_prefix(static_cast<double>(test.bytes()) / figures.seconds(), "B/s"),
                        percent(figures.share_of_peak()), bar(figures.share_of_peak(), bar_width, style));
    const double offered = RequestReader::request_bytes / figures.peak_bytes_per_cycle();
    if (offered < 1) {
        text += fmt::format("              one request of {} B a cycle is all that is offered: {} of peak\n",
                            RequestReader::request_bytes, percent(offered));
    }
    return text;
}

std::string latency_text(const MemtestReport& report, const TextStyle& style) {
    TextTable table(
        {{"cycles from acceptance to completion"}, {"requests"}, {"mean"}, {"50%"}, {"90%"}, {"99%"}, {"max"}});
    const auto add = [&](const char* name, const LatencyTally& tally) {
        if (tally.count() == 0) {
            return;
        }
        std::vector<std::string> row{name, grouped(tally.count()), fmt::format("{:.1f}", tally.mean())};
        for (const double percent : percentiles) {
            row.push_back(grouped(tally.percentile(percent)));
        }
        row.push_back(grouped(tally.longest()));
        table.add(std::move(row));
    };
    add("reads", report.test.read_latency);
    add("writes", report.test.write_latency);
    return heading("Latency", style) + table.text(style);
}

std::string commands_text(const MemtestReport& report, const Figures& figures, const TextStyle& style) {
    const DramCounters& counters = report.test.counters;
    std::string line = " ";
    for (const Command& command : commands) {
        line += fmt::format(" {} {} ", command.name, grouped(counters.*command.count));
    }
    const std::uint64_t bursts = counters.reads + counters.writes;
    const double hit_share =
        static_cast<double>(counters.row_hits()) / static_cast<double>(std::max<std::uint64_t>(bursts, 1));
    return heading("Commands", style) + line +
           fmt::format("\n  of {} bursts of {} B: {} row hits ({}), {} misses, {} conflicts\n", grouped(bursts),
                       figures.standard().burst_bytes(), grouped(counters.row_hits()), percent(hit_share),
                       grouped(counters.row_misses), grouped(counters.row_conflicts));
}

std::string energy_text(const MemtestReport& report, const Figures& figures, const TextStyle& style) {
    constexpr std::size_t bar_width = 20;
    const DramPrices prices = figures.prices();
    const DramEnergyBreakdown energy = prices.price(report.test.counters);
    const double total = energy.total().count();
    TextTable table({{"command or state"}, {"count"}, {"each"}, {"energy"}, {"of all"}, {"", TextTable::Align::left}});
    for (std::size_t i = 0; i < dram_energy_term_count; ++i) {
        const auto term = static_cast<DramEnergyTerm>(i);
        const std::uint64_t count = count_of(report.test.counters, term);
        const double joules = energy[term].count() * picojoule;
        if (count == 0 || (joules == 0 && !is_state(term))) {
            continue;
        }
        const double each = prices.each(term).count() * picojoule;
        table.add({spaced(dram_energy_term_names[i]), grouped(count) + (is_state(term) ? " cycles" : "       "),
                   is_state(term) ? with_prefix(each / figures.clock_seconds(), "W") : with_prefix(each, "J"),
                   with_prefix(joules, "J"), percent(energy[term].count() / total),
                   bar(energy[term].count() / total, bar_width, style)});
    }
    table.add_rule();
    table.add({"all", "", "", with_prefix(total * picojoule, "J"), percent(1)});
    return heading("Energy", style) + table.text(style) +
           fmt::format("  {:.2f} pJ a bit moved, {}\n",
                       total / (bits_per_byte * static_cast<double>(report.test.bytes())),
                       with_prefix(total * picojoule / figures.seconds(), "W")) +
           wrapped("prices: " + basis_text(report.energy), 2, style) + "\n" +
           wrapped("source: " + report.energy.source, 2, style) + "\n";
}

}  // namespace

Json memtest_json(const MemtestReport& report) {
    const Figures figures(report);
    const MemoryTest& test = report.test;
    const DramCounters& counters = test.counters;
    const DramParameters& memory = report.memory;
    const DramEnergyBreakdown energy = figures.prices().price(counters);
    Json command_counts = Json::object();
    for (const Command& command : commands) {
        command_counts[std::string(command.name)] = counters.*command.count;
    }
    Json breakdown = Json::object();
    for (std::size_t i = 0; i < dram_energy_term_count; ++i) {
        breakdown[std::string(dram_energy_term_names[i])] = energy.terms[i].count();
    }
    return {{"file", report.file},
            {"memory",
             {{"standard", memory.standard},
              {"channels", memory.channels},
              {"ranks", memory.ranks},
              {"capacity_bytes", figures.capacity()},
              {"clock_period_ps", figures.standard().clock_period_ps},
              {"address_mapping", memory.address_mapping},
              {"page", page_policy_text(memory)},
              {"refresh", refresh_text(memory)},
              {"power_down", memory.power_down},
              {"read_queue_entries", memory.read_queue_entries},
              {"write_queue_entries", memory.write_queue_entries},
              {"write_high_watermark", memory.write_high_watermark},
              {"write_low_watermark", memory.write_low_watermark},
              {"peak_bytes_per_cycle", figures.peak_bytes_per_cycle()}}},
            {"reads", test.reads},
            {"writes", test.writes},
            {"completion_cycles", test.completion_cycles},
            {"completion_seconds", figures.seconds()},
            {"avg_read_latency_cycles", test.read_latency.mean()},
            {"read_latency_cycles", latency_json(test.read_latency)},
            {"write_latency_cycles", latency_json(test.write_latency)},
            {"bytes_per_cycle", test.bytes_per_cycle()},
            {"share_of_peak", figures.share_of_peak()},
            {"row_hits", counters.row_hits()},
            {"row_hits_read", counters.row_hits_read},
            {"row_hits_write", counters.row_hits_write},
            {"row_misses", counters.row_misses},
            {"row_conflicts", counters.row_conflicts},
            {"commands", std::move(command_counts)},
            {"state_cycles",
             {{"active_standby", counters.active_standby_cycles},
              {"precharge_standby", counters.precharge_standby_cycles},
              {"active_power_down", counters.active_power_down_cycles},
              {"precharge_power_down", counters.precharge_power_down_cycles}}},
            {"energy_pj", energy.total().count()},
            {"energy_breakdown_pj", std::move(breakdown)},
            {"energy_prices", basis_text(report.energy)},
            {"energy_source", report.energy.source}};
}

std::string memtest_text(const MemtestReport& report, const TextStyle& style) {
    const Figures figures(report);
    return header_text(report, figures) + "\n" + time_text(report, figures, style) + "\n" +
           latency_text(report, style) + "\n" + commands_text(report, figures, style) + "\n" +
           energy_text(report, figures, style);
}

}  // namespace nibble
