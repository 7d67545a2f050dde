// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "sim/input/operation.h"

namespace nibble {

/// Largest number of elements of a tensor, and of multiply-accumulates or lane-operations of one operation, that a
/// trace may ask for. Products below them fit 64 bits with room for sums, and doubles hold them exactly.
inline constexpr std::uint64_t most_elements = std::uint64_t{1} << 48U;
inline constexpr std::uint64_t most_work = std::uint64_t{1} << 53U;

/// The product, or nothing if it is above `most`.
[[nodiscard]] std::optional<std::uint64_t> bounded_product(std::initializer_list<std::uint64_t> factors,
                                                           std::uint64_t most);

/// How many elements an operand of a GEMM must have: either of two numbers, which differ only for an operand of a
/// batched matrix product that may be shared by the whole batch.
struct OperandElements {
    std::uint64_t own = 0;     ///< with the batch dimension
    std::uint64_t shared = 0;  ///< without it
    [[nodiscard]] bool allows(std::uint64_t elements) const { return elements == own || elements == shared; }
    friend bool operator==(const OperandElements&, const OperandElements&) = default;
};

/// For a GEMM: left operand, right operand, result, in this order (inputs[0], inputs[1], outputs[0]); what the
/// epilogue reads and writes besides is not covered. For vector work: empty.
[[nodiscard]] std::vector<OperandElements> expected_elements(const Operation& operation);

/// Multiply-accumulates of the operation; 0 for vector work. A convolution counts n p q k r s c/groups in every phase.
[[nodiscard]] std::uint64_t macs_of(const Operation& operation);

}  // namespace nibble
