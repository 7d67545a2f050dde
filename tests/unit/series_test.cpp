// SPDX-License-Identifier: MIT
#include "sim/counters/series.h"

#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nibble {
namespace {

std::uint64_t cycles_in(const Series& series, std::size_t bucket) {
    return series.buckets[bucket].counters[index_of(Counter::cycles)];
}

TEST(Series, SpreadsInProportionAndLosesNothing) {
    SeriesRecorder recorder;
    recorder.add(Counter::cycles, 1, 4, 10);  // 10/3, 20/3 and 10, rounded down: 3, 6 and 10
    ASSERT_EQ(recorder.bucket_cycles(), 1U);
    ASSERT_EQ(recorder.series().buckets.size(), 4U);
    EXPECT_EQ(cycles_in(recorder.series(), 0), 0U);
    EXPECT_EQ(cycles_in(recorder.series(), 1), 3U);
    EXPECT_EQ(cycles_in(recorder.series(), 2), 3U);
    EXPECT_EQ(cycles_in(recorder.series(), 3), 4U);
}

TEST(Series, BucketsDoubleAsTheRunGrows) {
    SeriesRecorder recorder;
    recorder.add(Counter::cycles, 0, 1024, 1024);
    EXPECT_EQ(recorder.bucket_cycles(), 1U);
    recorder.add(Counter::cycles, 1024, 1025, 1);
    EXPECT_EQ(recorder.bucket_cycles(), 2U);
    EXPECT_EQ(recorder.series().buckets.size(), 513U);
    EXPECT_EQ(cycles_in(recorder.series(), 0), 2U);
    EXPECT_EQ(cycles_in(recorder.series(), 512), 1U);
    // 10^9 cycles need buckets of 2^20: 2^19 of them would hold 536,870,912.
    recorder.add(Counter::cycles, 999'999'999, 1'000'000'000, 7);
    EXPECT_EQ(recorder.bucket_cycles(), std::uint64_t{1} << 20U);
    EXPECT_EQ(cycles_in(recorder.series(), 0), 1025U);
    EXPECT_EQ(cycles_in(recorder.series(), 953), 7U);  // 953 * 2^20 = 999,292,928
}

TEST(Series, DoesNotDependOnTheOrder) {
    struct Span {
        std::uint64_t begin, end, amount;
    };
    std::mt19937_64 random(7);
    const auto number = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
    };
    for (int round = 0; round < 200; ++round) {
        std::vector<Span> spans(20);
        std::uint64_t sum = 0;
        for (Span& span : spans) {
            span.begin = number(round % 2 == 0 ? 5'000 : 50'000'000'000);
            span.end = span.begin + 1 + number(round % 4 < 2 ? 3'000 : 20'000'000'000);
            span.amount = number(1'000'000'000'000);
            sum += span.amount;
        }
        SeriesRecorder forward;
        SeriesRecorder backward;
        for (std::size_t i = 0; i < spans.size(); ++i) {
            const Span& a = spans[i];
            forward.add(Counter::dram_bytes_read, a.begin, a.end, a.amount);
            const Span& b = spans[spans.size() - 1 - i];
            backward.add(Counter::dram_bytes_read, b.begin, b.end, b.amount);
        }
        EXPECT_EQ(forward.series(), backward.series());
        std::uint64_t found = 0;
        for (const SeriesBucket& bucket : forward.series().buckets) {
            found += bucket.counters[index_of(Counter::dram_bytes_read)];
        }
        EXPECT_EQ(found, sum);
    }
}

}  // namespace
}  // namespace nibble
