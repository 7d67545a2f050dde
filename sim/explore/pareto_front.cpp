// SPDX-License-Identifier: MIT
#include "sim/explore/pareto_front.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

std::vector<std::size_t> front_of_two(std::span<const std::vector<double>> points) {
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
    std::vector<std::size_t> front;
    double least = std::numeric_limits<double>::infinity();  // second number of all before
    for (const std::size_t i : order) {
        if (front.empty() || points[i][1] < least || points[i] == points[front.back()]) {
            front.push_back(i);
            least = points[i][1];
        }
    }
    std::ranges::sort(front);
    return front;
}

std::vector<std::size_t> front_of_many(std::span<const std::vector<double>> points) {
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (std::ranges::none_of(points, [&](const auto& other) { return dominates(other, points[i]); })) {
            front.push_back(i);
        }
    }
    return front;
}

std::vector<std::size_t> metrics_of(const PointTable& table, std::span<const Objective> objectives) {
    std::vector<std::size_t> metrics;
    for (const Objective& objective : objectives) {
        const auto metric = table.metric(objective.metric);
        if (!metric) {
            throw InputError(fmt::format("the study has no metric '{}'{}", printable(objective.metric),
                                         suggestion(objective.metric, table.metrics)));
        }
        metrics.push_back(*metric);
    }
    return metrics;
}

/// The highest fidelity of good rows of a workload, or of all: rows of a lower one are not compared with these.
std::optional<Fidelity> truest(const PointTable& table, bool by_workload, const std::string& workload) {
    std::optional<Fidelity> highest;
    for (const PointRow& row : table.rows) {
        if (row.status == PointStatus::ok && (!by_workload || row.workload == workload)) {
            highest = std::max(highest, row.fidelity);
        }
    }
    return highest;
}

}  // namespace

bool dominates(std::span<const double> a, std::span<const double> b) {
    bool better = false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] > b[i]) {
            return false;
        }
        better = better || a[i] < b[i];
    }
    return better;
}

std::vector<std::size_t> non_dominated(std::span<const std::vector<double>> points) {
    return !points.empty() && points.front().size() == 2 ? front_of_two(points) : front_of_many(points);
}

std::vector<double> costs_of(std::span<const std::optional<double>> metrics, std::span<const Objective> objectives,
                             std::span<const std::size_t> places) {
    std::vector<double> costs;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const std::optional<double>& value = metrics[places[i]];
        if (!value) {
            return {};
        }
        costs.push_back(objectives[i].maximize ? -*value : *value);
    }
    return costs;
}

std::vector<std::string> workloads_of(const PointTable& table) {
    std::vector<std::string> workloads;
    for (const PointRow& row : table.rows) {
        if (std::ranges::find(workloads, row.workload) == workloads.end()) {
            workloads.push_back(row.workload);
        }
    }
    return workloads;
}

std::vector<ParetoFront> pareto_fronts(const PointTable& table, std::span<const Objective> objectives,
                                       bool by_workload) {
    const std::vector<std::size_t> metrics = metrics_of(table, objectives);
    std::vector<ParetoFront> fronts;
    for (std::string& workload : by_workload ? workloads_of(table) : std::vector<std::string>{""}) {
        ParetoFront front{std::move(workload), {}, {}};
        std::vector<std::vector<double>> points;
        const std::optional<Fidelity> fidelity = truest(table, by_workload, front.workload);
        for (std::size_t r = 0; r < table.rows.size(); ++r) {
            const PointRow& row = table.rows[r];
            if ((by_workload && row.workload != front.workload) || row.status != PointStatus::ok ||
                row.fidelity != fidelity) {
                continue;
            }
            if (std::vector<double> costs = costs_of(row.metrics, objectives, metrics); !costs.empty()) {
                front.candidates.push_back(r);
                points.push_back(std::move(costs));
            }
        }
        std::vector<std::size_t> best = non_dominated(points);
        std::ranges::stable_sort(best, [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
        for (const std::size_t place : best) {
            front.rows.push_back(front.candidates[place]);
        }
        fronts.push_back(std::move(front));
    }
    return fronts;
}

}  // namespace nibble
