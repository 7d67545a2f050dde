// SPDX-License-Identifier: MIT
#include "models/numerics/matrix_product.h"

#include <algorithm>
#include <memory>

#include "models/numerics/gemm.h"
#include "models/numerics/gemm_tile.h"
#include "models/numerics/packed_product.h"
#include "models/numerics/strided_lanes.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

/// Outputs that tiles compute for a product of this size, padding included.
std::uint64_t padded_outputs(std::uint64_t rows, std::uint64_t columns) {
    return round_up(rows, tile_rows) * round_up(columns, tile_columns<float>);
}

/// The lanes of a matrix: its rows, or its columns.
template <class Element>
std::unique_ptr<LaneSource<Element>> lanes_of(const CodeMatrix& matrix, const CodeDecoder<Element>& decoder,
                                              std::ptrdiff_t lane_stride, std::ptrdiff_t term_stride) {
    return std::visit(
        [&]<class Code>(const Code* codes) -> std::unique_ptr<LaneSource<Element>> {
            return std::make_unique<StridedLanes<Element, Code>>(decoder, codes, lane_stride, term_stride);
        },
        matrix.codes);
}

void require_sizes(std::uint64_t m, std::uint64_t n, std::uint64_t k, const AccumulationRule& rule,
                   std::span<float> sums) {
    if (sums.size() != m * n) {
        throw ModelError("the sums of a product have not the size that m and n say");
    }
    require_sums(k, rule);
}

/// rows * columns to row-major sums.
template <class Element>
void multiply_lanes(std::uint64_t m, std::uint64_t n, std::uint64_t k, const LaneSource<Element>& rows,
                    const LaneSource<Element>& columns, const ChunkSum& sum, const AccumulationRule& rule,
                    unsigned threads, std::span<float> sums) {
    // The transposed product has the same sums, and for few columns wastes less of the tiles.
    if (padded_outputs(m, n) <= padded_outputs(n, m)) {
        multiply_packed(
            PackedProduct<Element>{m, n, k, rows, columns, sum, rule}, threads,
            [&](std::size_t row, std::size_t count, std::size_t column, std::size_t width, const float* block) {
                for (std::size_t i = 0; i < count; ++i) {
                    std::copy_n(block + i * width, width, sums.data() + (row + i) * n + column);
                }
            });
    } else {
        multiply_packed(
            PackedProduct<Element>{n, m, k, columns, rows, sum, rule}, threads,
            [&](std::size_t row, std::size_t count, std::size_t column, std::size_t width, const float* block) {
                for (std::size_t i = 0; i < count; ++i) {
                    for (std::size_t j = 0; j < width; ++j) {
                        sums[(column + j) * n + row + i] = block[i * width + j];
                    }
                }
            });
    }
}

}  // namespace

void multiply(std::uint64_t m, std::uint64_t n, std::uint64_t k, const CodeMatrix& a, const CodeMatrix& b,
              const AccumulationRule& rule, unsigned threads, std::span<float> sums) {
    require_sizes(m, n, k, rule, sums);
    with_element(a.format, b.format, rule.chunk, [&]<class Element>(const ChunkSum& sum) {
        const CodeDecoder<Element> decode_a(a.format, sum.integers);
        const CodeDecoder<Element> decode_b(b.format, sum.integers);
        const auto rows = lanes_of(a, decode_a, a.row_stride, a.column_stride);
        const auto columns = lanes_of(b, decode_b, b.column_stride, b.row_stride);
        multiply_lanes(m, n, k, *rows, *columns, sum, rule, threads, sums);
    });
}

void multiply(std::uint64_t m, std::uint64_t n, std::uint64_t k, const NumberMatrix& a, const NumberMatrix& b,
              const AccumulationRule& rule, unsigned threads, std::span<float> sums) {
    require_sizes(m, n, k, rule, sums);
    using Numbers = StridedLanes<float, float, ElementCopy<float>>;
    const ElementCopy<float> copy;
    const Numbers rows(copy, a.numbers, a.row_stride, a.column_stride);
    const Numbers columns(copy, b.numbers, b.column_stride, b.row_stride);
    multiply_lanes(m, n, k, rows, columns, {.piece = rule.chunk, .exact_products = false}, rule, threads, sums);
}

}  // namespace nibble
