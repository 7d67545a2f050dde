// SPDX-License-Identifier: MIT
#include "models/mac_array/tile_timing.h"

#include <algorithm>

#include "sim/base/units.h"

namespace nibble {

namespace {

/// A product as the array folds it: `rows` and `cols` are the extents laid over the PEs, `steps` streams.
struct FoldedProduct {
    std::uint64_t rows;  // of PEs wanted in all: m, or k in steps of macs_per_pe
    std::uint64_t cols;
    std::uint64_t steps;
};

FoldedProduct fold(const ArrayGeometry& geometry, Dataflow dataflow, const MatmulPass& pass) {
    const std::uint64_t k_steps = ceil_div(pass.k, geometry.macs_per_pe);
    switch (dataflow) {
        case Dataflow::output_stationary:
            return {pass.m, pass.n, k_steps};
        case Dataflow::weight_stationary:
            return {k_steps, pass.n, pass.m};
        case Dataflow::input_stationary:
            return {k_steps, pass.m, pass.n};
    }
    return {};
}

/// Folds of one product in row-major order: `row_folds` groups of `col_folds` folds; all groups but the last are full.
struct FoldGrid {
    std::uint64_t row_folds, col_folds;
    std::uint64_t full_rows, last_rows;
    std::uint64_t full_cols, last_cols;
    std::uint64_t stream;  // cycles that one fold streams
    [[nodiscard]] std::uint64_t folds() const { return row_folds * col_folds; }
    [[nodiscard]] std::uint64_t first_rows() const { return row_folds > 1 ? full_rows : last_rows; }
    [[nodiscard]] std::uint64_t first_cols() const { return col_folds > 1 ? full_cols : last_cols; }
};

FoldGrid grid_of(const ArrayGeometry& geometry, Dataflow dataflow, const FoldRule& rule, const MatmulPass& pass) {
    const FoldedProduct product = fold(geometry, dataflow, pass);
    FoldGrid grid{};
    grid.row_folds = ceil_div(product.rows, geometry.rows);
    grid.col_folds = ceil_div(product.cols, geometry.cols);
    grid.full_rows = geometry.rows;
    grid.full_cols = geometry.cols;
    grid.last_rows = rule.full_folds ? geometry.rows : product.rows - (grid.row_folds - 1) * geometry.rows;
    grid.last_cols = rule.full_folds ? geometry.cols : product.cols - (grid.col_folds - 1) * geometry.cols;
    grid.stream = product.steps * geometry.cycles_per_step;
    return grid;
}

/// Cycles by which the row-wise transfer of each fold sticks out of the stream that is to hide it, over all folds of
/// the grid whose transfer takes `rows_factor` cycles a row.
std::uint64_t exposed_transfers(const FoldGrid& grid, std::uint64_t rows_factor) {
    const auto excess = [&](std::uint64_t rows) {
        const std::uint64_t transfer = rows * rows_factor;
        return transfer > grid.stream ? transfer - grid.stream : 0;
    };
    return (grid.row_folds - 1) * grid.col_folds * excess(grid.full_rows) + grid.col_folds * excess(grid.last_rows);
}

std::uint64_t sum_of_rows(const FoldGrid& grid) {
    return grid.col_folds * ((grid.row_folds - 1) * grid.full_rows + grid.last_rows);
}

std::uint64_t sum_of_cols(const FoldGrid& grid) {
    return grid.row_folds * ((grid.col_folds - 1) * grid.full_cols + grid.last_cols);
}

}  // namespace

TileTiming tile_timing(const ArrayGeometry& geometry, Dataflow dataflow, const FoldRule& rule,
                       std::span<const MatmulPass> passes, bool accumulate) {
    const bool output_stationary = dataflow == Dataflow::output_stationary;
    // Rows move through the shadow registers once a fold: results out (and, when accumulating, partial sums in), or
    // the stationary operand in. The drain can be left out of the account, the preload cannot.
    const std::uint64_t transfers = output_stationary ? (rule.drain ? 1U : 0U) + (accumulate ? 1U : 0U) : 1U;
    TileTiming timing;
    for (const MatmulPass& pass : passes) {
        const FoldGrid grid = grid_of(geometry, dataflow, rule, pass);
        timing.stream += grid.folds() * grid.stream;
        if (!rule.overlap) {
            timing.fill += sum_of_rows(grid) + sum_of_cols(grid) - 2 * grid.folds();
            (output_stationary ? timing.drain : timing.fill) += transfers * sum_of_rows(grid);
            continue;
        }
        // Every fold's transfer overlaps one stream: the following one's for a drain, the preceding one's for a
        // preload. Within a pass all streams are equally long; at a pass boundary the neighbour's is taken as its own.
        timing.drain += exposed_transfers(grid, transfers);
    }
    if (rule.overlap && !passes.empty()) {
        const FoldGrid first = grid_of(geometry, dataflow, rule, passes.front());
        const FoldGrid last = grid_of(geometry, dataflow, rule, passes.back());
        const auto exposed = [&](const FoldGrid& grid, std::uint64_t rows) {
            const std::uint64_t transfer = rows * transfers;
            return transfer > grid.stream ? transfer - grid.stream : 0;
        };
        timing.fill += first.first_rows() + first.first_cols() - 2;
        if (output_stationary) {
            // The last drain stands alone: all of it is charged, not only what sticks out.
            timing.drain += transfers * last.last_rows - exposed(last, last.last_rows);
        } else {
            // So does the first preload.
            timing.fill += first.first_rows();
            timing.drain -= exposed(first, first.first_rows());
        }
    }
    return timing;
}

TileTraffic tile_traffic(const ArrayGeometry& geometry, const MatmulCommand& tile) {
    TileTraffic traffic;
    constexpr std::uint64_t result_bytes = 2;
    const auto bytes = [](std::uint64_t elements, std::uint32_t bits) {
        return bytes_for(Bits(elements * bits)).count();
    };
    for (const MatmulPass& pass : tile.passes) {
        const FoldGrid grid = grid_of(geometry, tile.dataflow, FoldRule{}, pass);
        const std::uint64_t outputs = pass.m * pass.n;
        // How often each operand is streamed: once for each fold along the dimension that it does not have.
        std::uint64_t left_times = 1;
        std::uint64_t right_times = 1;
        std::uint64_t reduction_folds = 1;
        switch (tile.dataflow) {
            case Dataflow::output_stationary:
                left_times = grid.col_folds;
                right_times = grid.row_folds;
                break;
            case Dataflow::weight_stationary:
                left_times = grid.col_folds;
                reduction_folds = grid.row_folds;
                break;
            case Dataflow::input_stationary:
                right_times = grid.col_folds;
                reduction_folds = grid.row_folds;
                break;
        }
        const std::uint64_t left = left_times * bytes(pass.m * pass.k, tile.left_bits);
        const std::uint64_t right = right_times * bytes(pass.k * pass.n, tile.right_bits);
        traffic.left_bytes += left;
        traffic.right_bytes += right;
        traffic.transposed_bytes += (tile.left_transposed ? left : 0) + (tile.right_transposed ? right : 0);
        // Each fold of the reduction adds to the sums of the one before it; the last of all leaves as a result.
        const std::uint64_t reads = reduction_folds - 1 + (tile.accumulate ? 1 : 0);
        const std::uint64_t writes = reduction_folds - (tile.finish ? 1 : 0);
        traffic.accumulator_read_bytes += reads * outputs * partial_sum_bytes;
        traffic.accumulator_write_bytes += writes * outputs * partial_sum_bytes;
        traffic.result_bytes += tile.finish ? outputs * result_bytes : 0;
    }
    return traffic;
}

std::uint64_t scale_sim_cycles(std::uint32_t rows, std::uint32_t cols, Dataflow dataflow, const MatmulPass& product) {
    const ArrayGeometry geometry{.rows = rows, .cols = cols};
    const FoldRule rule{.overlap = false, .full_folds = true, .drain = false};
    return tile_timing(geometry, dataflow, rule, {&product, 1}, false).total() - 1;
}

}  // namespace nibble
