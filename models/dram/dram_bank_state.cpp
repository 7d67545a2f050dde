// SPDX-License-Identifier: MIT
#include "models/dram/dram_bank_state.h"

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::array<const char*, 6> command_names = {"ACT", "RD", "WR", "PRE", "PRE of all banks", "REF"};

void raise(std::uint64_t& earliest, std::uint64_t cycle) {
    earliest = std::max(earliest, cycle);
}

}  // namespace

DramBankState::DramBankState(const DramStandard& standard, std::uint32_t t_rfc)
    : standard_(standard),
      t_rfc_(t_rfc),
      banks_per_group_bits_(static_cast<std::uint32_t>(std::countr_zero(standard.banks_per_group))),
      banks_(standard.banks()),
      groups_(standard.bank_groups) {}

std::uint64_t DramBankState::earliest(DramCommand command, std::uint32_t bank) const {
    std::uint64_t cycle = channel_earliest(command);
    switch (command) {
        case DramCommand::activate:
            return open(bank) ? never : std::max(cycle, bank_earliest(command, bank));
        case DramCommand::read:
        case DramCommand::write:
        case DramCommand::precharge:
            return open(bank) ? std::max(cycle, bank_earliest(command, bank)) : never;
        case DramCommand::precharge_all:
            for (std::uint64_t rest = open_banks_; rest != 0; rest &= rest - 1) {
                raise(cycle, bank_earliest(DramCommand::precharge, static_cast<std::uint32_t>(std::countr_zero(rest))));
            }
            return open_banks_ != 0 ? cycle : never;
        case DramCommand::refresh:
            return open_banks_ == 0 ? cycle : never;
    }
    return never;
}

void DramBankState::issue(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint32_t row) {
    const std::uint64_t legal_from = earliest(command, bank);
    if (cycle < legal_from) {
        const char* const name = command_names[static_cast<std::size_t>(command)];
        throw ModelError(
            legal_from == never
                ? fmt::format("DRAM: {} of bank {} at cycle {}: its row is in the wrong state", name, bank, cycle)
                : fmt::format("DRAM: {} of bank {} at cycle {} is illegal before cycle {}", name, bank, cycle,
                              legal_from));
    }
    const DramStandard& s = standard_;
    Bank& bank_state = banks_[bank];
    Group& group = group_of(bank);
    slot_ = cycle + 1;
    switch (command) {
        case DramCommand::activate:
            open_banks_ |= std::uint64_t{1} << bank;
            bank_state.row = row;
            slot_ = cycle + s.activate_slots;
            bank_state.next[index(DramCommand::activate)] = cycle + s.t_rc;
            bank_state.next[index(DramCommand::read)] = cycle + s.t_rcd_read;
            bank_state.next[index(DramCommand::write)] = cycle + s.t_rcd_write;
            bank_state.next[index(DramCommand::precharge)] = cycle + s.t_ras;
            group.next[index(DramCommand::activate)] = cycle + s.t_rrd_l;
            raise(activate_, cycle + s.t_rrd_s);
            four_activates_[oldest_activate_] = cycle + s.t_faw;
            oldest_activate_ = (oldest_activate_ + 1) % 4;
            raise(refresh_, cycle + s.t_rc);
            break;
        case DramCommand::read:
            raise(bank_state.next[index(DramCommand::precharge)], cycle + s.t_rtp);
            group.next[index(DramCommand::read)] = cycle + s.t_ccd_l;
            read_ = cycle + s.t_ccd_s;
            raise(write_, cycle + s.read_to_write());
            break;
        case DramCommand::write:
            raise(bank_state.next[index(DramCommand::precharge)], cycle + s.write_to_precharge());
            group.next[index(DramCommand::write)] = cycle + s.t_ccd_l;
            write_ = cycle + s.t_ccd_s;
            raise(group.next[index(DramCommand::read)], cycle + s.write_to_read_l());
            raise(read_, cycle + s.write_to_read_s());
            break;
        case DramCommand::precharge:
            open_banks_ &= ~(std::uint64_t{1} << bank);
            raise(bank_state.next[index(DramCommand::activate)], cycle + s.t_rp);
            precharge_ = cycle + s.t_ppd;
            raise(refresh_, cycle + s.t_rp);
            break;
        case DramCommand::precharge_all:
            open_banks_ = 0;
            raise(activate_, cycle + s.t_rp_all);
            precharge_ = cycle + s.t_ppd;
            raise(refresh_, cycle + s.t_rp_all);
            break;
        case DramCommand::refresh:
            raise(activate_, cycle + t_rfc_);
            refresh_ = cycle + t_rfc_;
            break;
    }
}

}  // namespace nibble
