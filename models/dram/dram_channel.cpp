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
    row_hits += other.row_hits;
    row_misses += other.row_misses;
    row_conflicts += other.row_conflicts;
    data_bus_cycles += other.data_bus_cycles;
    bank_open_cycles += other.bank_open_cycles;
    any_bank_open_cycles += other.any_bank_open_cycles;
    all_banks_closed_cycles += other.all_banks_closed_cycles;
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
      entries_(parameters.queue_entries),
      free_entries_(parameters.queue_entries),
      banks_(standard.banks()),
      refresh_due_(standard.t_refi) {
    for (std::uint32_t index = 0; index + 1 < free_entries_; ++index) {
        entries_[index].younger = index + 1;
    }
}

void DramChannel::enqueue(const DramRun& run, bool write, std::uint32_t request) {
    if (free_ == none) {
        throw ModelError("DRAM channel: a run was queued without a free entry");
    }
    if (empty()) {
        waiting_since_ = std::max(waiting_since_, now_);
    }
    const std::uint32_t index = free_;
    Entry& entry = entries_[index];
    free_ = entry.younger;
    --free_entries_;
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
    if ((hit_banks_[write] & bit) == 0) {
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
    ++free_entries_;
}

void DramChannel::update_wish(std::uint32_t bank, bool write, std::uint32_t from) {
    BankQueue& queue = banks_[bank].queue[write];
    const std::uint64_t bit = std::uint64_t{1} << bank;
    std::uint32_t hit = state_.open(bank) ? from : none;
    while (hit != none && entries_[hit].row != state_.row(bank)) {
        hit = entries_[hit].bank_younger;
    }
    hit_banks_[write] = hit != none ? hit_banks_[write] | bit : hit_banks_[write] & ~bit;
    queue.wish_entry = hit != none ? hit : queue.head;
    queue.wish_order = queue.wish_entry != none ? entries_[queue.wish_entry].order : 0;
}

void DramChannel::update_wishes(std::uint32_t bank) {
    for (const bool write : {false, true}) {
        update_wish(bank, write, banks_[bank].queue[write].head);
    }
}

std::uint64_t DramChannel::next_service() {
    if (empty()) {
        return DramBankState::never;
    }
    if (stale_) {
        decide();
    }
    return next_.cycle;
}

void DramChannel::run_until(std::uint64_t horizon, std::vector<Done>& done) {
    while (true) {
        if (stale_) {
            decide();
        }
        if (next_.cycle >= horizon) {
            break;
        }
        execute(horizon, done);
        stale_ = true;
    }
    now_ = horizon;
}

void DramChannel::decide() {
    next_ = {};
    if (!empty()) {
        choose_direction();
        next_ = starving() ? command_for_oldest() : first_ready_first_come();
    }
    if (next_.cycle >= refresh_due_) {
        next_ = refresh_step();
    }
    stale_ = false;
}

void DramChannel::choose_direction() {
    if (starving()) {
        writing_ = entries_[oldest_].write;
    } else if (writing_) {
        writing_ = write_entries_ != 0 && (read_entries_ == 0 || write_entries_ > write_low_);
    } else {
        writing_ = write_entries_ >= write_high_ || read_entries_ == 0;
    }
}

DramChannel::NextCommand DramChannel::command_for_oldest() const {
    const Entry& entry = entries_[oldest_];
    const bool open = state_.open(entry.bank);
    const bool hit = open && state_.row(entry.bank) == entry.row;
    const DramCommand column = entry.write ? DramCommand::write : DramCommand::read;
    const DramCommand row = open ? DramCommand::precharge : DramCommand::activate;
    const DramCommand command = hit ? column : row;
    return {std::max(now_, state_.earliest(command, entry.bank)), command, entry.bank, oldest_};
}

DramChannel::NextCommand DramChannel::first_ready_first_come() const {
    // The first cycle at which anything can go, and of what can go then the oldest; a RD or WR before a PRE or ACT.
    std::uint64_t first = DramBankState::never;
    std::uint64_t first_order = DramBankState::never;
    std::uint32_t first_bank = 0;
    DramCommand first_command = DramCommand::activate;
    const auto consider = [&](DramCommand command, std::uint32_t bank, std::uint64_t from) {
        const std::uint64_t cycle = std::max(from, state_.bank_earliest(command, bank));
        const std::uint64_t order = banks_[bank].queue[writing_].wish_order;
        // Which is better is hard to predict: no branches.
        const bool better = static_cast<int>(cycle < first) |
                            (static_cast<int>(cycle == first) & static_cast<int>(order < first_order));
        first = better ? cycle : first;
        first_order = better ? order : first_order;
        first_bank = better ? bank : first_bank;
        first_command = better ? command : first_command;
    };
    const std::uint64_t hits = hit_banks_[writing_];
    const std::uint64_t misses = waiting_banks_[writing_] & ~hits;
    if (hits != 0) {
        const DramCommand column = writing_ ? DramCommand::write : DramCommand::read;
        const std::uint64_t from = std::max(now_, state_.channel_earliest(column));
        for (std::uint64_t rest = hits; rest != 0; rest &= rest - 1) {
            consider(column, static_cast<std::uint32_t>(std::countr_zero(rest)), from);
        }
    }
    if (misses != 0) {
        first_order = 0;  // a column command that can go in the same cycle goes first
        const std::uint64_t open = state_.open_banks();
        const std::uint64_t activate_from = std::max(now_, state_.channel_earliest(DramCommand::activate));
        for (std::uint64_t rest = misses & ~open; rest != 0; rest &= rest - 1) {
            consider(DramCommand::activate, static_cast<std::uint32_t>(std::countr_zero(rest)), activate_from);
        }
        const std::uint64_t precharge_from = std::max(now_, state_.channel_earliest(DramCommand::precharge));
        for (std::uint64_t rest = misses & open; rest != 0; rest &= rest - 1) {
            consider(DramCommand::precharge, static_cast<std::uint32_t>(std::countr_zero(rest)), precharge_from);
        }
    }
    return {first, first_command, first_bank, banks_[first_bank].queue[writing_].wish_entry};
}

DramChannel::NextCommand DramChannel::refresh_step() const {
    const DramCommand command = state_.open_banks() != 0 ? DramCommand::precharge_all : DramCommand::refresh;
    return {std::max({now_, refresh_due_, state_.earliest(command, 0)}), command, 0, none};
}

void DramChannel::execute(std::uint64_t horizon, std::vector<Done>& done) {
    switch (next_.command) {
        case DramCommand::read:
        case DramCommand::write:
            serve_burst(done);
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
}

void DramChannel::serve_burst(std::vector<Done>& done) {
    const std::uint64_t cycle = next_.cycle;
    state_.issue(next_.command, next_.bank, cycle);
    Entry& entry = entries_[next_.entry];
    Bank& bank = banks_[next_.bank];
    count_wait(cycle, bank.fresh);
    served_write_ = entry.write;
    refreshed_ = false;
    waiting_since_ = cycle + standard_->burst;
    ++(entry.write ? counts_.writes : counts_.reads);
    ++(!bank.fresh ? counts_.row_hits : bank.conflict ? counts_.row_conflicts : counts_.row_misses);
    counts_.data_bus_cycles += standard_->burst;
    bank.fresh = false;

    bypassed_ += next_.entry != oldest_ ? 1 : 0;
    if (--entry.bursts == 0) {
        bypassed_ = next_.entry == oldest_ ? 0 : bypassed_;
        const std::uint32_t latency = entry.write ? standard_->wl : standard_->rl;
        done.push_back({entry.request, cycle + latency + standard_->burst - 1});
        remove(next_.entry);
    }
}

void DramChannel::count_wait(std::uint64_t cycle, bool row_opened) {
    if (cycle <= waiting_since_) {
        return;
    }
    const bool turned = served_write_ != (next_.command == DramCommand::write);
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
        counts_.any_bank_open_cycles += next_.cycle - any_open_since_;
    }
}

void DramChannel::precharge_all() {
    const std::uint64_t closed = state_.open_banks();
    state_.issue(DramCommand::precharge_all, 0, next_.cycle);
    for (std::uint64_t rest = closed; rest != 0; rest &= rest - 1) {
        close(static_cast<std::uint32_t>(std::countr_zero(rest)));
    }
    counts_.any_bank_open_cycles += next_.cycle - any_open_since_;
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

DramCounters DramChannel::counters() const {
    DramCounters counters = counts_;
    counters.channel_cycles = now_;
    for (std::uint64_t rest = state_.open_banks(); rest != 0; rest &= rest - 1) {
        counters.bank_open_cycles += now_ - banks_[static_cast<std::uint32_t>(std::countr_zero(rest))].opened_at;
    }
    if (state_.open_banks() != 0) {
        counters.any_bank_open_cycles += now_ - any_open_since_;
    }
    counters.all_banks_closed_cycles = counters.channel_cycles - counters.any_bank_open_cycles;
    return counters;
}

}  // namespace nibble
