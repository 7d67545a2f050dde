// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/counters/value_record.h"
#include "sim/input/operation.h"
#include "sim/lowering/gemm_problem.h"

namespace nibble {

/// Which elements of the result, in the order of result_shape() (images as N,C,H,W), a finished tile delivers, in the
/// order in which its passes deliver them. Pixels of dx that no tap reaches are not among them: they are zero.
[[nodiscard]] std::vector<std::uint64_t> delivered_elements(const Operation& operation, const GemmProblem& problem,
                                                            const TileRange& tile);

/// A sum as the array delivers it, in units of both operands' scales, as a number: the product, in binary32, of the sum
/// and `unit`, which is the product of both scales in binary64, rounded to binary32. In NumPy, where scales are
/// Python's: sums * numpy.float32(left_scale * right_scale).
[[nodiscard]] float scaled_result(float sum, double unit);

/// What the source of a trace says that one GEMM's result was, against what the array delivers.
class ResultCheck {
public:
    /// `expected` in the order of result_shape().
    ResultCheck(const Operation& operation, const GemmProblem& problem, std::vector<float> expected);

    /// Compares the sums of a finished tile bit for bit, not-a-number equal to itself; `unit` is the product of both
    /// operands' scales. Adds to `found`.
    void compare(const TileRange& tile, std::span<const float> sums, double unit, ResultComparison& found) const;

private:
    Operation operation_;
    GemmProblem problem_;
    std::vector<float> expected_;
};

}  // namespace nibble
