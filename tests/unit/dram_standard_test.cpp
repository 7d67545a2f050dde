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
        for (const std::uint32_t count : {s.bank_groups, s.banks_per_group, s.row_bytes, s.burst_bytes()}) {
            EXPECT_TRUE(std::has_single_bit(count)) << count;
        }
        EXPECT_LE(s.banks(), 64U);
        EXPECT_GE(s.t_rc, s.t_ras + s.t_rp);
        EXPECT_GE(s.t_rp_all, s.t_rp);
        EXPECT_GE(s.t_ras, s.t_rcd_read);
        EXPECT_GE(s.t_ccd_s, s.burst) << "bursts would overlap on the data bus";
        EXPECT_GE(s.t_ccd_l, s.t_ccd_s);
        EXPECT_GE(s.t_rrd_l, s.t_rrd_s);
        EXPECT_GE(s.t_wtr_l, s.t_wtr_s);
        EXPECT_GE(s.rl + s.burst + s.bus_turnaround, s.wl);
        std::uint64_t capacity = 0;
        for (const DramDensity& density : s.densities) {
            EXPECT_GT(density.capacity_bytes, capacity);
            EXPECT_LT(density.t_rfc, s.t_refi);
            capacity = density.capacity_bytes;
        }
    }
}

TEST(DramStandard, Lpddr5MovesItsDataRate) {
    const DramStandard& s = *find_dram_standard("LPDDR5-6400");
    // 16 bits x 6400 MT/s / 8 bits = 12800 bytes a microsecond.
    EXPECT_EQ(s.burst_bytes() / s.burst * 1'000'000 / s.clock_period_ps, 16 * 6400 / 8);
    EXPECT_EQ(s.burst_bytes(), 32U);
}

TEST(DramStandard, NanosecondsAreRoundedUpToCycles) {
    const DramStandard& s = *find_dram_standard("LPDDR5-6400");
    const auto covers = [&](std::uint32_t cycles, std::uint32_t time_ps) {
        return cycles * s.clock_period_ps >= time_ps && (cycles - 1) * s.clock_period_ps < time_ps;
    };
    EXPECT_TRUE(covers(s.t_rrd_s, 5'000));
    EXPECT_TRUE(covers(s.t_faw, 20'000));
    EXPECT_TRUE(covers(s.t_refi, 3'906'000));
    EXPECT_TRUE(covers(s.t_rfc(std::uint64_t{1} << 30), 210'000));  // 8 Gbit
    EXPECT_TRUE(covers(s.t_rfc(std::uint64_t{2} << 30), 280'000));  // 16 Gbit
}

TEST(DramStandard, RefreshTimeIsThatOfTheSmallestDensityThatHoldsTheChannel) {
    const DramStandard& s = *find_dram_standard("LPDDR5-6400");
    const DramDensity& first = s.densities[0];
    const DramDensity& second = s.densities[1];
    EXPECT_EQ(s.t_rfc(first.capacity_bytes), first.t_rfc);
    EXPECT_EQ(s.t_rfc(first.capacity_bytes + 1), second.t_rfc);
    EXPECT_THROW((void)s.t_rfc(s.max_capacity_bytes() + 1), ModelError);
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
    EXPECT_EQ(problem([](P& p) { p.write_low_watermark = 32; }),
              "write_low_watermark: expected less than write_high_watermark = 32, got 32");
    EXPECT_EQ(problem([](P& p) { p.age_cap_bursts = 0; }), "age_cap_bursts: expected at least 1, got 0");
}

}  // namespace
}  // namespace nibble
