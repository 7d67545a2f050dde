// SPDX-License-Identifier: MIT
#include <string>

#include <fmt/format.h>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"
#include "sim/report/text_sections.h"
#include "sim/report/value_summary.h"

namespace nibble {

namespace {

constexpr std::size_t name_width = 32;

std::string different_results(const ReplaySummary& replay, const TextStyle& style) {
    using Align = TextTable::Align;
    TextTable table({{"layer", Align::left},
                     {"phase", Align::left},
                     {"outputs"},
                     {"different"},
                     {"largest difference"},
                     {"reduction", Align::left}});
    for (const DifferentResult& each : replay.first) {
        table.add({for_terminal(each.layer, name_width), each.phase, grouped(each.found.outputs_compared),
                   grouped(each.found.outputs_different), fmt::format("{:.3g}", each.found.largest_difference),
                   each.found.untiled_order ? "as untiled" : "cut"});
    }
    return table.text(style);
}

}  // namespace

std::string replay_section(const Result& result, const TextStyle& style) {
    const ReplaySummary& replay = result.values.replay();
    if (replay.gemms == 0) {
        return {};
    }
    std::string text = heading("Against the recorded results", style);
    if (replay.outputs_different == 0) {
        text += fmt::format("  All {} outputs of {} GEMMs are, bit for bit, what the source of the trace computed.\n",
                            grouped(replay.outputs_compared), grouped(replay.gemms));
    } else {
        text += "  " +
                emphasised(fmt::format("{} of {} outputs differ, in {} of {} GEMMs", grouped(replay.outputs_different),
                                       grouped(replay.outputs_compared), grouped(replay.different_gemms),
                                       grouped(replay.gemms)),
                           style) +
                fmt::format(", by at most {:.3g}; the first of these GEMMs:\n", replay.largest_difference) +
                different_results(replay, style);
    }
    if (replay.cut_gemms > 0) {
        text += fmt::format("  {} of these GEMMs are mapped so that sums are added up in another order than untiled.\n",
                            grouped(replay.cut_gemms));
    }
    return text;
}

}  // namespace nibble
