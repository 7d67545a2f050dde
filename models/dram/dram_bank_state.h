// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

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

    /// `standard` is copied.
    DramBankState(const DramStandard& standard, std::uint32_t t_rfc);

    /// First cycle at which `command` is legal if nothing else is issued before. ACT needs a closed row; RD, WR and PRE
    /// an open one; PRE of all banks at least one open row; REF none. The last two ignore `bank`.
    [[nodiscard]] std::uint64_t earliest(DramCommand command, std::uint32_t bank) const;

    /// Issues `command` at `cycle`; `row` is for ACT. ModelError if it is not legal then.
    void issue(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint32_t row = 0);

    [[nodiscard]] bool open(std::uint32_t bank) const { return (open_banks_ >> bank & 1) != 0; }
    /// One bit a bank.
    [[nodiscard]] std::uint64_t open_banks() const { return open_banks_; }
    [[nodiscard]] std::uint32_t row(std::uint32_t bank) const { return banks_[bank].row; }

    /// The two halves of earliest(), given rows in the right state: what the bus and the other banks allow, the same
    /// for all banks; and, for the commands to one bank, what the bank and its group allow.
    [[nodiscard]] std::uint64_t channel_earliest(DramCommand command) const;
    [[nodiscard]] std::uint64_t bank_earliest(DramCommand command, std::uint32_t bank) const;

private:
    /// ACT, RD, WR, PRE of one bank: an index each.
    static constexpr std::size_t bank_commands = 4;

    /// Earliest next commands as far as the bank's own history goes.
    struct Bank {
        std::array<std::uint64_t, bank_commands> next{};
        std::uint32_t row = 0;  ///< meaningful while open
    };
    /// The same for the history of a bank group. A precharge never waits for other banks of the group.
    struct Group {
        std::array<std::uint64_t, bank_commands> next{};
    };

    [[nodiscard]] static constexpr std::size_t index(DramCommand command) { return static_cast<std::size_t>(command); }
    [[nodiscard]] Group& group_of(std::uint32_t bank) { return groups_[bank >> banks_per_group_bits_]; }
    [[nodiscard]] const Group& group_of(std::uint32_t bank) const { return groups_[bank >> banks_per_group_bits_]; }

    DramStandard standard_;
    std::uint32_t t_rfc_;
    std::uint32_t banks_per_group_bits_;  // log2
    std::vector<Bank> banks_;
    std::vector<Group> groups_;
    std::uint64_t open_banks_ = 0;  // one bit a bank
    // Earliest next commands as far as the history of the whole channel goes.
    std::uint64_t slot_ = 0;  // first free command slot
    std::uint64_t activate_ = 0;
    std::uint64_t read_ = 0;
    std::uint64_t write_ = 0;
    std::uint64_t precharge_ = 0;
    std::uint64_t refresh_ = 0;
    std::array<std::uint64_t, 4> four_activates_{};  // for each of the last four ACTs, when tFAW after it ends
    std::uint32_t oldest_activate_ = 0;              // index into four_activates_
};

inline std::uint64_t DramBankState::channel_earliest(DramCommand command) const {
    switch (command) {
        case DramCommand::activate:
            return std::max({slot_, activate_, four_activates_[oldest_activate_]});
        case DramCommand::read:
            return std::max(slot_, read_);
        case DramCommand::write:
            return std::max(slot_, write_);
        case DramCommand::precharge:
        case DramCommand::precharge_all:
            return std::max(slot_, precharge_);
        case DramCommand::refresh:
            return std::max(slot_, refresh_);
    }
    return never;
}

inline std::uint64_t DramBankState::bank_earliest(DramCommand command, std::uint32_t bank) const {
    return std::max(banks_[bank].next[index(command)], group_of(bank).next[index(command)]);
}

}  // namespace nibble
