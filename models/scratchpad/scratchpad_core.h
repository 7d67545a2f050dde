// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/scratchpad/bank_group.h"
#include "models/scratchpad/line_stream.h"
#include "models/scratchpad/scratchpad_params.h"

namespace nibble {

/// The memories of the scratchpad and the streams that they serve, cycle by cycle (BankGroup says how). Memories work
/// side by side; readers and writers of one memory do so where its banks have a port for each.
class ScratchpadCore {
public:
    explicit ScratchpadCore(const ScratchpadParameters& params);

    [[nodiscard]] bool busy(ScratchpadClient client) const;
    [[nodiscard]] bool any_busy() const { return least_ > 0; }
    /// Starts the streams of a request; the client must not be busy.
    void start(ScratchpadClient client, const ScratchpadRequest& request);

    /// No client's request will have been served in fewer cycles than these; 0 if there is none.
    [[nodiscard]] std::uint64_t least_cycles_to_an_end() const { return least_ - pending_; }
    /// Serves `cycles` cycles, at most least_cycles_to_an_end() unless there are no streams.
    void advance(std::uint64_t cycles);
    /// Conflict cycles of the client's streams since it was last asked; the client must not be busy.
    [[nodiscard]] std::uint64_t take_conflicts(ScratchpadClient client);

private:
    [[nodiscard]] BankGroup& group_of(const LineStream& stream) {
        return groups_[group_index_[static_cast<std::size_t>(stream.part)][static_cast<std::size_t>(stream.access)]];
    }
    void catch_up();
    void look_ahead();

    std::vector<BankGroup> groups_;
    std::array<std::array<std::size_t, 2>, scratchpad_part_count> group_index_{};  // of a part's readers and writers
    // The groups are looked at when a request may have been served, or another one comes; in between, cycles are
    // counted.
    std::uint64_t pending_ = 0;  // cycles that the groups have yet to serve
    std::uint64_t least_ = 0;    // cycles from where the groups are, before which no request ends; 0: there is none
};

}  // namespace nibble
