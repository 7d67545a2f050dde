// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/import/onnx/onnx_program.h"
#include "sim/input/step_builder.h"

namespace nibble {

/// The equation of an Einsum node, "bhid,bhjd->bhij", read against the shapes of its operands.
class OnnxEinsum {
public:
    /// Throws InputError if the equation is none or does not fit the shapes.
    OnnxEinsum(const OnnxStep& step, const std::vector<Shape>& shapes);

    [[nodiscard]] Shape result_shape() const;

    /// The equation of two operands as a batched matrix product.
    struct Product {
        std::uint64_t batch = 1, m = 1, n = 1, k = 1;
        bool left_transposed = false, right_transposed = false;
        bool left_moved = false, right_moved = false;  ///< the operand must be copied into another order first
        bool result_moved = false;                     ///< the result must be
    };
    /// False if it is no product: not two operands, a diagonal, a sum over one operand alone, or
    /// sizes that differ.
    [[nodiscard]] bool is_product() const;
    [[nodiscard]] Product product() const;

private:
    using Labels = std::vector<int>;  // letters; places of "..." have numbers below 0

    [[nodiscard]] std::uint64_t size(const Labels& labels) const;
    [[nodiscard]] static bool contains(const Labels& labels, int label);

    std::vector<Labels> operands_;
    Labels result_;
    std::vector<std::pair<int, std::uint64_t>> sizes_;  // by label
    bool broadcasts_ = false;                           // some label has size 1 in one operand and more in another
};

}  // namespace nibble
