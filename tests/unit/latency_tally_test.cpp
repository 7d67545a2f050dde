// SPDX-License-Identifier: MIT
#include "sim/memtest/latency_tally.h"

#include <gtest/gtest.h>

namespace nibble {
namespace {

TEST(LatencyTallyTest, NothingHasNoLatency) {
    const LatencyTally tally;
    EXPECT_EQ(tally.count(), 0U);
    EXPECT_EQ(tally.mean(), 0);
    EXPECT_EQ(tally.percentile(50), 0U);
    EXPECT_EQ(tally.longest(), 0U);
}

TEST(LatencyTallyTest, PercentilesAreExact) {
    // 1, 2, ..., 100, each once and in no order: p percent of a hundred do not exceed p.
    LatencyTally tally;
    for (std::uint64_t i = 0; i < 100; ++i) {
        tally.add(i * 37 % 100 + 1);
    }
    EXPECT_EQ(tally.count(), 100U);
    EXPECT_DOUBLE_EQ(tally.mean(), 50.5);
    EXPECT_EQ(tally.percentile(50), 50U);
    EXPECT_EQ(tally.percentile(90), 90U);
    EXPECT_EQ(tally.percentile(99), 99U);
    EXPECT_EQ(tally.percentile(99.5), 100U);
    EXPECT_EQ(tally.percentile(0.5), 1U);
    EXPECT_EQ(tally.longest(), 100U);
}

TEST(LatencyTallyTest, RareLatenciesDoNotMoveTheMedian) {
    LatencyTally tally;
    for (int i = 0; i < 99; ++i) {
        tally.add(40);
    }
    tally.add(1'000'000'000'000);
    EXPECT_EQ(tally.percentile(50), 40U);
    EXPECT_EQ(tally.percentile(99), 40U);
    EXPECT_EQ(tally.longest(), 1'000'000'000'000U);
    EXPECT_DOUBLE_EQ(tally.mean(), (99 * 40 + 1e12) / 100);
}

}  // namespace
}  // namespace nibble
