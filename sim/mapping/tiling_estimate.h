// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "models/machine/machine_params.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/tiling.h"

namespace nibble {

/// A quick look at tilings of one GEMM that share their tile sizes: closed forms over the few sizes of tiles that
/// occur, to tell which tilings deserve a closer look.
class TilingEstimate {
public:
    /// `dram_bytes_per_cycle` is what a long stream reaches. Order, dataflow and buffers of `sizes` do not count.
    TilingEstimate(const GemmTask& task, const MachineParameters& machine, double dram_bytes_per_cycle,
                   const Tiling& sizes);

    /// Of the array, in a dataflow.
    [[nodiscard]] double compute_cycles(Dataflow dataflow) const;

    struct Cost {
        double cycles = 0;
        double dram_bytes = 0;  ///< with an allowance for bursts used in part
    };
    /// The slowest of array, memory, vector and log-gradient unit, what nothing hides at both ends, and loads that an
    /// operand with a single buffer cannot hide.
    [[nodiscard]] Cost cost(const Tiling& tiling, double compute_cycles) const;

private:
    /// A dimension cut into tiles: at most two sizes occur, the full one and the one at the end of an image.
    struct Cut {
        struct Part {
            Range example;            // one tile of this size
            std::uint64_t count = 0;  // how many there are
        };
        std::array<Part, 2> parts{};
    };
    [[nodiscard]] static Cut cut(const TiledDimension& dimension, std::uint64_t size);
    [[nodiscard]] double moved(const Slice& slice) const;

    const GemmTask& task_;
    const MachineParameters& machine_;
    double dram_bytes_per_cycle_;
    Tiling sizes_;
    TileCounts counts_;
    Cut i_, j_, l_;
    // Of all tiles once; bytes with the allowance.
    double left_bytes_ = 0, right_bytes_ = 0;
    double first_left_ = 0, first_right_ = 0;
    double out_bytes_of_tile_ = 0;  // stored, and side inputs
    double lane_cycles_ = 0;        // of vector and log-gradient unit, the slower one, all tiles
};

}  // namespace nibble
