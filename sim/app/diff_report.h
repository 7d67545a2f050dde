// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sim/explore/machine_difference.h"
#include "sim/explore/result_difference.h"
#include "sim/explore/run_result.h"
#include "sim/report/text_table.h"

namespace nibble {

/// Everything that the report of a difference is printed from.
struct DiffReport {
    RunResult a;
    RunResult b;
    ResultDifference difference;
    std::optional<std::vector<ParameterChange>> machines;  ///< nothing if a machine file is missing
    std::size_t top = 0;                                   ///< operations to show
};

[[nodiscard]] nlohmann::ordered_json diff_json(const DiffReport& report);
[[nodiscard]] std::string diff_text(const DiffReport& report, const TextStyle& style);

}  // namespace nibble
