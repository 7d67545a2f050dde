// SPDX-License-Identifier: MIT
#include "models/dma/slice_walker.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_case.h"

namespace nibble {
namespace {

/// Every byte of the slice in the order of its dimensions.
std::vector<std::uint64_t> bytes_of(const Slice& slice) {
    std::vector<std::uint64_t> bytes;
    for (std::uint64_t a = 0; a < slice.outer[0].count; ++a) {
        for (std::uint64_t b = 0; b < slice.outer[1].count; ++b) {
            for (std::uint64_t c = 0; c < slice.outer[2].count; ++c) {
                for (std::uint64_t i = 0; i < slice.run_bytes; ++i) {
                    bytes.push_back(slice.address + a * slice.outer[0].stride_bytes + b * slice.outer[1].stride_bytes +
                                    c * slice.outer[2].stride_bytes + i);
                }
            }
        }
    }
    return bytes;
}

Slice random_slice(test::RandomCase& random) {
    Slice slice;
    slice.address = random.number(0, 5000);
    slice.run_bytes = random.number(0, 300);
    for (Slice::Dimension& dimension : slice.outer) {
        dimension = {random.number(0, 9) == 0 ? 0 : random.number(1, 4), random.number(0, 700)};
    }
    return slice;
}

TEST(SliceWalker, WalksEveryByteOnceInOrderAndCrossesNoBoundary) {
    test::RandomCase random(31);
    for (int i = 0; i < 500; ++i) {
        const Slice slice = random_slice(random);
        const auto most = random.one_of<std::uint32_t>({32, 64, 256, 4096});
        std::vector<std::uint64_t> walked;
        for (SliceWalker walker(slice, most); !walker.done();) {
            const Extent extent = walker.next();
            ASSERT_GT(extent.bytes, 0U);
            EXPECT_EQ(extent.address / most, (extent.address + extent.bytes - 1) / most)
                << "crosses a multiple of " << most;
            for (std::uint64_t b = 0; b < extent.bytes; ++b) {
                walked.push_back(extent.address + b);
            }
        }
        EXPECT_EQ(walked, bytes_of(slice)) << "case " << i;
        EXPECT_EQ(walked.size(), slice.bytes());
    }
}

// A run from 40 to 140 with requests of at most 64 bytes: up to 64, 64 to 128, the rest.
TEST(SliceWalker, CutsAtMultiplesOfTheLongestRequest) {
    SliceWalker walker({.address = 40, .run_bytes = 100, .outer = {{{}, {}, {2, 1000}}}}, 64);
    EXPECT_EQ(walker.next(), (Extent{40, 24}));
    EXPECT_EQ(walker.next(), (Extent{64, 64}));
    EXPECT_EQ(walker.next(), (Extent{128, 12}));
    EXPECT_FALSE(walker.done());
    EXPECT_EQ(walker.next(), (Extent{1040, 48}));  // 1040 = 16 * 64 + 16
    EXPECT_EQ(walker.next(), (Extent{1088, 52}));
    EXPECT_TRUE(walker.done());
}

TEST(SliceWalker, NothingIsDoneAtOnce) {
    EXPECT_TRUE(SliceWalker().done());
    EXPECT_TRUE(SliceWalker({.address = 8, .run_bytes = 0}, 64).done());
    EXPECT_TRUE(SliceWalker({.address = 8, .run_bytes = 8, .outer = {{{0, 1}, {}, {}}}}, 64).done());
}

}  // namespace
}  // namespace nibble
