// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace nibble {

/// What the user asked of `nibblesim pareto`.
struct ParetoRequest {
    std::string points;            ///< directory of a study, or its points.json
    std::optional<std::string> x;  ///< METRIC, METRIC:min or METRIC:max; nothing: the study's first objective
    std::optional<std::string> y;  ///< as well, its second
    bool by_workload = true;       ///< or one front over all points
    bool sensitivity = false;
    std::string csv;   ///< file for the rows of the fronts, if any
    std::string plot;  ///< file for a picture, if any
    bool json = false;
};

/// Shows the best points of a study. Throws InputError before anything is shown or written.
void pareto_command(const ParetoRequest& request);

}  // namespace nibble
