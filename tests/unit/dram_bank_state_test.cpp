// SPDX-License-Identifier: MIT
#include "models/dram/dram_bank_state.h"

#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

using enum DramCommand;
constexpr std::uint64_t long_ago = 10'000;  // longer than any rule

struct Step {
    DramCommand command;
    std::uint32_t bank;
};

/// "From `from` to `to` there must be `gap` cycles": for LPDDR5's 4 x 4 banks, where 0 and 1 share a group and 4, 8 and
/// 12 are in the others. `before` happened long ago, `between` as soon as it may.
struct Rule {
    std::string name;
    std::vector<std::uint32_t DramStandard::*> parameters;  ///< those that lengthen the gap
    std::vector<Step> before;
    Step from;
    std::vector<Step> between;
    Step to;
    std::function<std::uint64_t(const DramStandard&)> gap;
};

std::vector<Rule> rules() {
    using S = DramStandard;
    const auto is = [](std::uint32_t S::*parameter) { return [=](const S& s) { return s.*parameter; }; };
    const auto read_to_write = [](const S& s) { return s.rl + s.burst + s.bus_turnaround - s.wl; };
    const auto write_to_read_s = [](const S& s) { return s.wl + s.burst + s.t_wtr_s; };
    const auto write_to_read_l = [](const S& s) { return s.wl + s.burst + s.t_wtr_l; };
    const auto write_to_precharge = [](const S& s) { return s.wl + s.burst + s.t_wr; };
    const Step open0{activate, 0};
    const Step open1{activate, 1};
    const Step open4{activate, 4};
    return {
        {"tRCD read", {&S::t_rcd_read}, {}, {activate, 0}, {}, {read, 0}, is(&S::t_rcd_read)},
        {"tRCD write", {&S::t_rcd_write}, {}, {activate, 0}, {}, {write, 0}, is(&S::t_rcd_write)},
        {"tRAS", {&S::t_ras}, {}, {activate, 0}, {}, {precharge, 0}, is(&S::t_ras)},
        {"tRAS all", {&S::t_ras}, {open4}, {activate, 0}, {}, {precharge_all, 0}, is(&S::t_ras)},
        {"tRC", {&S::t_rc}, {}, {activate, 0}, {{precharge, 0}}, {activate, 0}, is(&S::t_rc)},
        {"tRC to REF", {&S::t_rc}, {}, {activate, 0}, {{precharge, 0}}, {refresh, 0}, is(&S::t_rc)},
        {"tRP", {&S::t_rp}, {open0}, {precharge, 0}, {}, {activate, 0}, is(&S::t_rp)},
        {"tRP to REF", {&S::t_rp}, {open0}, {precharge, 0}, {}, {refresh, 0}, is(&S::t_rp)},
        {"tRPab", {&S::t_rp_all}, {open0}, {precharge_all, 0}, {}, {activate, 0}, is(&S::t_rp_all)},
        {"tRPab other bank", {&S::t_rp_all}, {open0}, {precharge_all, 0}, {}, {activate, 4}, is(&S::t_rp_all)},
        {"tRPab to REF", {&S::t_rp_all}, {open0}, {precharge_all, 0}, {}, {refresh, 0}, is(&S::t_rp_all)},
        {"tRRD_S", {&S::t_rrd_s}, {}, {activate, 0}, {}, {activate, 4}, is(&S::t_rrd_s)},
        {"tRRD_L", {&S::t_rrd_l}, {}, {activate, 0}, {}, {activate, 1}, is(&S::t_rrd_l)},
        {"tFAW",
         {&S::t_faw},
         {},
         {activate, 0},
         {{activate, 4}, {activate, 8}, {activate, 12}},
         {activate, 1},
         is(&S::t_faw)},
        {"tPPD", {&S::t_ppd}, {open0, open1}, {precharge, 0}, {}, {precharge, 1}, is(&S::t_ppd)},
        {"tPPD all", {&S::t_ppd}, {open0, open1}, {precharge, 0}, {}, {precharge_all, 0}, is(&S::t_ppd)},
        {"tCCD_S read", {&S::t_ccd_s}, {open0, open4}, {read, 0}, {}, {read, 4}, is(&S::t_ccd_s)},
        {"tCCD_L read", {&S::t_ccd_l}, {open0, open1}, {read, 0}, {}, {read, 1}, is(&S::t_ccd_l)},
        {"tCCD_L read, same bank", {&S::t_ccd_l}, {open0}, {read, 0}, {}, {read, 0}, is(&S::t_ccd_l)},
        {"tCCD_S write", {&S::t_ccd_s}, {open0, open4}, {write, 0}, {}, {write, 4}, is(&S::t_ccd_s)},
        {"tCCD_L write", {&S::t_ccd_l}, {open0, open1}, {write, 0}, {}, {write, 1}, is(&S::t_ccd_l)},
        {"tCCD_L write, same bank", {&S::t_ccd_l}, {open0}, {write, 0}, {}, {write, 0}, is(&S::t_ccd_l)},
        {"read to write",
         {&S::rl, &S::burst, &S::bus_turnaround},
         {open0, open4},
         {read, 0},
         {},
         {write, 4},
         read_to_write},
        {"read to write, same bank",
         {&S::rl, &S::burst, &S::bus_turnaround},
         {open0},
         {read, 0},
         {},
         {write, 0},
         read_to_write},
        {"tWTR_S", {&S::t_wtr_s, &S::wl, &S::burst}, {open0, open4}, {write, 0}, {}, {read, 4}, write_to_read_s},
        {"tWTR_L", {&S::t_wtr_l, &S::wl, &S::burst}, {open0, open1}, {write, 0}, {}, {read, 1}, write_to_read_l},
        {"tWR", {&S::t_wr, &S::wl, &S::burst}, {open0}, {write, 0}, {}, {precharge, 0}, write_to_precharge},
        {"tWR all",
         {&S::t_wr, &S::wl, &S::burst},
         {open0, open4},
         {write, 0},
         {},
         {precharge_all, 0},
         write_to_precharge},
        {"tRTP", {&S::t_rtp}, {open0}, {read, 0}, {}, {precharge, 0}, is(&S::t_rtp)},
        {"tRTP all", {&S::t_rtp}, {open0, open4}, {read, 0}, {}, {precharge_all, 0}, is(&S::t_rtp)},
        {"slots of ACT", {&S::activate_slots}, {open4}, {activate, 0}, {}, {read, 4}, is(&S::activate_slots)},
        {"slot of RD", {}, {open0, open4}, {read, 0}, {}, {precharge, 4}, [](const S&) { return 1; }},
        {"slot of WR", {}, {open0, open4}, {write, 0}, {}, {precharge, 4}, [](const S&) { return 1; }},
        {"slot of PRE", {}, {open0, open4}, {precharge, 0}, {}, {read, 4}, [](const S&) { return 1; }},
    };
}

/// Issues `step` as soon as it is legal, but not before `cycle`; returns when.
std::uint64_t issue_at_earliest(DramBankState& banks, Step step, std::uint64_t cycle) {
    cycle = std::max(cycle, banks.earliest(step.command, step.bank));
    banks.issue(step.command, step.bank, cycle);
    return cycle;
}

void check_from_both_sides(const Rule& rule, const DramStandard& standard) {
    DramBankState banks(standard, 100);
    for (const Step step : rule.before) {
        issue_at_earliest(banks, step, 0);
    }
    const std::uint64_t from = issue_at_earliest(banks, rule.from, long_ago);
    ASSERT_EQ(from, long_ago);
    for (const Step step : rule.between) {
        issue_at_earliest(banks, step, from);
    }
    const std::uint64_t to = from + rule.gap(standard);
    EXPECT_EQ(banks.earliest(rule.to.command, rule.to.bank), to);
    EXPECT_THROW(banks.issue(rule.to.command, rule.to.bank, to - 1), ModelError);
    EXPECT_NO_THROW(banks.issue(rule.to.command, rule.to.bank, to));
}

TEST(DramBankState, EveryRuleHoldsFromBothSidesInEveryStandard) {
    for (const std::string& name : dram_standard_names()) {
        for (const Rule& rule : rules()) {
            SCOPED_TRACE(name + ": " + rule.name);
            check_from_both_sides(rule, *find_dram_standard(name));
        }
    }
}

// In a standard two rules can end in the same cycle and hide each other (4 tRRD = tFAW, tRAS + tRP = tRC): lengthen
// each parameter alone, so that the gap can only come from it.
TEST(DramBankState, EveryParameterOfARuleIsTheOneThatCounts) {
    for (const Rule& rule : rules()) {
        for (std::uint32_t DramStandard::*const parameter : rule.parameters) {
            SCOPED_TRACE(rule.name);
            DramStandard standard = *find_dram_standard("LPDDR5-6400");
            standard.*parameter += 40;
            check_from_both_sides(rule, standard);
        }
    }
}

TEST(DramBankState, RefreshBlocksForItsTime) {
    const DramStandard& standard = *find_dram_standard("LPDDR5-6400");
    for (const DramDensity& density : standard.densities) {
        for (const DramCommand next : {activate, refresh}) {
            DramBankState banks(standard, density.t_rfc);
            banks.issue(refresh, 0, long_ago);
            EXPECT_THROW(banks.issue(next, 0, long_ago + density.t_rfc - 1), ModelError);
            EXPECT_NO_THROW(banks.issue(next, 0, long_ago + density.t_rfc));
        }
    }
}

TEST(DramBankState, CommandsNeedTheirRowState) {
    DramBankState banks(*find_dram_standard("LPDDR5-6400"), 100);
    for (const DramCommand command : {read, write, precharge, precharge_all}) {
        EXPECT_EQ(banks.earliest(command, 3), DramBankState::never);
        EXPECT_THROW(banks.issue(command, 3, long_ago), ModelError);
    }
    banks.issue(activate, 3, long_ago, 77);
    EXPECT_TRUE(banks.open(3));
    EXPECT_EQ(banks.row(3), 77U);
    EXPECT_EQ(banks.open_banks(), 1U << 3);
    EXPECT_EQ(banks.earliest(activate, 3), DramBankState::never);
    EXPECT_EQ(banks.earliest(refresh, 0), DramBankState::never);
    EXPECT_EQ(banks.earliest(read, 2), DramBankState::never);
}

TEST(DramBankState, SaysWhatIsWrong) {
    const DramStandard& standard = *find_dram_standard("LPDDR5-6400");
    DramBankState banks(standard, 100);
    const auto message = [&](DramCommand command, std::uint64_t cycle) -> std::string {
        try {
            banks.issue(command, 2, cycle);
        } catch (const ModelError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(message(read, 5), "DRAM: RD of bank 2 at cycle 5: its row is in the wrong state");
    banks.issue(activate, 2, 100);
    EXPECT_EQ(message(read, 101),
              "DRAM: RD of bank 2 at cycle 101 is illegal before cycle " + std::to_string(100 + standard.t_rcd_read));
}

struct Issued {
    DramCommand command;
    std::uint32_t bank;
    std::uint64_t cycle;
};

/// The rules again, as a function of two commands: the cycles from `a` to `b`.
std::uint64_t gap_between(const DramStandard& s, std::uint32_t t_rfc, const Issued& a, Step b) {
    const bool bank = a.bank == b.bank;
    const bool group = a.bank / s.banks_per_group == b.bank / s.banks_per_group;
    const bool closes = b.command == precharge_all;
    std::uint64_t gap = a.command == activate ? s.activate_slots : 1;
    const auto rule = [&](bool applies, std::uint64_t cycles) { gap = std::max(gap, applies ? cycles : 0); };
    switch (a.command) {
        case activate:
            rule(b.command == activate, group ? std::max(s.t_rrd_l, s.t_rrd_s) : s.t_rrd_s);
            rule((b.command == activate && bank) || b.command == refresh, s.t_rc);
            rule(b.command == read && bank, s.t_rcd_read);
            rule(b.command == write && bank, s.t_rcd_write);
            rule((b.command == precharge && bank) || closes, s.t_ras);
            break;
        case read:
            rule(b.command == read, group ? std::max(s.t_ccd_l, s.t_ccd_s) : s.t_ccd_s);
            rule(b.command == write, s.read_to_write());
            rule((b.command == precharge && bank) || closes, s.t_rtp);
            break;
        case write:
            rule(b.command == write, group ? std::max(s.t_ccd_l, s.t_ccd_s) : s.t_ccd_s);
            rule(b.command == read, s.wl + s.burst + (group ? std::max(s.t_wtr_l, s.t_wtr_s) : s.t_wtr_s));
            rule((b.command == precharge && bank) || closes, s.write_to_precharge());
            break;
        case precharge:
            rule((b.command == activate && bank) || b.command == refresh, s.t_rp);
            rule(b.command == precharge || closes, s.t_ppd);
            break;
        case precharge_all:
            rule(b.command == activate || b.command == refresh, s.t_rp_all);
            rule(b.command == precharge || closes, s.t_ppd);
            break;
        case refresh:
            rule(b.command == activate || b.command == refresh, t_rfc);
            break;
    }
    return gap;
}

/// Earliest cycle from the whole recent history. PRE of all banks waits for the banks that are open: one that has been
/// closed has kept its rules already.
std::uint64_t earliest_by_history(const DramStandard& s, std::uint32_t t_rfc, const std::deque<Issued>& history,
                                  const DramBankState& banks, Step next) {
    std::uint64_t earliest = 0;
    std::vector<std::uint64_t> activates;
    for (const Issued& issued : history) {
        const bool of_one_bank = issued.command == activate || issued.command == read || issued.command == write;
        if (next.command == precharge_all && of_one_bank && !banks.open(issued.bank)) {
            earliest = std::max(earliest, issued.cycle + (issued.command == activate ? s.activate_slots : 1));
            continue;
        }
        earliest = std::max(earliest, issued.cycle + gap_between(s, t_rfc, issued, next));
        if (issued.command == activate) {
            activates.push_back(issued.cycle);
        }
    }
    if (next.command == activate && activates.size() >= 4) {
        earliest = std::max(earliest, activates[activates.size() - 4] + s.t_faw);
    }
    return earliest;
}

// Any sequence of commands, in random variants of the table in which every rule gets its turn.
TEST(DramBankState, AgreesWithThePairwiseRulesOnRandomCommands) {
    std::mt19937_64 random(3);
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    for (int variant = 0; variant < 40; ++variant) {
        DramStandard s = *find_dram_standard("LPDDR5-6400");
        using S = DramStandard;
        for (std::uint32_t S::*const parameter :
             {&S::burst,         &S::rl,      &S::wl,       &S::bus_turnaround, &S::t_rcd_read,
              &S::t_rcd_write,   &S::t_rp,    &S::t_rp_all, &S::t_ras,          &S::t_rc,
              &S::t_rrd_s,       &S::t_rrd_l, &S::t_faw,    &S::t_ppd,          &S::t_ccd_s,
              &S::t_ccd_l,       &S::t_wr,    &S::t_wtr_s,  &S::t_wtr_l,        &S::t_rtp,
              &S::activate_slots}) {
            s.*parameter = static_cast<std::uint32_t>(1 + below(30));
        }
        s.rl += s.wl;  // keeps the read-to-write turnaround positive
        const std::uint32_t t_rfc = 60;
        DramBankState banks(s, t_rfc);
        std::deque<Issued> history;
        int issued = 0;
        while (issued < 1500) {
            const Step next{static_cast<DramCommand>(below(below(8) == 0 ? 6 : 4)),
                            static_cast<std::uint32_t>(below(s.banks()))};
            const std::uint64_t earliest = banks.earliest(next.command, next.bank);
            if (earliest == DramBankState::never) {
                continue;
            }
            ASSERT_EQ(earliest, earliest_by_history(s, t_rfc, history, banks, next))
                << "command " << static_cast<int>(next.command) << " after " << issued << " in variant " << variant;
            const std::uint64_t cycle = earliest + (below(4) == 0 ? below(40) : 0);
            banks.issue(next.command, next.bank, cycle);
            history.push_back({next.command, next.bank, cycle});
            if (history.size() > 150) {
                history.pop_front();
            }
            ++issued;
        }
    }
}

}  // namespace
}  // namespace nibble
