// SPDX-License-Identifier: MIT
#include "models/dram/dram_bank_state.h"

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::array<const char*, 9> command_names = {
    "ACT", "RD", "WR", "PRE", "REFpb", "RDA", "WRA", "PRE of all banks", "REF"};

std::uint32_t log2_of(std::uint32_t power_of_two) {
    return static_cast<std::uint32_t>(std::countr_zero(power_of_two));
}

}  // namespace

DramBankState::Gaps::Gaps(const DramStandard& s, const DramDensity& density)
    : activate_to_read(s.t_rcd_read + s.activate_lag - s.column_lag),
      activate_to_write(s.t_rcd_write + s.activate_lag - s.column_lag),
      activate_to_precharge(s.t_ras + s.activate_lag - s.row_lag),
      activate_to_refresh(s.t_rc + s.activate_lag - s.row_lag),
      activate_to_refresh_other_bank(s.t_rrd_s + s.activate_lag - s.row_lag),
      read_to_precharge(s.t_rtp + s.column_lag - s.row_lag),
      write_to_precharge(s.write_to_precharge() + s.column_lag - s.row_lag),
      precharge_to_activate(s.t_rp + s.row_lag - s.activate_lag),
      precharge_all_to_activate(s.t_rp_all + s.row_lag - s.activate_lag),
      refresh_to_activate(density.t_rfc + s.row_lag - s.activate_lag),
      bank_refresh_to_activate(density.t_rfc_bank + s.row_lag - s.activate_lag),
      bank_refresh_to_activate_other_bank(s.t_rrefd + s.row_lag - s.activate_lag),
      read_to_write(s.read_to_write()),
      write_to_read_s(s.write_to_read_s()),
      write_to_read_l(s.write_to_read_l()),
      write_to_read_rank(s.write_to_read_rank()),
      same_direction_rank(s.same_direction_rank()) {}

DramBankState::DramBankState(const DramStandard& standard, std::uint32_t ranks, const DramDensity& density)
    : standard_(standard),
      gaps_(standard, density),
      density_(density),
      ranks_(ranks),
      banks_per_group_bits_(log2_of(standard.banks_per_group)),
      banks_of_rank_bits_(log2_of(standard.banks())),
      rank_mask_(~std::uint64_t{0} >> (64 - standard.banks())),
      column_bus_(standard.separate_buses ? 1 : 0) {}

std::uint64_t DramBankState::earliest(DramCommand command, std::uint32_t bank) const {
    const std::uint32_t rank = rank_of(bank);
    const auto of_bank = [&](DramCommand as, bool needs_open) {
        return open(bank) == needs_open ? std::max({slot(as), rank_earliest(as, rank),
                                                    group_earliest(as, group_of(bank)), own_earliest(as, bank)})
                                        : never;
    };
    switch (command) {
        case DramCommand::activate:
        case DramCommand::refresh_bank:
            return of_bank(command, false);
        case DramCommand::read:
        case DramCommand::read_precharge:
            return of_bank(DramCommand::read, true);
        case DramCommand::write:
        case DramCommand::write_precharge:
            return of_bank(DramCommand::write, true);
        case DramCommand::precharge:
            return of_bank(command, true);
        case DramCommand::precharge_all:
            return open_banks(rank) != 0 ? std::max({slot(command), rank_earliest(DramCommand::precharge, rank),
                                                     all_open_precharge(rank)})
                                         : never;
        case DramCommand::refresh:
            return open_banks(rank) == 0 ? std::max(slot(command), rank_[rank].refresh) : never;
    }
    return never;
}

std::uint64_t DramBankState::all_open_precharge(std::uint32_t rank) const {
    std::uint64_t cycle = 0;
    for (std::uint64_t rest = open_banks(rank); rest != 0; rest &= rest - 1) {
        raise(cycle, own_earliest(DramCommand::precharge, static_cast<std::uint32_t>(std::countr_zero(rest))));
    }
    return cycle;
}

void DramBankState::refuse(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint64_t legal_from) {
    const char* const name = command_names[static_cast<std::size_t>(command)];
    throw ModelError(
        legal_from == never
            ? fmt::format("DRAM: {} of bank {} at cycle {}: its row is in the wrong state", name, bank, cycle)
            : fmt::format("DRAM: {} of bank {} at cycle {} is illegal before cycle {}", name, bank, cycle, legal_from));
}

void DramBankState::close(std::uint32_t bank, std::uint64_t cycle) {
    open_banks_ &= ~(std::uint64_t{1} << bank);
    raise(bank_next_[bank][index(DramCommand::activate)], cycle + gaps_.precharge_to_activate);
    raise(bank_refresh_[bank], cycle + standard_.t_rp);
    raise(rank_[rank_of(bank)].refresh, cycle + standard_.t_rp);
}

std::uint64_t DramBankState::auto_precharge(std::uint32_t bank) {
    const std::uint64_t cycle = own_earliest(DramCommand::precharge, bank);
    close(bank, cycle);
    return cycle;
}

void DramBankState::hold_rank(std::uint32_t rank, std::uint64_t cycle) {
    for (std::uint64_t& next : rank_next_[rank]) {
        raise(next, cycle);
    }
    raise(rank_[rank].refresh, cycle);
    raise(rank_[rank].refresh_bank, cycle);
}

/// An ACT, or a REFpb, opens a window of tFAW.
void DramBankState::count_activate(Rank& rank, std::uint64_t cycle) {
    rank.activate_windows[rank.oldest_window] = cycle + standard_.t_faw;
    rank.oldest_window = (rank.oldest_window + 1) % 4;
}

/// What a RD or WR of one rank means for the other ranks on the data bus.
void DramBankState::turn_ranks(std::uint32_t rank, DramCommand command, std::uint64_t cycle) {
    const bool write = command == DramCommand::write;
    for (std::uint32_t other = 0; other < ranks_; ++other) {
        if (other != rank) {
            Next& next = rank_next_[other];
            raise(next[index(DramCommand::read)],
                  cycle + (write ? gaps_.write_to_read_rank : gaps_.same_direction_rank));
            raise(next[index(DramCommand::write)], cycle + (write ? gaps_.same_direction_rank : gaps_.read_to_write));
        }
    }
}

void DramBankState::refresh_one(std::uint32_t bank, std::uint64_t cycle) {
    Rank& rank = rank_[rank_of(bank)];
    bank_next_[bank][index(DramCommand::activate)] = cycle + gaps_.bank_refresh_to_activate;
    bank_refresh_[bank] = cycle + density_.t_rfc_bank;
    raise(rank_next_[rank_of(bank)][index(DramCommand::activate)], cycle + gaps_.bank_refresh_to_activate_other_bank);
    raise(rank.refresh_bank, cycle + density_.t_pbr2pbr);
    raise(rank.refresh, cycle + density_.t_rfc_bank);
    count_activate(rank, cycle);
}

void DramBankState::issue(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint32_t row) {
    const std::uint64_t legal_from = earliest(command, bank);
    if (cycle < legal_from) {
        refuse(command, bank, cycle, legal_from);
    }
    const DramStandard& s = standard_;
    Next& own = bank_next_[bank];
    Rank& rank = rank_[rank_of(bank)];
    Next& rank_next = rank_next_[rank_of(bank)];
    switch (command) {
        case DramCommand::activate:
            slot_[0] = cycle + s.activate_slots;
            open_banks_ |= std::uint64_t{1} << bank;
            rows_[bank] = row;
            own[index(DramCommand::activate)] = cycle + s.t_rc;
            own[index(DramCommand::read)] = cycle + gaps_.activate_to_read;
            own[index(DramCommand::write)] = cycle + gaps_.activate_to_write;
            own[index(DramCommand::precharge)] = cycle + gaps_.activate_to_precharge;
            bank_refresh_[bank] = cycle + gaps_.activate_to_refresh;
            group_next_[group_of(bank)][index(DramCommand::activate)] = cycle + s.t_rrd_l;
            raise(rank_next[index(DramCommand::activate)], cycle + s.t_rrd_s);
            raise(rank.refresh_bank, cycle + gaps_.activate_to_refresh_other_bank);
            raise(rank.refresh, cycle + gaps_.activate_to_refresh);
            count_activate(rank, cycle);
            break;
        case DramCommand::read:
        case DramCommand::write:
            issue_column(command, bank, cycle);
            break;
        case DramCommand::read_precharge:
            issue_column(DramCommand::read, bank, cycle);
            auto_precharge(bank);
            break;
        case DramCommand::write_precharge:
            issue_column(DramCommand::write, bank, cycle);
            auto_precharge(bank);
            break;
        case DramCommand::precharge:
            slot_[0] = cycle + s.row_slots;
            close(bank, cycle);
            raise(rank_next[index(DramCommand::precharge)], cycle + s.t_ppd);
            break;
        case DramCommand::precharge_all:
            slot_[0] = cycle + s.row_slots;
            open_banks_ &= ~banks_of(rank_of(bank));
            raise(rank_next[index(DramCommand::activate)], cycle + gaps_.precharge_all_to_activate);
            raise(rank_next[index(DramCommand::precharge)], cycle + s.t_ppd);
            raise(rank.refresh_bank, cycle + s.t_rp_all);
            raise(rank.refresh, cycle + s.t_rp_all);
            break;
        case DramCommand::refresh_bank:
            slot_[0] = cycle + s.row_slots;
            refresh_one(bank, cycle);
            break;
        case DramCommand::refresh:
            slot_[0] = cycle + s.row_slots;
            raise(rank_next[index(DramCommand::activate)], cycle + gaps_.refresh_to_activate);
            raise(rank.refresh_bank, cycle + density_.t_rfc);
            rank.refresh = cycle + density_.t_rfc;
            break;
    }
}

}  // namespace nibble
