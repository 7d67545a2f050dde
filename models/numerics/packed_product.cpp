// SPDX-License-Identifier: MIT
#include "models/numerics/packed_product.h"

#include <vector>

#include "models/numerics/gemm_tile.h"
#include "models/numerics/parallel.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

/// Columns of a block: a chunk of them, packed, stays in the second-level cache, and packing the left operand again for
/// each block is little beside the sums.
constexpr std::size_t most_columns = 512;
constexpr std::size_t fewest_columns = 128;
/// Multiply-accumulates that are worth a thread.
constexpr std::size_t least_work = std::size_t{1} << 20;

/// A part of the outputs.
struct Block {
    std::size_t row, rows, column, columns;
};

/// partial (rows x columns of the block, `stride` apart) += the product.
template <class Element>
void accumulate_block(const PackedProduct<Element>& product, const Block& block, float* partial, std::size_t stride) {
    const std::size_t chunk = std::min<std::size_t>(product.rule.chunk, product.k);
    std::vector<Element> left(chunk * tile_rows);
    std::vector<Element> right(chunk * round_up(block.columns, tile_columns<Element>));
    const HostVectors unit = vector_units().back();
    for (std::size_t term = 0; term < product.k; term += chunk) {
        const std::size_t terms = std::min(chunk, product.k - term);
        product.right.pack(block.column, block.columns, term, terms, tile_columns<Element>, right.data());
        for (std::size_t row = 0; row < block.rows; row += tile_rows) {
            const std::size_t rows = std::min(tile_rows, block.rows - row);
            product.left.pack(block.row + row, rows, term, terms, tile_rows, left.data());
            accumulate_strip(unit, GemmStrip<Element>{.chunk = terms,
                                                      .piece = product.sum.piece,
                                                      .exact_products = product.sum.exact_products,
                                                      .a = left.data(),
                                                      .b = right.data(),
                                                      .unit = product.sum.unit,
                                                      .format = product.rule.format,
                                                      .partial = partial + row * stride,
                                                      .rows = rows,
                                                      .columns = block.columns,
                                                      .stride = stride});
        }
    }
}

/// Blocks of about equal work, at least two for each thread if the outputs allow it.
std::vector<Block> blocks_of(std::size_t m, std::size_t n, unsigned threads, std::size_t tile_width) {
    if (m == 0 || n == 0) {
        return {};
    }
    const std::size_t wanted = threads > 1 ? 2 * std::size_t{threads} : 1;
    const std::size_t columns =
        round_up(std::clamp<std::size_t>(ceil_div(n, wanted), fewest_columns, most_columns), tile_width);
    const std::size_t groups =
        std::clamp<std::size_t>(ceil_div(wanted, ceil_div(n, columns)), 1, ceil_div(m, tile_rows));
    const std::size_t rows = round_up(ceil_div(m, groups), tile_rows);
    std::vector<Block> blocks;
    for (std::size_t column = 0; column < n; column += columns) {
        for (std::size_t row = 0; row < m; row += rows) {
            blocks.push_back({row, std::min(rows, m - row), column, std::min(columns, n - column)});
        }
    }
    return blocks;
}

}  // namespace

template <class Element>
void accumulate_product(const PackedProduct<Element>& product, float* partial) {
    for (std::size_t column = 0; column < product.n; column += most_columns) {
        accumulate_block(product, {0, product.m, column, std::min(most_columns, product.n - column)}, partial + column,
                         product.n);
    }
}

template <class Element>
void multiply_packed(const PackedProduct<Element>& product, unsigned threads, const BlockStore& store) {
    const std::size_t work = product.m * product.n * product.k;
    const auto workers = static_cast<unsigned>(std::clamp<std::size_t>(work / least_work, 1, std::max(threads, 1U)));
    const std::vector<Block> blocks = blocks_of(product.m, product.n, workers, tile_columns<Element>);
    run_tasks(blocks.size(), workers, [&](std::size_t task) {
        const Block& block = blocks[task];
        std::vector<float> sums(block.rows * block.columns);
        accumulate_block(product, block, sums.data(), block.columns);
        store(block.row, block.rows, block.column, block.columns, sums.data());
    });
}

template void accumulate_product(const PackedProduct<std::int16_t>&, float*);
template void accumulate_product(const PackedProduct<float>&, float*);
template void accumulate_product(const PackedProduct<double>&, float*);
template void multiply_packed(const PackedProduct<std::int16_t>&, unsigned, const BlockStore&);
template void multiply_packed(const PackedProduct<float>&, unsigned, const BlockStore&);
template void multiply_packed(const PackedProduct<double>&, unsigned, const BlockStore&);

}  // namespace nibble
