// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/scratchpad/scratchpad_params.h"
#include "sim/lowering/tile_space.h"
#include "sim/program/command.h"

namespace nibble {

inline constexpr std::uint64_t chunk_alignment_bytes = 64;  ///< chunks begin on multiples of it
inline constexpr std::uint64_t gradient_bytes = 2;          ///< on its way to the log-gradient unit

/// What an operation of the vector unit asks of a machine, without addresses: the copies that it moves, and the work
/// that it does on them, cut into chunks.
struct VectorTask {
    /// One copy of an operand.
    struct Stream {
        std::uint64_t bytes = 0;  ///< that are touched
        Slice rows{};             ///< of a table that is only read or written in part; empty otherwise
        bool moves = true;        ///< to or from DRAM; otherwise it is and stays on chip
        bool stays = false;       ///< moves, and stays on chip as well: takes no room among the tiles
        ScratchpadPart part = ScratchpadPart::left;  ///< that holds it, or its chunks

        /// Moved whole, once (statistics, biases, filters).
        [[nodiscard]] bool small() const { return bytes <= small_bytes; }
        [[nodiscard]] bool table() const { return rows.run_bytes > 0; }
        static constexpr std::uint64_t small_bytes = 8 * 1024;
    };

    std::vector<Stream> inputs{};
    std::vector<Stream> results{};  ///< copies that the vector unit writes
    std::vector<Stream> codes{};    ///< those that the log-gradient unit makes
    std::uint64_t lane_ops = 0;     ///< of the vector unit in all
    std::uint64_t macs = 0;         ///< of these, multiply-accumulates
    std::uint64_t gradients = 0;    ///< elements that go through the log-gradient unit
    std::uint64_t passing = 0;      ///< of these, the ones whose 16 bits are no copy that is kept
    ScratchpadPart gradient_part = ScratchpadPart::output;  ///< where they lie in 16 bits
    std::uint32_t code_bits = 0;                            ///< made of each of them
    std::uint32_t buffering = 2;                            ///< chunks of a stream that have room at the same time
    std::uint64_t chunks = 1;

    /// Cuts the work into as few chunks as overlap well and fit. Throws InputError if nothing fits.
    void cut(const TileCapacity& capacity);
    /// Scratchpad space: `buffering` chunks of every stream that moves, and one of what is moved whole.
    [[nodiscard]] TileBytes space() const;

    /// Equal for tasks whose commands, alone, are equal.
    [[nodiscard]] std::string key() const;
};

}  // namespace nibble
