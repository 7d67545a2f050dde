// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/explore/point_table.h"

namespace nibble::test {

/// A table with axes "rows" and "bw", and metrics energy_pj (less is better) and speedup (more is).
inline PointTable small_table() {
    PointTable table;
    table.study = "small";
    table.axes = {"rows", "bw"};
    table.metrics = {"energy_pj", "speedup"};
    table.objectives = {{"energy_pj", false}, {"speedup", true}};
    return table;
}

inline PointRow point(std::uint64_t design, std::vector<std::string> values, std::vector<std::optional<double>> metrics,
                      std::string workload = "net") {
    PointRow row;
    row.design = design;
    row.machine = "base";
    row.workload = std::move(workload);
    row.values = std::move(values);
    row.fidelity = Fidelity::composed;
    row.key = "0123";
    row.metrics = std::move(metrics);
    return row;
}

}  // namespace nibble::test
