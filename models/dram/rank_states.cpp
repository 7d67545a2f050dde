// SPDX-License-Identifier: MIT
#include "models/dram/rank_states.h"

#include <algorithm>

namespace nibble {

namespace {

/// Cycles of [from, to) below `now`.
std::uint64_t overlap(std::uint64_t from, std::uint64_t to, std::uint64_t now) {
    return std::min(to, now) - std::min({from, to, now});
}

}  // namespace

void RankStates::opened(std::uint32_t rank, std::uint64_t cycle) {
    Rank& its = rank_[rank];
    if (cycle > its.active_until) {
        its.active_before += its.active_until - its.active_since;
        its.active_since = cycle;
    }
    its.active_until = never;
}

void RankStates::closed(std::uint32_t rank, std::uint64_t cycle, bool last) {
    Rank& its = rank_[rank];
    its.last_close = std::max(its.last_close, cycle);
    busy_until(rank, cycle + 1);
    if (last) {
        its.active_until = its.last_close;
    }
}

void RankStates::sleep(std::uint32_t rank, std::uint64_t cycle) {
    Rank& its = rank_[rank];
    its.slept_before[its.sleep_active] += its.awake_at - its.sleep_from;
    its.sleep_from = std::max(cycle, its.busy_until);
    its.awake_at = never;
    its.sleep_active = its.active_until == never;
}

std::uint64_t RankStates::wake(std::uint32_t rank, std::uint64_t cycle) {
    Rank& its = rank_[rank];
    if (its.awake_at != never) {
        return 0;
    }
    if (cycle <= its.sleep_from) {
        its.awake_at = its.sleep_from;
        return 0;
    }
    its.awake_at = std::max(cycle, its.sleep_from + t_cke_);
    return its.awake_at + t_xp_;
}

std::uint64_t RankStates::awake_when_due(const Rank& rank, std::uint64_t due) const {
    return rank.awake_at != never   ? rank.awake_at
           : due <= rank.sleep_from ? rank.sleep_from
                                    : std::max(due, rank.sleep_from + t_cke_);
}

std::uint64_t RankStates::refresh_from(std::uint32_t rank, std::uint64_t due) const {
    const Rank& its = rank_[rank];
    return its.awake_at != never || due <= its.sleep_from ? due : awake_when_due(its, due) + t_xp_;
}

void RankStates::skip(std::uint32_t rank, std::uint64_t cycles, std::uint64_t slept) {
    Rank& its = rank_[rank];
    its.sleep_from += cycles;
    its.slept_before[its.sleep_active] += slept;
}

void RankStates::add_to(DramCounters& counters, std::uint64_t now,
                        const std::array<std::uint64_t, DramBankState::max_ranks>& due) const {
    for (std::uint32_t rank = 0; rank < ranks_; ++rank) {
        const Rank& its = rank_[rank];
        const std::uint64_t active = its.active_before + overlap(its.active_since, its.active_until, now);
        std::array<std::uint64_t, 2> slept = its.slept_before;
        slept[its.sleep_active] += overlap(its.sleep_from, awake_when_due(its, due[rank]), now);
        counters.active_power_down_cycles += slept[true];
        counters.precharge_power_down_cycles += slept[false];
        counters.active_standby_cycles += active - slept[true];
        counters.precharge_standby_cycles += now - active - slept[false];
    }
}

}  // namespace nibble
