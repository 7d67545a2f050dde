// SPDX-License-Identifier: MIT
#include <map>
#include <random>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "models/dram/address_map.h"

namespace nibble {
namespace {

/// Channels, interleave, ranks, standard, mapping.
using MapCase = std::tuple<std::uint32_t, std::uint64_t, std::uint32_t, const char*, const char*>;

class DramAddressMap : public testing::TestWithParam<MapCase> {
protected:
    DramAddressMap() {
        parameters_.channels = std::get<0>(GetParam());
        parameters_.channel_interleave_bytes = std::get<1>(GetParam());
        parameters_.ranks = std::get<2>(GetParam());
        parameters_.standard = std::get<3>(GetParam());
        parameters_.address_mapping = std::get<4>(GetParam());
        parameters_.capacity_bytes_per_channel = std::uint64_t{8} * banks() * standard_.row_bytes;
    }

    [[nodiscard]] std::uint32_t banks() const { return standard_.banks() * parameters_.ranks; }

    const DramStandard& standard_ = *find_dram_standard(std::get<3>(GetParam()));
    DramParameters parameters_;
};

TEST_P(DramAddressMap, GivesEveryBurstAPlaceOfItsOwn) {
    const AddressMap map(standard_, parameters_);
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>> places;
    for (std::uint64_t address = 0; address < map.capacity_bytes(); address += standard_.burst_bytes()) {
        const DramLocation at = map.locate(address);
        ASSERT_LT(at.channel, parameters_.channels);
        ASSERT_LT(at.bank, banks());
        ASSERT_LT(at.row, 8U);
        ASSERT_LT(at.column, standard_.row_bytes);
        ASSERT_EQ(at.column % standard_.burst_bytes(), 0U);
        places.insert({at.channel, at.bank, at.row, at.column});
    }
    EXPECT_EQ(places.size(), map.capacity_bytes() / standard_.burst_bytes());
}

TEST_P(DramAddressMap, SplitsIntoTheBurstsThatLocateNames) {
    const AddressMap map(standard_, parameters_);
    std::mt19937_64 random(7);
    for (int round = 0; round < 2000; ++round) {
        const auto bytes = static_cast<std::uint32_t>(random() % max_dram_request_bytes + 1);
        const std::uint64_t address = random() % (map.capacity_bytes() - bytes + 1);
        using RowOfBank = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
        std::map<RowOfBank, std::set<std::uint32_t>> expected;
        for (std::uint64_t byte = address; byte < address + bytes; ++byte) {
            const DramLocation at = map.locate(byte);
            expected[{at.channel, at.bank, at.row}].insert(at.column / standard_.burst_bytes());
        }
        std::vector<DramRun> runs;
        map.split(address, bytes, runs);
        ASSERT_EQ(runs.size(), expected.size()) << address << " + " << bytes;
        std::map<std::uint32_t, std::uint32_t> runs_of_channel;
        for (const DramRun& run : runs) {
            ASSERT_EQ(run.bursts, expected.at({run.channel, run.bank, run.row}).size()) << address << " + " << bytes;
            ASSERT_LE(++runs_of_channel[run.channel], map.max_runs_per_channel());
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Permuted, DramAddressMap,
                         testing::Combine(testing::Values(1, 2, 3, 4, 12), testing::Values(64, 256, 4096),
                                          testing::Values(1), testing::Values("LPDDR5-6400"),
                                          testing::Values("permuted")));
INSTANTIATE_TEST_SUITE_P(Ranks, DramAddressMap,
                         testing::Combine(testing::Values(3), testing::Values(256), testing::Values(2),
                                          testing::Values("DDR4-2400", "DDR5-4800", "LPDDR4-3200", "HBM2-2000"),
                                          testing::Values("permuted", "ro-ch-ra-ba-bg-co", "ch-ra-ro-co-ba-bg",
                                                          "co-ba-bg-ra-ch-ro")));

class DefaultDramAddressMap : public testing::Test {
protected:
    const DramStandard& standard_ = *find_dram_standard("LPDDR5-6400");
    DramParameters parameters_;
    AddressMap map_{standard_, parameters_};
};

TEST_F(DefaultDramAddressMap, KeepsASmallRequestInOneBank) {
    std::vector<DramRun> runs;
    map_.split(AddressMap::line_bytes * 5, AddressMap::line_bytes, runs);
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(runs[0].bursts, AddressMap::line_bytes / standard_.burst_bytes());
}

TEST_F(DefaultDramAddressMap, StepsThroughTheBankGroupsFirst) {
    std::set<std::uint32_t> groups;
    for (std::uint32_t line = 0; line < standard_.bank_groups; ++line) {
        groups.insert(map_.locate(line * AddressMap::line_bytes).bank / standard_.banks_per_group);
    }
    EXPECT_EQ(groups.size(), standard_.bank_groups);
}

// 64 accesses a power of two apart must not all meet one channel, nor one bank of it: a plain map would leave one of
// four channels, or one of sixteen banks, for most of these strides.
TEST_F(DefaultDramAddressMap, SpreadsStridesOfPowersOfTwo) {
    for (std::uint64_t stride = 1024; stride <= map_.capacity_bytes() / 64; stride *= 2) {
        std::map<std::uint32_t, int> accesses;
        std::set<std::tuple<std::uint32_t, std::uint32_t>> banks;
        for (std::uint64_t i = 0; i < 64; ++i) {
            const DramLocation at = map_.locate(i * stride);
            ++accesses[at.channel];
            banks.insert({at.channel, at.bank});
        }
        EXPECT_EQ(accesses.size(), parameters_.channels) << stride;
        for (const auto& [channel, count] : accesses) {
            EXPECT_LE(count, 64 / 2) << "channel " << channel << " at stride " << stride;
        }
        EXPECT_GE(banks.size(), 8U) << stride;
    }
}

}  // namespace
}  // namespace nibble
