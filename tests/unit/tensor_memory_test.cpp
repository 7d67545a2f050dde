// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_memory.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/random_case.h"

namespace nibble {
namespace {

// ---- addresses in DRAM

TEST(DramAllocator, LiveBlocksNeverOverlapAndFreedOnesComeBack) {
    constexpr std::uint64_t capacity = 1 << 20;
    test::RandomCase random(71);
    for (int i = 0; i < 20; ++i) {
        DramAllocator dram(capacity);
        std::map<std::uint64_t, std::uint64_t> live;  // address to bytes
        for (int n = 0; n < 400; ++n) {
            if (!live.empty() && random.number(0, 2) == 0) {
                const auto victim =
                    std::next(live.begin(), static_cast<std::ptrdiff_t>(random.number(0, live.size() - 1)));
                dram.free(victim->first, victim->second, {});
                live.erase(victim);
                continue;
            }
            const std::uint64_t bytes = random.number(1, 30000);
            std::uint64_t address = 0;
            try {
                address = dram.allocate(bytes).address;
            } catch (const InputError&) {
                continue;
            }
            EXPECT_EQ(address % 4096, 0U);
            EXPECT_LE(address + bytes, capacity);
            const auto above = live.lower_bound(address);
            EXPECT_TRUE(above == live.end() || above->first >= address + bytes);
            EXPECT_TRUE(above == live.begin() || std::prev(above)->first + std::prev(above)->second <= address);
            live.emplace(address, bytes);
        }
        for (const auto& [address, bytes] : live) {
            dram.free(address, bytes, {});
        }
        // Everything has come together again: one block of nearly all (a ninth is kept for padding) fits.
        EXPECT_EQ(dram.allocate(capacity / 9 * 8).address, 0U);
    }
}

TEST(DramAllocator, SaysWhenNothingIsLeft) {
    DramAllocator dram(64 * 1024);
    static_cast<void>(dram.allocate(40 * 1024));
    try {
        static_cast<void>(dram.allocate(30 * 1024));
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "the step does not fit the machine's memory: no 30720 bytes left of 65536");
    }
}

// Units: load, array, log-gradient, vector unit, store. What is reused waits for all of its last users.
TEST(DramAllocator, SaysWhatAReusedAddressWaitsFor) {
    DramAllocator dram(64 * 1024);
    const Dependencies early{5, 0, 0, 0, 1};
    const Dependencies late{4, 0, 0, 0, 7};
    EXPECT_EQ(dram.allocate(3000).release, Dependencies{});
    EXPECT_EQ(dram.allocate(3000).address, 4096U);
    dram.free(0, 3000, early);
    EXPECT_EQ(dram.allocate(2000).release, early);
    dram.free(0, 2000, early);
    dram.free(4096, 3000, late);
    const DramAllocator::Block both = dram.allocate(6000);
    EXPECT_EQ(both.address, 0U);
    EXPECT_EQ(both.release, (Dependencies{5, 0, 0, 0, 7}));
}

// ---- room on chip

TEST(ResidentSpace, TakesWhatWasFreedLongestAgo) {
    ResidentSpace space(100);
    EXPECT_EQ(space.take(60), Dependencies{});
    EXPECT_EQ(space.take(0), Dependencies{});
    const Dependencies first{1, 0, 0, 0, 0};
    const Dependencies second{0, 2, 0, 0, 0};
    space.free(20, first);
    space.free(40, second);
    EXPECT_EQ(space.take(40), Dependencies{}) << "that were never used";
    EXPECT_EQ(space.take(10), first);
    EXPECT_EQ(space.take(30), (Dependencies{1, 2, 0, 0, 0}));
    EXPECT_EQ(space.take(20), second);
    EXPECT_THROW(static_cast<void>(space.take(1)), ModelError);
}

}  // namespace
}  // namespace nibble
