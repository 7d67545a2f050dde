// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "models/dram/dram_bank_state.h"
#include "models/dram/dram_counters.h"
#include "models/dram/dram_standard.h"

namespace nibble {

/// What state each rank of a channel is in, for energy: rows open or not, standby or power-down.
///
/// A rank goes to power-down (CKE low) as soon as its last burst and its write recovery are over and it has nothing to
/// do. A request or a refresh wakes it: at the earliest tCKE after entry, and its first command follows tXP later.
/// Entry and exit take no command slot. All this is computed when the rank wakes: between entry and exit nothing
/// happens.
class RankStates {
public:
    static constexpr std::uint64_t never = DramBankState::never;

    RankStates(const DramStandard& standard, std::uint32_t ranks)
        : t_cke_(standard.t_cke), t_xp_(standard.t_xp), ranks_(ranks) {}

    /// An ACT at `cycle`.
    void opened(std::uint32_t rank, std::uint64_t cycle);
    /// A row closes at `cycle`, which may be still to come; `last`: no other row of the rank is open.
    void closed(std::uint32_t rank, std::uint64_t cycle, bool last);
    /// What was issued keeps the rank from power-down before `cycle`.
    void busy_until(std::uint32_t rank, std::uint64_t cycle) {
        std::uint64_t& busy = rank_[rank].busy_until;
        busy = cycle > busy ? cycle : busy;
    }

    /// The rank has nothing to do from `cycle` on.
    void sleep(std::uint32_t rank, std::uint64_t cycle);
    /// The rank has something to do from `cycle` on. Returns the first cycle in which it may get a command: 0 if it was
    /// awake.
    std::uint64_t wake(std::uint32_t rank, std::uint64_t cycle);
    /// The first cycle in which a refresh that is due at `due` may begin, as far as power-down goes.
    [[nodiscard]] std::uint64_t refresh_from(std::uint32_t rank, std::uint64_t due) const;

    /// Sleeping since `cycle`, or going to from then on.
    [[nodiscard]] bool sleeping_since(std::uint32_t rank, std::uint64_t cycle) const {
        return rank_[rank].sleep_from == cycle && rank_[rank].awake_at == never;
    }
    /// A sleeping rank has slept, with interruptions, for `slept` more of `cycles` more cycles.
    void skip(std::uint32_t rank, std::uint64_t cycles, std::uint64_t slept);

    /// Adds the state cycles of the cycles below `now` to `counters`; `due` says when the next refresh of each rank
    /// wakes it.
    void add_to(DramCounters& counters, std::uint64_t now,
                const std::array<std::uint64_t, DramBankState::max_ranks>& due) const;

private:
    struct Rank {
        std::uint64_t active_since = 0;
        std::uint64_t active_until = 0;   ///< never while a row is open
        std::uint64_t active_before = 0;  ///< cycles with a row open, before active_since
        std::uint64_t last_close = 0;
        std::uint64_t busy_until = 0;
        std::uint64_t sleep_from = 0;                 ///< the last power-down, which may be still to come
        std::uint64_t awake_at = 0;                   ///< its end; never while it lasts
        bool sleep_active = false;                    ///< with a row open
        std::array<std::uint64_t, 2> slept_before{};  ///< [with a row open]: power-downs before
    };

    [[nodiscard]] std::uint64_t awake_when_due(const Rank& rank, std::uint64_t due) const;

    std::uint32_t t_cke_;
    std::uint32_t t_xp_;
    std::uint32_t ranks_;
    std::array<Rank, DramBankState::max_ranks> rank_{};
};

}  // namespace nibble
