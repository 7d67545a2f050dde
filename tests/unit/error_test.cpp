// SPDX-License-Identifier: MIT
#include "sim/base/error.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nibble {
namespace {

using testing::ElementsAre;

TEST(Problem, SaysWhatIsKnownOfThePlace) {
    EXPECT_EQ(to_string({{"a.yaml", 3, 7}, "wrong"}), "a.yaml:3:7: wrong");
    EXPECT_EQ(to_string({{"a.yaml", 3, 0}, "wrong"}), "a.yaml:3: wrong");
    EXPECT_EQ(to_string({{"a.yaml", 0, 0}, "wrong"}), "a.yaml: wrong");
    EXPECT_EQ(to_string({{}, "wrong"}), "wrong");
}

TEST(InputError, IsOneLineForEachProblem) {
    const InputError error({Problem{{"a", 1, 2}, "first"}, Problem{{"a", 2, 0}, "second"}});
    EXPECT_STREQ(error.what(), "a:1:2: first\na:2: second");
    EXPECT_EQ(error.problems().size(), 2U);
    EXPECT_STREQ(InputError("--batch: too large").what(), "--batch: too large");
    EXPECT_STREQ(InputError({"b", 4, 0}, "third").what(), "b:4: third");
}

TEST(ProblemList, ThrowsEverythingCollected) {
    ProblemList problems("t");
    EXPECT_TRUE(problems.empty());
    problems.throw_if_any();
    problems.add(1, 0, "one");
    problems.add(2, 5, "two");
    EXPECT_EQ(problems.count(), 2U);
    try {
        problems.throw_if_any();
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "t:1: one\nt:2:5: two");
    }
}

TEST(ProblemList, KeepsTheFirstAndCountsTheRest) {
    ProblemList problems("t", 3);
    for (std::uint64_t line = 1; line <= 10; ++line) {
        EXPECT_EQ(problems.full(), line > 3);
        problems.add(line, 0, "wrong");
    }
    EXPECT_EQ(problems.count(), 10U);
    try {
        problems.throw_if_any();
        FAIL();
    } catch (const InputError& error) {
        EXPECT_EQ(error.problems().size(), 4U);
        EXPECT_EQ(to_string(error.problems().back()), "t: 7 more problems not shown");
    }
}

TEST(Suggestion, NamesTheNearest) {
    const std::vector<std::string> names{"forward", "dx", "dw", "vector", "update"};
    EXPECT_EQ(suggestion("foward", names), " (did you mean 'forward'?)");
    EXPECT_EQ(suggestion("vectro", names), " (did you mean 'vector'?)");
    EXPECT_EQ(suggestion("d", names), " (did you mean 'dx'?)");  // the first of equals
    EXPECT_EQ(suggestion("elephant", names), "");
    EXPECT_EQ(suggestion("", names), "");
    EXPECT_EQ(suggestion(std::string(65, 'x'), names), "");
    EXPECT_EQ(suggestion("x", {}), "");
    const std::vector<std::string> swapped{"banks", "run"};
    EXPECT_EQ(suggestion("bansk", swapped), " (did you mean 'banks'?)") << "a swap is one mistake";
    EXPECT_EQ(suggestion("rnu", swapped), " (did you mean 'run'?)");
}

TEST(Printable, CutsAndEscapes) {
    EXPECT_EQ(printable("plain"), "plain");
    EXPECT_EQ(printable("a\tb\x7f\n"), "a\\x09b\\x7f\\x0a");
    EXPECT_EQ(printable("abcdef", 4), "abcd...");
    EXPECT_EQ(printable("abcd", 4), "abcd");
    EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
}

}  // namespace
}  // namespace nibble
