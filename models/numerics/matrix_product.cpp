// SPDX-License-Identifier: MIT
#include "models/numerics/matrix_product.h"

#include <algorithm>
#include <vector>

#include "models/numerics/gemm.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

std::vector<std::uint16_t> row_major(std::uint64_t rows, std::uint64_t columns, const CodeMatrix& matrix) {
    std::vector<std::uint16_t> codes(rows * columns);
    std::visit(
        [&](const auto* from) {
            for (std::uint64_t row = 0; row < rows; ++row) {
                for (std::uint64_t column = 0; column < columns; ++column) {
                    codes[row * columns + column] = from[static_cast<std::ptrdiff_t>(row) * matrix.row_stride +
                                                         static_cast<std::ptrdiff_t>(column) * matrix.column_stride];
                }
            }
        },
        matrix.codes);
    return codes;
}

}  // namespace

void multiply(std::uint64_t m, std::uint64_t n, std::uint64_t k, const CodeMatrix& a, const CodeMatrix& b,
              const AccumulationRule& rule, unsigned threads, std::span<float> sums) {
    if (threads == 0) {
        throw ModelError("a product needs at least one thread");
    }
    std::ranges::fill(sums, 0.0F);
    const std::vector<std::uint16_t> a_codes = row_major(m, k, a);
    const std::vector<std::uint16_t> b_codes = row_major(k, n, b);
    gemm_accumulate(m, n, k, {a.format, a_codes}, {b.format, b_codes}, rule, sums);
}

}  // namespace nibble
