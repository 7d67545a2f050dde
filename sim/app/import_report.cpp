// SPDX-License-Identifier: MIT
#include "sim/app/import_report.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

using Entry = std::pair<std::string, ImportSummary::Unrecognised>;

std::vector<Entry> largest_first(const ImportSummary& summary) {
    std::vector<Entry> entries(summary.unrecognised.begin(), summary.unrecognised.end());
    std::ranges::stable_sort(entries, [](const Entry& a, const Entry& b) { return a.second.bytes > b.second.bytes; });
    return entries;
}

double share_of(const ImportSummary::Unrecognised& entry, const ImportSummary& summary) {
    return summary.bytes == 0 ? 0 : static_cast<double>(entry.bytes) / static_cast<double>(summary.bytes);
}

}  // namespace

std::string import_line(const std::string& file, const ImportSummary& summary) {
    const std::string what = summary.description.empty() ? summary.format : summary.description;
    return fmt::format("{}: {}, {} training step{}", for_terminal(file, 60), for_terminal(what, 100),
                       summary.iterations, summary.iterations == 1 ? "" : "s");
}

std::string import_text(const ImportSummary& summary, const TextStyle& style) {
    std::string text;
    if (!summary.unrecognised.empty()) {
        TextTable table({{"left out"}, {"calls"}, {"bytes"}, {"of all"}});
        std::map<std::string, std::vector<std::string>> reasons;
        for (const auto& [name, entry] : largest_first(summary)) {
            table.add({for_terminal(name, 50), grouped(entry.calls), byte_size(static_cast<double>(entry.bytes)),
                       percent(share_of(entry, summary))});
            reasons[entry.reason.empty() ? "not recognised" : entry.reason].push_back(for_terminal(name, 50));
        }
        text += table.text(style);
        for (const auto& [reason, names] : reasons) {
            text += wrapped(fmt::format("left out: {} ({})", reason, fmt::join(names, ", ")), 2, style) + "\n";
        }
    }
    for (const std::string& what : summary.derived) {
        text += wrapped("derived: " + for_terminal(what, 300), 2, style) + "\n";
    }
    for (const std::string& note : summary.notes) {
        text += wrapped("note: " + for_terminal(note, 300), 2, style) + "\n";
    }
    return text;
}

nlohmann::ordered_json unrecognised_json(const ImportSummary& summary) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& [name, entry] : largest_first(summary)) {
        list.push_back({{"name", name},
                        {"calls", entry.calls},
                        {"bytes", entry.bytes},
                        {"share_of_bytes", share_of(entry, summary)},
                        {"reason", entry.reason}});
    }
    return list;
}

nlohmann::ordered_json import_json(const ImportSummary& summary) {
    return {{"format", summary.format},         {"description", summary.description},
            {"iterations", summary.iterations}, {"derived", summary.derived},
            {"notes", summary.notes},           {"bytes", summary.bytes}};
}

}  // namespace nibble
