// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "models/mac_array/mac_array_params.h"
#include "sim/program/command.h"

namespace nibble {

/// How folds follow each other in the array, and what is charged for them.
struct FoldRule {
    bool overlap = true;      ///< shadow registers hide preload and drain behind the stream of a neighbouring fold
    bool full_folds = false;  ///< partial folds are charged the whole array's skew and preload
    bool drain = true;        ///< output-stationary results have to be shifted out, one row a cycle
};

/// Cycles of one tile, by what the array does in them.
struct TileTiming {
    std::uint64_t fill = 0;    ///< first preload (stationary operand) and skew before every PE is at work
    std::uint64_t stream = 0;  ///< operands streaming
    std::uint64_t drain = 0;   ///< stream over, results still on their way out; waits for a slower preload or drain
    [[nodiscard]] std::uint64_t total() const { return fill + stream + drain; }
    friend bool operator==(const TileTiming&, const TileTiming&) = default;
};

/// Bytes that one tile moves between the array and its memories.
struct TileTraffic {
    std::uint64_t left_bytes = 0;              ///< left operand read from the scratchpad
    std::uint64_t right_bytes = 0;             ///< right operand read from the scratchpad
    std::uint64_t result_bytes = 0;            ///< 16-bit results written to the scratchpad
    std::uint64_t accumulator_read_bytes = 0;  ///< 32-bit partial sums
    std::uint64_t accumulator_write_bytes = 0;
    std::uint64_t transposed_bytes = 0;  ///< of the operand bytes, those walked against their layout
    friend bool operator==(const TileTraffic&, const TileTraffic&) = default;
};

/// Timing of a tile: `passes` run one after the other as one sequence of folds.
///
/// One fold occupies r x c PEs (the array's size, or what is left of the tile) and streams T steps:
///   output-stationary: r rows of m, c columns of n, T = ceil(k / macs_per_pe); skew r+c-2; then r cycles of drain.
///   weight-stationary: rows hold k (macs_per_pe of it each), columns n, T = m; preload r; skew r+c-2.
///   input-stationary:  rows hold k, columns m, T = n; otherwise as weight-stationary.
/// A step takes cycles_per_step cycles. Without overlap every fold pays preload, stream, skew and drain in full. With
/// overlap wavefronts follow each other without a gap: the skew is paid once; a fold's drain (or the next fold's
/// preload) goes on behind the following (or this) fold's stream and costs only what exceeds it; the first preload and
/// the last drain stand alone. Adding to earlier partial sums loads them the way results drain: r cycles more, hidden
/// alike.
[[nodiscard]] TileTiming tile_timing(const ArrayGeometry& geometry, Dataflow dataflow, const FoldRule& rule,
                                     std::span<const MatmulPass> passes, bool accumulate);

/// Traffic of a tile. A streaming operand is read once for every fold that needs it, a stationary one once; partial
/// sums of a reduction split over folds are read and written once a fold.
[[nodiscard]] TileTraffic tile_traffic(const ArrayGeometry& geometry, const MatmulCommand& tile);

/// Cycles that SCALE-Sim (v2, v3) reports for a product on its own: no overlap, whole folds, output-stationary results
/// not drained, counted from 0. Output: F(T+R+C-2)-1; weight and input: F(T+2R+C-2)-1.
[[nodiscard]] std::uint64_t scale_sim_cycles(std::uint32_t rows, std::uint32_t cols, Dataflow dataflow,
                                             const MatmulPass& product);

}  // namespace nibble
