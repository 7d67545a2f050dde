// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "models/scratchpad/scratchpad_params.h"

namespace nibble {

/// Units with a port to the scratchpad, in the order in which the arbiter serves them.
enum class ScratchpadClient : std::uint8_t { mac_array, log_gradient, vector_unit, load, store };
inline constexpr std::size_t scratchpad_client_count = 5;
inline constexpr std::array<std::string_view, scratchpad_client_count> scratchpad_client_names{
    "mac_array", "log_gradient", "vector_unit", "load", "store"};

/// A stream of line accesses: `lines` in all, at most `lines_per_cycle` in one cycle.
struct ScratchpadRequest {
    std::uint64_t operation = 0;  ///< that the accesses are counted for
    std::uint64_t tag = 0;        ///< handed back when the stream is done
    std::uint64_t lines_read = 0;
    std::uint64_t lines_written = 0;
    std::uint64_t lines_per_cycle = 1;
};

/// Bandwidth of the banked SRAM, shared cycle by cycle under fixed priority.
///
/// Streams are sequential and lines are interleaved over the banks, so streams slide past one another: what limits
/// them is that no more than `banks` lines are served in a cycle. In each cycle clients are granted, in order of
/// priority, what they ask for out of what is left. A client that is granted less than it asks for has a conflict.
class ScratchpadCore {
public:
    explicit ScratchpadCore(const ScratchpadParameters& params) : banks_(params.banks) {}

    [[nodiscard]] bool busy(ScratchpadClient client) const { return at(client).lines_left > 0; }
    [[nodiscard]] bool any_busy() const;
    /// Starts a stream; the client must not be busy.
    void start(ScratchpadClient client, const ScratchpadRequest& request);
    [[nodiscard]] const ScratchpadRequest& request(ScratchpadClient client) const { return at(client).request; }

    /// Cycles until some stream has been served in full (the cycle in which it is included); 0 if none is going on.
    [[nodiscard]] std::uint64_t cycles_to_next_end() const;
    /// Serves one cycle, or several, fewer than cycles_to_next_end(): in the cycle of an end, other streams may get
    /// what the ending one leaves.
    void advance(std::uint64_t cycles);
    /// Cycles in which the client was granted less than it asked for, since its stream started.
    [[nodiscard]] std::uint64_t conflicts(ScratchpadClient client) const { return at(client).conflicts; }

private:
    struct Stream {
        ScratchpadRequest request;
        std::uint64_t lines_left = 0;
        std::uint64_t conflicts = 0;
    };
    using Grants = std::array<std::uint64_t, scratchpad_client_count>;

    [[nodiscard]] Stream& at(ScratchpadClient client) { return streams_[static_cast<std::size_t>(client)]; }
    [[nodiscard]] const Stream& at(ScratchpadClient client) const { return streams_[static_cast<std::size_t>(client)]; }
    /// Lines a cycle for each client, as long as nobody has less than that left.
    [[nodiscard]] Grants grants() const;

    std::uint64_t banks_;
    std::array<Stream, scratchpad_client_count> streams_{};
};

}  // namespace nibble
