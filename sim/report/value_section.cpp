// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"
#include "sim/report/text_sections.h"
#include "sim/report/value_summary.h"

namespace nibble {

namespace {

using Align = TextTable::Align;

constexpr std::size_t name_width = 32;

/// Of an operand, or of several in the mean.
std::string decibels(const std::optional<double>& value) {
    return value ? fmt::format("{:.1f}", *value) : "exact";
}

/// An error of a millionth or more as a percentage of three digits.
std::string error_text(const std::optional<double>& error) {
    if (!error) {
        return "-";
    }
    return *error < 1e-6 ? "0" : fmt::format("{:.3g}%", 100 * *error);
}

std::string array_error_text(const OutputRecord& output) {
    return output.overflowed > 0 ? fmt::format("{} overflow", percent(output.overflowed))
                                 : error_text(output.array_relative_error);
}

std::string worst_outputs(const Result& result, const TextStyle& style) {
    const bool two = result.baseline.has_value();
    std::vector<TextTable::Column> columns{{"layer", Align::left},
                                           {"phase", Align::left},
                                           {"operands", Align::left},
                                           {"SQNR, dB"},
                                           {"error"},
                                           {"in array"}};
    if (two) {
        columns.push_back({"baseline"});
    }
    TextTable table(std::move(columns));
    for (const OutputQuality& quality : result.values.worst()) {
        const auto& [first, second] = quality.values.operands;
        std::vector<std::string> row{
            for_terminal(quality.layer, name_width),
            quality.phase,
            fmt::format("{} x {}", first.format, second.format),
            fmt::format("{}, {}", decibels(first.recorded->sqnr_db), decibels(second.recorded->sqnr_db)),
            error_text(quality.values.output->relative_error),
            array_error_text(*quality.values.output)};
        if (two) {
            row.push_back(quality.baseline ? array_error_text(*quality.baseline) : "-");
        }
        table.add(std::move(row));
    }
    return table.text(style);
}

std::string format_averages(const ValueSummary& values, const TextStyle& style) {
    TextTable table({{"mean of operands in", Align::left},
                     {"operands"},
                     {"SQNR, dB"},
                     {"clipped"},
                     {"underflowed"},
                     {"zero codes"},
                     {"bits toggled"}});
    const auto share = [](const Mean& mean) { return mean.empty() ? "-" : percent(mean.value()); };
    for (const auto& [format, averages] : values.formats()) {
        table.add({format, grouped(averages.operands),
                   decibels(averages.sqnr_db.empty() ? std::nullopt : std::optional(averages.sqnr_db.value())),
                   share(averages.clipped), share(averages.underflowed), share(averages.zero_codes),
                   share(averages.toggle_rate)});
    }
    return table.text(style);
}

}  // namespace

std::string value_section(const Result& result, const TextStyle& style) {
    const ValueSummary& values = result.values;
    if (values.empty()) {
        return {};
    }
    std::string text = heading("Quantisation of recorded values", style) + format_averages(values, style);
    text += fmt::format("\n  GEMMs with recorded operands: {}; outputs compared with full precision: {}",
                        grouped(values.gemms()), grouped(values.compared()));
    if (values.worst().empty()) {
        return text + "\n";
    }
    text += fmt::format("; the {} worst:\n", values.worst().size());
    return text + worst_outputs(result, style);
}

}  // namespace nibble
