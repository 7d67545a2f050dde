// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <limits>

#include "models/dram/dram_standard.h"

namespace nibble {

/// The first four are for one bank, the others for all.
enum class DramCommand : std::uint8_t { activate, read, write, precharge, precharge_all, refresh };

/// The banks of one channel and every timing rule between their commands.
///
/// A command is legal at a cycle when the rows are in the state that it needs, its command slots are free and no rule
/// forbids it. Rules are kept as the earliest next cycle of each command for each bank, each bank group and the whole
/// channel; a command's effect is to raise some of them. earliest() asks, issue() checks and changes.
class DramBankState {
public:
    /// Answer of earliest() when the rows forbid the command whatever the cycle.
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    /// Of a channel: a word holds one bit for each.
    static constexpr std::size_t max_banks = 64;

    /// `standard` is copied.
    DramBankState(const DramStandard& standard, std::uint32_t t_rfc);

    /// First cycle at which `command` is legal if nothing else is issued before. ACT needs a closed row; RD, WR and PRE
    /// an open one; PRE of all banks at least one open row; REF none. The last two ignore `bank`.
    [[nodiscard]] std::uint64_t earliest(DramCommand command, std::uint32_t bank) const;

    /// Issues `command` at `cycle`; `row` is for ACT. ModelError if it is not legal then.
    void issue(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint32_t row = 0);

    /// issue() of a RD or WR for who knows that `cycle` is not before earliest(): there is one for every burst.
    void issue_column(DramCommand command, std::uint32_t bank, std::uint64_t cycle);

    [[nodiscard]] bool open(std::uint32_t bank) const { return (open_banks_ >> bank & 1) != 0; }
    /// One bit a bank.
    [[nodiscard]] std::uint64_t open_banks() const { return open_banks_; }
    [[nodiscard]] std::uint32_t row(std::uint32_t bank) const { return rows_[bank]; }

    /// The parts of earliest(), given rows in the right state: what the bus and the other banks allow, the same for all
    /// banks; and, for the commands to one bank, what its group allows and what the bank itself allows.
    [[nodiscard]] std::uint64_t channel_earliest(DramCommand command) const;
    [[nodiscard]] std::uint64_t group_earliest(DramCommand command, std::uint32_t group) const;
    [[nodiscard]] std::uint64_t own_earliest(DramCommand command, std::uint32_t bank) const;

    [[nodiscard]] std::uint32_t group_of(std::uint32_t bank) const { return bank >> banks_per_group_bits_; }
    /// First cycle with a free command slot.
    [[nodiscard]] std::uint64_t slot() const { return slot_; }

private:
    /// ACT, RD, WR, PRE of one bank: an index each.
    static constexpr std::size_t bank_commands = 4;

    /// Earliest next commands.
    using Next = std::array<std::uint64_t, bank_commands>;

    [[nodiscard]] static constexpr std::size_t index(DramCommand command) { return static_cast<std::size_t>(command); }
    [[noreturn]] static void refuse(DramCommand command, std::uint32_t bank, std::uint64_t cycle,
                                    std::uint64_t legal_from);
    /// When the open rows of all banks may be closed.
    [[nodiscard]] std::uint64_t all_open_precharge() const;
    static void raise(std::uint64_t& earliest, std::uint64_t cycle) { earliest = std::max(earliest, cycle); }

    DramStandard standard_;
    // Sums of the standard's times that every burst needs.
    std::uint32_t read_to_write_;
    std::uint32_t write_to_read_s_;
    std::uint32_t write_to_read_l_;
    std::uint32_t write_to_precharge_;
    std::uint32_t t_rfc_;
    std::uint32_t banks_per_group_bits_;  // log2

    // Earliest next commands as far as the history of the bank, of the bank group, of the whole channel goes. A
    // precharge never waits for other banks of the group.
    std::array<Next, max_banks> bank_next_{};
    std::array<Next, max_banks> group_next_{};
    Next next_{};
    std::uint64_t slot_ = 0;  // first free command slot
    std::uint64_t refresh_ = 0;
    std::array<std::uint64_t, 4> four_activates_{};  // for each of the last four ACTs, when tFAW after it ends
    std::uint32_t oldest_activate_ = 0;              // index into four_activates_
    std::uint64_t open_banks_ = 0;                   // one bit a bank
    std::array<std::uint32_t, max_banks> rows_{};    // meaningful while the bank is open
};

inline std::uint64_t DramBankState::channel_earliest(DramCommand command) const {
    switch (command) {
        case DramCommand::activate:
            return std::max({slot_, next_[index(command)], four_activates_[oldest_activate_]});
        case DramCommand::read:
        case DramCommand::write:
        case DramCommand::precharge:
            return std::max(slot_, next_[index(command)]);
        case DramCommand::precharge_all:
            return std::max(slot_, next_[index(DramCommand::precharge)]);
        case DramCommand::refresh:
            return std::max(slot_, refresh_);
    }
    return never;
}

inline std::uint64_t DramBankState::group_earliest(DramCommand command, std::uint32_t group) const {
    return group_next_[group][index(command)];
}

inline std::uint64_t DramBankState::own_earliest(DramCommand command, std::uint32_t bank) const {
    return bank_next_[bank][index(command)];
}

inline void DramBankState::issue_column(DramCommand command, std::uint32_t bank, std::uint64_t cycle) {
    assert(cycle >= earliest(command, bank));
    const DramStandard& s = standard_;
    std::uint64_t& precharge = bank_next_[bank][index(DramCommand::precharge)];
    Next& group = group_next_[group_of(bank)];
    slot_ = cycle + 1;
    group[index(command)] = cycle + s.t_ccd_l;
    next_[index(command)] = cycle + s.t_ccd_s;
    if (command == DramCommand::read) {
        raise(precharge, cycle + s.t_rtp);
        raise(next_[index(DramCommand::write)], cycle + read_to_write_);
    } else {
        raise(precharge, cycle + write_to_precharge_);
        raise(group[index(DramCommand::read)], cycle + write_to_read_l_);
        raise(next_[index(DramCommand::read)], cycle + write_to_read_s_);
    }
}

}  // namespace nibble
