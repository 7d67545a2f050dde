// SPDX-License-Identifier: MIT
#include "sim/lowering/tile_space.h"

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

// Orders of bytes: left, right, output, gradient. Of completions: load, array, log-gradient, vector, store.
constexpr ScratchpadParameters shared{.capacity_bytes = 130, .resident_bytes = 30, .banks = 1, .line_bytes = 1};
constexpr ScratchpadParameters separate{
    .capacity_bytes = 130, .resident_bytes = 30, .banks = 1, .line_bytes = 1, .buffers = TileBytes{40, 30, 20, 10}};

TEST(TileCapacity, OneBufferHoldsWhateverAddsUp) {
    const TileCapacity capacity(shared);
    EXPECT_TRUE(capacity.holds({100, 0, 0, 0}));
    EXPECT_TRUE(capacity.holds({10, 20, 30, 40}));
    EXPECT_FALSE(capacity.holds({10, 20, 30, 41}));
    EXPECT_EQ(capacity.text(), "100 bytes");
}

TEST(TileCapacity, SeparateBuffersHoldTheirOwnOnly) {
    const TileCapacity capacity(separate);
    EXPECT_TRUE(capacity.holds({40, 30, 20, 10}));
    EXPECT_FALSE(capacity.holds({41, 0, 0, 0}));
    EXPECT_FALSE(capacity.holds({0, 0, 0, 11}));
    EXPECT_EQ(capacity.text(), "left 40, right 30, output 20, gradient 10 bytes");
}

TEST(TileSpace, WaitsForTheOldestUntilThereIsRoom) {
    TileSpace space(shared);
    EXPECT_EQ(space.take({60, 0, 0, 0}), Dependencies{});
    space.release_last({1, 0, 0, 0, 0});
    EXPECT_EQ(space.take({10, 10, 10, 10}), Dependencies{}) << "beside the first";
    space.release_last({2, 5, 0, 0, 0});
    EXPECT_EQ(space.take({0, 60, 0, 0}), (Dependencies{1, 0, 0, 0, 0})) << "in place of the first";
    space.release_last({3, 0, 7, 0, 0});
    EXPECT_EQ(space.take({0, 0, 0, 100}), (Dependencies{3, 5, 7, 0, 0})) << "in place of both";
    EXPECT_THROW(static_cast<void>(space.take({101, 0, 0, 0})), ModelError);
}

// The first one's 80 bytes are handed on in two parts: to the second, and, of what is left, to the third.
TEST(TileSpace, WaitsForWhoeverHadTheRoomThatIsLeft) {
    TileSpace space(shared);
    EXPECT_EQ(space.take({80, 0, 0, 0}), Dependencies{});
    space.release_last({4, 0, 0, 0, 0});
    EXPECT_EQ(space.take({50, 0, 0, 0}), (Dependencies{4, 0, 0, 0, 0}));
    space.release_last({5, 0, 0, 0, 0});
    EXPECT_EQ(space.take({50, 0, 0, 0}), (Dependencies{4, 0, 0, 0, 0})) << "beside the second";
}

TEST(TileSpace, WaitsForTheFullBufferOnly) {
    TileSpace space(separate);
    EXPECT_EQ(space.take({30, 10, 0, 0}), Dependencies{});
    space.release_last({1, 0, 0, 0, 0});
    EXPECT_EQ(space.take({10, 20, 20, 10}), Dependencies{}) << "both fit";
    space.release_last({2, 0, 0, 0, 0});
    EXPECT_EQ(space.take({0, 10, 0, 0}), (Dependencies{1, 0, 0, 0, 0})) << "right is full";
}

}  // namespace
}  // namespace nibble
