// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sim/explore/point_table.h"

namespace nibble {

/// What a page shows of a study: its points as rows of a table whose texts are kept once, the units of its metrics, and
/// how much each axis moves each metric on each workload (axis_effects).
[[nodiscard]] nlohmann::ordered_json study_data(const PointTable& table);

}  // namespace nibble
