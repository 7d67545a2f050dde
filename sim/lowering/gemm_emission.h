// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sim/lowering/emitter.h"
#include "sim/lowering/gemm_task.h"
#include "sim/lowering/output_room.h"
#include "sim/lowering/tiling.h"

namespace nibble {

class GemmValues;

/// Where the data of a GEMM are, and what must be complete before they may be read or written.
struct GemmPlaces {
    struct Operand {
        std::uint64_t address = 0;     ///< in DRAM, unless on chip
        Dependencies ready{};          ///< before it may be read where it is
        Dependencies room{};           ///< before it may be written on chip, if it is to stay
        std::uint64_t room_bytes = 0;  ///< that it then takes
    };
    std::vector<Operand> inputs;               ///< left, right, then as GemmTask::side_inputs
    std::vector<Operand> whole_inputs;         ///< in the order of GemmTask::whole_inputs
    Dependencies small_inputs{};               ///< biases and the like that are on chip, which every tile needs
    std::vector<std::uint64_t> stored;         ///< addresses, in the order of GemmTask::stored
    std::vector<std::uint64_t> whole_outputs;  ///< addresses, in the order of GemmTask::whole_outputs
    Dependencies start{};                      ///< before anything may be written to the buffers
    Dependencies out_on_chip{};                ///< before results that stay may be written
    Dependencies out_in_dram{};                ///< before results may be stored
    std::uint64_t out_room_bytes = 0;          ///< that results that stay take
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

    [[nodiscard]] bool done() const { return !next_; }
    /// Emits the next tile; must not be done.
    void step();

    /// Stores GemmTask::whole_outputs, after the last tile.
    void store_whole();
    /// Loads what is missing of an input that is to stay; returns when all of it is there.
    Dependencies load_rest(std::size_t input);
    /// Has no command written results that stay? So it is where no input reaches an output and nothing is done to it.
    [[nodiscard]] bool left_results_unwritten() const { return places_.out_room_bytes > 0; }
    /// Sets what an input on chip waits for.
    void set_ready(std::size_t input, const Dependencies& ready) { places_.inputs[input].ready = ready; }

private:
    static constexpr std::size_t left = 0;
    static constexpr std::size_t right = 1;
    static constexpr std::size_t first_side = 2;

    static constexpr std::size_t operands = 2;  // left and right

    /// A tile to come.
    struct Tile {
        TileWalk::Step at;
        std::array<Slice, operands> slices{};
        std::vector<MatmulPass> passes{};  // none: input pixels that no output reaches, zero as they are
    };

    /// How far an input is loaded, and its buffers.
    struct Fetched {
        std::vector<Dependencies> free;  // last users of each buffer
        std::size_t buffer = 0;          // last written
        std::optional<Slice> held;       // tile in that one
        std::uint64_t room_bytes = 0;    // that the tile takes
        std::uint64_t begun = 0;         // bytes loaded of an input that is to stay
        Dependencies loaded{};           // by the last load, and rounding
    };

    [[nodiscard]] const GemmTask::Operand& operand(std::size_t input) const;
    /// Part of the scratchpad that the input lies in, and the one that it is used from.
    [[nodiscard]] ScratchpadPart source_part(std::size_t input) const;
    [[nodiscard]] ScratchpadPart tile_part(std::size_t input) const;
    [[nodiscard]] std::optional<Tile> look_at_next();
    /// Does a later product use the operand's present tile?
    [[nodiscard]] bool used_later(std::size_t input) const;
    void fetch(std::size_t input, const Tile& tile);
    void load_up_to(std::size_t input, std::uint64_t end);
    void round_tile(std::size_t input, const ScratchpadRoom& room);
    [[nodiscard]] Dependencies there(std::size_t input) const;
    /// Are tiles of results worked on, converted or stored, or is the array the last that has to do with them?
    [[nodiscard]] bool has_finishing_commands() const;
    [[nodiscard]] ScratchpadRoom of_result(OutputRoom& tile, bool last);
    [[nodiscard]] std::uint64_t bits_of_copies(std::uint64_t present_bits) const;
    void fetch_side(std::size_t input, const TileRange& tile, OutputRoom& room);
    void finish_tile(const TileRange& tile, const std::shared_ptr<const std::vector<float>>& sums, Dependencies made,
                     OutputRoom& room);

    const GemmTask& task_;
    Tiling tiling_;
    GemmPlaces places_;
    Emitter& emitter_;
    GemmHooks hooks_;
    TileWalk walk_;                       // behind next_
    std::optional<Tile> next_;            // none: done
    std::vector<Fetched> fetched_;        // of each input
    std::vector<Dependencies> out_free_;  // last users of each buffer
    std::size_t out_buffer_ = 0;
    std::uint64_t whole_room_bytes_ = 0;   // taken by inputs that every tile needs
    std::uint64_t unmade_room_bytes_ = 0;  // of outputs that all tiles make, until the first does
};

}  // namespace nibble
