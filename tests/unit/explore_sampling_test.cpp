// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/explore/sampling.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using Sizes = std::vector<std::size_t>;

void expect_distinct_designs(const std::vector<Genome>& designs, const Sizes& sizes, std::size_t count) {
    EXPECT_EQ(designs.size(), count);
    EXPECT_EQ(std::set<Genome>(designs.begin(), designs.end()).size(), count);
    for (const Genome& design : designs) {
        ASSERT_EQ(design.size(), sizes.size());
        EXPECT_TRUE(std::ranges::equal(design, sizes, std::less<>{}));
    }
}

TEST(Space, CountsItsDesigns) {
    EXPECT_EQ(space_size(Sizes{}), 1U);
    EXPECT_EQ(space_size(Sizes{3, 4, 5}), 60U);
    EXPECT_EQ(space_size(Sizes{SIZE_MAX, SIZE_MAX, 0}), 0U);
    EXPECT_EQ(space_size(Sizes(63, 2)), std::uint64_t{1} << 63U);
    EXPECT_EQ(space_size(Sizes(64, 2)), std::nullopt);
}

TEST(Space, NumbersAreDesigns) {
    const Sizes sizes{2, 3, 4};
    EXPECT_THAT(design_of(0, sizes), ElementsAre(0, 0, 0));
    EXPECT_THAT(design_of(23, sizes), ElementsAre(1, 2, 3));
    EXPECT_THAT(design_of(6, sizes), ElementsAre(0, 1, 2));
    for (std::uint64_t number = 0; number < 24; ++number) {
        EXPECT_EQ(number_of(design_of(number, sizes), sizes), number);
    }
}

TEST(RandomDesigns, AreDistinctAndFromASeed) {
    const Sizes sizes{5, 6, 7};
    for (const std::size_t count : {0U, 1U, 50U, 209U, 210U}) {
        expect_distinct_designs(random_designs(sizes, count, 9), sizes, count);
    }
    expect_distinct_designs(random_designs(sizes, 1000, 9), sizes, 210);
    EXPECT_EQ(random_designs(sizes, 50, 9), random_designs(sizes, 50, 9));
    EXPECT_NE(random_designs(sizes, 50, 9), random_designs(sizes, 50, 10));
    const Sizes huge(63, 2);
    expect_distinct_designs(random_designs(huge, 1000, 1), huge, 1000);
    EXPECT_THROW(random_designs(Sizes(64, 2), 1, 1), ModelError);
    EXPECT_THROW(random_designs(Sizes{3, 0}, 1, 1), ModelError);
}

TEST(RandomDesigns, AreEvenlyLikely) {
    // 2 of 5: each design is in 2/5 of 10,000 samples, give or take 5 standard deviations of sqrt(10,000 x 0.4 x 0.6).
    std::map<std::size_t, int> counts;
    for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
        for (const Genome& design : random_designs(Sizes{5}, 2, seed)) {
            ++counts[design[0]];
        }
    }
    for (const auto& [value, count] : counts) {
        EXPECT_NEAR(count, 4000, 245) << value;
    }
}

TEST(LatinHypercube, UsesEveryValueEvenly) {
    const Sizes sizes{2, 3, 7, 100, 1000};  // far more designs than are asked for: none repeats for good
    for (const std::size_t count : {1U, 2U, 6U, 50U, 333U}) {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            const std::vector<Genome> designs = latin_hypercube(sizes, count, seed);
            expect_distinct_designs(designs, sizes, count);
            for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
                std::vector<std::size_t> counts(sizes[axis], 0);
                for (const Genome& design : designs) {
                    ++counts[design[axis]];
                }
                const auto [least, most] = std::ranges::minmax(counts);
                EXPECT_LE(most - least, 1U) << "axis " << axis << ", " << count << " designs";
            }
        }
    }
}

TEST(LatinHypercube, SpreadsOverAxesWithMoreValuesThanDesigns) {
    // 10 designs over 100 values: one in each ten.
    std::set<std::size_t> tens;
    for (const Genome& design : latin_hypercube(Sizes{100, 100}, 10, 4)) {
        tens.insert(design[0] / 10);
    }
    EXPECT_EQ(tens.size(), 10U);
}

TEST(LatinHypercube, GivesDistinctDesignsEvenOfMostOfASpace) {
    const Sizes sizes{3, 4, 1, 5};
    for (std::size_t count = 0; count <= 60; ++count) {
        expect_distinct_designs(latin_hypercube(sizes, count, count), sizes, count);
    }
    const Sizes huge(63, 2);
    expect_distinct_designs(latin_hypercube(huge, 500, 1), huge, 500);
    EXPECT_EQ(latin_hypercube(sizes, 20, 3), latin_hypercube(sizes, 20, 3));
}

}  // namespace
}  // namespace nibble
