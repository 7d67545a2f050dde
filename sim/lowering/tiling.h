// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/mac_array/mac_array_params.h"
#include "models/scratchpad/scratchpad_params.h"
#include "sim/counters/mapping_record.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/gemm_task.h"

namespace nibble {

/// In which order the loops over the tiles of i, j and l are nested, the outermost first. Where l is not innermost,
/// several output tiles are under way at once, and their partial sums wait in the accumulators.
enum class LoopOrder : std::uint8_t { ijl, jil, ilj, jli, lij, lji };
inline constexpr std::size_t loop_order_count = 6;
inline constexpr std::array<std::string_view, loop_order_count> loop_order_names{"ijl", "jil", "ilj",
                                                                                 "jli", "lij", "lji"};

/// How a GEMM is cut and walked. An operand tile stays in its buffer while it does not change.
struct Tiling {
    std::uint64_t batch = 1;  ///< products in a tile; more than 1 only if i, j and l are whole
    std::uint64_t i = 1, j = 1, l = 1;
    LoopOrder order = LoopOrder::ijl;
    Dataflow dataflow = Dataflow::output_stationary;
    /// Tiles of each operand and of the output that have room at the same time, 1 to ScratchpadParameters::buffering:
    /// how the scratchpad is split.
    std::uint32_t left_buffers = 2, right_buffers = 2, out_buffers = 2;
    friend bool operator==(const Tiling&, const Tiling&) = default;
};

/// The tile at position `index` of a dimension cut into tiles of `size` units, which do not straddle images.
[[nodiscard]] Range tile_at(const TiledDimension& dimension, std::uint64_t size, std::uint64_t index);
[[nodiscard]] std::uint64_t tile_count(const TiledDimension& dimension, std::uint64_t size);

/// Tiles of each dimension of one product, and products that are not in one tile.
struct TileCounts {
    std::uint64_t batch = 1, i = 1, j = 1, l = 1;
    [[nodiscard]] std::uint64_t all() const { return batch * i * j * l; }
};
[[nodiscard]] TileCounts tile_counts(const GemmProblem& problem, const Tiling& tiling);

/// How often tiles are loaded: a tile stays in its buffer while none of the loops that it depends on moves on.
struct TileLoads {
    std::uint64_t left = 1, right = 1;
};
[[nodiscard]] TileLoads tile_loads(const TileCounts& counts, LoopOrder order);

/// Output tiles of which some but not all parts of the reduction have been added, at most.
[[nodiscard]] std::uint64_t open_outputs(const TileCounts& counts, LoopOrder order);

/// Walks the tiles of a GEMM in execution order.
class TileWalk {
public:
    TileWalk(const GemmProblem& problem, const Tiling& tiling);

    struct Step {
        TileRange tile;
        bool first = false;  ///< of its reduction
        bool last = false;
    };
    [[nodiscard]] bool done() const { return batch_ >= batches_; }
    /// The next tile; must not be done.
    Step next();

private:
    /// A loop over the tiles of one dimension.
    struct Loop {
        TiledDimension dimension;
        std::uint64_t size = 1;
        std::uint64_t tiles = 1;
        std::uint64_t at = 0;
        [[nodiscard]] Range range() const { return tile_at(dimension, size, at); }
    };
    std::array<Loop, 3> loops_;           // i, j, l
    std::array<std::size_t, 3> nesting_;  // indices into loops_, outermost first
    std::uint64_t batch_tile_, batches_;  // products in a tile and in all
    std::uint64_t batch_ = 0;             // first of the next tile
};

/// Does every output add up its terms in the order of a reduction that is one tile? Chunks of the accumulation
/// (AccumulationRule::chunk) begin anew with every tile, so a reduction may only be cut between units of l that follow
/// each other in a sum, after whole chunks. Then results do not depend on the mapping.
[[nodiscard]] bool keeps_reduction_order(const GemmProblem& problem, const Tiling& tiling, std::uint64_t chunk);

/// Units of l of which a tile should take a multiple: blocks that lie side by side in memory, and whole chunks where
/// these keep the order of the sum.
[[nodiscard]] std::uint64_t reduction_step(const GemmProblem& problem, std::uint64_t chunk);

/// Scratchpad space that the tiling's buffers take, for the largest tiles that occur.
[[nodiscard]] TileBytes tile_space(const GemmTask& task, const Tiling& tiling);

/// Accumulator space that the tiling needs: 32 bits for every partial sum that waits for the next part of its
/// reduction. An output-stationary array holds those of the tile at work itself while its reduction is one tile.
[[nodiscard]] std::uint64_t accumulator_bytes(const GemmTask& task, const Tiling& tiling);

/// The tiling of a GEMM as reports have it.
[[nodiscard]] MappingRecord record_of(const Tiling& tiling, const GemmProblem& problem);
[[nodiscard]] std::string to_string(const Tiling& tiling, const GemmProblem& problem);

}  // namespace nibble
