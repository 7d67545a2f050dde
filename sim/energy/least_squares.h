// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

namespace nibble {

/// Coefficients that bring the sum of coefficient times feature nearest to the values, in the sense of the least sum of
/// squared differences over all rows. Nothing if the features do not determine them. Every row has as many features as
/// the first, and there is a value for each.
[[nodiscard]] std::optional<std::vector<double>> least_squares(const std::vector<std::vector<double>>& features,
                                                               const std::vector<double>& values);

}  // namespace nibble
