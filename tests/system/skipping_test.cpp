// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "sim/lowering/recipe.h"
#include "tests/support/random_case.h"
#include "tests/support/run_trace.h"

namespace nibble {
namespace {

/// One random machine and trace, drawn from a seed; a run of them leaves its story.
class RandomPair {
public:
    explicit RandomPair(std::uint64_t seed) : case_(seed), machine_(case_.machine()), trace_(case_.trace()) {
        options_.recipe = find_recipe(case_.one_of(recipe_names()));
    }

    std::string story(const RunOptions& run, bool values = false) {
        options_.values = values;
        return test::simulate([&] { return test::story(test::run_here(trace_.path(), machine_, options_, run)); });
    }

private:
    test::RandomCase case_;
    MachineParameters machine_;
    test::TraceFile trace_;
    LoweringOptions options_;
};

constexpr std::uint64_t pairs_per_test = 25;

/// The parameter is the first seed of a block of pairs.
class RandomPairs : public testing::TestWithParam<std::uint64_t> {
protected:
    template <class Check>
    void for_each_seed(Check check) {
        for (std::uint64_t seed = GetParam(); seed < GetParam() + pairs_per_test; ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            check(seed);
        }
    }
};

class SkippingClock : public RandomPairs {};

// The contract of the skipping clock: every cycle count, counter and value is that of the free-running clock.
TEST_P(SkippingClock, ChangesNothing) {
    for_each_seed([](std::uint64_t seed) {
        RandomPair pair(seed);
        const std::string every = pair.story({.skipping = false});
        EXPECT_NE(every.find("cycles "), std::string::npos);
        EXPECT_EQ(every, pair.story({.skipping = true}));
    });
}

INSTANTIATE_TEST_SUITE_P(From, SkippingClock, testing::Range<std::uint64_t>(0, 600, pairs_per_test));

class ConstructionOrder : public RandomPairs {};

TEST_P(ConstructionOrder, ChangesNothing) {
    for_each_seed([](std::uint64_t seed) {
        RandomPair pair(seed);
        RunOptions shuffled;
        std::mt19937_64 random(seed);
        std::shuffle(shuffled.construction_order.begin(), shuffled.construction_order.end(), random);
        EXPECT_EQ(pair.story({}), pair.story(shuffled));
    });
}

INSTANTIATE_TEST_SUITE_P(From, ConstructionOrder, testing::Range<std::uint64_t>(10000, 10100, pairs_per_test));

class Values : public RandomPairs {};

// A difference from the plain reference ends the run with a ModelError, which fails the test.
TEST_P(Values, AreBitIdenticalToTheReferenceAndChangeNoCycle) {
    for_each_seed([](std::uint64_t seed) {
        RandomPair pair(seed);
        const std::string shapes = pair.story({}, false);
        const std::string values = pair.story({}, true);
        const auto timing = [](const std::string& text) { return text.substr(0, text.rfind("checked")); };
        EXPECT_EQ(timing(shapes), timing(values));
        EXPECT_NE(shapes.find("checked 0"), std::string::npos);
    });
}

INSTANTIATE_TEST_SUITE_P(From, Values, testing::Range<std::uint64_t>(20000, 20200, pairs_per_test));

}  // namespace
}  // namespace nibble
