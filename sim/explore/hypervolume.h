// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

namespace nibble {

/// The volume that the points dominate up to `reference`, less being better in every number: the usual measure of how
/// good a front is (Zitzler and Thiele 1998). Exact. Points that are no better than the reference in some number add
/// nothing. Slices along one objective after the other (While et al., "A faster algorithm for calculating
/// hypervolume", 2006): n log n for two objectives, n^2 log n for three.
[[nodiscard]] double hypervolume(std::span<const std::vector<double>> points, std::span<const double> reference);

}  // namespace nibble
