// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/scratchpad/line_stream.h"

namespace nibble {

/// Streams that compete for the same ports: those of one memory, or, where banks read and write through different
/// ports, its readers or its writers.
///
/// In each cycle the arbiter goes through the streams in order. A stream offers the next lines that it wants, at most
/// lines_per_cycle, and is served up to the first one whose bank has no port left in that cycle: lines come in order,
/// so what lies behind it waits as well. A stream that is served fewer lines than it wants has a conflict cycle,
/// whether the ports went to others or, as it wants more lines than there are ports, to itself.
///
/// The order is that of clients, and of a client's streams as they started. Round robin starts it with another client
/// in every cycle: with the one after the client that came first in the last cycle, of those that have streams here.
class BankGroup {
public:
    /// `ports`: accesses that a bank serves in a cycle.
    BankGroup(std::uint32_t banks, std::uint32_t ports, Arbitration arbitration);

    /// Adds a stream of at least one line.
    void start(ScratchpadClient client, const LineStream& stream);
    [[nodiscard]] bool idle() const { return streams_.empty(); }
    [[nodiscard]] bool busy(ScratchpadClient client) const { return (clients_ & bit(client)) != 0; }

    /// Serves `cycles` cycles, in time that hardly depends on how many they are: a lone stream needs no arbiter, and
    /// the pattern of several repeats as soon as their banks relative to each other do.
    void advance(std::uint64_t cycles);
    /// Raises the bound of each client to the cycles that its streams here need at the least, however little they wait.
    void raise_bounds(std::array<std::uint64_t, scratchpad_client_count>& cycles) const;

    /// Lines of a client that have not been served.
    [[nodiscard]] std::uint64_t lines_left(ScratchpadClient client) const;
    /// Conflict cycles of the client's streams that have been served since it was last asked.
    [[nodiscard]] std::uint64_t take_conflicts(ScratchpadClient client);

private:
    struct Stream {
        ScratchpadClient client = ScratchpadClient::mac_array;
        std::uint32_t lines_per_cycle = 1;
        std::uint32_t bank = 0;  // of the next line
        std::uint64_t left = 0;
        std::uint64_t conflicts = 0;
    };

    [[nodiscard]] static std::uint8_t bit(ScratchpadClient client) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(client));
    }
    void serve_alone(std::uint64_t& cycles);
    void serve_cycle();
    void remove_served();
    [[nodiscard]] bool all_want_their_full_width() const;
    [[nodiscard]] bool as_at_mark() const;
    void mark();
    void forget_mark();
    void repeat_period(std::uint64_t& cycles);

    std::uint32_t banks_;
    std::uint32_t ports_;
    bool round_robin_;
    std::vector<Stream> streams_;      // by client; only those with lines left
    std::uint8_t clients_ = 0;         // bits of the clients that have streams here
    std::size_t turn_ = 0;             // client that the order starts with, or the next one that has streams
    std::vector<std::uint8_t> taken_;  // ports of each bank, in the present cycle
    std::array<std::uint64_t, scratchpad_client_count> past_conflicts_{};  // of streams that have been served

    // Looking for a cycle in which everything is as at an earlier one, the mark, which moves on at growing distances
    // (Brent's algorithm), so that any period is found within a few times its length.
    std::vector<Stream> marked_;  // empty: no mark
    std::size_t marked_turn_ = 0;
    std::uint64_t since_mark_ = 0;
    std::uint64_t mark_distance_ = 1;
};

}  // namespace nibble
