// SPDX-License-Identifier: MIT
#include "models/dram/dram_bank_state.h"

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::array<const char*, 6> command_names = {"ACT", "RD", "WR", "PRE", "PRE of all banks", "REF"};

}  // namespace

DramBankState::DramBankState(const DramStandard& standard, std::uint32_t t_rfc)
    : standard_(standard),
      read_to_write_(standard.read_to_write()),
      write_to_read_s_(standard.write_to_read_s()),
      write_to_read_l_(standard.write_to_read_l()),
      write_to_precharge_(standard.write_to_precharge()),
      t_rfc_(t_rfc),
      banks_per_group_bits_(static_cast<std::uint32_t>(std::countr_zero(standard.banks_per_group))) {}

std::uint64_t DramBankState::earliest(DramCommand command, std::uint32_t bank) const {
    const std::uint64_t cycle = channel_earliest(command);
    switch (command) {
        case DramCommand::activate:
        case DramCommand::read:
        case DramCommand::write:
        case DramCommand::precharge:
            return open(bank) == (command == DramCommand::activate)
                       ? never
                       : std::max({cycle, group_earliest(command, group_of(bank)), own_earliest(command, bank)});
        case DramCommand::precharge_all:
            return open_banks_ != 0 ? std::max(cycle, all_open_precharge()) : never;
        case DramCommand::refresh:
            return open_banks_ == 0 ? cycle : never;
    }
    return never;
}

std::uint64_t DramBankState::all_open_precharge() const {
    std::uint64_t cycle = 0;
    for (std::uint64_t rest = open_banks_; rest != 0; rest &= rest - 1) {
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

void DramBankState::issue(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint32_t row) {
    const std::uint64_t legal_from = earliest(command, bank);
    if (cycle < legal_from) {
        refuse(command, bank, cycle, legal_from);
    }
    const DramStandard& s = standard_;
    slot_ = cycle + 1;
    Next& own = bank_next_[bank];
    std::uint64_t& activate = next_[index(DramCommand::activate)];
    std::uint64_t& precharge = next_[index(DramCommand::precharge)];
    switch (command) {
        case DramCommand::activate:
            open_banks_ |= std::uint64_t{1} << bank;
            rows_[bank] = row;
            slot_ = cycle + s.activate_slots;
            own[index(DramCommand::activate)] = cycle + s.t_rc;
            own[index(DramCommand::read)] = cycle + s.t_rcd_read;
            own[index(DramCommand::write)] = cycle + s.t_rcd_write;
            own[index(DramCommand::precharge)] = cycle + s.t_ras;
            group_next_[group_of(bank)][index(DramCommand::activate)] = cycle + s.t_rrd_l;
            raise(activate, cycle + s.t_rrd_s);
            four_activates_[oldest_activate_] = cycle + s.t_faw;
            oldest_activate_ = (oldest_activate_ + 1) % 4;
            raise(refresh_, cycle + s.t_rc);
            break;
        case DramCommand::read:
        case DramCommand::write:
            issue_column(command, bank, cycle);
            break;
        case DramCommand::precharge:
            open_banks_ &= ~(std::uint64_t{1} << bank);
            raise(own[index(DramCommand::activate)], cycle + s.t_rp);
            precharge = cycle + s.t_ppd;
            raise(refresh_, cycle + s.t_rp);
            break;
        case DramCommand::precharge_all:
            open_banks_ = 0;
            raise(activate, cycle + s.t_rp_all);
            precharge = cycle + s.t_ppd;
            raise(refresh_, cycle + s.t_rp_all);
            break;
        case DramCommand::refresh:
            raise(activate, cycle + t_rfc_);
            refresh_ = cycle + t_rfc_;
            break;
    }
}

}  // namespace nibble
