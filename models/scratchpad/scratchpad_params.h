// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nibble {

/// What a part of the scratchpad holds while an operation is at work: tiles of the two operands, results on their way
/// to the vector unit and to memory, and radix-4 codes of gradients. A machine may have a buffer for each of them.
enum class TileBuffer : std::uint8_t { left, right, output, gradient };
inline constexpr std::size_t tile_buffer_count = 4;
inline constexpr std::array<std::string_view, tile_buffer_count> tile_buffer_names{"left", "right", "output",
                                                                                   "gradient"};

/// Bytes in each buffer. Indexed by TileBuffer.
using TileBytes = std::array<std::uint64_t, tile_buffer_count>;

/// On-chip SRAM shared by all units: `banks` single-ported banks, interleaved by line.
struct ScratchpadParameters {
    std::uint64_t capacity_bytes = 0;
    std::uint64_t resident_bytes = 0;  ///< part of the capacity that holds tensors kept on chip from one operation to a
                                       ///< later one; the rest holds tiles
    std::uint32_t banks = 0;           ///< lines served in a cycle, one a bank
    std::uint32_t line_bytes = 0;      ///< width of a bank
    std::uint32_t buffering = 2;  ///< tiles of one operand or result that have room at the same time: 1 load, compute
                                  ///< and store take turns; 2 they overlap; 3 loads run one tile further ahead
    /// Capacities of separate buffers; with resident_bytes they add up to capacity_bytes. Empty: one buffer for all.
    std::optional<TileBytes> buffers{};
};

}  // namespace nibble
