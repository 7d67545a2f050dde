// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// An element-wise function of the vector unit. Its cost is counted in lane-operations: one lane, one cycle, one fused
/// multiply-add, comparison with selection, or conversion between formats. Factors that are constant for a channel
/// or a row (folded scales, reciprocals of sums) are computed once for it and cost nothing per element.
/// Transcendental functions are polynomials accurate to 16-bit results; the counts below are ours, derived in `what`.
struct VectorFunction {
    std::string_view name;
    std::uint32_t lane_ops;  ///< for each element, and again for each repeat
    std::string_view what;   ///< for people: what it computes, and where the count comes from
};

/// The function of this name, or null. Functions live as long as the program.
[[nodiscard]] const VectorFunction* find_vector_function(std::string_view name);

/// All names, in the order of the table.
[[nodiscard]] const std::vector<std::string>& vector_function_names();

}  // namespace nibble
