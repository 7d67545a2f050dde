// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sim/explore/pareto_front.h"
#include "sim/explore/point_table.h"
#include "sim/report/text_table.h"

namespace nibble {

/// Everything that the report of Pareto fronts is printed from.
struct ParetoReport {
    const PointTable& table;
    std::array<Objective, 2> objectives;
    std::vector<ParetoFront> fronts;
    bool sensitivity = false;
};

[[nodiscard]] nlohmann::ordered_json pareto_json(const ParetoReport& report);
[[nodiscard]] std::string pareto_text(const ParetoReport& report, const TextStyle& style);

}  // namespace nibble
