// SPDX-License-Identifier: MIT
#include "models/dram/dram_standard.h"

#include <bit>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dram/dram_params.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

TEST(DramStandard, IsFoundByName) {
    for (const std::string& name : dram_standard_names()) {
        ASSERT_NE(find_dram_standard(name), nullptr) << name;
        EXPECT_EQ(find_dram_standard(name)->name, name);
    }
    EXPECT_EQ(find_dram_standard("LPDDR5"), nullptr);
}

// A copied table can be wrong in ways that a rule of physics or of the standard forbids.
TEST(DramStandard, EveryRowIsConsistent) {
    for (const std::string& name : dram_standard_names()) {
        SCOPED_TRACE(name);
        const DramStandard& s = *find_dram_standard(name);
        EXPECT_FALSE(s.source.empty());
        for (const std::uint32_t count : {s.bank_groups, s.banks_per_group, s.row_bytes, s.burst_bytes()}) {
            EXPECT_TRUE(std::has_single_bit(count)) << count;
        }
        EXPECT_LE(s.banks() * s.typical_ranks, 64U);
        EXPECT_GE(s.t_rc, s.t_ras + s.t_rp);
        EXPECT_GE(s.t_rp_all, s.t_rp);
        EXPECT_GE(s.t_ras, s.t_rcd_read);
        EXPECT_GE(s.t_faw, 3 * s.t_rrd_s);
        EXPECT_GE(s.t_ccd_s, s.burst) << "bursts would overlap on the data bus";
        EXPECT_GE(s.t_ccd_s, s.column_slots) << "commands would overlap on the command bus";
        EXPECT_GE(s.t_ccd_l, s.t_ccd_s);
        EXPECT_GE(s.t_ccd_l_write, s.t_ccd_s);
        EXPECT_GE(s.t_rrd_l, s.t_rrd_s);
        EXPECT_GE(s.t_wtr_l, s.t_wtr_s);
        EXPECT_GE(s.rl + s.burst + s.bus_turnaround, s.wl);
        // A burst moves burst_length beats; 2 beats a cycle of a clock at half the data rate, 8 of LPDDR5's.
        EXPECT_EQ(s.burst_length % s.burst, 0U);
        // A command counts from one of its own slots; a pseudo-channel's slots are doubled.
        EXPECT_LT(s.activate_lag, s.activate_slots);
        EXPECT_LT(s.row_lag, s.row_slots);
        EXPECT_LT(s.column_lag, s.column_slots);
        EXPECT_EQ(s.has_power_down(), s.t_cke != 0);
        EXPECT_EQ(s.has_bank_refresh(), s.t_rrefd != 0);
        std::uint64_t capacity = 0;
        for (const DramDensity& density : s.densities) {
            EXPECT_GT(density.capacity_bytes, capacity);
            EXPECT_LT(density.t_rfc, s.t_refi);
            EXPECT_EQ(s.has_bank_refresh(), density.t_rfc_bank != 0);
            EXPECT_LE(density.t_rfc_bank, density.t_rfc + 60) << "of small devices REFpb takes longer";
            if (s.has_bank_refresh()) {
                EXPECT_LT(density.t_pbr2pbr, s.t_refi_bank);
            }
            capacity = density.capacity_bytes;
        }
        if (s.has_bank_refresh()) {
            // Every bank once in tREFI, up to rounding.
            EXPECT_NEAR(s.t_refi_bank * s.banks(), s.t_refi, s.banks());
        }
        if (s.has_power_down()) {
            EXPECT_LT(s.t_cke + s.t_xp, s.has_bank_refresh() ? s.t_refi_bank : s.t_refi);
        }
    }
}

// The name says the data rate in MT/s; a rounded clock period may change it by 0.2%.
TEST(DramStandard, EveryRowMovesItsDataRate) {
    for (const std::string& name : dram_standard_names()) {
        const DramStandard& s = *find_dram_standard(name);
        const double rate = std::stod(name.substr(name.find('-') + 1));
        const double transfers_per_us = 1e6 * s.burst_length / (s.burst * static_cast<double>(s.clock_period_ps));
        EXPECT_NEAR(transfers_per_us, rate, 0.002 * rate) << name;
    }
    EXPECT_EQ(find_dram_standard("LPDDR5-6400")->burst_bytes(), 32U);
    EXPECT_EQ(find_dram_standard("DDR4-3200")->burst_bytes(), 64U);
    EXPECT_EQ(find_dram_standard("HBM2-2000")->burst_bytes(), 32U);
}

TEST(DramStandard, NanosecondsAreRoundedUpToCycles) {
    const auto covers = [](const DramStandard& s, std::uint32_t cycles, std::uint32_t time_ps) {
        return cycles * s.clock_period_ps >= time_ps && (cycles - 1) * s.clock_period_ps < time_ps;
    };
    const DramStandard& lpddr5 = *find_dram_standard("LPDDR5-6400");
    EXPECT_TRUE(covers(lpddr5, lpddr5.t_rrd_s, 5'000));
    EXPECT_TRUE(covers(lpddr5, lpddr5.t_faw, 20'000));
    EXPECT_TRUE(covers(lpddr5, lpddr5.t_refi, 3'906'000));
    EXPECT_TRUE(covers(lpddr5, lpddr5.density(std::uint64_t{1} << 30).t_rfc, 210'000));  // 8 Gbit
    EXPECT_TRUE(covers(lpddr5, lpddr5.density(std::uint64_t{2} << 30).t_rfc, 280'000));  // 16 Gbit
    EXPECT_TRUE(covers(lpddr5, lpddr5.density(std::uint64_t{2} << 30).t_rfc_bank, 140'000));
    const DramStandard& hbm3 = *find_dram_standard("HBM3-6400");
    EXPECT_TRUE(covers(hbm3, hbm3.t_refi, 3'900'000));
    EXPECT_TRUE(covers(hbm3, hbm3.t_rrefd, 8'000));
    const DramStandard& ddr4 = *find_dram_standard("DDR4-3200");
    EXPECT_TRUE(covers(ddr4, ddr4.density(std::uint64_t{8} << 30).t_rfc, 350'000));  // 8 Gbit x 8
    EXPECT_TRUE(covers(ddr4, ddr4.t_refi, 7'800'000));
}

TEST(DramStandard, RefreshTimeIsThatOfTheSmallestDensityThatHoldsTheRank) {
    const DramStandard& s = *find_dram_standard("LPDDR5-6400");
    const DramDensity& first = s.densities[0];
    const DramDensity& second = s.densities[1];
    EXPECT_EQ(s.density(first.capacity_bytes).t_rfc, first.t_rfc);
    EXPECT_EQ(s.density(first.capacity_bytes + 1).t_rfc, second.t_rfc);
    EXPECT_THROW((void)s.density(s.max_rank_bytes() + 1), ModelError);
}

TEST(DramParameters, EveryTypicalSystemIsSound) {
    for (const std::string& name : dram_standard_names()) {
        const DramParameters parameters = typical_dram(name);
        EXPECT_EQ(parameters.standard, name);
        EXPECT_THAT(dram_parameter_problems(parameters), testing::IsEmpty());
    }
    EXPECT_EQ(typical_dram("DDR4-2400").ranks, 2U);
    EXPECT_EQ(typical_dram("DDR4-2400").capacity_bytes_per_channel, std::uint64_t{16} << 30);
    // The defaults of the struct are a typical system, too.
    const DramParameters lpddr5 = typical_dram("LPDDR5-6400");
    EXPECT_EQ(lpddr5.channels, DramParameters{}.channels);
    EXPECT_EQ(lpddr5.ranks, DramParameters{}.ranks);
    EXPECT_EQ(lpddr5.capacity_bytes_per_channel, DramParameters{}.capacity_bytes_per_channel);
    EXPECT_THROW((void)typical_dram("DDR9"), ModelError);
}

TEST(DramParameters, PagePoliciesAreReadAndWritten) {
    for (const char* text : {"open", "closed", "timeout:1", "timeout:4000000000"}) {
        DramParameters parameters;
        EXPECT_EQ(set_page_policy(parameters, text), "");
        EXPECT_EQ(page_policy_text(parameters), text);
        EXPECT_THAT(dram_parameter_problems(parameters), testing::IsEmpty());
    }
    DramParameters parameters;
    EXPECT_EQ(set_page_policy(parameters, "clsed"),
              "expected open, closed or timeout:N, found 'clsed' (did you mean 'closed'?)");
    for (const char* text : {"timeout:", "timeout:0", "timeout:-1", "timeout:5x", "timeout:4294967296"}) {
        EXPECT_EQ(set_page_policy(parameters, text),
                  "expected timeout:N with N cycles, at least 1, found '" + std::string(text) + "'");
    }
    EXPECT_EQ(page_policy_text(parameters), "open") << "unchanged";
}

TEST(DramParameters, DefaultsAreSound) {
    EXPECT_THAT(dram_parameter_problems(DramParameters{}), testing::IsEmpty());
}

TEST(DramParameters, EachMistakeIsNamed) {
    const auto problem = [](auto change) {
        DramParameters parameters;
        change(parameters);
        const std::vector<std::string> problems = dram_parameter_problems(parameters);
        return problems.size() == 1 ? problems.front() : std::string("not one problem");
    };
    using P = DramParameters;
    EXPECT_EQ(problem([](P& p) { p.standard = "LPDDR5-640"; }),
              "standard: 'LPDDR5-640' is not a known DRAM standard (did you mean 'LPDDR5-6400'?)");
    EXPECT_EQ(problem([](P& p) { p.channels = 0; }), "channels: expected 1 to 1024, got 0");
    // 16 banks of 2 KB rows; 32 Gbit.
    EXPECT_EQ(problem([](P& p) { p.capacity_bytes_per_channel += 256; }),
              "capacity_bytes_per_channel: expected a multiple of 32768 up to 4294967296 for LPDDR5-6400, got "
              "2147483904");
    EXPECT_EQ(problem([](P& p) { p.channel_interleave_bytes = 96; }),
              "channel_interleave_bytes: expected a power of two of at least 64 that divides the capacity of a "
              "channel, got 96");
    // 4096 bytes can straddle two rows in each of four bank groups.
    EXPECT_EQ(problem([](P& p) {
                  p.write_queue_entries = 7;
                  p.write_high_watermark = 6;
                  p.write_low_watermark = 2;
              }),
              "write_queue_entries: expected 8 (one request of 4096 bytes) to 65536, got 7");
    EXPECT_EQ(problem([](P& p) { p.read_queue_entries = 7; }),
              "read_queue_entries: expected 8 (one request of 4096 bytes) to 65536, got 7");
    EXPECT_EQ(problem([](P& p) { p.write_high_watermark = 65; }),
              "write_high_watermark: expected 1 to write_queue_entries = 64, got 65");
    EXPECT_EQ(problem([](P& p) { p.write_low_watermark = 48; }),
              "write_low_watermark: expected less than write_high_watermark = 48, got 48");
    EXPECT_EQ(problem([](P& p) { p.ranks = 3; }), "ranks: expected a power of two up to 4 for LPDDR5-6400, got 3");
    EXPECT_EQ(problem([](P& p) {
                  p = typical_dram("DDR5-4800");
                  p.ranks = 4;
              }),
              "ranks: expected a power of two up to 2 for DDR5-4800, got 4");
    EXPECT_EQ(problem([](P& p) {
                  p = typical_dram("DDR4-2400");
                  p.capacity_bytes_per_channel *= 4;
              }),
              "capacity_bytes_per_channel: expected a multiple of 262144 up to 34359738368 for DDR4-2400 with 2 ranks, "
              "got 68719476736");
    EXPECT_EQ(problem([](P& p) { p.address_mapping = "permutted"; }),
              "address_mapping: expected permuted or each of ro, ch, ra, ba, bg, co once, the most significant first, "
              "joined by '-', got 'permutted' (did you mean 'permuted'?)");
    EXPECT_EQ(problem([](P& p) { p.address_mapping = "co-ch-ra-ba-bg-ro"; }), "not one problem") << "both queues";
    EXPECT_EQ(problem([](P& p) {
                  p = typical_dram("DDR4-2400");
                  p.refresh = RefreshMode::per_bank;
              }),
              "refresh: DDR4-2400 has no per-bank refresh");
    EXPECT_EQ(problem([](P& p) {
                  p = typical_dram("HBM3-6400");
                  p.power_down = true;
              }),
              "power_down: no source states the power-down times of HBM3-6400");
    EXPECT_EQ(problem([](P& p) { p.page_policy = PagePolicy::timeout; }),
              "page_policy: a timeout takes at least 1 cycle");
    EXPECT_EQ(problem([](P& p) { p.page_timeout_cycles = 5; }), "page_policy: open has no timeout");
    EXPECT_EQ(problem([](P& p) { p.age_cap_bursts = 0; }), "age_cap_bursts: expected at least 1, got 0");
}

}  // namespace
}  // namespace nibble
