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

/// Where the data of a GEMM are, and what must be complete before they may be read or written.
struct GemmPlaces {
    struct Operand {
        std::uint64_t address = 0;  ///< in DRAM, unless on chip
        Dependencies ready{};       ///< before it may be read where it is
        Dependencies room{};        ///< before it may be written on chip, if it is to stay
    };
    std::vector<Operand> inputs;               ///< left, right, then as GemmTask::side_inputs
    std::vector<Operand> whole_inputs;         ///< in the order of GemmTask::whole_inputs
    Dependencies small_inputs{};               ///< biases and the like that are on chip, which every tile needs
    std::vector<std::uint64_t> stored;         ///< addresses, in the order of GemmTask::stored
    std::vector<std::uint64_t> whole_outputs;  ///< addresses, in the order of GemmTask::whole_outputs
    Dependencies start{};                      ///< before anything may be written to the buffers
    Dependencies out_on_chip{};                ///< before results that stay may be written
    Dependencies out_in_dram{};                ///< before results may be stored
};

/// What a run wants to know, or to add, while a GEMM is emitted. Everything may be empty.
struct GemmHooks {
    GemmValues* values = nullptr;  ///< null in shapes mode
    /// Gradients of a finished tile, given its sums, for the log-gradient unit.
    std::function<std::shared_ptr<GradientValues>(const std::shared_ptr<const std::vector<float>>&)> gradients{};
    /// A tile of an input (by its index in GemmPlaces::inputs) is needed that is, or comes, on chip as a whole.
    std::function<void(std::size_t input, const Slice& tile)> spared{};
    /// A part of an input is loaded to stay.
    std::function<void(std::size_t input, const Slice& part)> loaded_to_stay{};
    std::function<void(const TileRange& tile)> finished{};
};

/// Emits the commands of one GEMM, tile by tile in the order of its tiling: loads of operand tiles that change, the
/// product, and on the last tile of each reduction side inputs, element-wise work, conversion of gradients, stores.
class GemmEmission {
public:
    /// `task` must outlive the emission.
    GemmEmission(const GemmTask& task, const Tiling& tiling, GemmPlaces places, Emitter& emitter, GemmHooks hooks = {});

    /// Loads one of GemmTask::whole_inputs, before the first tile; returns when it is there.
    Dependencies load_whole(std::size_t input);

    [[nodiscard]] bool done() const { return walk_.done(); }
    /// Emits the next tile; must not be done.
    void step();

    /// Stores GemmTask::whole_outputs, after the last tile.
    void store_whole();
    /// Loads what is missing of an input that is to stay; returns when all of it is there.
    Dependencies load_rest(std::size_t input);
    /// Sets what an input on chip waits for.
    void set_ready(std::size_t input, const Dependencies& ready) { places_.inputs[input].ready = ready; }

private:
    static constexpr std::size_t left = 0;
    static constexpr std::size_t right = 1;
    static constexpr std::size_t first_side = 2;

    /// How far an input is loaded, and its buffers.
    struct Fetched {
        std::vector<Dependencies> free;  // last users of each buffer
        std::size_t buffer = 0;          // last written
        std::optional<Slice> held;       // tile in that one
        std::uint64_t begun = 0;         // bytes loaded of an input that is to stay
        Dependencies loaded{};           // by the last load, and rounding
    };

    [[nodiscard]] const GemmTask::Operand& operand(std::size_t input) const;
    /// Part of the scratchpad that the input lies in, and the one that it is used from.
    [[nodiscard]] ScratchpadPart source_part(std::size_t input) const;
    [[nodiscard]] ScratchpadPart tile_part(std::size_t input) const;
    void fetch(std::size_t input, const Slice& tile);
    void fetch_side(std::size_t input, const TileRange& tile);
    void load_up_to(std::size_t input, std::uint64_t end);
    void round_tile(std::size_t input, const Slice& tile);
    [[nodiscard]] Dependencies there(std::size_t input) const;
    void finish_tile(const TileRange& tile, const std::shared_ptr<const std::vector<float>>& sums);

    const GemmTask& task_;
    Tiling tiling_;
    GemmPlaces places_;
    Emitter& emitter_;
    GemmHooks hooks_;
    TileWalk walk_;
    std::vector<Fetched> fetched_;        // of each input
    std::vector<Dependencies> out_free_;  // last users of each buffer
    std::size_t out_buffer_ = 0;
};

}  // namespace nibble
