// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "models/numerics/accumulate.h"
#include "models/numerics/operand.h"

namespace nibble {

/// Codes in memory, one an element: bytes, or words of which the low bits count.
using CodePointer = std::variant<const std::uint8_t*, const std::uint16_t*>;

/// A tensor of codes without gaps, row-major.
struct CodeArray {
    OperandFormat format;
    CodePointer codes;
};

/// A matrix of codes, anywhere in memory: element (row, column) lies row * row_stride + column * column_stride elements
/// behind the pointer. A transposed matrix is one with its strides exchanged.
struct CodeMatrix {
    OperandFormat format;
    CodePointer codes;
    std::ptrdiff_t row_stride;
    std::ptrdiff_t column_stride;
};

/// sums[m*n] = A(m x k) * B(k x n), sums row-major, starting from zero: bit for bit what gemm_accumulate() makes of the
/// same matrices, whatever the number of `threads` (at least 1). Throws ModelError as that does.
void multiply(std::uint64_t m, std::uint64_t n, std::uint64_t k, const CodeMatrix& a, const CodeMatrix& b,
              const AccumulationRule& rule, unsigned threads, std::span<float> sums);

/// A matrix of numbers, laid out as a CodeMatrix.
struct NumberMatrix {
    const float* numbers;
    std::ptrdiff_t row_stride;
    std::ptrdiff_t column_stride;
};

/// The same for numbers that are no codes of the array's: each product is rounded to binary32, then added in binary32
/// to its chunk's sum; rounded to the accumulator's format between chunks.
void multiply(std::uint64_t m, std::uint64_t n, std::uint64_t k, const NumberMatrix& a, const NumberMatrix& b,
              const AccumulationRule& rule, unsigned threads, std::span<float> sums);

}  // namespace nibble
