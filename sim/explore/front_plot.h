// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <span>

#include "sim/explore/pareto_front.h"
#include "sim/explore/point_table.h"

namespace nibble {

/// Draws the points of a study over two of its metrics as a self-contained SVG picture: all candidates in grey, fronts
/// in colour with the edge of what they dominate. Every point says its design when pointed at. The fronts are those of
/// pareto_fronts() for {x, y}.
void write_front_svg(std::ostream& out, const PointTable& table, std::span<const ParetoFront> fronts,
                     const Objective& x, const Objective& y);

}  // namespace nibble
