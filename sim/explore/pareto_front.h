// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/explore/point_table.h"

namespace nibble {

/// Whether `a` is at least as good as `b` in every number and better in one, less being better.
[[nodiscard]] bool dominates(std::span<const double> a, std::span<const double> b);

/// Places, in rising order, of the points that no other point dominates, less being better in every number. Points
/// that are equal are all kept. All have the same number of numbers. Time n log n for two numbers, n^2 for more.
[[nodiscard]] std::vector<std::size_t> non_dominated(std::span<const std::vector<double>> points);

/// The metrics at `places`, one for each objective, with less being better; empty if one is not known.
[[nodiscard]] std::vector<double> costs_of(std::span<const std::optional<double>> metrics,
                                           std::span<const Objective> objectives, std::span<const std::size_t> places);

/// A table's workloads, in the order of their first rows.
[[nodiscard]] std::vector<std::string> workloads_of(const PointTable& table);

/// The best of a study's points on one workload, or on all.
struct ParetoFront {
    std::string workload;  ///< empty: all
    /// Rows with status ok, all metrics, and the highest fidelity that there is, in the table's order.
    std::vector<std::size_t> candidates;
    std::vector<std::size_t> rows;  ///< those not dominated, from the best in the first objective to the worst
};

/// Fronts for the objectives, which are metrics of the table (InputError otherwise): one for each workload in the order
/// of the table, or one over all rows.
[[nodiscard]] std::vector<ParetoFront> pareto_fronts(const PointTable& table, std::span<const Objective> objectives,
                                                     bool by_workload);

}  // namespace nibble
