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

/// The first seven are for one bank, the last two for a rank. read_precharge and write_precharge close the row by
/// themselves (auto-precharge), as soon as a PRE would be legal.
enum class DramCommand : std::uint8_t {
    activate,
    read,
    write,
    precharge,
    refresh_bank,
    read_precharge,
    write_precharge,
    precharge_all,
    refresh
};

/// The banks of one channel, of all its ranks, and every timing rule between their commands.
///
/// A command is legal at a cycle when the rows are in the state that it needs, its command slots are free and no rule
/// forbids it. Rules are kept as the earliest next cycle of each command for each bank, each bank group, each rank and
/// the buses; a command's effect is to raise some of them. earliest() asks, issue() checks and changes.
///
/// Banks are numbered through: rank * banks of a rank + bank group * banks per group + bank within the group.
class DramBankState {
public:
    /// Answer of earliest() when the rows forbid the command whatever the cycle.
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    /// Of a channel: a word holds one bit for each.
    static constexpr std::size_t max_banks = 64;
    static constexpr std::size_t max_ranks = 4;

    /// `standard` is copied; `ranks` is 1, 2 or 4, `density` one of the standard's.
    DramBankState(const DramStandard& standard, std::uint32_t ranks, const DramDensity& density);

    /// First cycle at which `command` is legal if nothing else is issued before. ACT and REFpb need a closed row; RD,
    /// WR and PRE an open one; PRE of all banks at least one open row in the rank of `bank`; REF none.
    [[nodiscard]] std::uint64_t earliest(DramCommand command, std::uint32_t bank) const;

    /// Issues `command` at `cycle`; `row` is for ACT. ModelError if it is not legal then.
    void issue(DramCommand command, std::uint32_t bank, std::uint64_t cycle, std::uint32_t row = 0);

    /// issue() of a RD or WR for who knows that `cycle` is not before earliest(): there is one for every burst.
    void issue_column(DramCommand command, std::uint32_t bank, std::uint64_t cycle);

    /// Closes the row of a bank whose RD or WR was just issued, by auto-precharge. Returns the cycle in which it
    /// closes.
    std::uint64_t auto_precharge(std::uint32_t bank);

    /// No command to the rank is legal before `cycle`: it leaves power-down.
    void hold_rank(std::uint32_t rank, std::uint64_t cycle);

    [[nodiscard]] bool open(std::uint32_t bank) const { return (open_banks_ >> bank & 1) != 0; }
    /// One bit a bank.
    [[nodiscard]] std::uint64_t open_banks() const { return open_banks_; }
    [[nodiscard]] std::uint64_t open_banks(std::uint32_t rank) const { return open_banks_ & banks_of(rank); }
    [[nodiscard]] std::uint32_t row(std::uint32_t bank) const { return rows_[bank]; }

    /// The parts of earliest() for the commands to one bank, given a row in the right state: what the command bus
    /// allows; what its rank allows; what its group allows; what the bank itself allows.
    [[nodiscard]] std::uint64_t slot(DramCommand command) const { return slot_[bus_of(command)]; }
    [[nodiscard]] std::uint64_t rank_earliest(DramCommand command, std::uint32_t rank) const;
    [[nodiscard]] std::uint64_t group_earliest(DramCommand command, std::uint32_t group) const {
        return command == DramCommand::refresh_bank ? 0 : group_next_[group][index(command)];
    }
    [[nodiscard]] std::uint64_t own_earliest(DramCommand command, std::uint32_t bank) const {
        return command == DramCommand::refresh_bank ? bank_refresh_[bank] : bank_next_[bank][index(command)];
    }

    /// Lower bound for any RD or any WR: what the bus and the rank that allows it first allow.
    [[nodiscard]] std::uint64_t column_earliest(DramCommand command) const;

    [[nodiscard]] std::uint32_t ranks() const { return ranks_; }
    [[nodiscard]] std::uint32_t group_of(std::uint32_t bank) const { return bank >> banks_per_group_bits_; }
    [[nodiscard]] std::uint32_t rank_of(std::uint32_t bank) const { return bank >> banks_of_rank_bits_; }
    /// One bit a bank.
    [[nodiscard]] std::uint64_t banks_of(std::uint32_t rank) const {
        return rank_mask_ << (rank << banks_of_rank_bits_);
    }

private:
    /// ACT, RD, WR and PRE of one bank: an index each.
    static constexpr std::size_t bank_commands = 4;

    /// Earliest next commands.
    using Next = std::array<std::uint64_t, bank_commands>;

    /// Gaps from first slot to first slot, for the rules that lags change or that are sums.
    struct Gaps {
        explicit Gaps(const DramStandard& s, const DramDensity& density);
        std::uint32_t activate_to_read;
        std::uint32_t activate_to_write;
        std::uint32_t activate_to_precharge;
        std::uint32_t activate_to_refresh;
        std::uint32_t activate_to_refresh_other_bank;
        std::uint32_t read_to_precharge;
        std::uint32_t write_to_precharge;
        std::uint32_t precharge_to_activate;
        std::uint32_t precharge_all_to_activate;
        std::uint32_t refresh_to_activate;
        std::uint32_t bank_refresh_to_activate;
        std::uint32_t bank_refresh_to_activate_other_bank;
        std::uint32_t read_to_write;
        std::uint32_t write_to_read_s;
        std::uint32_t write_to_read_l;
        std::uint32_t write_to_read_rank;
        std::uint32_t same_direction_rank;
    };

    /// What spans the banks of a rank, but for the next of each command.
    struct Rank {
        std::uint64_t refresh = 0;                        ///< earliest REF
        std::uint64_t refresh_bank = 0;                   ///< earliest REFpb
        std::array<std::uint64_t, 4> activate_windows{};  ///< for each of the last four ACTs, when tFAW after it ends
        std::uint32_t oldest_window = 0;                  ///< index into activate_windows
    };

    [[nodiscard]] static constexpr std::size_t index(DramCommand command) { return static_cast<std::size_t>(command); }
    [[nodiscard]] std::size_t bus_of(DramCommand command) const {
        return command == DramCommand::read || command == DramCommand::write ? column_bus_ : 0;
    }
    [[noreturn]] static void refuse(DramCommand command, std::uint32_t bank, std::uint64_t cycle,
                                    std::uint64_t legal_from);
    /// When the open rows of all banks of a rank may be closed.
    [[nodiscard]] std::uint64_t all_open_precharge(std::uint32_t rank) const;
    static void raise(std::uint64_t& earliest, std::uint64_t cycle) { earliest = std::max(earliest, cycle); }
    void close(std::uint32_t bank, std::uint64_t cycle);
    void count_activate(Rank& rank, std::uint64_t cycle);
    void refresh_one(std::uint32_t bank, std::uint64_t cycle);
    void turn_ranks(std::uint32_t rank, DramCommand command, std::uint64_t cycle);

    DramStandard standard_;
    Gaps gaps_;
    DramDensity density_;
    std::uint32_t ranks_;
    std::uint32_t banks_per_group_bits_;  // log2
    std::uint32_t banks_of_rank_bits_;    // log2
    std::uint64_t rank_mask_;             // one bit a bank of rank 0
    std::size_t column_bus_;              // index into slot_; rows have bus 0

    // Earliest next commands as far as the history of the bank, of the bank group, of the rank goes. A precharge never
    // waits for other banks of the group.
    std::array<Next, max_banks> bank_next_{};
    std::array<Next, max_banks> group_next_{};
    std::array<Next, max_ranks> rank_next_{};
    std::array<Rank, max_ranks> rank_{};
    std::array<std::uint64_t, max_banks> bank_refresh_{};  // earliest REFpb of each bank
    std::array<std::uint64_t, 2> slot_{};                  // first free command slot of each bus
    std::uint64_t open_banks_ = 0;                         // one bit a bank
    std::array<std::uint32_t, max_banks> rows_{};          // meaningful while the bank is open
};

inline std::uint64_t DramBankState::rank_earliest(DramCommand command, std::uint32_t rank) const {
    const Rank& its = rank_[rank];
    switch (command) {
        case DramCommand::activate:
            return std::max(rank_next_[rank][index(command)], its.activate_windows[its.oldest_window]);
        case DramCommand::refresh_bank:
            return std::max(its.refresh_bank, its.activate_windows[its.oldest_window]);
        default:
            return rank_next_[rank][index(command)];
    }
}

inline std::uint64_t DramBankState::column_earliest(DramCommand command) const {
    std::uint64_t cycle = rank_next_[0][index(command)];
    for (std::uint32_t rank = 1; rank < ranks_; ++rank) {
        cycle = std::min(cycle, rank_next_[rank][index(command)]);
    }
    return std::max(cycle, slot_[column_bus_]);
}

inline void DramBankState::issue_column(DramCommand command, std::uint32_t bank, std::uint64_t cycle) {
    assert(cycle >= earliest(command, bank));
    std::uint64_t& precharge = bank_next_[bank][index(DramCommand::precharge)];
    Next& group = group_next_[group_of(bank)];
    Next& rank = rank_next_[rank_of(bank)];
    slot_[column_bus_] = cycle + standard_.column_slots;
    rank[index(command)] = cycle + standard_.t_ccd_s;
    if (command == DramCommand::read) {
        group[index(command)] = cycle + standard_.t_ccd_l;
        raise(precharge, cycle + gaps_.read_to_precharge);
        raise(rank[index(DramCommand::write)], cycle + gaps_.read_to_write);
    } else {
        group[index(command)] = cycle + standard_.t_ccd_l_write;
        raise(precharge, cycle + gaps_.write_to_precharge);
        raise(group[index(DramCommand::read)], cycle + gaps_.write_to_read_l);
        raise(rank[index(DramCommand::read)], cycle + gaps_.write_to_read_s);
    }
    if (ranks_ > 1) {
        turn_ranks(rank_of(bank), command, cycle);
    }
}

}  // namespace nibble
