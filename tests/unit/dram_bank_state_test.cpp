// SPDX-License-Identifier: MIT
#include "models/dram/dram_bank_state.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

using enum DramCommand;
using S = DramStandard;
constexpr std::uint64_t long_ago = 10'000;  // longer than any rule
constexpr std::uint32_t ranks = 2;
constexpr std::int64_t only_slots = -10'000;  // no rule between two commands but that of the bus
constexpr DramDensity density{.capacity_bytes = 0, .t_rfc = 700, .t_rfc_bank = 300, .t_pbr2pbr = 200};

struct Step {
    DramCommand command;
    std::uint32_t bank;
};

bool is_column(DramCommand command) {
    return command == read || command == write || command == read_precharge || command == write_precharge;
}

/// Cycles from the first slot of a command to the edge that its times count from.
std::int64_t lag(const S& s, DramCommand command) {
    return command == activate ? s.activate_lag : is_column(command) ? s.column_lag : s.row_lag;
}

/// For how long `from` keeps `to` off the command bus.
std::int64_t slots(const S& s, DramCommand from, DramCommand to) {
    if (s.separate_buses && is_column(from) != is_column(to)) {
        return 0;
    }
    return from == activate ? s.activate_slots : is_column(from) ? s.column_slots : s.row_slots;
}

/// Cycles from first slot to first slot, if the rule counts `edges` from edge to edge.
std::uint64_t gap_of(const S& s, DramCommand from, DramCommand to, std::int64_t edges) {
    return static_cast<std::uint64_t>(std::max(edges + lag(s, from) - lag(s, to), slots(s, from, to)));
}

/// "From `from` to `to` there must be `edges` cycles", for banks of two ranks: 0 and 1 share a group, `other` is in
/// another group, `remote` in the other rank. `before` happened long ago, `between` as soon as it may.
struct Rule {
    std::string name;
    std::vector<std::uint32_t S::*> parameters;  ///< those that lengthen the gap, each alone
    std::vector<Step> before;
    Step from;
    std::vector<Step> between;
    Step to;
    std::int64_t edges;
};

/// Those of `standard` that it has banks and commands for.
std::vector<Rule> rules(const S& s) {
    const std::uint32_t other = s.banks_per_group;
    const std::uint32_t remote = s.banks();
    const bool groups = s.bank_groups > 1;
    const std::int64_t read_data = s.rl + s.burst;
    const std::int64_t write_data = s.wl + s.burst;
    const std::int64_t row_cycle = std::max(s.t_rc, s.t_ras + s.t_rp);
    const Step open0{activate, 0};
    const Step open1{activate, 1};
    const Step open_remote{activate, remote};
    std::vector<Rule> all = {
        {"tRCD read", {&S::t_rcd_read}, {}, {activate, 0}, {}, {read, 0}, s.t_rcd_read},
        {"tRCD write", {&S::t_rcd_write}, {}, {activate, 0}, {}, {write, 0}, s.t_rcd_write},
        {"tRCD RDA", {&S::t_rcd_read}, {}, {activate, 0}, {}, {read_precharge, 0}, s.t_rcd_read},
        {"tRCD WRA", {&S::t_rcd_write}, {}, {activate, 0}, {}, {write_precharge, 0}, s.t_rcd_write},
        {"tRAS", {&S::t_ras}, {}, {activate, 0}, {}, {precharge, 0}, s.t_ras},
        {"tRAS all", {&S::t_ras}, {open1}, {activate, 0}, {}, {precharge_all, 1}, s.t_ras},
        {"tRC", {&S::t_rc}, {}, {activate, 0}, {{precharge, 0}}, {activate, 0}, row_cycle},
        {"tRC to REF", {&S::t_rc}, {}, {activate, 0}, {{precharge, 0}}, {refresh, 1}, row_cycle},
        {"tRP", {&S::t_rp}, {open0}, {precharge, 0}, {}, {activate, 0}, s.t_rp},
        {"tRP to REF", {&S::t_rp}, {open0}, {precharge, 0}, {}, {refresh, 1}, s.t_rp},
        {"tRPab", {&S::t_rp_all}, {open0}, {precharge_all, 1}, {}, {activate, 0}, s.t_rp_all},
        {"tRPab other bank", {&S::t_rp_all}, {open0}, {precharge_all, 1}, {}, {activate, 1}, s.t_rp_all},
        {"tRPab to REF", {&S::t_rp_all}, {open0}, {precharge_all, 1}, {}, {refresh, 1}, s.t_rp_all},
        {"tRRD_L", {&S::t_rrd_l}, {}, {activate, 0}, {}, {activate, 1}, s.t_rrd_l},
        {"tPPD", {&S::t_ppd}, {open0, open1}, {precharge, 0}, {}, {precharge, 1}, s.t_ppd},
        {"tPPD all", {&S::t_ppd}, {open0, open1}, {precharge, 0}, {}, {precharge_all, 0}, s.t_ppd},
        {"tCCD_L read", {&S::t_ccd_l}, {open0, open1}, {read, 0}, {}, {read, 1}, s.t_ccd_l},
        {"tCCD_L read, same bank", {&S::t_ccd_l}, {open0}, {read, 0}, {}, {read, 0}, s.t_ccd_l},
        {"tCCD_L write", {&S::t_ccd_l_write}, {open0, open1}, {write, 0}, {}, {write, 1}, s.t_ccd_l_write},
        {"tCCD_L write, same bank", {&S::t_ccd_l_write}, {open0}, {write, 0}, {}, {write, 0}, s.t_ccd_l_write},
        {"read to write, same bank",
         {&S::rl, &S::burst, &S::bus_turnaround},
         {open0},
         {read, 0},
         {},
         {write, 0},
         read_data + s.bus_turnaround - s.wl},
        {"tWTR_L", {&S::t_wtr_l, &S::wl, &S::burst}, {open0, open1}, {write, 0}, {}, {read, 1}, write_data + s.t_wtr_l},
        {"tWR", {&S::t_wr, &S::wl, &S::burst}, {open0}, {write, 0}, {}, {precharge, 0}, write_data + s.t_wr},
        {"tWR all",
         {&S::t_wr, &S::wl, &S::burst},
         {open0, open1},
         {write, 0},
         {},
         {precharge_all, 1},
         write_data + s.t_wr},
        {"tRTP", {&S::t_rtp}, {open0}, {read, 0}, {}, {precharge, 0}, s.t_rtp},
        {"tRTP all", {&S::t_rtp}, {open0, open1}, {read, 0}, {}, {precharge_all, 1}, s.t_rtp},
        {"RDA", {&S::t_rtp, &S::t_rp}, {open0}, {read_precharge, 0}, {}, {activate, 0}, s.t_rtp + s.t_rp},
        {"RDA to REF", {&S::t_rtp, &S::t_rp}, {open0}, {read_precharge, 0}, {}, {refresh, 1}, s.t_rtp + s.t_rp},
        {"WRA",
         {&S::wl, &S::burst, &S::t_wr, &S::t_rp},
         {open0},
         {write_precharge, 0},
         {},
         {activate, 0},
         write_data + s.t_wr + s.t_rp},
        {"WRA to REF",
         {&S::wl, &S::burst, &S::t_wr, &S::t_rp},
         {open0},
         {write_precharge, 0},
         {},
         {refresh, 1},
         write_data + s.t_wr + s.t_rp},
        {"slots of ACT", {&S::activate_slots}, {open1}, {activate, 0}, {}, {precharge, 1}, only_slots},
        {"slots of ACT to a RD", {}, {open1}, {activate, 0}, {}, {read, 1}, only_slots},
        {"slots of RD", {}, {open0, open1}, {read, 0}, {}, {precharge, 1}, only_slots},
        {"slots of WR", {}, {open0, open1}, {write, 0}, {}, {precharge, 1}, only_slots},
        {"slots of PRE", {}, {open0, open1}, {precharge, 0}, {}, {read, 1}, only_slots},
        {"slots of ACT, other rank", {&S::activate_slots}, {}, {activate, 0}, {}, {activate, remote}, only_slots},
        {"tRFC", {}, {}, {refresh, 0}, {}, {activate, 1}, density.t_rfc},
        {"tRFC to REF", {}, {}, {refresh, 0}, {}, {refresh, 1}, density.t_rfc},
        {"REF leaves the other rank alone", {&S::row_slots}, {}, {refresh, 0}, {}, {activate, remote}, only_slots},
        {"rank switch, reads",
         {&S::burst, &S::rank_switch},
         {open0, open_remote},
         {read, 0},
         {},
         {read, remote},
         s.burst + s.rank_switch},
        {"rank switch, writes",
         {&S::burst, &S::rank_switch},
         {open0, open_remote},
         {write, 0},
         {},
         {write, remote},
         s.burst + s.rank_switch},
        {"rank switch, read to write",
         {&S::rl, &S::burst, &S::bus_turnaround},
         {open0, open_remote},
         {read, 0},
         {},
         {write, remote},
         read_data + s.bus_turnaround - s.wl},
        {"rank switch, write to read",
         {&S::wl, &S::burst, &S::rank_switch},
         {open0, open_remote},
         {write, 0},
         {},
         {read, remote},
         write_data + s.rank_switch - s.rl},
    };
    if (groups) {
        const Step open_other{activate, other};
        const std::vector<Rule> of_groups = {
            {"tRRD_S", {&S::t_rrd_s}, {}, {activate, 0}, {}, {activate, other}, s.t_rrd_s},
            {"tFAW",
             {&S::t_faw},
             {},
             {activate, 0},
             {{activate, other}, {activate, 2 * other}, {activate, 3 * other}},
             {activate, 1},
             std::max<std::int64_t>(s.t_faw, 4 * std::max(s.t_rrd_s, s.activate_slots))},
            {"tCCD_S read", {&S::t_ccd_s}, {open0, open_other}, {read, 0}, {}, {read, other}, s.t_ccd_s},
            {"tCCD_S write", {&S::t_ccd_s}, {open0, open_other}, {write, 0}, {}, {write, other}, s.t_ccd_s},
            {"read to write",
             {&S::rl, &S::burst, &S::bus_turnaround},
             {open0, open_other},
             {read, 0},
             {},
             {write, other},
             read_data + s.bus_turnaround - s.wl},
            {"tWTR_S",
             {&S::t_wtr_s, &S::wl, &S::burst},
             {open0, open_other},
             {write, 0},
             {},
             {read, other},
             write_data + s.t_wtr_s},
        };
        all.insert(all.end(), of_groups.begin(), of_groups.end());
    } else {
        all.push_back({"tFAW",
                       {&S::t_faw},
                       {},
                       {activate, 0},
                       {{activate, 1}, {activate, 2}, {activate, 3}},
                       {activate, 4},
                       std::max(s.t_faw, 4 * s.t_rrd_l)});
    }
    if (s.has_bank_refresh()) {
        const std::vector<Rule> of_refresh = {
            {"tRFCpb", {}, {}, {refresh_bank, 0}, {}, {activate, 0}, density.t_rfc_bank},
            {"tRFCpb to REFpb", {}, {}, {refresh_bank, 0}, {}, {refresh_bank, 0}, density.t_rfc_bank},
            {"tRFCpb to REF", {}, {}, {refresh_bank, 0}, {}, {refresh, 1}, density.t_rfc_bank},
            {"tRREFD", {&S::t_rrefd}, {}, {refresh_bank, 0}, {}, {activate, 1}, s.t_rrefd},
            {"tpbR2pbR", {}, {}, {refresh_bank, 0}, {}, {refresh_bank, 1}, density.t_pbr2pbr},
            {"REFpb leaves the other rank alone",
             {&S::row_slots},
             {},
             {refresh_bank, 0},
             {},
             {activate, remote},
             only_slots},
            {"tRFC to REFpb", {}, {}, {refresh, 0}, {}, {refresh_bank, 1}, density.t_rfc},
            {"tRC to REFpb", {&S::t_rc}, {}, {activate, 0}, {{precharge, 0}}, {refresh_bank, 0}, row_cycle},
            {"tRP to REFpb", {&S::t_rp}, {open0}, {precharge, 0}, {}, {refresh_bank, 0}, s.t_rp},
            {"tRPab to REFpb", {&S::t_rp_all}, {open0}, {precharge_all, 0}, {}, {refresh_bank, 1}, s.t_rp_all},
            {"RDA to REFpb",
             {&S::t_rtp, &S::t_rp},
             {open0},
             {read_precharge, 0},
             {},
             {refresh_bank, 0},
             s.t_rtp + s.t_rp},
            {"tRRD to REFpb", {&S::t_rrd_s}, {}, {activate, 0}, {}, {refresh_bank, 1}, s.t_rrd_s},
        };
        all.insert(all.end(), of_refresh.begin(), of_refresh.end());
    }
    return all;
}

/// Issues `step` as soon as it is legal, but not before `cycle`; returns when.
std::uint64_t issue_at_earliest(DramBankState& banks, Step step, std::uint64_t cycle) {
    cycle = std::max(cycle, banks.earliest(step.command, step.bank));
    banks.issue(step.command, step.bank, cycle);
    return cycle;
}

void check_from_both_sides(const Rule& rule, const S& standard) {
    DramBankState banks(standard, ranks, density);
    for (const Step step : rule.before) {
        issue_at_earliest(banks, step, 0);
    }
    const std::uint64_t from = issue_at_earliest(banks, rule.from, long_ago);
    ASSERT_EQ(from, long_ago);
    for (const Step step : rule.between) {
        issue_at_earliest(banks, step, from);
    }
    const std::uint64_t to = from + gap_of(standard, rule.from.command, rule.to.command, rule.edges);
    if (to == from) {  // a bus of its own
        EXPECT_LE(banks.earliest(rule.to.command, rule.to.bank), to);
    } else {
        EXPECT_EQ(banks.earliest(rule.to.command, rule.to.bank), to);
        EXPECT_THROW(banks.issue(rule.to.command, rule.to.bank, to - 1), ModelError);
    }
    EXPECT_NO_THROW(banks.issue(rule.to.command, rule.to.bank, to));
}

TEST(DramBankState, EveryRuleHoldsFromBothSidesInEveryStandard) {
    for (const std::string& name : dram_standard_names()) {
        const S& standard = *find_dram_standard(name);
        for (const Rule& rule : rules(standard)) {
            SCOPED_TRACE(name + ": " + rule.name);
            check_from_both_sides(rule, standard);
        }
    }
}

// In a standard two rules can end in the same cycle and hide each other (4 tRRD = tFAW, tRAS + tRP = tRC): lengthen
// each parameter alone, so that the gap can only come from it.
TEST(DramBankState, EveryParameterOfARuleIsTheOneThatCounts) {
    for (const std::string& name : dram_standard_names()) {
        const std::vector<Rule> all = rules(*find_dram_standard(name));
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (std::uint32_t S::*const parameter : all[i].parameters) {
                S standard = *find_dram_standard(name);
                standard.*parameter += 400;
                const Rule rule = rules(standard)[i];
                SCOPED_TRACE(name + ": " + rule.name);
                check_from_both_sides(rule, standard);
            }
        }
    }
}

// tRAS bounds an auto-precharge that comes right after tRCD.
TEST(DramBankState, AnEarlyAutoPrechargeWaitsForTheRow) {
    for (const std::string& name : dram_standard_names()) {
        SCOPED_TRACE(name);
        S standard = *find_dram_standard(name);
        standard.t_ras += 400;
        DramBankState banks(standard, ranks, density);
        banks.issue(activate, 0, long_ago);
        issue_at_earliest(banks, {read_precharge, 0}, 0);
        EXPECT_FALSE(banks.open(0));
        EXPECT_EQ(banks.earliest(activate, 0), long_ago + standard.t_ras + standard.t_rp);
    }
}

// REFpb and ACT share the window of four.
TEST(DramBankState, ABankRefreshCountsAsAnActivate) {
    S standard = *find_dram_standard("LPDDR5-6400");
    standard.t_faw += 400;
    DramBankState banks(standard, ranks, density);
    banks.issue(refresh_bank, 0, long_ago);
    for (const std::uint32_t bank : {1U, 2U, 3U}) {
        issue_at_earliest(banks, {activate, bank}, 0);
    }
    EXPECT_EQ(banks.earliest(activate, 4), long_ago + standard.t_faw);
    EXPECT_EQ(banks.earliest(refresh_bank, 4), long_ago + standard.t_faw);
    EXPECT_LT(banks.earliest(activate, standard.banks()), long_ago + standard.t_faw) << "the other rank has its own";
}

TEST(DramBankState, RefreshTakesTheTimeOfTheDensity) {
    for (const std::string& name : dram_standard_names()) {
        const S& standard = *find_dram_standard(name);
        for (const DramDensity& its : standard.densities) {
            DramBankState banks(standard, 1, its);
            banks.issue(refresh, 0, long_ago);
            EXPECT_EQ(banks.earliest(refresh, 0), long_ago + its.t_rfc) << name;
            if (standard.has_bank_refresh()) {
                banks.issue(refresh_bank, 0, 2 * long_ago);
                EXPECT_EQ(banks.earliest(refresh_bank, 0), 2 * long_ago + its.t_rfc_bank) << name;
                EXPECT_EQ(banks.earliest(refresh_bank, 1), 2 * long_ago + its.t_pbr2pbr) << name;
            }
        }
    }
}

TEST(DramBankState, AHeldRankWaitsAndTheOtherDoesNot) {
    const S& standard = *find_dram_standard("DDR4-3200");
    DramBankState banks(standard, ranks, density);
    banks.issue(activate, 0, 0);
    banks.hold_rank(0, long_ago);
    for (const Step step : {Step{read, 0}, {write, 0}, {precharge, 0}, {activate, 1}, {precharge_all, 0}}) {
        EXPECT_EQ(banks.earliest(step.command, step.bank), long_ago);
    }
    EXPECT_EQ(banks.earliest(activate, standard.banks()), 1U);
    EXPECT_EQ(banks.earliest(refresh, standard.banks()), 1U);
}

TEST(DramBankState, CommandsNeedTheirRowState) {
    const S& standard = *find_dram_standard("LPDDR5-6400");
    DramBankState banks(standard, ranks, density);
    for (const DramCommand command : {read, write, read_precharge, write_precharge, precharge, precharge_all}) {
        EXPECT_EQ(banks.earliest(command, 3), DramBankState::never);
        EXPECT_THROW(banks.issue(command, 3, long_ago), ModelError);
    }
    banks.issue(activate, 3, long_ago, 77);
    EXPECT_TRUE(banks.open(3));
    EXPECT_EQ(banks.row(3), 77U);
    EXPECT_EQ(banks.open_banks(), 1U << 3);
    EXPECT_EQ(banks.earliest(activate, 3), DramBankState::never);
    EXPECT_EQ(banks.earliest(refresh_bank, 3), DramBankState::never);
    EXPECT_EQ(banks.earliest(refresh, 0), DramBankState::never);
    EXPECT_EQ(banks.earliest(read, 2), DramBankState::never);
    EXPECT_NE(banks.earliest(refresh, standard.banks()), DramBankState::never) << "the other rank has no open row";
    EXPECT_EQ(banks.earliest(precharge_all, standard.banks()), DramBankState::never);
}

TEST(DramBankState, SaysWhatIsWrong) {
    const S& standard = *find_dram_standard("LPDDR5-6400");
    DramBankState banks(standard, ranks, density);
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
    std::uint64_t closes = 0;  ///< of RDA and WRA: when the row closes
};

/// The rules again, as a function of two commands: the cycles from `a` to `b`.
std::uint64_t gap_between(const S& s, const Issued& a, Step b) {
    const bool rank = a.bank / s.banks() == b.bank / s.banks();
    const bool bank = a.bank == b.bank;
    const bool group = a.bank / s.banks_per_group == b.bank / s.banks_per_group;
    const bool closes = b.command == precharge_all && rank;
    const bool reads = b.command == read || b.command == read_precharge;
    const bool writes = b.command == write || b.command == write_precharge;
    const bool precharges = (b.command == precharge && bank) || closes;
    std::int64_t gap = slots(s, a.command, b.command);
    const auto rule = [&](bool applies, std::int64_t edges) {
        gap = std::max(gap, applies ? edges + lag(s, a.command) - lag(s, b.command) : 0);
    };
    switch (a.command) {
        case activate:
            rule(b.command == activate && rank, group ? std::max(s.t_rrd_l, s.t_rrd_s) : s.t_rrd_s);
            rule(b.command == refresh_bank && rank, s.t_rrd_s);
            rule((b.command == activate && bank) || (b.command == refresh && rank) ||
                     (b.command == refresh_bank && bank),
                 s.t_rc);
            rule(reads && bank, s.t_rcd_read);
            rule(writes && bank, s.t_rcd_write);
            rule(precharges, s.t_ras);
            break;
        case read:
        case read_precharge:
            rule(reads, !rank ? s.burst + s.rank_switch : group ? std::max(s.t_ccd_l, s.t_ccd_s) : s.t_ccd_s);
            rule(writes, s.read_to_write());
            rule(precharges, s.t_rtp);
            break;
        case write:
        case write_precharge:
            rule(writes, !rank ? s.burst + s.rank_switch : group ? std::max(s.t_ccd_l_write, s.t_ccd_s) : s.t_ccd_s);
            rule(reads && rank, s.wl + s.burst + (group ? std::max(s.t_wtr_l, s.t_wtr_s) : s.t_wtr_s));
            rule(reads && !rank, std::int64_t{s.wl} + s.burst + s.rank_switch - s.rl);
            rule(precharges, s.wl + s.burst + s.t_wr);
            break;
        case precharge:
            rule((b.command == activate && bank) || (b.command == refresh && rank) ||
                     (b.command == refresh_bank && bank),
                 s.t_rp);
            rule((b.command == precharge && rank) || closes, s.t_ppd);
            break;
        case precharge_all:
            rule(rank && (b.command == activate || b.command == refresh || b.command == refresh_bank), s.t_rp_all);
            rule((b.command == precharge && rank) || closes, s.t_ppd);
            break;
        case refresh_bank:
            rule((b.command == activate || b.command == refresh_bank) && bank, density.t_rfc_bank);
            rule(b.command == refresh && rank, density.t_rfc_bank);
            rule(b.command == activate && rank, s.t_rrefd);
            rule(b.command == refresh_bank && rank, density.t_pbr2pbr);
            break;
        case refresh:
            rule(rank && (b.command == activate || b.command == refresh || b.command == refresh_bank), density.t_rfc);
            break;
    }
    return static_cast<std::uint64_t>(gap);
}

/// Earliest cycle from the whole recent history. PRE of all banks waits for the banks that are open: one that has been
/// closed has kept its rules already.
std::uint64_t earliest_by_history(const S& s, const std::deque<Issued>& history, const DramBankState& banks,
                                  Step next) {
    std::uint64_t earliest = 0;
    std::vector<std::uint64_t> activates;
    const std::uint32_t rank = next.bank / s.banks();
    for (const Issued& issued : history) {
        const bool of_one_bank = issued.command == activate || is_column(issued.command);
        if (next.command == precharge_all && of_one_bank && !banks.open(issued.bank)) {
            earliest =
                std::max(earliest, issued.cycle + static_cast<std::uint64_t>(slots(s, issued.command, next.command)));
            continue;
        }
        earliest = std::max(earliest, issued.cycle + gap_between(s, issued, next));
        if (issued.closes != 0) {
            const bool concerned = next.command == refresh ? issued.bank / s.banks() == rank
                                                           : issued.bank == next.bank && (next.command == activate ||
                                                                                          next.command == refresh_bank);
            earliest = std::max(earliest, concerned ? issued.closes + gap_of(s, precharge, next.command, s.t_rp) : 0);
        }
        if ((issued.command == activate || issued.command == refresh_bank) && issued.bank / s.banks() == rank) {
            activates.push_back(issued.cycle);
        }
    }
    if ((next.command == activate || next.command == refresh_bank) && activates.size() >= 4) {
        earliest = std::max(earliest, activates[activates.size() - 4] + s.t_faw);
    }
    return earliest;
}

/// When the row of a bank that is to close by itself may be closed.
std::uint64_t closing_cycle(const S& s, const std::deque<Issued>& history, std::uint32_t bank) {
    std::uint64_t cycle = 0;
    for (const Issued& issued : history) {
        const bool of_bank = issued.bank == bank && (issued.command == activate || is_column(issued.command));
        const Issued alone{issued.command, bank, issued.cycle};
        // Only the bank's own rules, not the slots.
        const std::int64_t edges = issued.command == activate ? s.t_ras
                                   : issued.command == read || issued.command == read_precharge
                                       ? s.t_rtp
                                       : s.wl + s.burst + s.t_wr;
        cycle = std::max(
            cycle,
            of_bank ? alone.cycle + static_cast<std::uint64_t>(edges + lag(s, issued.command) - lag(s, precharge)) : 0);
    }
    return cycle;
}

// Any sequence of commands, in random variants of the table in which every rule gets its turn.
TEST(DramBankState, AgreesWithThePairwiseRulesOnRandomCommands) {
    std::mt19937_64 random(3);
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    const std::vector<std::string> names = dram_standard_names();
    for (int variant = 0; variant < 60; ++variant) {
        S s = *find_dram_standard(names[below(names.size())]);
        for (std::uint32_t S::*const parameter :
             {&S::burst,        &S::rl,         &S::wl,      &S::bus_turnaround, &S::t_rcd_read,     &S::t_rcd_write,
              &S::t_rp,         &S::t_rp_all,   &S::t_ras,   &S::t_rc,           &S::t_rrd_s,        &S::t_rrd_l,
              &S::t_faw,        &S::t_ppd,      &S::t_ccd_s, &S::t_ccd_l,        &S::t_ccd_l_write,  &S::t_wr,
              &S::t_wtr_s,      &S::t_wtr_l,    &S::t_rtp,   &S::t_rrefd,        &S::activate_slots, &S::row_slots,
              &S::column_slots, &S::rank_switch}) {
            s.*parameter = static_cast<std::uint32_t>(4 + below(30));
        }
        s.activate_slots = static_cast<std::uint32_t>(1 + below(4));
        s.row_slots = static_cast<std::uint32_t>(1 + below(3));
        s.column_slots = static_cast<std::uint32_t>(1 + below(4));
        s.separate_buses = below(2) == 0;
        s.rl += s.wl;  // keeps the read-to-write turnaround positive
        const auto rank_count = std::min(1U << below(3), 64 / s.banks());
        DramBankState banks(s, rank_count, density);
        std::deque<Issued> history;
        int issued = 0;
        while (issued < 1500) {
            const Step next{static_cast<DramCommand>(below(below(8) == 0 ? 9 : 4)),
                            static_cast<std::uint32_t>(below(std::uint64_t{s.banks()} * rank_count))};
            std::uint64_t earliest = banks.earliest(next.command, next.bank);
            if (earliest == DramBankState::never) {
                continue;
            }
            earliest = std::max(earliest, history.empty() ? 0 : history.back().cycle);  // time goes on
            ASSERT_EQ(earliest, earliest_by_history(s, history, banks, next))
                << "command " << static_cast<int>(next.command) << " of bank " << next.bank << " after " << issued
                << " in variant " << variant;
            const std::uint64_t cycle = earliest + (below(4) == 0 ? below(40) : 0);
            banks.issue(next.command, next.bank, cycle);
            history.push_back({next.command, next.bank, cycle});
            if (next.command == read_precharge || next.command == write_precharge) {
                history.back().closes = closing_cycle(s, history, next.bank);
            }
            if (history.size() > 250) {
                history.pop_front();
            }
            ++issued;
        }
    }
}

}  // namespace
}  // namespace nibble
