// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "models/dram/dram_bank_state.h"
#include "models/dram/dram_channel.h"

namespace nibble::test {

/// The rules of DramChannel's and RankStates' comments, taken literally: every cycle looks at every run and every rank.
class LiteralChannel {
public:
    LiteralChannel(const DramStandard& standard, const DramParameters& parameters)
        : standard_(standard),
          parameters_(parameters),
          banks_(standard, parameters.ranks,
                 standard.density(parameters.capacity_bytes_per_channel / parameters.ranks)) {
        for (std::uint32_t rank = 0; rank < parameters.ranks; ++rank) {
            ranks_.push_back({.due = interval() + std::uint64_t{interval()} * rank / parameters.ranks});
        }
    }

    [[nodiscard]] std::size_t queued() const { return runs_.size(); }
    void enqueue(const DramRun& run, bool write, std::uint32_t request) { runs_.push_back({run, write, request}); }
    [[nodiscard]] const DramCounters& counters() const { return counters_; }

    void tick(std::vector<DramChannel::Done>& done) {
        sleep_and_wake();
        refresh();
        serve(done, true);
        serve(done, false);
        if (parameters_.page_policy == PagePolicy::timeout) {
            close_idle_row();
        }
        if (!runs_.empty()) {
            choose_direction();
        }
        count_states();
        ++now_;
    }

private:
    struct Queued {
        DramRun run;
        bool write;
        std::uint32_t request;
    };
    struct Rank {
        std::uint64_t due;
        std::uint32_t turn = 0;  ///< bank whose refresh is next
        bool asleep = false;
        std::uint64_t asleep_since = 0;
        std::uint64_t busy_until = 0;
        std::uint64_t closing_until = 0;  ///< by auto-precharge
    };

    [[nodiscard]] bool per_bank() const { return parameters_.refresh == RefreshMode::per_bank; }
    [[nodiscard]] std::uint32_t interval() const { return per_bank() ? standard_.t_refi_bank : standard_.t_refi; }
    [[nodiscard]] bool starving() const { return bypassed_ >= parameters_.age_cap_bursts; }
    [[nodiscard]] std::uint32_t rank_of(std::uint32_t bank) const { return bank / standard_.banks(); }
    [[nodiscard]] bool hit(const Queued& queued) const {
        return banks_.open(queued.run.bank) && banks_.row(queued.run.bank) == queued.run.row;
    }
    [[nodiscard]] DramCommand wish(const Queued& queued) const {
        const DramCommand column = queued.write ? DramCommand::write : DramCommand::read;
        return hit(queued) ? column : banks_.open(queued.run.bank) ? DramCommand::precharge : DramCommand::activate;
    }
    [[nodiscard]] bool blocked(std::uint32_t bank) const {
        const Rank& rank = ranks_[rank_of(bank)];
        return rank.asleep || (rank.due <= now_ && (!per_bank() || bank % standard_.banks() == rank.turn));
    }
    [[nodiscard]] bool ready(const Queued& queued) const {
        return !blocked(queued.run.bank) && banks_.earliest(wish(queued), queued.run.bank) <= now_;
    }

    void sleep_and_wake() {
        for (std::uint32_t r = 0; parameters_.power_down && r < ranks_.size(); ++r) {
            Rank& rank = ranks_[r];
            const bool wanted = rank.due <= now_ || std::ranges::any_of(runs_, [&](const Queued& queued) {
                                    return rank_of(queued.run.bank) == r;
                                });
            const bool times_out = parameters_.page_policy == PagePolicy::timeout && banks_.open_banks(r) != 0;
            if (rank.asleep && wanted && now_ >= rank.asleep_since + standard_.t_cke) {
                rank.asleep = false;
                banks_.hold_rank(r, now_ + standard_.t_xp);
            } else if (!rank.asleep && !wanted && !times_out && now_ >= rank.busy_until) {
                rank.asleep = true;
                rank.asleep_since = now_;
            }
        }
    }

    /// Ranks that are due, the earliest first.
    void refresh() {
        std::vector<std::uint32_t> order;
        for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank) {
            order.push_back(rank);
        }
        std::ranges::stable_sort(order, {}, [&](std::uint32_t rank) { return ranks_[rank].due; });
        for (const std::uint32_t r : order) {
            Rank& rank = ranks_[r];
            if (rank.due > now_ || rank.asleep) {
                continue;
            }
            const std::uint32_t bank = r * standard_.banks() + (per_bank() ? rank.turn : 0);
            const bool open = per_bank() ? banks_.open(bank) : banks_.open_banks(r) != 0;
            const DramCommand command = per_bank() ? (open ? DramCommand::precharge : DramCommand::refresh_bank)
                                                   : (open ? DramCommand::precharge_all : DramCommand::refresh);
            if (banks_.earliest(command, bank) > now_) {
                continue;
            }
            banks_.issue(command, bank, now_);
            rank.busy_until = std::max(rank.busy_until, now_ + 1);
            if (!open) {
                ++(per_bank() ? counters_.bank_refreshes : counters_.refreshes);
                rank.due += interval();
                rank.turn = (rank.turn + 1) % standard_.banks();
            }
        }
    }

    void choose_direction() {
        const auto writes = static_cast<std::size_t>(std::ranges::count(runs_, true, &Queued::write));
        const std::size_t reads = runs_.size() - writes;
        if (starving()) {
            writing_ = runs_.front().write;
        } else if (writing_ && (writes == 0 || (reads > 0 && writes <= parameters_.write_low_watermark))) {
            writing_ = false;
        } else if (!writing_ && (writes >= parameters_.write_high_watermark || reads == 0)) {
            writing_ = true;
        }
    }

    void serve(std::vector<DramChannel::Done>& done, bool column) {
        if (runs_.empty()) {
            return;
        }
        choose_direction();
        const std::optional<std::size_t> chosen = starving() ? oldest(column) : column ? first_hit() : first_row();
        if (chosen) {
            issue(*chosen, done);
        }
    }

    [[nodiscard]] std::optional<std::size_t> oldest(bool column) const {
        return hit(runs_.front()) == column && ready(runs_.front()) ? std::optional<std::size_t>(0) : std::nullopt;
    }

    [[nodiscard]] std::optional<std::size_t> first_hit() const {
        for (std::size_t i = 0; i < runs_.size(); ++i) {
            if (runs_[i].write == writing_ && hit(runs_[i]) && ready(runs_[i])) {
                return i;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::size_t> first_row() const {
        std::set<std::uint32_t> seen;
        for (const Queued& queued : runs_) {
            if (queued.write == writing_ && hit(queued)) {
                seen.insert(queued.run.bank);
            }
        }
        for (std::size_t i = 0; i < runs_.size(); ++i) {
            if (runs_[i].write == writing_ && seen.insert(runs_[i].run.bank).second && ready(runs_[i])) {
                return i;
            }
        }
        return std::nullopt;
    }

    void issue(std::size_t index, std::vector<DramChannel::Done>& done) {
        Queued& queued = runs_[index];
        DramCommand command = wish(queued);
        Rank& rank = ranks_[rank_of(queued.run.bank)];
        used_at_[queued.run.bank] = now_;
        if (command != DramCommand::read && command != DramCommand::write) {
            banks_.issue(command, queued.run.bank, now_, queued.run.row);
            rank.busy_until = std::max(rank.busy_until, now_ + 1);
            return;
        }
        const bool last =
            queued.run.bursts == 1 && std::ranges::count_if(runs_, [&](const Queued& other) {
                                          return other.run.bank == queued.run.bank && other.run.row == queued.run.row;
                                      }) == 1;
        const std::uint64_t latency = queued.write ? standard_.write_latency() : standard_.read_latency();
        const bool closes = last && parameters_.page_policy == PagePolicy::closed;
        if (closes) {
            // The row closes when a PRE would have been legal.
            DramBankState probe = banks_;
            probe.issue(command, queued.run.bank, now_);
            rank.closing_until =
                std::max(rank.closing_until, probe.own_earliest(DramCommand::precharge, queued.run.bank));
            rank.busy_until = std::max(rank.busy_until, rank.closing_until + 1);
            command = queued.write ? DramCommand::write_precharge : DramCommand::read_precharge;
        }
        banks_.issue(command, queued.run.bank, now_);
        rank.busy_until = std::max(rank.busy_until, now_ + latency + 1 + (queued.write ? standard_.t_wr : 1));
        bypassed_ += index != 0 ? 1 : 0;
        if (--queued.run.bursts == 0) {
            done.push_back({queued.request, now_ + latency});
            bypassed_ = index == 0 ? 0 : bypassed_;
            runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(index));
        }
    }

    void close_idle_row() {
        for (std::uint32_t bank = 0; bank < standard_.banks() * ranks_.size(); ++bank) {
            const bool wanted =
                std::ranges::any_of(runs_, [&](const Queued& q) { return q.run.bank == bank && hit(q); });
            if (banks_.open(bank) && !wanted && !blocked(bank) &&
                now_ >= used_at_[bank] + parameters_.page_timeout_cycles &&
                banks_.earliest(DramCommand::precharge, bank) <= now_) {
                banks_.issue(DramCommand::precharge, bank, now_);
                Rank& rank = ranks_[rank_of(bank)];
                rank.busy_until = std::max(rank.busy_until, now_ + 1);
            }
        }
    }

    void count_states() {
        ++counters_.channel_cycles;
        for (std::uint32_t r = 0; r < ranks_.size(); ++r) {
            const bool active = banks_.open_banks(r) != 0 || now_ < ranks_[r].closing_until;
            if (ranks_[r].asleep) {
                ++(active ? counters_.active_power_down_cycles : counters_.precharge_power_down_cycles);
            } else {
                ++(active ? counters_.active_standby_cycles : counters_.precharge_standby_cycles);
            }
        }
    }

    DramStandard standard_;
    DramParameters parameters_;
    DramBankState banks_;
    std::vector<Queued> runs_;  // oldest first
    std::vector<Rank> ranks_;
    std::array<std::uint64_t, DramBankState::max_banks> used_at_{};
    std::uint64_t now_ = 0;
    std::uint32_t bypassed_ = 0;
    bool writing_ = false;
    DramCounters counters_;  // commands of refresh, states of ranks
};

}  // namespace nibble::test
