// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/int4.h"

namespace nibble {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Int4, CodesAreTwosComplement) {
    for (int value = -8; value <= 7; ++value) {
        EXPECT_EQ(int4_bits(value), value < 0 ? value + 16 : value);
        EXPECT_EQ(int4_signed_value(int4_bits(value)), value);
        EXPECT_EQ(int4_signed_value(0xfff0U | int4_bits(value)), value) << "higher bits are ignored";
    }
    for (int value = 0; value <= 15; ++value) {
        EXPECT_EQ(int4_unsigned_value(int4_bits(value)), value);
    }
}

TEST(Int4, RoundsTiesToEvenAndSaturates) {
    for (int level = -8; level < 7; ++level) {
        EXPECT_EQ(round_to_level(level + 0.5, -8, 7), level % 2 == 0 ? level : level + 1);
        EXPECT_EQ(round_to_level(std::nextafter(level + 0.5, -100.0), -8, 7), level);
        EXPECT_EQ(round_to_level(std::nextafter(level + 0.5, 100.0), -8, 7), level + 1);
    }
    EXPECT_EQ(round_to_level(infinity, -8, 7), 7);
    EXPECT_EQ(round_to_level(-infinity, -8, 7), -8);
    EXPECT_EQ(round_to_level(7.4, -8, 7), 7);
    EXPECT_EQ(round_to_level(nan, -8, 7), -8);
}

TEST(Int4AffineMap, TheExampleOfTechnologyReview) {
    const Int4AffineMap greys(0.0, 1.0);
    EXPECT_EQ(greys.position(0.3), -3.5);
    EXPECT_EQ(greys.encode(0.3), -4);
    EXPECT_EQ(greys.encode(0.0), -8);
    EXPECT_EQ(greys.encode(1.0), 7);
}

TEST(Int4AffineMap, EveryLevelAndEveryTie) {
    // 15 steps of 0.25 from 10: both ends and all halves of steps are exact in binary.
    const Int4AffineMap map(10.0, 13.75);
    for (int code = -8; code <= 7; ++code) {
        const double level = 10.0 + 0.25 * (code + 8);
        EXPECT_EQ(map.decode(code), level);
        EXPECT_EQ(map.encode(level), code);
    }
    EXPECT_EQ(map.encode(-1e30), -8);
    EXPECT_EQ(map.encode(1e30), 7);
    EXPECT_EQ(map.encode(nan), -8);
}

TEST(Int4AffineMap, StretchesToTheTensor) {
    const std::vector<float> tensor = {0.5F, -3.0F, 12.0F, 2.0F};
    const Int4AffineMap map = Int4AffineMap::stretched_to(tensor);
    EXPECT_EQ(map.decode(-8), -3.0);
    EXPECT_EQ(map.decode(7), 12.0);
    EXPECT_EQ(map.encode(2.0), -3) << "-8 + 15 (2 + 3) / 15";
}

TEST(Int4AffineMap, AConstantTensorKeepsItsValue) {
    const std::vector<float> tensor = {2.5F, 2.5F};
    const Int4AffineMap map = Int4AffineMap::stretched_to(tensor);
    EXPECT_EQ(map.encode(2.5), -8);
    EXPECT_EQ(map.decode(-8), 2.5);
    EXPECT_EQ(Int4AffineMap::stretched_to({}).decode(-8), 0.0);
}

TEST(Int4SymmetricMap, EveryLevelAndEveryTie) {
    const Int4SymmetricMap map(3.5);  // A step of 0.5.
    for (int code = -7; code <= 7; ++code) {
        EXPECT_EQ(map.decode(code), 0.5 * code);
        EXPECT_EQ(map.encode(0.5 * code), code);
        if (code < 7) {
            EXPECT_EQ(map.encode(0.5 * code + 0.25), code % 2 == 0 ? code : code + 1);
        }
    }
    EXPECT_EQ(map.encode(-100.0), -7) << "-8 is not used";
    EXPECT_EQ(map.encode(infinity), 7);
    EXPECT_EQ(map.encode(nan), -7);
}

TEST(Int4SymmetricMap, StretchesToTheTensor) {
    const std::vector<float> tensor = {0.5F, -14.0F, 2.0F};
    EXPECT_EQ(Int4SymmetricMap::stretched_to(tensor).clip(), 14.0);
    EXPECT_EQ(Int4SymmetricMap::stretched_to(tensor).encode(-14.0), -7);
    EXPECT_EQ(Int4SymmetricMap::stretched_to(std::vector<float>(3)).encode(0.0), 0);
}

TEST(Int4UnsignedMap, EveryLevelAndEveryTie) {
    const Int4UnsignedMap map(7.5);  // A step of 0.5.
    for (int code = 0; code <= 15; ++code) {
        EXPECT_EQ(map.decode(code), 0.5 * code);
        EXPECT_EQ(map.encode(0.5 * code), code);
        if (code < 15) {
            EXPECT_EQ(map.encode(0.5 * code + 0.25), code % 2 == 0 ? code : code + 1);
        }
    }
    EXPECT_EQ(map.encode(-1.0), 0);
    EXPECT_EQ(map.encode(8.0), 15);
    EXPECT_EQ(map.encode(nan), 0);
}

TEST(Int4UnsignedMap, StretchesToTheTensor) {
    const std::vector<float> tensor = {0.5F, -14.0F, 3.0F};
    EXPECT_EQ(Int4UnsignedMap::stretched_to(tensor).clip(), 3.0);
    const std::vector<float> negative = {-1.0F};
    EXPECT_EQ(Int4UnsignedMap::stretched_to(negative).encode(5.0), 0);
}

}  // namespace
}  // namespace nibble
