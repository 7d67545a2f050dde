// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/explore/point_table.h"

namespace nibble {

/// How much one axis alone moves a metric.
struct AxisEffect {
    std::size_t axis = 0;    ///< its place in the table
    std::size_t values = 0;  ///< different ones among the rows
    double share = 0;        ///< of the metric's variance, 0 to 1: the main effect
    std::optional<double>
        range;  ///< largest less smallest mean, of the magnitude of the mean of all; nothing if that is 0
};

/// The effects of all axes on a metric over the rows of one workload (all rows if it is empty) with status ok and the
/// metric known, the largest share first. The share is the variance of the means by the axis's value over the variance
/// of all rows: the first-order index of Sobol, or eta squared of an analysis of variance. On a full grid it is exact,
/// and what is missing from a sum of 1 is the work of axes together. On a sample it is an estimate, too high by about
/// (values - 1) / (rows - 1) where the axis does nothing; where some designs are left out (they are invalid, or were
/// searched for) axes are not independent of each other, and shares may sum to more than 1.
[[nodiscard]] std::vector<AxisEffect> axis_effects(const PointTable& table, std::size_t metric,
                                                   std::string_view workload);

}  // namespace nibble
