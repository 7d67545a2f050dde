// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "models/machine/machine_params.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/lowering/tile_space.h"

namespace nibble {

/// How a GEMM is cut and walked: for each product of the batch, i and j in the stated order, l innermost, so that an
/// output tile is complete before the next begins. An operand tile stays in its buffer while it does not change.
struct Tiling {
    std::uint64_t batch = 1;  ///< products in a tile; more than 1 only if i, j and l are whole
    std::uint64_t i = 1, j = 1, l = 1;
    bool j_outer = false;  ///< j changes slower than i
    Dataflow dataflow = Dataflow::output_stationary;
    friend bool operator==(const Tiling&, const Tiling&) = default;
};

/// What the search has to know besides the problem.
struct TilingInput {
    ArrayMode mode = ArrayMode::fp16;
    std::uint32_t left_bits = 16;
    std::uint32_t right_bits = 16;
    std::uint32_t out_bits = 16;     ///< written to the scratchpad for one output: all copies, the 16-bit one included
    std::uint32_t code_bits = 0;     ///< of these, radix-4 codes of gradients
    std::uint32_t stored_bits = 16;  ///< of these, written to DRAM
    bool left_resident = false;      ///< the operand is on chip already and takes no part of the tile space
    bool right_resident = false;
    /// Bits that an element of a tile takes of the tile space although the operand is on chip: its codes, if it is
    /// rounded on its way to the array. What is loaded is rounded in its place.
    std::uint32_t left_rounded_bits = 0;
    std::uint32_t right_rounded_bits = 0;
    bool memory_free = false;     ///< machine with ideal memory
    TileCapacity tiles;           ///< room for tiles
    std::uint32_t buffering = 2;  ///< tiles of one operand or result that have room at the same time
    double dram_bytes_per_cycle = 0;
};

/// The tile at position `index` of a dimension cut into tiles of `size` units, which do not straddle images.
[[nodiscard]] Range tile_at(const TiledDimension& dimension, std::uint64_t size, std::uint64_t index);
[[nodiscard]] std::uint64_t tile_count(const TiledDimension& dimension, std::uint64_t size);

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
    TiledDimension i_, j_, l_;
    Tiling tiling_;
    std::uint64_t batches_;  // products in all
    std::uint64_t outer_tiles_, inner_tiles_, l_tiles_;
    std::uint64_t batch_ = 0, outer_ = 0, inner_ = 0, l_tile_ = 0;  // of the next tile
};

/// Scratchpad space that the tiling's buffers take: `buffering` of each operand that changes and of the output.
[[nodiscard]] TileBytes tile_space(const GemmProblem& problem, const Tiling& tiling, const TilingInput& input);

/// Searches tile sizes (powers of two, whole images, everything), the two orders and the array's dataflows for the
/// fewest predicted cycles: the array's cycles or DRAM's, whichever is more, plus the first load and the last store,
/// which nothing hides. Among those within half a percent of the fewest, the one that moves least to and from DRAM.
/// Throws InputError if nothing fits the scratchpad.
[[nodiscard]] Tiling search_tiling(const GemmProblem& problem, const MacArrayParameters& array,
                                   const TilingInput& input);

/// "i 1568 of 50176, j 64 of 64, l 576 of 576, j outer".
[[nodiscard]] std::string to_string(const Tiling& tiling, const GemmProblem& problem);

}  // namespace nibble
