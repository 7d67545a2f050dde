// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/dram/dram_bank_state.h"
#include "models/dram/dram_counters.h"
#include "models/dram/dram_location.h"
#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "models/dram/rank_states.h"

namespace nibble {

/// One channel: queues, scheduler, refresh, banks.
///
/// In each cycle with a free command slot, the first of these rules that finds a legal command issues it. Where RD and
/// WR have a bus of their own, each bus gets a command: the second rule's and the first of the others'.
///
///  - Refresh. All-bank: the k-th of a rank is due at k tREFI, plus a share of tREFI so that ranks take turns. From
///  then
///    on nothing else is served in that rank: PRE of all its banks, then REF. Per-bank: the k-th is due at k tREFIpb,
///    the banks of a rank in the order of their numbers; from then on nothing else is served in that bank: PRE, if it
///    is open, then REFpb. None is postponed or pulled in.
///
///  - First ready. Among the runs of the current direction whose row is open, a burst of the oldest that may go.
///
///  - First come. Otherwise each bank without such runs asks for its oldest run of the current direction: for an ACT,
///    or for a PRE if another row is open. The oldest that may go goes.
///
///  - Page policy. Open: rows stay open until a conflict or a refresh closes them. Closed: the last burst that any
///    queued run wants of a row closes it (auto-precharge). Timeout: a row that no queued run wants is closed
///    page_timeout_cycles after its last ACT, RD or WR.
///
/// Direction, chosen after each command and when runs arrive: reads, until the queued writes reach the high watermark
/// or no read is queued; then writes, until they have fallen to the low watermark and a read is queued, or none is
/// left.
///
/// Age cap: when younger bursts have overtaken the oldest run of the channel age_cap_bursts times, only that run is
/// served until it is done, whatever its direction. So a run with n older ones waits for at most
/// (n + 1) age_cap_bursts bursts of younger runs.
///
/// Power-down, if the parameters ask for it: see RankStates. A rank sleeps while it has no queued run, and, with the
/// timeout policy, no open row.
///
/// Time goes from command to command: between commands nothing changes, so the next one (cycle, command) is a function
/// of the state, computed once after each command and when runs arrive.
///
/// Most commands are RDs and WRs of rows that many bursts want, so that is what costs little:
///
///  - What the banks ask for (their wishes) changes when a run arrives or is done and when a row is opened or closed,
///    not with each burst. So the banks with hits are kept in the order of their wishes' age. The first of them that
///    can go when the channel can is the RD or WR to issue, and that is one of the first few.
///
///  - Earliest cycles only ever rise. So while wishes and direction stay, the earliest cycle of an ACT or PRE, computed
///    once (rows_from_), remains a lower bound. Row commands are looked at only when they could come before the next RD
///    or WR.
class DramChannel {
public:
    /// All bursts of a run have been issued.
    struct Done {
        std::uint32_t request;
        std::uint64_t cycle;  ///< of the last data beat
    };

    /// `standard` must outlive the channel; `parameters` must have no dram_parameter_problems().
    DramChannel(const DramStandard& standard, const DramParameters& parameters);

    /// Runs of that direction that may yet be queued.
    [[nodiscard]] std::uint32_t free_entries(bool write) const { return free_entries_[write]; }
    [[nodiscard]] bool empty() const { return oldest_ == none; }

    /// Queues a run, visible from cycle now() on; needs a free entry of its direction. `request` comes back in Done.
    void enqueue(const DramRun& run, bool write, std::uint32_t request);

    /// Cycle of the next command if no run arrives. Call it only before simulating on from now(): it chooses the
    /// direction.
    [[nodiscard]] std::uint64_t next_command() {
        if (stale_) {
            decide();
        }
        return next_.cycle;
    }

    /// A RD or WR yet to be issued has its last data beat in this cycle or later. For a channel that is not empty.
    [[nodiscard]] std::uint64_t next_data_end();

    /// Simulates all cycles below `horizon`; appends the runs that were issued completely. With fewer than `wanted`
    /// free entries in a queue it stops right after the cycle in which both queues have that many. Returns now().
    std::uint64_t run_until(std::uint64_t horizon, std::vector<Done>& done, std::uint32_t wanted = none) {
        now_ = next_command() < horizon ? run_commands(horizon, done, wanted) : horizon;
        return now_;
    }

    /// The same for a channel that issues nothing in the cycles from now() to `cycle`.
    void skip_to(std::uint64_t cycle) { now_ = cycle; }

    /// Cycles below now() are final.
    [[nodiscard]] std::uint64_t now() const { return now_; }

    /// Counters of the cycles below now().
    [[nodiscard]] DramCounters counters() const { return counters(now_); }
    /// Counters of the cycles below `now`, if no command is issued from now() to there.
    [[nodiscard]] DramCounters counters(std::uint64_t now) const;
    [[nodiscard]] std::uint64_t activates() const { return counts_.activates; }
    /// All-bank and per-bank ones.
    [[nodiscard]] std::uint64_t refreshes() const { return counts_.refreshes + counts_.bank_refreshes; }

private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    /// A queued run. In two lists, both oldest first: all of the channel's, and its bank's of its direction.
    struct Entry {
        std::uint64_t order = 0;  ///< smaller is older
        std::uint32_t row = 0;
        std::uint32_t bank = 0;
        std::uint32_t bursts = 0;  ///< not yet issued
        std::uint32_t request = 0;
        std::uint32_t older = none;
        std::uint32_t younger = none;  ///< also links the free entries
        std::uint32_t bank_older = none;
        std::uint32_t bank_younger = none;
        bool write = false;
    };
    /// A bank's runs of one direction, and the one that asks for a command: the oldest that wants the open row, or else
    /// the oldest.
    struct BankQueue {
        std::uint32_t head = none;
        std::uint32_t tail = none;
        std::uint32_t wish_entry = none;
        std::uint64_t wish_order = 0;
    };
    struct Bank {
        std::array<BankQueue, 2> queue;  ///< [write]
        std::uint64_t opened_at = 0;     ///< cycle of the last ACT
        std::uint64_t used_at = 0;       ///< cycle of the last ACT, RD or WR
        bool fresh = false;              ///< open, and no RD or WR yet
        bool conflict = false;           ///< last closed for another row, not for a refresh or by the page policy
    };
    /// A bank that has runs of one direction for its open row.
    struct Hit {
        std::uint64_t order = 0;  ///< of the bank's wish
        std::uint64_t ready = 0;  ///< when tRCD ends
        std::uint32_t entry = 0;  ///< the wish
        std::uint32_t bank = 0;
        std::uint32_t group = 0;
        std::uint32_t rank = 0;
    };
    struct NextCommand {
        std::uint64_t cycle = DramBankState::never;
        std::uint32_t entry = none;  ///< the run it serves
        std::uint32_t bank = 0;
        DramCommand command = DramCommand::refresh;
    };

    void decide();
    void decide_around_refresh();
    void choose_direction();
    [[nodiscard]] bool starving() const { return bypassed_ >= age_cap_; }
    void decide_for_requests();
    [[nodiscard]] NextCommand command_for_oldest() const;
    template <DramCommand column>
    void decide_first_column(std::uint64_t not_before);
    [[nodiscard]] NextCommand first_row() const;
    [[nodiscard]] NextCommand first_timeout() const;
    [[nodiscard]] NextCommand refresh_step(std::uint32_t rank) const;
    /// Banks that wait for the refresh of a rank that is due, one bit each.
    [[nodiscard]] std::uint64_t banks_to_refresh(std::uint32_t rank) const;
    /// No command can go before.
    [[nodiscard]] std::uint64_t floor() const { return now_ > last_command_ ? now_ : last_command_; }

    std::uint64_t run_commands(std::uint64_t horizon, std::vector<Done>& done, std::uint32_t wanted);
    template <DramCommand column>
    void serve_bursts(std::uint64_t horizon, std::vector<Done>& done);
    template <DramCommand column>
    bool serve_burst(std::vector<Done>& done);
    void activate();
    void precharge();
    void precharge_all();
    void refresh(std::uint64_t horizon);
    void skip_idle_rounds(std::uint64_t horizon);
    void close(std::uint32_t bank, std::uint64_t cycle);
    [[nodiscard]] bool last_of_row(const Entry& entry) const;
    void count_wait(std::uint64_t cycle, bool write, std::uint32_t bank);
    /// The rank has been given its last run's or refresh's command: it may sleep.
    void rest(std::uint32_t rank);
    void wake_for_refresh();
    /// Finds out anew what a bank's runs of one direction ask for; those older than `from` do not want the open row.
    void update_wish(std::uint32_t bank, bool write, std::uint32_t from);
    void update_wishes(std::uint32_t bank);
    void remove(std::uint32_t index);

    const DramStandard* standard_;
    DramBankState state_;
    RankStates rank_states_;
    PagePolicy page_policy_;
    bool refresh_per_bank_;
    bool power_down_;
    std::uint32_t page_timeout_;
    std::uint32_t write_high_;
    std::uint32_t write_low_;
    std::uint32_t age_cap_;
    std::uint32_t refresh_interval_;  // of a rank

    std::vector<Entry> entries_;
    std::uint32_t free_ = 0;                     // first free entry
    std::array<std::uint32_t, 2> free_entries_;  // [write]
    std::uint32_t oldest_ = none;
    std::uint32_t youngest_ = none;
    std::uint64_t next_order_ = 0;
    std::array<std::uint32_t, 2> queued_{};                              // [write]
    std::array<std::uint32_t, DramBankState::max_ranks> rank_queued_{};  // of either direction
    std::array<Bank, DramBankState::max_banks> banks_;
    std::array<std::uint64_t, 2> waiting_banks_{};  // [write]: one bit a bank that has runs
    std::array<std::uint64_t, 2> hit_banks_{};      // [write]: of these, the ones that have runs for their open row
    std::array<std::vector<Hit>, 2> hits_;          // [write]: the same banks, that with the oldest wish first
    std::uint64_t rows_from_ = 0;                   // no ACT or PRE of the current direction can go before
    std::uint64_t timeouts_from_ = DramBankState::never;  // no row times out before, while nothing is queued or done

    std::uint64_t now_ = 0;
    std::uint64_t last_command_ = 0;
    bool writing_ = false;        // current direction
    std::uint32_t bypassed_ = 0;  // bursts of younger runs issued since oldest_ is the oldest
    std::array<std::uint64_t, DramBankState::max_ranks>
        refresh_due_;  // of each rank; never for those that are not there
    std::array<std::uint32_t, DramBankState::max_ranks> refresh_bank_{};  // of each rank, whose turn is next
    std::uint64_t first_refresh_due_;                                     // of all ranks
    std::uint64_t blocked_ = 0;  // one bit a bank that waits for its refresh, as far as next_ is concerned
    NextCommand next_;
    bool stale_ = true;  // next_ must be computed again

    DramCounters counts_;                       // without what counters() computes
    std::array<std::uint64_t, 2> opened_by_{};  // [write]: rows opened for a burst of that direction
    std::uint64_t waiting_since_ = 0;           // the later of: queue no longer empty, last burst served
    bool served_write_ = false;                 // direction of the last burst
    std::uint64_t refreshed_banks_ = 0;         // one bit a bank: refreshed since the last burst
};

}  // namespace nibble
