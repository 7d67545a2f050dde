// SPDX-License-Identifier: MIT
#include "sim/explore/result_difference.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <tuple>

namespace nibble {

namespace {

/// Layer, phase, kind, and the place among operations that share all three.
using Key = std::tuple<std::string, std::string, std::string, std::size_t>;

std::vector<Key> keys_of(const RunResult& run) {
    std::map<Key, std::size_t> seen;
    std::vector<Key> keys;
    for (const RunOperation& op : run.operations) {
        Key key{op.layer, op.phase, op.kind, 0};
        std::get<3>(key) = seen[key]++;
        keys.push_back(std::move(key));
    }
    return keys;
}

std::vector<OperationChange> operation_changes(const RunResult& a, const RunResult& b) {
    std::vector<OperationChange> changes;
    std::map<Key, std::size_t> places;
    const std::vector<Key> keys_a = keys_of(a);
    for (std::size_t i = 0; i < keys_a.size(); ++i) {
        const RunOperation& op = a.operations[i];
        places.emplace(keys_a[i], changes.size());
        changes.push_back({op.index, op.layer, op.phase, op.kind, true, false, {op.cost, {}}});
    }
    const std::vector<Key> keys_b = keys_of(b);
    for (std::size_t i = 0; i < keys_b.size(); ++i) {
        const RunOperation& op = b.operations[i];
        const auto [place, is_new] = places.emplace(keys_b[i], changes.size());
        if (is_new) {
            changes.push_back({op.index, op.layer, op.phase, op.kind, false, false, {}});
        }
        changes[place->second].in_b = true;
        changes[place->second].change.b = op.cost;
    }
    std::ranges::stable_sort(changes, [](const OperationChange& left, const OperationChange& right) {
        const auto size = [](const OperationChange& op) {
            return std::pair(std::abs(op.change.cycles()), std::abs(op.change.energy_pj()));
        };
        return size(left) > size(right);
    });
    return changes;
}

std::vector<PhaseChange> phase_changes(const RunResult& a, const RunResult& b) {
    std::vector<PhaseChange> changes;
    for (const RunPhase& phase : a.phases) {
        changes.push_back({phase.phase, {phase.cost, {}}});
    }
    for (const RunPhase& phase : b.phases) {
        auto found = std::ranges::find(changes, phase.phase, &PhaseChange::phase);
        if (found == changes.end()) {
            changes.push_back({phase.phase, {}});
            found = std::prev(changes.end());
        }
        found->change.b = phase.cost;
    }
    return changes;
}

}  // namespace

std::optional<std::size_t> CostChange::cause() const {
    std::optional<std::size_t> most;
    for (std::size_t i = 0; i < cause_count; ++i) {
        if (cycles(i) != 0 && (!most || std::abs(cycles(i)) > std::abs(cycles(*most)))) {
            most = i;
        }
    }
    return most;
}

ResultDifference difference_of(const RunResult& a, const RunResult& b) {
    ResultDifference difference;
    for (std::size_t i = 0; i < a.setup.size(); ++i) {
        if (a.setup[i].second != b.setup[i].second) {
            difference.setup.push_back({a.setup[i].first, a.setup[i].second, b.setup[i].second});
        }
    }
    difference.whole = {a.total, b.total};
    difference.phases = phase_changes(a, b);
    difference.operations = operation_changes(a, b);
    return difference;
}

}  // namespace nibble
