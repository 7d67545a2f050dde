// SPDX-License-Identifier: MIT
#include "models/dram/dram_channel.h"

#include <algorithm>
#include <bit>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::uint64_t bit(std::uint32_t bank) {
    return std::uint64_t{1} << bank;
}

constexpr bool has(std::uint64_t banks, std::uint32_t bank) {
    return (banks >> bank & 1) != 0;
}

}  // namespace

DramChannel::DramChannel(const DramStandard& standard, const DramParameters& parameters)
    : standard_(&standard),
      state_(standard, parameters.ranks, standard.density(parameters.capacity_bytes_per_channel / parameters.ranks)),
      rank_states_(standard, parameters.ranks),
      page_policy_(parameters.page_policy),
      refresh_per_bank_(parameters.refresh == RefreshMode::per_bank),
      power_down_(parameters.power_down),
      page_timeout_(parameters.page_timeout_cycles),
      write_high_(parameters.write_high_watermark),
      write_low_(parameters.write_low_watermark),
      age_cap_(parameters.age_cap_bursts),
      refresh_interval_(refresh_per_bank_ ? standard.t_refi_bank : standard.t_refi),
      entries_(parameters.read_queue_entries + parameters.write_queue_entries),
      free_entries_{parameters.read_queue_entries, parameters.write_queue_entries},
      first_refresh_due_(refresh_interval_) {
    for (std::uint32_t index = 0; index + 1 < entries_.size(); ++index) {
        entries_[index].younger = index + 1;
    }
    refresh_due_.fill(DramBankState::never);
    for (std::uint32_t rank = 0; rank < parameters.ranks; ++rank) {
        refresh_due_[rank] = refresh_interval_ + std::uint64_t{refresh_interval_} * rank / parameters.ranks;
        rest(rank);
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
    ++queued_[write];

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
    waiting_banks_[write] |= bit(run.bank);
    const bool only_one = queue.head == index;
    const bool hit = state_.open(run.bank) && state_.row(run.bank) == run.row;
    if (!has(hit_banks_[write], run.bank) && (only_one || hit)) {
        update_wish(run.bank, write, index);
    }
    const std::uint32_t rank = state_.rank_of(run.bank);
    ++rank_queued_[rank];
    if (power_down_) {
        state_.hold_rank(rank, rank_states_.wake(rank, std::min(now_, refresh_due_[rank])));
    }
    stale_ = true;
}

void DramChannel::remove(std::uint32_t index) {
    Entry& entry = entries_[index];
    BankQueue& queue = banks_[entry.bank].queue[entry.write];
    (entry.bank_older == none ? queue.head : entries_[entry.bank_older].bank_younger) = entry.bank_younger;
    (entry.bank_younger == none ? queue.tail : entries_[entry.bank_younger].bank_older) = entry.bank_older;
    if (queue.head == none) {
        waiting_banks_[entry.write] &= ~bit(entry.bank);
    }
    update_wish(entry.bank, entry.write, entry.bank_younger);
    (entry.older == none ? oldest_ : entries_[entry.older].younger) = entry.younger;
    (entry.younger == none ? youngest_ : entries_[entry.younger].older) = entry.older;
    --queued_[entry.write];
    --rank_queued_[state_.rank_of(entry.bank)];
    entry.younger = free_;
    free_ = index;
    ++free_entries_[entry.write];
}

void DramChannel::update_wish(std::uint32_t bank, bool write, std::uint32_t from) {
    BankQueue& queue = banks_[bank].queue[write];
    std::uint32_t hit = state_.open(bank) ? from : none;
    while (hit != none && entries_[hit].row != state_.row(bank)) {
        hit = entries_[hit].bank_younger;
    }
    queue.wish_entry = hit != none ? hit : queue.head;
    queue.wish_order = queue.wish_entry != none ? entries_[queue.wish_entry].order : 0;
    const bool was_hit = has(hit_banks_[write], bank);
    hit_banks_[write] = hit != none ? hit_banks_[write] | bit(bank) : hit_banks_[write] & ~bit(bank);
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
    *place = {queue.wish_order,    state_.own_earliest(column, bank), hit, bank, state_.group_of(bank),
              state_.rank_of(bank)};
}

void DramChannel::update_wishes(std::uint32_t bank) {
    for (const bool write : {false, true}) {
        if (has(waiting_banks_[write], bank)) {
            update_wish(bank, write, banks_[bank].queue[write].head);
        }
    }
}

std::uint64_t DramChannel::next_data_end() {
    const std::uint64_t from = next_command();
    const auto end = [&](DramCommand column, std::uint32_t latency) {
        return std::max(from, state_.column_earliest(column)) + latency;
    };
    return std::min(queued_[false] != 0 ? end(DramCommand::read, standard_->read_latency()) : DramBankState::never,
                    queued_[true] != 0 ? end(DramCommand::write, standard_->write_latency()) : DramBankState::never);
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
            default:
                refresh(horizon);
                break;
        }
        if (std::ranges::min(free_entries_) >= wanted) {
            // The RD or WR before freed the last of them. In its cycle a row command may go as well.
            horizon = std::min(horizon, last_command_ + 1);
            wanted = none;
        }
        if (stale_) {
            decide();
        }
    } while (next_.cycle < horizon);
    return horizon;
}

void DramChannel::decide() {
    stale_ = false;
    blocked_ = 0;
    if (!empty()) {
        choose_direction();
    }
    decide_for_requests();
    if (next_.cycle >= first_refresh_due_) {
        decide_around_refresh();
    }
}

/// Ranks whose refresh is due before next_ can go block banks, so that next_ becomes another command, and so on.
void DramChannel::decide_around_refresh() {
    NextCommand refresh;
    std::array<std::uint64_t, DramBankState::max_ranks> due = refresh_due_;
    while (true) {
        const auto first = std::ranges::min_element(due);
        if (*first == DramBankState::never || *first > next_.cycle) {
            break;
        }
        const auto rank = static_cast<std::uint32_t>(first - due.begin());
        *first = DramBankState::never;
        blocked_ |= banks_to_refresh(rank);
        const NextCommand step = refresh_step(rank);
        refresh = step.cycle < refresh.cycle ? step : refresh;
        decide_for_requests();
    }
    if (refresh.cycle <= next_.cycle) {
        next_ = refresh;
    }
}

inline void DramChannel::choose_direction() {
    const bool before = writing_;
    if (starving()) {
        writing_ = entries_[oldest_].write;
    } else if (writing_) {
        writing_ = queued_[true] != 0 && (queued_[false] == 0 || queued_[true] > write_low_);
    } else {
        writing_ = queued_[true] >= write_high_ || queued_[false] == 0;
    }
    if (writing_ != before) {
        rows_from_ = 0;
    }
}

/// next_ by all rules but that of refresh, for banks that are not blocked.
inline void DramChannel::decide_for_requests() {
    if (empty()) {
        next_ = {};
    } else if (starving()) {
        next_ = command_for_oldest();
    } else {
        if (writing_) {
            decide_first_column<DramCommand::write>(floor());
        } else {
            decide_first_column<DramCommand::read>(floor());
        }
        // A row command cannot go before the cycle on the right, and in the same cycle a RD or WR goes first.
        if (next_.cycle > std::max({floor(), state_.slot(DramCommand::activate), rows_from_})) {
            const NextCommand row = first_row();
            rows_from_ = blocked_ == 0 ? row.cycle : rows_from_;
            if (row.cycle < next_.cycle) {
                next_ = row;
            }
        }
    }
    if (page_policy_ == PagePolicy::timeout) {
        const NextCommand timeout = first_timeout();
        timeouts_from_ = timeout.cycle;
        if (timeout.cycle < next_.cycle) {
            next_ = timeout;
        }
    }
}

DramChannel::NextCommand DramChannel::command_for_oldest() const {
    const Entry& entry = entries_[oldest_];
    if (has(blocked_, entry.bank)) {
        return {};
    }
    const bool open = state_.open(entry.bank);
    const bool hit = open && state_.row(entry.bank) == entry.row;
    const DramCommand column = entry.write ? DramCommand::write : DramCommand::read;
    const DramCommand row = open ? DramCommand::precharge : DramCommand::activate;
    const DramCommand command = hit ? column : row;
    return {std::max(floor(), state_.earliest(command, entry.bank)), oldest_, entry.bank, command};
}

/// Makes next_ the RD or WR of the current direction that goes first, `not_before` that cycle, if no row command comes
/// before. `column` is that command.
template <DramCommand column>
inline void DramChannel::decide_first_column(std::uint64_t not_before) {
    const std::uint64_t from = std::max(not_before, state_.column_earliest(column));
    const bool many_ranks = state_.ranks() > 1;  // one has had its say in `from`
    std::uint64_t cycle = DramBankState::never;
    const Hit* first = nullptr;
    for (const Hit& hit : hits_[column == DramCommand::write]) {
        std::uint64_t its_cycle = std::max(state_.group_earliest(column, hit.group), hit.ready);
        its_cycle = many_ranks ? std::max(its_cycle, state_.rank_earliest(column, hit.rank)) : its_cycle;
        if (its_cycle < cycle && !has(blocked_, hit.bank)) {
            cycle = its_cycle;
            first = &hit;
            if (cycle <= from) {
                break;  // none goes earlier, and those to come are younger
            }
        }
    }
    next_.cycle = DramBankState::never;
    if (first != nullptr) {
        next_.cycle = std::max(cycle, from);
        next_.entry = first->entry;
        next_.bank = first->bank;
        next_.command = column;
    }
}

/// The ACT or PRE of the current direction that goes first, if no RD or WR comes before.
DramChannel::NextCommand DramChannel::first_row() const {
    NextCommand first;
    std::uint64_t first_order = DramBankState::never;
    const auto consider = [&](DramCommand command, std::uint64_t banks) {
        const std::uint64_t from = std::max(floor(), state_.slot(command));
        for (; banks != 0; banks &= banks - 1) {
            const auto bank = static_cast<std::uint32_t>(std::countr_zero(banks));
            const std::uint64_t cycle =
                std::max({from, state_.rank_earliest(command, state_.rank_of(bank)),
                          state_.group_earliest(command, state_.group_of(bank)), state_.own_earliest(command, bank)});
            const BankQueue& queue = banks_[bank].queue[writing_];
            if (cycle < first.cycle || (cycle == first.cycle && queue.wish_order < first_order)) {
                first = {cycle, queue.wish_entry, bank, command};
                first_order = queue.wish_order;
            }
        }
    };
    const std::uint64_t misses = waiting_banks_[writing_] & ~hit_banks_[writing_] & ~blocked_;
    consider(DramCommand::activate, misses & ~state_.open_banks());
    consider(DramCommand::precharge, misses & state_.open_banks());
    return first;
}

/// The PRE of the row that times out first.
DramChannel::NextCommand DramChannel::first_timeout() const {
    NextCommand first;
    std::uint64_t banks = state_.open_banks() & ~hit_banks_[false] & ~hit_banks_[true] & ~blocked_;
    for (; banks != 0; banks &= banks - 1) {
        const auto bank = static_cast<std::uint32_t>(std::countr_zero(banks));
        const std::uint64_t cycle =
            std::max({floor(), state_.earliest(DramCommand::precharge, bank), banks_[bank].used_at + page_timeout_});
        if (cycle < first.cycle) {
            first = {.cycle = cycle, .bank = bank, .command = DramCommand::precharge};
        }
    }
    return first;
}

std::uint64_t DramChannel::banks_to_refresh(std::uint32_t rank) const {
    return refresh_per_bank_ ? bit(rank * standard_->banks() + refresh_bank_[rank]) : state_.banks_of(rank);
}

DramChannel::NextCommand DramChannel::refresh_step(std::uint32_t rank) const {
    const std::uint64_t banks = banks_to_refresh(rank);
    const auto bank = static_cast<std::uint32_t>(std::countr_zero(banks));
    const bool open = (state_.open_banks() & banks) != 0;
    const DramCommand close = refresh_per_bank_ ? DramCommand::precharge : DramCommand::precharge_all;
    const DramCommand refresh = refresh_per_bank_ ? DramCommand::refresh_bank : DramCommand::refresh;
    const DramCommand command = open ? close : refresh;
    return {.cycle = std::max(
                {floor(), rank_states_.refresh_from(rank, refresh_due_[rank]), state_.earliest(command, bank)}),
            .bank = bank,
            .command = command};
}

/// Issues next_, a RD or WR, and those after it below `horizon` that follow from the same wishes. Leaves stale_ set
/// unless the next command is known.
template <DramCommand column>
void DramChannel::serve_bursts(std::uint64_t horizon, std::vector<Done>& done) {
    // While no run is done and none starves, a RD or WR changes neither wishes nor direction. Then decide() would
    // choose first_column() again, unless a row command or a refresh could come before: what it asks is asked here.
    const std::uint64_t rows_from = std::min(rows_from_, timeouts_from_);
    const std::uint64_t refresh_due = first_refresh_due_;
    while (!serve_burst<column>(done) && !starving()) {
        decide_first_column<column>(0);
        if (next_.cycle > std::max(state_.slot(DramCommand::activate), rows_from) || next_.cycle >= refresh_due) {
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
    const std::uint64_t cycle = next_.cycle;
    const std::uint32_t index = next_.entry;
    Entry& entry = entries_[index];
    Bank& bank = banks_[next_.bank];
    state_.issue_column(column, next_.bank, cycle);
    last_command_ = cycle;
    bank.used_at = cycle;
    count_wait(cycle, write, next_.bank);
    served_write_ = write;
    refreshed_banks_ = 0;
    waiting_since_ = cycle + standard_->burst;
    ++(write ? counts_.writes : counts_.reads);
    if (bank.fresh) {
        ++(bank.conflict ? counts_.row_conflicts : counts_.row_misses);
        ++opened_by_[write];
        bank.fresh = false;
    }

    const bool bypassed = index != oldest_;
    bypassed_ += bypassed ? 1 : 0;
    if (--entry.bursts != 0) {
        return false;
    }
    bypassed_ = bypassed ? bypassed_ : 0;
    const std::uint32_t latency = write ? standard_->write_latency() : standard_->read_latency();
    done.push_back({entry.request, cycle + latency});
    if (page_policy_ == PagePolicy::closed && last_of_row(entry)) {
        close(next_.bank, state_.auto_precharge(next_.bank));
    }
    remove(index);
    if (power_down_) {
        // The read's data and one cycle, or the write's data and its recovery.
        const std::uint32_t busy = write ? standard_->t_wr : 1;
        rank_states_.busy_until(state_.rank_of(next_.bank), cycle + latency + 1 + busy);
        rest(state_.rank_of(next_.bank));
    }
    return true;
}

/// No queued run but `entry` wants its row.
bool DramChannel::last_of_row(const Entry& entry) const {
    std::uint32_t other = entry.bank_younger;
    while (other != none && entries_[other].row != entry.row) {
        other = entries_[other].bank_younger;
    }
    return other == none && !has(hit_banks_[!entry.write], entry.bank);
}

inline void DramChannel::count_wait(std::uint64_t cycle, bool write, std::uint32_t bank) {
    if (cycle <= waiting_since_) {
        return;
    }
    const bool turned = served_write_ != write;
    (has(refreshed_banks_, bank) ? counts_.wait_refresh_cycles
     : turned                    ? counts_.wait_turnaround_cycles
     : banks_[bank].fresh        ? counts_.wait_row_cycles
                                 : counts_.wait_column_cycles) += cycle - waiting_since_;
}

void DramChannel::activate() {
    const std::uint32_t row = entries_[next_.entry].row;
    state_.issue(DramCommand::activate, next_.bank, next_.cycle, row);
    last_command_ = next_.cycle;
    rank_states_.opened(state_.rank_of(next_.bank), next_.cycle);
    ++counts_.activates;
    Bank& bank = banks_[next_.bank];
    bank.opened_at = next_.cycle;
    bank.used_at = next_.cycle;
    bank.fresh = true;
    update_wishes(next_.bank);
}

void DramChannel::precharge() {
    const bool for_refresh = has(blocked_, next_.bank);
    if (for_refresh) {
        wake_for_refresh();
    }
    state_.issue(DramCommand::precharge, next_.bank, next_.cycle);
    last_command_ = next_.cycle;
    close(next_.bank, next_.cycle);
    banks_[next_.bank].conflict = next_.entry != none;
    if (!for_refresh) {
        rest(state_.rank_of(next_.bank));
    }
}

void DramChannel::precharge_all() {
    wake_for_refresh();
    const std::uint64_t closed = state_.open_banks(state_.rank_of(next_.bank));
    state_.issue(DramCommand::precharge_all, next_.bank, next_.cycle);
    last_command_ = next_.cycle;
    for (std::uint64_t rest = closed; rest != 0; rest &= rest - 1) {
        close(static_cast<std::uint32_t>(std::countr_zero(rest)), next_.cycle);
    }
}

void DramChannel::close(std::uint32_t bank, std::uint64_t cycle) {
    Bank& closed = banks_[bank];
    const std::uint32_t rank = state_.rank_of(bank);
    rank_states_.closed(rank, cycle, state_.open_banks(rank) == 0);
    ++counts_.precharges;
    counts_.bank_open_cycles += cycle - closed.opened_at;
    closed.fresh = false;
    closed.conflict = false;
    update_wishes(bank);
}

void DramChannel::wake_for_refresh() {
    const std::uint32_t rank = state_.rank_of(next_.bank);
    if (power_down_) {
        state_.hold_rank(rank, rank_states_.wake(rank, refresh_due_[rank]));
    }
}

void DramChannel::rest(std::uint32_t rank) {
    if (power_down_ && rank_queued_[rank] == 0 &&
        (page_policy_ != PagePolicy::timeout || state_.open_banks(rank) == 0)) {
        rank_states_.sleep(rank, last_command_);
    }
}

void DramChannel::refresh(std::uint64_t horizon) {
    wake_for_refresh();
    const std::uint32_t rank = state_.rank_of(next_.bank);
    state_.issue(next_.command, next_.bank, next_.cycle);
    last_command_ = next_.cycle;
    refreshed_banks_ |= banks_to_refresh(rank);
    if (refresh_per_bank_) {
        ++counts_.bank_refreshes;
        refresh_bank_[rank] = (refresh_bank_[rank] + 1) % standard_->banks();
    } else {
        ++counts_.refreshes;
    }
    refresh_due_[rank] += refresh_interval_;
    rank_states_.busy_until(rank, next_.cycle + 1);
    rest(rank);
    if (empty() && state_.open_banks() == 0) {
        skip_idle_rounds(horizon);
    }
    first_refresh_due_ = std::ranges::min(refresh_due_);
}

/// An idle channel does nothing but refresh when due: what each refresh interval repeats is counted, not simulated. A
/// round refreshes every bank of every rank once.
void DramChannel::skip_idle_rounds(std::uint64_t horizon) {
    const std::uint64_t refreshes = refresh_per_bank_ ? standard_->banks() : 1;
    const std::uint64_t round = refreshes * refresh_interval_;
    const std::uint64_t last_due = *std::max_element(refresh_due_.begin(), refresh_due_.begin() + state_.ranks());
    if (last_due + round >= horizon) {
        return;
    }
    // Between two refreshes a rank is awake from when one is due to the cycle after its command.
    const std::uint64_t awake = standard_->t_xp + 1;
    for (std::uint32_t rank = 0; power_down_ && rank < state_.ranks(); ++rank) {
        if (!rank_states_.sleeping_since(rank, refresh_due_[rank] - refresh_interval_ + awake)) {
            return;  // its next refreshes will differ
        }
    }
    // The rules remember the last refresh of all banks, or of each bank.
    const std::uint64_t rounds = (horizon - 1 - last_due) / round - (refresh_per_bank_ ? 1 : 0);
    (refresh_per_bank_ ? counts_.bank_refreshes : counts_.refreshes) += rounds * refreshes * state_.ranks();
    for (std::uint32_t rank = 0; rank < state_.ranks(); ++rank) {
        refresh_due_[rank] += rounds * round;
        if (power_down_) {
            rank_states_.skip(rank, rounds * round, rounds * refreshes * (refresh_interval_ - awake));
        }
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
    rank_states_.add_to(counters, now, refresh_due_);
    return counters;
}

}  // namespace nibble
