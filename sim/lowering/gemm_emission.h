// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sim/lowering/emitter.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/tiling.h"

namespace nibble {

class GemmValues;

/// Where the data of a GEMM are, and what must be complete before they may be read.
struct GemmPlaces {
    struct Operand {
        std::uint64_t address = 0;  ///< in DRAM, unless on chip
        Dependencies ready{};
    };
    Operand left, right;
    std::vector<Operand> side_inputs;   ///< in the order of GemmTask::side_inputs
    Dependencies small_inputs{};        ///< biases and the like, which every tile needs
    std::vector<std::uint64_t> stored;  ///< addresses, in the order of GemmTask::stored_bits
    Dependencies start{};               ///< before anything may be written to the buffers
};

/// What the tiles of a GEMM carry in values mode.
struct GemmPayload {
    GemmValues* values = nullptr;  ///< null in shapes mode
    /// Gradients of a finished tile, given its sums, for the log-gradient unit.
    std::function<std::shared_ptr<GradientValues>(const std::shared_ptr<const std::vector<float>>&)> gradients{};
};

/// Emits the commands of one GEMM, tile by tile in the order of its tiling: loads of operand tiles that change, the
/// product, and on the last tile of each reduction side inputs, element-wise work, conversion of gradients, stores.
class GemmEmission {
public:
    /// `task` must outlive the emission.
    GemmEmission(const GemmTask& task, const Tiling& tiling, GemmPlaces places, Emitter& emitter,
                 GemmPayload payload = {});

    [[nodiscard]] bool done() const { return walk_.done(); }
    /// Emits the next tile; must not be done.
    void step();

private:
    /// One operand's buffers.
    struct Fetched {
        std::vector<Dependencies> free;  // last users of each buffer
        std::size_t buffer = 0;          // last loaded
        std::optional<Slice> held;       // tile in that one
        Dependencies loaded{};           // by that load
    };

    void fetch(const GemmTask::Operand& operand, const GemmPlaces::Operand& place, Fetched& fetched, Slice slice);
    void finish_tile(const TileRange& tile, const std::shared_ptr<const std::vector<float>>& sums);

    const GemmTask& task_;
    Tiling tiling_;
    GemmPlaces places_;
    Emitter& emitter_;
    GemmPayload payload_;
    TileWalk walk_;
    Fetched left_, right_;
    std::vector<Dependencies> out_free_;  // last users of each buffer
    std::size_t out_buffer_ = 0;
};

}  // namespace nibble
