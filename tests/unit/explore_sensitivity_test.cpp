// SPDX-License-Identifier: MIT
#include <string>

#include <gtest/gtest.h>

#include "sim/explore/sensitivity.h"
#include "tests/unit/explore_samples.h"

namespace nibble {
namespace {

using test::point;

TEST(Sensitivity, OfATableByHand) {
    // Energies 1 3 / 5 7 over two values each: mean 4, squares 9+1+1+9 = 20. Means by row 2, 6: 4 x 2^2 = 16 of 20,
    // range 4/4; by bandwidth 3, 5: 4 x 1 = 4 of 20, range 2/4.
    PointTable table = test::small_table();
    table.rows = {point(0, {"a", "x"}, {1, 1}), point(1, {"a", "y"}, {3, 1}), point(2, {"b", "x"}, {5, 1}),
                  point(3, {"b", "y"}, {7, 1})};
    const auto effects = axis_effects(table, 0, "net");
    ASSERT_EQ(effects.size(), 2U);
    EXPECT_EQ(effects[0].axis, 0U);
    EXPECT_EQ(effects[0].values, 2U);
    EXPECT_DOUBLE_EQ(effects[0].share, 0.8);
    EXPECT_DOUBLE_EQ(effects[0].range.value(), 1);
    EXPECT_EQ(effects[1].axis, 1U);
    EXPECT_DOUBLE_EQ(effects[1].share, 0.2);
    EXPECT_DOUBLE_EQ(effects[1].range.value(), 0.5);
    for (const AxisEffect& effect : axis_effects(table, 1, "net")) {  // a constant
        EXPECT_EQ(effect.share, 0);
        EXPECT_EQ(effect.range, 0);
    }
}

TEST(Sensitivity, SharesOfAdditiveModels) {
    // y = a + b on a full grid: shares are var(a) and var(b) over their sum. Of a = 0..4: 2; of b = 10 x (0..2): 200/3.
    PointTable table = test::small_table();
    for (int a = 0; a < 5; ++a) {
        for (int b = 0; b < 3; ++b) {
            table.rows.push_back(point(0, {std::to_string(a), std::to_string(b)}, {a + 10.0 * b, 1}));
        }
    }
    const auto effects = axis_effects(table, 0, "");
    EXPECT_EQ(effects[0].axis, 1U);
    EXPECT_NEAR(effects[0].share, (200.0 / 3) / (200.0 / 3 + 2), 1e-12);
    EXPECT_NEAR(effects[1].share, 2 / (200.0 / 3 + 2), 1e-12);
}

TEST(Sensitivity, OfAxesThatOnlyActTogetherIsNone) {
    PointTable table = test::small_table();  // exclusive or
    table.rows = {point(0, {"0", "0"}, {0, 1}), point(1, {"0", "1"}, {1, 1}), point(2, {"1", "0"}, {1, 1}),
                  point(3, {"1", "1"}, {0, 1})};
    for (const AxisEffect& effect : axis_effects(table, 0, "net")) {
        EXPECT_EQ(effect.share, 0);
    }
}

TEST(Sensitivity, LeavesOutOtherWorkloadsAndPointsThatDidNotRun) {
    PointTable table = test::small_table();
    table.rows = {point(0, {"a", "x"}, {1, 1}), point(1, {"b", "x"}, {3, 1}), point(2, {"a", "x"}, {900, 1}, "other"),
                  point(3, {"b", "y"}, {std::nullopt, 1}), point(4, {"b", "y"}, {700, 1})};
    table.rows[4].status = PointStatus::outside;
    const auto effects = axis_effects(table, 0, "net");
    EXPECT_DOUBLE_EQ(effects[0].share, 1);
    EXPECT_DOUBLE_EQ(effects[0].range.value(), 1);  // (3 - 1) / 2
    EXPECT_EQ(effects[1].values, 1U);
    EXPECT_EQ(effects[1].share, 0);
    const auto none = axis_effects(table, 0, "nobody");
    EXPECT_EQ(none[0].values, 0U);
    EXPECT_FALSE(none[0].range.has_value());
}

}  // namespace
}  // namespace nibble
