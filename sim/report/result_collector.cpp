// SPDX-License-Identifier: MIT
#include "sim/report/result_collector.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/report/conservation.h"

namespace nibble {

ResultCollector::ResultCollector(Setup setup) : result_{std::move(setup), {}, std::nullopt, {}, {}, {}, {}, {}} {
    if (result_.setup.baseline) {
        result_.baseline.emplace();
    }
}

Comparison& ResultCollector::Table::at(const std::string& group, const std::string& name) {
    const auto [place, added] = places.try_emplace({group, name}, rows.size());
    if (added) {
        rows.push_back({group, name, {}, {}});
    }
    return rows[place->second];
}

const std::string& ResultCollector::group_of(const OpRecord& record) {
    static const std::string others = "(other groups)";
    if (known_groups_.size() < most_groups) {
        known_groups_.insert(record.group);
    }
    return known_groups_.contains(record.group) ? record.group : others;
}

void ResultCollector::sort_phases() {
    constexpr std::array<std::string_view, 5> order{"forward", "dx", "dw", "vector", "update"};
    std::ranges::stable_sort(phases_.rows, {},
                             [&](const Comparison& row) { return std::ranges::find(order, row.name); });
}

void ResultCollector::add(const OpRecord& machine, const OpRecord* baseline) {
    if ((baseline != nullptr) != result_.baseline.has_value()) {
        throw ModelError("a record of the baseline is missing, or there is one too many");
    }
    check_conservation(machine);
    result_.values.add(machine, baseline);
    const std::string& group = group_of(machine);
    groups_.at(group, machine.phase).machine += machine;
    phases_.at("", machine.phase).machine += machine;
    modes_.at("", machine.mode).machine += machine;
    result_.machine.totals += machine;
    if (machine.values != nullptr) {
        result_.machine.activity += result_.setup.machine.energy.activity_correction(machine.counters, *machine.values);
    }
    if (baseline == nullptr) {
        return;
    }
    if (machine.index != baseline->index || machine.layer != baseline->layer || machine.phase != baseline->phase ||
        machine.macs != baseline->macs) {
        throw ModelError(fmt::format("operation {} is not the same on both machines", machine.index));
    }
    check_conservation(*baseline);
    groups_.at(group, machine.phase).baseline += *baseline;
    phases_.at("", machine.phase).baseline += *baseline;
    modes_.at("", machine.mode).baseline += *baseline;
    baseline_modes_.at("", baseline->mode).baseline += *baseline;
    result_.baseline->totals += *baseline;
    if (baseline->values != nullptr) {
        result_.baseline->activity +=
            result_.setup.baseline->energy.activity_correction(baseline->counters, *baseline->values);
    }
}

Result ResultCollector::finish(RunSummary machine, const RunSummary* baseline) {
    result_.machine.summary = std::move(machine);
    result_.groups = std::move(groups_.rows);
    sort_phases();
    result_.phases = std::move(phases_.rows);
    result_.modes = std::move(modes_.rows);
    result_.baseline_modes = std::move(baseline_modes_.rows);
    check_conservation(result_.machine, result_.setup.machine);
    if (result_.baseline) {
        if (baseline == nullptr) {
            throw ModelError("the baseline has not finished");
        }
        result_.baseline->summary = *baseline;
        check_conservation(*result_.baseline, *result_.setup.baseline);
    }
    check_partition(result_.groups, result_);
    check_partition(result_.phases, result_);
    check_partition(result_.modes, result_);
    return std::move(result_);
}

}  // namespace nibble
