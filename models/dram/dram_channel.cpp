// SPDX-License-Identifier: MIT
#include "models/dram/dram_channel.h"

#include <algorithm>
#include <bit>

#include "sim/base/error.h"

namespace nibble {

DramCounters& DramCounters::operator+=(const DramCounters& other) {
    channel_cycles += other.channel_cycles;
    activates += other.activates;
    reads += other.reads;
    writes += other.writes;
    precharges += other.precharges;
    refreshes += other.refreshes;
    bank_refreshes += other.bank_refreshes;
    row_hits_read += other.row_hits_read;
    row_hits_write += other.row_hits_write;
    row_misses += other.row_misses;
    row_conflicts += other.row_conflicts;
    data_bus_cycles += other.data_bus_cycles;
    bank_open_cycles += other.bank_open_cycles;
    active_standby_cycles += other.active_standby_cycles;
    precharge_standby_cycles += other.precharge_standby_cycles;
    active_power_down_cycles += other.active_power_down_cycles;
    precharge_power_down_cycles += other.precharge_power_down_cycles;
    wait_refresh_cycles += other.wait_refresh_cycles;
    wait_turnaround_cycles += other.wait_turnaround_cycles;
    wait_row_cycles += other.wait_row_cycles;
    wait_column_cycles += other.wait_column_cycles;
    return *this;
}

DramChannel::DramChannel(const DramStandard& standard, const DramParameters& parameters)
    : standard_(&standard),
      state_(standard, standard.t_rfc(parameters.capacity_bytes_per_channel)),
      write_high_(parameters.write_high_watermark),
      write_low_(parameters.write_low_watermark),
      age_cap_(parameters.age_cap_bursts),
      entries_(parameters.read_queue_entries + parameters.write_queue_entries),
      free_entries_{parameters.read_queue_entries, parameters.write_queue_entries},
      refresh_due_(standard.t_refi) {
    for (std::uint32_t index = 0; index + 1 < entries_.size(); ++index) {
        entries_[index].younger = index + 1;
    }
}

void DramChannel::enqueue(const DramRun& run, bool write, std::uint32_t request) {
    if (free_entries_[write] == 0) {
        throw ModelError("DRAM channel: a run was queued without a free entry");
    }
    if (empty()) {
        waiting_since_ = std::max(waiting_since_, now_);
    }
    const std::uint32_t index = free_;
    Entry& entry = entries_[index];
    free_ = entry.younger;
    --free_entries_[write];
    ++(write ? write_entries_ : read_entries_);

    BankQueue& queue = banks_[run.bank].queue[write];
    entry = {.order = next_order_++,
             .row = run.row,
             .bank = run.bank,
             .bursts = run.bursts,
             .request = request,
             .older = youngest_,
             .bank_older = queue.tail,
             .write = write};
    (youngest_ == none ? oldest_ : entries_[youngest_].younger) = index;
    youngest_ = index;
    (queue.tail == none ? queue.head : entries_[queue.tail].bank_younger) = index;
    queue.tail = index;
    const std::uint64_t bit = std::uint64_t{1} << run.bank;
    waiting_banks_[write] |= bit;
    const bool only_one = queue.head == index;
    const bool hit = state_.open(run.bank) && state_.row(run.bank) == run.row;
    if ((hit_banks_[write] & bit) == 0 && (only_one || hit)) {
        update_wish(run.bank, write, index);
    }
    stale_ = true;
}

void DramChannel::remove(std::uint32_t index) {
    Entry& entry = entries_[index];
    BankQueue& queue = banks_[entry.bank].queue[entry.write];
    (entry.bank_older == none ? queue.head : entries_[entry.bank_older].bank_younger) = entry.bank_younger;
    (entry.bank_younger == none ? queue.tail : entries_[entry.bank_younger].bank_older) = entry.bank_older;
    if (queue.head == none) {
        waiting_banks_[entry.write] &= ~(std::uint64_t{1} << entry.bank);
    }
    update_wish(entry.bank, entry.write, entry.bank_younger);
    (entry.older == none ? oldest_ : entries_[entry.older].younger) = entry.younger;
    (entry.younger == none ? youngest_ : entries_[entry.younger].older) = entry.older;
    --(entry.write ? write_entries_ : read_entries_);
    entry.younger = free_;
    free_ = index;
    ++free_entries_[entry.write];
}

void DramChannel::update_wish(std::uint32_t bank, bool write, std::uint32_t from) {
    BankQueue& queue = banks_[bank].queue[write];
    const std::uint64_t bit = std::uint64_t{1} << bank;
    std::uint32_t hit = state_.open(bank) ? from : none;
    while (hit != none && entries_[hit].row != state_.row(bank)) {
        hit = entries_[hit].bank_younger;
    }
    queue.wish_entry = hit != none ? hit : queue.head;
    queue.wish_order = queue.wish_entry != none ? entries_[queue.wish_entry].order : 0;
    const bool was_hit = (hit_banks_[write] & bit) != 0;
    hit_banks_[write] = hit != none ? hit_banks_[write] | bit : hit_banks_[write] & ~bit;
    std::vector<Hit>& hits = hits_[write];
    if (hit == none) {
        rows_from_ = 0;
        if (was_hit) {
            hits.erase(std::ranges::find(hits, bank, &Hit::bank));
        }
        return;
    }
    if (!was_hit) {
        hits.emplace_back();
    }
    // Its place is where the wish before was, or the end; from there it moves to where its age belongs.
    auto place = was_hit ? std::ranges::find(hits, bank, &Hit::bank) : std::prev(hits.end());
    for (; std::next(place) != hits.end() && std::next(place)->order < queue.wish_order; ++place) {
        *place = *std::next(place);
    }
    for (; place != hits.begin() && std::prev(place)->order > queue.wish_order; --place) {
        *place = *std::prev(place);
    }
    const DramCommand column = write ? DramCommand::write : DramCommand::read;
    *place = {queue.wish_order, state_.own_earliest(column, bank), hit, bank, state_.group_of(bank)};
}

void DramChannel::update_wishes(std::uint32_t bank) {
    for (const bool write : {false, true}) {
        if ((waiting_banks_[write] >> bank & 1) != 0) {
            update_wish(bank, write, banks_[bank].queue[write].head);
        }
    }
}

std::uint64_t DramChannel::next_data_end() {
    const std::uint64_t from = next_command();
    const auto end = [&](DramCommand column, std::uint32_t latency) {
        return std::max(from, state_.channel_earliest(column)) + latency + standard_->burst - 1;
    };
    return std::min(read_entries_ != 0 ? end(DramCommand::read, standard_->rl) : DramBankState::never,
                    write_entries_ != 0 ? end(DramCommand::write, standard_->wl) : DramBankState::never);
}

std::uint64_t DramChannel::run_commands(std::uint64_t horizon, std::vector<Done>& done, std::uint32_t wanted) {
    do {
        stale_ = true;
        switch (next_.command) {
            case DramCommand::read:
                serve_bursts<DramCommand::read>(horizon, done);
                break;
            case DramCommand::write:
                serve_bursts<DramCommand::write>(horizon, done);
                break;
            case DramCommand::activate:
                activate();
                break;
            case DramCommand::precharge:
                precharge();
                break;
            case DramCommand::precharge_all:
                precharge_all();
                break;
            case DramCommand::refresh:
                refresh(horizon);
                break;
        }
        if (stale_) {
            decide();
        }
        if (std::ranges::min(free_entries_) >= wanted) {
            return state_.slot();  // the cycle after the RD or WR that freed the last of them
        }
    } while (next_.cycle < horizon);
    return horizon;
}

void DramChannel::decide() {
    stale_ = false;
    next_ = {};
    if (!empty()) {
        choose_direction();
        if (starving()) {
            next_ = command_for_oldest();
        } else {
            next_ = writing_ ? first_column<DramCommand::write>() : first_column<DramCommand::read>();
            // A row command cannot go before the cycle on the right, and in the same cycle a RD or WR goes first.
            if (next_.cycle > std::max({now_, state_.slot(), rows_from_})) {
                const NextCommand row = first_row();
                rows_from_ = row.cycle;
                if (row.cycle < next_.cycle) {
                    next_ = row;
                }
            }
        }
    }
    if (next_.cycle >= refresh_due_) {
        next_ = refresh_step();
    }
}

inline void DramChannel::choose_direction() {
    const bool before = writing_;
    if (starving()) {
        writing_ = entries_[oldest_].write;
    } else if (writing_) {
        writing_ = write_entries_ != 0 && (read_entries_ == 0 || write_entries_ > write_low_);
    } else {
        writing_ = write_entries_ >= write_high_ || read_entries_ == 0;
    }
    if (writing_ != before) {
        rows_from_ = 0;
    }
}

DramChannel::NextCommand DramChannel::command_for_oldest() const {
    const Entry& entry = entries_[oldest_];
    const bool open = state_.open(entry.bank);
    const bool hit = open && state_.row(entry.bank) == entry.row;
    const DramCommand column = entry.write ? DramCommand::write : DramCommand::read;
    const DramCommand row = open ? DramCommand::precharge : DramCommand::activate;
    const DramCommand command = hit ? column : row;
    return {std::max(now_, state_.earliest(command, entry.bank)), oldest_, entry.bank, command};
}

/// The RD or WR of the current direction that goes first, if no row command comes before. `column` is that command.
template <DramCommand column>
inline DramChannel::NextCommand DramChannel::first_column() const {
    const std::uint64_t from = std::max(now_, state_.channel_earliest(column));
    std::uint64_t cycle = DramBankState::never;
    const Hit* first = nullptr;
    for (const Hit& hit : hits_[column == DramCommand::write]) {
        const std::uint64_t its_cycle = std::max(state_.group_earliest(column, hit.group), hit.ready);
        if (its_cycle < cycle) {
            cycle = its_cycle;
            first = &hit;
            if (cycle <= from) {
                break;  // none goes earlier, and those to come are younger
            }
        }
    }
    return first != nullptr ? NextCommand{std::max(cycle, from), first->entry, first->bank, column} : NextCommand{};
}

/// The ACT or PRE of the current direction that goes first, if no RD or WR comes before.
DramChannel::NextCommand DramChannel::first_row() const {
    NextCommand first;
    std::uint64_t first_order = DramBankState::never;
    const auto consider = [&](DramCommand command, std::uint64_t banks) {
        const std::uint64_t from = std::max(now_, state_.channel_earliest(command));
        for (; banks != 0; banks &= banks - 1) {
            const auto bank = static_cast<std::uint32_t>(std::countr_zero(banks));
            const std::uint64_t group_from = state_.group_earliest(command, state_.group_of(bank));
            const std::uint64_t cycle = std::max({from, group_from, state_.own_earliest(command, bank)});
            const BankQueue& queue = banks_[bank].queue[writing_];
            if (cycle < first.cycle || (cycle == first.cycle && queue.wish_order < first_order)) {
                first = {cycle, queue.wish_entry, bank, command};
                first_order = queue.wish_order;
            }
        }
    };
    const std::uint64_t misses = waiting_banks_[writing_] & ~hit_banks_[writing_];
    consider(DramCommand::activate, misses & ~state_.open_banks());
    consider(DramCommand::precharge, misses & state_.open_banks());
    return first;
}

DramChannel::NextCommand DramChannel::refresh_step() const {
    const DramCommand command = state_.open_banks() != 0 ? DramCommand::precharge_all : DramCommand::refresh;
    return {.cycle = std::max({now_, refresh_due_, state_.earliest(command, 0)}), .command = command};
}

/// Issues next_, a RD or WR, and those after it below `horizon` that follow from the same wishes. Leaves stale_ set
/// unless the next command is known.
template <DramCommand column>
void DramChannel::serve_bursts(std::uint64_t horizon, std::vector<Done>& done) {
    // While no run is done and none starves, a RD or WR changes neither wishes nor direction. Then decide() would
    // choose first_column() again, unless a row command or the refresh could come before: what it asks is asked here.
    while (!serve_burst<column>(done) && !starving()) {
        next_ = first_column<column>();
        if (next_.cycle > std::max(state_.slot(), rows_from_) || next_.cycle >= refresh_due_) {
            return;
        }
        if (next_.cycle >= horizon) {
            stale_ = false;
            return;
        }
    }
}

/// Issues next_, a RD or WR; says whether its run is done.
template <DramCommand column>
inline bool DramChannel::serve_burst(std::vector<Done>& done) {
    constexpr bool write = column == DramCommand::write;
    const NextCommand burst = next_;
    Entry& entry = entries_[burst.entry];
    Bank& bank = banks_[burst.bank];
    state_.issue_column(column, burst.bank, burst.cycle);
    count_wait(burst.cycle, write, bank.fresh);
    served_write_ = write;
    refreshed_ = false;
    waiting_since_ = burst.cycle + standard_->burst;
    ++(write ? counts_.writes : counts_.reads);
    if (bank.fresh) {
        ++(bank.conflict ? counts_.row_conflicts : counts_.row_misses);
        ++opened_by_[write];
        bank.fresh = false;
    }

    const bool bypassed = burst.entry != oldest_;
    bypassed_ += bypassed ? 1 : 0;
    if (--entry.bursts != 0) {
        return false;
    }
    bypassed_ = bypassed ? bypassed_ : 0;
    const std::uint32_t latency = write ? standard_->wl : standard_->rl;
    done.push_back({entry.request, burst.cycle + latency + standard_->burst - 1});
    remove(burst.entry);
    return true;
}

inline void DramChannel::count_wait(std::uint64_t cycle, bool write, bool row_opened) {
    if (cycle <= waiting_since_) {
        return;
    }
    const bool turned = served_write_ != write;
    (refreshed_   ? counts_.wait_refresh_cycles
     : turned     ? counts_.wait_turnaround_cycles
     : row_opened ? counts_.wait_row_cycles
                  : counts_.wait_column_cycles) += cycle - waiting_since_;
}

void DramChannel::activate() {
    const std::uint32_t row = entries_[next_.entry].row;
    if (state_.open_banks() == 0) {
        any_open_since_ = next_.cycle;
    }
    state_.issue(DramCommand::activate, next_.bank, next_.cycle, row);
    ++counts_.activates;
    Bank& bank = banks_[next_.bank];
    bank.opened_at = next_.cycle;
    bank.fresh = true;
    update_wishes(next_.bank);
}

void DramChannel::precharge() {
    state_.issue(DramCommand::precharge, next_.bank, next_.cycle);
    close(next_.bank);
    banks_[next_.bank].conflict = true;
    if (state_.open_banks() == 0) {
        counts_.active_standby_cycles += next_.cycle - any_open_since_;
    }
}

void DramChannel::precharge_all() {
    const std::uint64_t closed = state_.open_banks();
    state_.issue(DramCommand::precharge_all, 0, next_.cycle);
    for (std::uint64_t rest = closed; rest != 0; rest &= rest - 1) {
        close(static_cast<std::uint32_t>(std::countr_zero(rest)));
    }
    counts_.active_standby_cycles += next_.cycle - any_open_since_;
}

void DramChannel::close(std::uint32_t bank) {
    Bank& closed = banks_[bank];
    ++counts_.precharges;
    counts_.bank_open_cycles += next_.cycle - closed.opened_at;
    closed.fresh = false;
    closed.conflict = false;
    update_wishes(bank);
}

void DramChannel::refresh(std::uint64_t horizon) {
    state_.issue(DramCommand::refresh, 0, next_.cycle);
    ++counts_.refreshes;
    refreshed_ = true;
    refresh_due_ += standard_->t_refi;
    // An idle channel does nothing but refresh when due: take all that fall below the horizon at once.
    if (empty() && refresh_due_ < horizon && state_.earliest(DramCommand::refresh, 0) <= refresh_due_) {
        const std::uint64_t more = (horizon - 1 - refresh_due_) / standard_->t_refi;
        refresh_due_ += more * standard_->t_refi;
        state_.issue(DramCommand::refresh, 0, refresh_due_);
        counts_.refreshes += more + 1;
        refresh_due_ += standard_->t_refi;
    }
}

DramCounters DramChannel::counters(std::uint64_t now) const {
    DramCounters counters = counts_;
    counters.channel_cycles = now;
    counters.row_hits_read = counts_.reads - opened_by_[false];
    counters.row_hits_write = counts_.writes - opened_by_[true];
    counters.data_bus_cycles = (counts_.reads + counts_.writes) * standard_->burst;
    for (std::uint64_t rest = state_.open_banks(); rest != 0; rest &= rest - 1) {
        counters.bank_open_cycles += now - banks_[static_cast<std::uint32_t>(std::countr_zero(rest))].opened_at;
    }
    if (state_.open_banks() != 0) {
        counters.active_standby_cycles += now - any_open_since_;
    }
    counters.precharge_standby_cycles = counters.channel_cycles - counters.active_standby_cycles;
    return counters;
}

}  // namespace nibble
