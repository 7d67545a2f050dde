// SPDX-License-Identifier: MIT
#include "sim/lowering/occupancy.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_case.h"

namespace nibble {
namespace {

TEST(Occupancy, KnowsTheLargestOfARange) {
    Occupancy taken(5);
    EXPECT_EQ(taken.largest(0, 4), 0);
    taken.add(1, 3, 10);
    taken.add(3, 4, 5);
    EXPECT_EQ(taken.largest(0, 0), 0);
    EXPECT_EQ(taken.largest(0, 1), 10);
    EXPECT_EQ(taken.largest(2, 3), 15);
    EXPECT_EQ(taken.largest(4, 4), 5);
    taken.add(1, 3, -10);
    EXPECT_EQ(taken.largest(0, 4), 5);
}

// Against an array that is walked, for all numbers of moments up to 40.
TEST(Occupancy, EqualsAnArrayThatIsWalked) {
    test::RandomCase random(81);
    for (std::uint64_t moments = 1; moments <= 40; ++moments) {
        Occupancy taken(moments);
        std::vector<std::int32_t> walked(moments);
        for (int n = 0; n < 200; ++n) {
            const std::uint64_t first = random.number(0, moments - 1);
            const std::uint64_t last = random.number(first, moments - 1);
            const auto begin = walked.begin() + static_cast<std::ptrdiff_t>(first);
            const auto end = walked.begin() + static_cast<std::ptrdiff_t>(last) + 1;
            if (random.coin()) {
                // Taking away never leaves less than nothing.
                const auto bytes = static_cast<std::int32_t>(random.number(0, 3) << 20U);
                const std::int32_t change = random.coin() ? bytes : -*std::min_element(begin, end);
                taken.add(first, last, change);
                std::for_each(begin, end, [&](std::int32_t& moment) { moment += change; });
            }
            EXPECT_EQ(taken.largest(first, last), *std::max_element(begin, end));
        }
    }
}

}  // namespace
}  // namespace nibble
