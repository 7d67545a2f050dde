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

/// A part of the scratchpad that lines are read from or written to: the tile buffers, and what holds tensors that stay
/// on chip from one operation to a later one.
enum class ScratchpadPart : std::uint8_t { left, right, output, gradient, resident };
inline constexpr std::size_t scratchpad_part_count = 5;
inline constexpr std::array<std::string_view, scratchpad_part_count> scratchpad_part_names{"left", "right", "output",
                                                                                           "gradient", "resident"};

[[nodiscard]] constexpr ScratchpadPart part_of(TileBuffer buffer) {
    return static_cast<ScratchpadPart>(buffer);
}

/// Bytes in each part. Indexed by ScratchpadPart.
using PartBytes = std::array<std::uint64_t, scratchpad_part_count>;

/// What a bank serves in a cycle.
enum class BankPorts : std::uint8_t {
    one_read_or_write,   ///< 1rw: one access, a read or a write; the six-transistor cell
    one_read_one_write,  ///< 1r1w: one read and one write
    two_read_or_write,   ///< 2rw: two accesses of any kind
};
inline constexpr std::size_t bank_ports_count = 3;
inline constexpr std::array<std::string_view, bank_ports_count> bank_ports_names{"1rw", "1r1w", "2rw"};

/// Who is served first where several clients want lines of the same bank.
enum class Arbitration : std::uint8_t {
    fixed_priority,  ///< in the order of ScratchpadClient: array, log-gradient unit, vector unit, load, store
    round_robin,     ///< the turn passes to the next client in every cycle
};
inline constexpr std::array<std::string_view, 2> arbitration_names{"fixed_priority", "round_robin"};

/// On-chip SRAM of all units, interleaved over its banks by line: one memory, or one for each part.
struct ScratchpadParameters {
    std::uint64_t capacity_bytes = 0;
    std::uint64_t resident_bytes = 0;  ///< part of the capacity that holds tensors kept on chip from one operation to a
                                       ///< later one; the rest holds tiles
    std::uint32_t banks = 0;           ///< of the one memory; of each memory if there are several
    std::uint32_t line_bytes = 0;      ///< width of a bank
    std::uint32_t buffering = 2;  ///< tiles of one operand or result that have room at the same time: 1 load, compute
                                  ///< and store take turns; 2 they overlap; 3 loads run one tile further ahead
    /// Capacities of separate buffers, each a memory of its own, as is then the one of resident_bytes; all of them add
    /// up to capacity_bytes. Empty: one memory for all.
    std::optional<TileBytes> buffers{};
    /// Banks of separate buffers, where they are not `banks`; 0 where they are.
    std::array<std::uint32_t, tile_buffer_count> buffer_banks{};
    BankPorts ports = BankPorts::one_read_or_write;
    Arbitration arbitration = Arbitration::fixed_priority;
    bool ideal = false;  ///< all lines of a request are served in one cycle, whatever others want
};

/// One SRAM of a machine.
struct SramMacro {
    std::uint64_t capacity_bytes = 0;  ///< of all banks
    std::uint32_t line_bytes = 0;      ///< read or written by one access
    std::uint32_t banks = 1;
    BankPorts ports = BankPorts::one_read_or_write;
};

/// The memory that holds a part; parts share one where there are no separate buffers. Capacity 0: no such memory.
[[nodiscard]] constexpr SramMacro memory_of(const ScratchpadParameters& scratchpad, ScratchpadPart part) {
    SramMacro macro{scratchpad.capacity_bytes, scratchpad.line_bytes, scratchpad.banks, scratchpad.ports};
    if (scratchpad.buffers) {
        const auto index = static_cast<std::size_t>(part);
        const bool tiles = part != ScratchpadPart::resident;
        macro.capacity_bytes = tiles ? (*scratchpad.buffers)[index] : scratchpad.resident_bytes;
        macro.banks = tiles && scratchpad.buffer_banks[index] > 0 ? scratchpad.buffer_banks[index] : scratchpad.banks;
    }
    return macro;
}

/// Accesses that a bank serves in a cycle.
[[nodiscard]] constexpr std::uint32_t accesses_per_cycle(BankPorts ports) {
    return ports == BankPorts::one_read_or_write ? 1 : 2;
}

/// Lines that all memories together serve in a cycle at the most.
[[nodiscard]] constexpr std::uint64_t most_lines_per_cycle(const ScratchpadParameters& scratchpad) {
    std::uint64_t banks = 0;
    for (std::size_t part = 0; part < (scratchpad.buffers ? scratchpad_part_count : 1); ++part) {
        banks += memory_of(scratchpad, static_cast<ScratchpadPart>(part)).banks;
    }
    return banks * accesses_per_cycle(scratchpad.ports);
}

}  // namespace nibble
