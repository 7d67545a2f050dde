// SPDX-License-Identifier: MIT
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/explore/hypervolume.h"
#include "sim/explore/pareto_front.h"
#include "tests/unit/explore_samples.h"

namespace nibble {
namespace {

using test::point;
using testing::ElementsAre;
using testing::IsEmpty;
using Points = std::vector<std::vector<double>>;

TEST(ParetoFront, KeepsWhatNothingBeats) {
    // (3,3) is beaten by (2,2); (1,5) by nobody; (5,1) by nobody; (2,6) by (1,5).
    EXPECT_THAT(non_dominated(Points{{3, 3}, {1, 5}, {2, 2}, {5, 1}, {2, 6}}), ElementsAre(1, 2, 3));
    EXPECT_THAT(non_dominated(Points{}), IsEmpty());
    EXPECT_THAT(non_dominated(Points{{4, 4}}), ElementsAre(0));
}

TEST(ParetoFront, KeepsEqualPointsAndDropsWeaklyBeatenOnes) {
    EXPECT_THAT(non_dominated(Points{{1, 2}, {1, 2}, {1, 3}, {2, 2}, {1, 2}}), ElementsAre(0, 1, 4));
    EXPECT_THAT(non_dominated(Points{{1, 2, 3}, {1, 2, 3}, {1, 2, 4}, {0, 9, 9}}), ElementsAre(0, 1, 3));
}

TEST(ParetoFront, TwoObjectivesAgreeWithTheDefinition) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        Points points;
        for (int i = 0; i < 40; ++i) {
            points.push_back({static_cast<double>(random() % 12), static_cast<double>(random() % 12)});
        }
        std::vector<std::size_t> expected;
        for (std::size_t i = 0; i < points.size(); ++i) {
            bool beaten = false;
            for (const auto& other : points) {
                beaten = beaten || (other[0] <= points[i][0] && other[1] <= points[i][1] && other != points[i]);
            }
            if (!beaten) {
                expected.push_back(i);
            }
        }
        EXPECT_EQ(non_dominated(points), expected);
    }
}

TEST(ParetoFront, OfATableByWorkload) {
    PointTable table = test::small_table();
    table.rows = {point(0, {"1", "1"}, {10, 1}, "a"),           point(1, {"2", "1"}, {20, 3}, "a"),
                  point(2, {"3", "1"}, {20, 2}, "a"),           point(3, {"4", "1"}, {5, 9}, "b"),
                  point(4, {"5", "1"}, {1, std::nullopt}, "a"), point(5, {"6", "1"}, {1, 9}, "a")};
    table.rows[5].status = PointStatus::outside;
    const auto fronts = pareto_fronts(table, table.objectives, true);
    ASSERT_EQ(fronts.size(), 2U);
    EXPECT_EQ(fronts[0].workload, "a");
    EXPECT_THAT(fronts[0].candidates, ElementsAre(0, 1, 2));
    EXPECT_THAT(fronts[0].rows, ElementsAre(0, 1));  // 2 takes as much energy as 1 and is slower
    EXPECT_EQ(fronts[1].workload, "b");
    EXPECT_THAT(fronts[1].rows, ElementsAre(3));
    const auto all = pareto_fronts(table, table.objectives, false);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_THAT(all[0].rows, ElementsAre(3));
    const std::vector<Objective> slowest{{"speedup", false}};
    EXPECT_THAT(pareto_fronts(table, slowest, false)[0].rows, ElementsAre(0));
    const std::vector<Objective> unknown{{"energy", false}};
    EXPECT_THROW(pareto_fronts(table, unknown, false), InputError);
}

TEST(Hypervolume, OfBoxesByHand) {
    const std::vector<double> line{5};
    EXPECT_EQ(hypervolume(Points{{3}, {2}}, line), 3);
    const std::vector<double> corner{4, 4};
    EXPECT_EQ(hypervolume(Points{}, corner), 0);
    EXPECT_EQ(hypervolume(Points{{1, 2}}, corner), 3 * 2);
    // (1,3): 3x1; (2,2): adds 2x1; (3,1): adds 1x1; (3,3) lies in what (2,2) dominates.
    EXPECT_EQ(hypervolume(Points{{3, 1}, {1, 3}, {3, 3}, {2, 2}}, corner), 3 + 2 + 1);
    EXPECT_EQ(hypervolume(Points{{4, 0}, {0, 5}, {1, 1}, {1, 1}}, corner), 9);  // the first two add nothing
    const std::vector<double> cube{2, 2, 2};
    // Boxes 2x1x1, 1x2x1 and 1x1x2 at the far corner: each 2, every two share the unit cube there, as all three do.
    EXPECT_EQ(hypervolume(Points{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}, cube), 3 * 2 - 3 * 1 + 1);
}

TEST(Hypervolume, AgreesWithCountingOfCells) {
    // Whole numbers: the volume is the number of unit cells that some point dominates.
    std::mt19937_64 random(3);
    constexpr int side = 6;
    for (const std::size_t objectives : {2U, 3U, 4U}) {
        const std::vector<double> reference(objectives, side);
        for (int round = 0; round < 30; ++round) {
            Points points(8, std::vector<double>(objectives));
            for (auto& point : points) {
                for (double& number : point) {
                    number = static_cast<double>(random() % (side + 1));
                }
            }
            std::size_t cells = 1;
            for (std::size_t i = 0; i < objectives; ++i) {
                cells *= side;
            }
            double count = 0;
            for (std::size_t cell = 0; cell < cells; ++cell) {
                std::vector<double> corner;
                for (std::size_t i = 0, rest = cell; i < objectives; ++i, rest /= side) {
                    corner.push_back(static_cast<double>(rest % side));
                }
                count += std::ranges::any_of(
                             points,
                             [&](const auto& point) { return std::ranges::equal(point, corner, std::less_equal<>{}); })
                             ? 1
                             : 0;
            }
            EXPECT_EQ(hypervolume(points, reference), count);
        }
    }
}

}  // namespace
}  // namespace nibble
