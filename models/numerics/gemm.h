// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "models/numerics/accumulate.h"
#include "models/numerics/operand.h"

namespace nibble {

/// A matrix of codes, row-major, one element per std::uint16_t (low bits), in the format's own bit code.
struct GemmOperand {
    OperandFormat format;
    std::span<const std::uint16_t> codes;
};

/// Throws ModelError if the chunk is 0, or if k is 2^28 or more (the sums of a chunk could then exceed 53 bits).
void require_sums(std::uint64_t k, const AccumulationRule& rule);

/// partial[m*n] += A(m x k) * B(k x n), row-major, in the arithmetic of the processing array: the functional core of
/// the MAC array in values mode.
///
/// * `partial` holds, as float, exactly a value of the accumulator's format, before and after.
/// * Every output is summed by `rule` (see AccumulationRule); chunks restart at k = 0 of every call.
/// * Tensor scales are not applied: INT4 counts as its integer, FP4 as its level. FP4-odd operands run as even ones and
///   the exponent of the chunk's sum is lowered by one before it is added, so that the result is that of odd levels.
/// * A sum is never rounded within a chunk of four-bit operands.
/// Throws ModelError if a span has not the size that m, n and k say, or as require_sums() does.
void gemm_accumulate(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a, const GemmOperand& b,
                     const AccumulationRule& rule, std::span<float> partial);

/// The same, bit for bit, in the plainest possible code: the reference for tests.
void gemm_accumulate_reference(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a,
                               const GemmOperand& b, const AccumulationRule& rule, std::span<float> partial);

}  // namespace nibble
