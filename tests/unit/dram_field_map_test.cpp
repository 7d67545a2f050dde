// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dram/field_map.h"

namespace nibble {
namespace {

FieldMap map_of(const DramParameters& parameters, std::string_view order) {
    return {*find_dram_standard(parameters.standard), parameters, parse_field_order(order).value()};
}

TEST(FieldOrder, NamesTheFieldsFromTheTop) {
    using enum DramField;
    EXPECT_EQ(parse_field_order("ro-ch-ra-ba-bg-co"), (FieldOrder{row, channel, rank, bank, bank_group, column}));
    EXPECT_EQ(parse_field_order("co-bg-ro-ra-ch-ba"), (FieldOrder{column, bank_group, row, rank, channel, bank}));
    for (const char* wrong :
         {"", "ro", "ro-ch-ra-ba-bg", "ro-ch-ra-ba-bg-co-", "ro-ch-ra-ba-bg-co-co", "ro-ch-ra-ba-bg-bg",
          "-ro-ch-ra-ba-bg-co", "ro-ch-ra-ba-bg-xx", "rochrababgco", "RO-CH-RA-BA-BG-CO"}) {
        EXPECT_FALSE(parse_field_order(wrong)) << wrong;
    }
}

TEST(FieldOrder, ProblemsProposeTheNearestMapping) {
    EXPECT_EQ(address_mapping_problem("permuted"), "");
    EXPECT_EQ(address_mapping_problem("bg-ro-ch-ra-ba-co"), "");
    EXPECT_EQ(
        address_mapping_problem("ro-ch-ra-ba-bg-cl"),
        "expected permuted or each of ro, ch, ra, ba, bg, co once, the most significant first, joined by '-', got "
        "'ro-ch-ra-ba-bg-cl' (did you mean 'ro-ch-ra-ba-bg-co'?)");
    EXPECT_THAT(address_mapping_problem("ro_ch_ra_ba_bg_co"), testing::HasSubstr("did you mean 'ro-ch-ra-ba-bg-co'?"));
    EXPECT_THAT(address_mapping_problem("permutd"), testing::HasSubstr("did you mean 'permuted'?"));
    EXPECT_THAT(address_mapping_problem("row"), testing::Not(testing::HasSubstr("did you mean")));
}

// 64-byte bursts, 128 to a row: bits 0-5 a burst, 6-12 co, 13-14 bg, 15-16 ba, 17 ra, none for ch, 18-33 ro.
TEST(FieldMap, Ddr4OfTwoRanksHasTheBitsOfItsFields) {
    DramParameters parameters = typical_dram("DDR4-2400");
    parameters.channels = 1;
    const FieldMap map = map_of(parameters, "ro-ch-ra-ba-bg-co");
    const auto at = [](std::uint32_t rank, std::uint32_t group, std::uint32_t bank, std::uint32_t row,
                       std::uint32_t column) {
        return DramLocation{0, rank * 16 + group * 4 + bank, row, column};
    };
    EXPECT_EQ(map.locate(63), at(0, 0, 0, 0, 63));
    EXPECT_EQ(map.locate(std::uint64_t{1} << 6), at(0, 0, 0, 0, 64));
    EXPECT_EQ(map.locate(std::uint64_t{1} << 12), at(0, 0, 0, 0, 4096));
    EXPECT_EQ(map.locate(std::uint64_t{1} << 13), at(0, 1, 0, 0, 0));
    EXPECT_EQ(map.locate(std::uint64_t{1} << 15), at(0, 0, 1, 0, 0));
    EXPECT_EQ(map.locate(std::uint64_t{1} << 17), at(1, 0, 0, 0, 0));
    EXPECT_EQ(map.locate(std::uint64_t{1} << 18), at(0, 0, 0, 1, 0));
    EXPECT_EQ(map.locate((std::uint64_t{1} << 34) - 1), at(1, 3, 3, 65535, 8191));
}

// 32-byte bursts, 32 to a row: bits 0-4 a burst, 5-9 co, 10-13 ch (16 pseudo-channels), 14-15 ba, 16-17 bg, 18- ro.
TEST(FieldMap, Hbm2HasTheBitsOfItsFields) {
    const FieldMap map = map_of(typical_dram("HBM2-2000"), "ro-ra-bg-ba-ch-co");
    EXPECT_EQ(map.locate(1U << 5), (DramLocation{0, 0, 0, 32}));
    EXPECT_EQ(map.locate(1U << 10), (DramLocation{1, 0, 0, 0}));
    EXPECT_EQ(map.locate(1U << 14), (DramLocation{0, 1, 0, 0}));
    EXPECT_EQ(map.locate(1U << 16), (DramLocation{0, 4, 0, 0}));
    EXPECT_EQ(map.locate(1U << 18), (DramLocation{0, 0, 1, 0}));
}

// Also with numbers of channels and rows that are no powers of two.
TEST(FieldMap, EveryOrderGivesEveryBurstAPlaceOfItsOwn) {
    DramParameters parameters = typical_dram("LPDDR4-3200");
    const DramStandard& standard = *find_dram_standard(parameters.standard);
    constexpr std::uint64_t rows = 3;
    parameters.channels = 3;
    parameters.ranks = 2;
    const std::uint64_t banks = std::uint64_t{standard.banks()} * parameters.ranks;
    parameters.capacity_bytes_per_channel = rows * banks * standard.row_bytes;
    const std::uint64_t bursts_of_row = standard.row_bytes / standard.burst_bytes();
    const std::uint64_t bursts = parameters.channels * banks * rows * bursts_of_row;

    std::array<std::string_view, dram_field_count> fields = dram_field_names;
    std::ranges::sort(fields);
    int orders = 0;
    do {
        const FieldMap map = map_of(parameters, fmt::format("{}", fmt::join(fields, "-")));
        std::vector<bool> seen(bursts);
        for (std::uint64_t burst = 0; burst < bursts; ++burst) {
            const DramLocation at = map.locate(burst * standard.burst_bytes());
            ASSERT_TRUE(at.channel < parameters.channels && at.bank < banks && at.row < rows &&
                        at.column < standard.row_bytes && at.column % standard.burst_bytes() == 0);
            const std::uint64_t place =
                ((at.channel * banks + at.bank) * rows + at.row) * bursts_of_row + at.column / standard.burst_bytes();
            ASSERT_FALSE(seen[place]) << fmt::format("{}", fmt::join(fields, "-"));
            seen[place] = true;
        }
        ++orders;
    } while (std::ranges::next_permutation(fields).found);
    EXPECT_EQ(orders, 720);
}

TEST(FieldMap, BoundsTheRunsOfARequest) {
    DramParameters parameters = typical_dram("DDR4-2400");
    const auto runs = [&](std::string_view order) { return map_of(parameters, order).max_runs_per_channel(); };
    // 4096 bytes touch 65 bursts of 64 bytes, a row has 128.
    EXPECT_EQ(runs("ro-ch-ra-ba-bg-co"), 2U) << "from one row to the next";
    EXPECT_EQ(runs("ro-ch-ra-ba-co-bg"), 8U) << "two rows in four bank groups";
    EXPECT_EQ(runs("ro-ch-ra-co-ba-bg"), 32U) << "two rows in sixteen banks";
    EXPECT_EQ(runs("ro-ba-bg-ra-co-ch"), 2U) << "channels have rows of their own";
    EXPECT_EQ(runs("co-ch-ra-ba-bg-ro"), 65U) << "a row a burst";
}

}  // namespace
}  // namespace nibble
