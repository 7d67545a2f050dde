// SPDX-License-Identifier: MIT
#include "sim/base/units.h"

#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>

#include <gtest/gtest.h>

namespace nibble {
namespace {

__extension__ using Wide = unsigned __int128;

TEST(Quantity, LikeKindsAddAndCompare) {
    Cycles cycles(5);
    cycles += Cycles(3);
    cycles -= Cycles(1);
    EXPECT_EQ(cycles, Cycles(7));
    EXPECT_EQ(Cycles(2) + Cycles(3), Cycles(5));
    EXPECT_EQ(Cycles(9) - Cycles(3), Cycles(6));
    EXPECT_EQ(Cycles(4) * 3, Cycles(12));
    EXPECT_LT(Cycles(1), Cycles(2));
    EXPECT_EQ(Cycles().count(), 0U);
    EXPECT_DOUBLE_EQ((Picojoules(1.5) + Picojoules(0.25)).count(), 1.75);
}

TEST(Quantity, KindsDoNotMix) {
    EXPECT_FALSE((std::is_convertible_v<std::uint64_t, Cycles>));
    EXPECT_FALSE((std::is_convertible_v<Bytes, Bits>));
    EXPECT_FALSE((std::is_constructible_v<Bytes, Bits>));
    EXPECT_FALSE((std::is_convertible_v<Cycles, std::uint64_t>));
}

TEST(CeilDiv, RoundsUpWithoutOverflow) {
    EXPECT_EQ(ceil_div(0, 7), 0U);
    EXPECT_EQ(ceil_div(1, 7), 1U);
    EXPECT_EQ(ceil_div(7, 7), 1U);
    EXPECT_EQ(ceil_div(8, 7), 2U);
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(ceil_div(most, 2), most / 2 + 1);
    EXPECT_EQ(ceil_div(most, most), 1U);
}

TEST(RoundUp, FindsTheNextMultiple) {
    EXPECT_EQ(round_up(0, 64), 0U);
    EXPECT_EQ(round_up(1, 64), 64U);
    EXPECT_EQ(round_up(64, 64), 64U);
    EXPECT_EQ(round_up(65, 64), 128U);
    EXPECT_EQ(round_up(7, 3), 9U);
}

TEST(Scaled, IsTheExactQuotientRoundedDown) {
    std::mt19937_64 random(51);
    for (int i = 0; i < 10000; ++i) {
        const std::uint64_t value = random() >> (random() % 40 + 22U);
        const std::uint64_t numerator = random() % 4000 + 1;
        const std::uint64_t denominator = random() % 4000 + 1;
        const Wide exact = static_cast<Wide>(value) * numerator / denominator;
        EXPECT_EQ(scaled(value, numerator, denominator), static_cast<std::uint64_t>(exact));
    }
    // 10^18 cycles of 1429 ps in cycles of 1250 ps: 1429 * 10^18 does not fit 64 bits.
    EXPECT_EQ(scaled(1'000'000'000'000'000'000, 1429, 1250), 1'143'200'000'000'000'000U);
}

TEST(BytesFor, RoundsUp) {
    EXPECT_EQ(bytes_for(Bits(0)), Bytes(0));
    EXPECT_EQ(bytes_for(Bits(4)), Bytes(1));
    EXPECT_EQ(bytes_for(Bits(8)), Bytes(1));
    EXPECT_EQ(bytes_for(Bits(5 * 5)), Bytes(4));
}

TEST(TransferCycles, RoundsUp) {
    EXPECT_EQ(transfer_cycles(Bytes(0), Bytes(32)), Cycles(0));
    EXPECT_EQ(transfer_cycles(Bytes(32), Bytes(32)), Cycles(1));
    EXPECT_EQ(transfer_cycles(Bytes(33), Bytes(32)), Cycles(2));
}

}  // namespace
}  // namespace nibble
