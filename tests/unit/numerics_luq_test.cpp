// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/half.h"
#include "models/numerics/luq.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// The random bits that stand for the number u in [0, 1): their upper 52 bits are u * 2^52.
std::uint64_t random_of(double u) {
    return static_cast<std::uint64_t>(std::ldexp(u, 52)) << 12;
}

/// The levels next to a magnitude, and the probability of the upper one that makes the expectation right.
struct Neighbours {
    int lower = 0;
    double probability = 0.0;
};

Neighbours neighbours(const LuqGrid& grid, int levels, float magnitude) {
    Neighbours result;
    while (result.lower < levels && magnitude >= grid.level(result.lower + 1)) {
        ++result.lower;
    }
    if (result.lower < levels) {
        const auto below = static_cast<double>(grid.level(result.lower));
        const auto above = static_cast<double>(grid.level(result.lower + 1));
        result.probability = (static_cast<double>(magnitude) - below) / (above - below);
    }
    return result;
}

TEST(Luq, LevelsArePowersOfTwoBelowTheLargest) {
    // Seven levels from 96 down: 96, 48, ..., 96 / 2^6 = 1.5.
    const LuqGrid grid(96.0F);
    EXPECT_EQ(grid.alpha(), 1.5F);
    for (int code = 1; code <= 7; ++code) {
        EXPECT_EQ(grid.level(code), std::ldexp(96.0F, code - 7)) << code;
    }
    EXPECT_EQ(grid.level(0), 0.0F);
    // The other readings of the paper: max / 16 and max / 128.
    EXPECT_EQ(LuqGrid(96.0F, 5).alpha(), 6.0F);
    EXPECT_EQ(LuqGrid(96.0F, 8).alpha(), 0.75F);
}

/// Over half precision, with an alpha that is no power of two: the random number decides between the two neighbours,
/// and does so at the probability. Errors of rounding in both sums are below 2^-50.
TEST(Luq, TurnsAtTheProbabilityOfEveryHalf) {
    const double margin = std::ldexp(1.0, -48);
    for (const int levels : {1, 5, 7, 8}) {
        const LuqGrid grid(1000.0F, levels);
        for (unsigned bits = 0; bits < 0x7c00; ++bits) {
            const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
            const auto [lower, probability] = neighbours(grid, levels, x);
            ASSERT_EQ(grid.encode(x, random_of(0.0)), probability > 0.0 ? lower + 1 : lower) << x;
            ASSERT_EQ(grid.encode(-x, random_of(1.0 - margin)), lower) << x;
            if (probability > margin) {
                ASSERT_EQ(grid.encode(x, random_of(probability - margin)), lower + 1) << x;
            }
            if (probability < 1.0 - margin) {
                ASSERT_EQ(grid.encode(x, random_of(probability + margin)), lower) << x;
            }
        }
    }
}

/// n elements of the same value, one of them the largest: the upper level comes up n p times with a standard deviation
/// of sqrt(n p (1 - p)); five of these are allowed. No other level than the two comes up.
TEST(Luq, IsRightInExpectation) {
    constexpr std::size_t count = 200000;
    const LuqGrid grid(64.0F);  // levels 1..64
    for (const float x : {0.001F, 0.3F, 0.999F, 1.25F, 2.9F, 40.0F, -0.3F, -50.0F}) {
        const std::vector<float> tensor(count, x);
        std::vector<float> values(count);
        grid.round(tensor, 7, values);
        std::map<float, std::size_t> seen;
        for (const float value : values) {
            ++seen[value];
        }
        const auto [lower, probability] = neighbours(grid, 7, std::fabs(x));
        const float upper = std::copysign(grid.level(lower + 1), x);
        const double deviation = std::sqrt(count * probability * (1.0 - probability));
        EXPECT_NEAR(static_cast<double>(seen[upper]), count * probability, 5 * deviation) << x;
        EXPECT_EQ(seen[upper] + seen[std::copysign(grid.level(lower), x)], count) << x;
    }
}

TEST(Luq, LevelsAndWhatLiesBeyondAreNotLeftToChance) {
    const LuqGrid grid(64.0F);
    for (const double u : {0.0, 0.5, 0.999999}) {
        for (int code = 0; code <= 7; ++code) {
            EXPECT_EQ(grid.encode(grid.level(code), random_of(u)), code);
        }
        for (const float x : {64.5F, 1e38F, infinity, -infinity, nan_value}) {
            EXPECT_EQ(grid.encode(x, random_of(u)), 7) << x;
        }
    }
}

TEST(Luq, StretchesToTheLargestFiniteMagnitude) {
    const std::vector<float> tensor{1.0F, -32.0F, infinity, nan_value};
    std::vector<float> values(tensor.size());
    LuqGrid::stretched_to(tensor).round(tensor, 1, values);
    EXPECT_EQ(values, (std::vector<float>{1.0F, -32.0F, 32.0F, 32.0F}));
    const std::vector<float> zeros{0.0F, -0.0F};
    values.resize(2);
    LuqGrid::stretched_to(zeros).round(zeros, 1, values);
    EXPECT_EQ(values, zeros);
    EXPECT_TRUE(std::signbit(values[1]));
}

TEST(Luq, PartsOfATensorRoundAsTheWhole) {
    std::vector<float> tensor;
    for (int i = 0; i < 1000; ++i) {
        tensor.push_back(std::sin(static_cast<float>(i)));
    }
    const LuqGrid grid = LuqGrid::stretched_to(tensor);
    std::vector<float> whole(tensor.size());
    std::vector<float> parts(tensor.size());
    std::vector<float> other_seed(tensor.size());
    grid.round(tensor, 3, whole);
    grid.round(tensor, 4, other_seed);
    const std::span<const float> in(tensor);
    const std::span<float> out(parts);
    for (const std::size_t cut : {0u, 1u, 333u, 999u}) {
        grid.round(in.subspan(cut), 3, out.subspan(cut), cut);
        grid.round(in.first(cut), 3, out.first(cut));
        EXPECT_EQ(parts, whole) << cut;
    }
    EXPECT_NE(other_seed, whole);
}

TEST(Luq, RefusesWhatIsNoGrid) {
    EXPECT_THROW(LuqGrid(-1.0F), ModelError);
    EXPECT_THROW(LuqGrid{infinity}, ModelError);
    EXPECT_THROW(LuqGrid{nan_value}, ModelError);
    EXPECT_THROW(LuqGrid(1.0F, 0), ModelError);
    EXPECT_THROW(LuqGrid(1.0F, 31), ModelError);
}

}  // namespace
}  // namespace nibble
