// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "models/scratchpad/scratchpad_params.h"
#include "sim/base/error.h"

namespace nibble {

/// Units with a port to the scratchpad, in the order of fixed priority.
enum class ScratchpadClient : std::uint8_t { mac_array, log_gradient, vector_unit, load, store };
inline constexpr std::size_t scratchpad_client_count = 5;
inline constexpr std::array<std::string_view, scratchpad_client_count> scratchpad_client_names{
    "mac_array", "log_gradient", "vector_unit", "load", "store"};

enum class LineAccess : std::uint8_t { read, write };

/// Consecutive lines of one part of the scratchpad, all read or all written, in order, at most `lines_per_cycle` in one
/// cycle. Line n lies in bank n modulo the number of banks of its memory.
struct LineStream {
    ScratchpadPart part = ScratchpadPart::left;
    LineAccess access = LineAccess::read;
    std::uint32_t lines_per_cycle = 1;
    std::uint64_t first_line = 0;  ///< counted from where its tile begins; tiles begin at bank 0
    std::uint64_t lines = 0;
    friend bool operator==(const LineStream&, const LineStream&) = default;
};

/// Streams of one client that are served side by side; it is told when all of them have been served.
struct ScratchpadRequest {
    static constexpr std::size_t most_streams = 2 * scratchpad_part_count;  // each part read and written

    std::uint64_t operation = 0;  ///< that the accesses are counted for
    std::uint64_t tag = 0;        ///< handed back when the streams are done
    std::array<LineStream, most_streams> slots{};
    std::size_t count = 0;  ///< of slots in use

    [[nodiscard]] std::span<const LineStream> streams() const { return {slots.data(), count}; }
    /// Adds a stream, unless it has no lines.
    void add(const LineStream& stream) {
        if (stream.lines == 0) {
            return;
        }
        if (count == most_streams) {
            throw ModelError("scratchpad: more streams in a request than there are parts to read and write");
        }
        slots[count++] = stream;
    }
};

/// Lines a cycle that serve `lines` within `cycles` cycles: the fewest.
[[nodiscard]] std::uint32_t pace(std::uint64_t lines, std::uint64_t cycles);

}  // namespace nibble
