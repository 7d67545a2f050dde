// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "tests/support/recorded_calls.h"

namespace nibble::test {
namespace {

using testing::ElementsAre;

RecordedTensor view(std::vector<std::uint64_t> shape, std::vector<std::uint64_t> strides) {
    RecordedTensor tensor;
    tensor.shape = std::move(shape);
    tensor.strides = std::move(strides);
    return tensor;
}

TEST(RecordedTensor, OrderInMemoryFollowsTheStrides) {
    EXPECT_THAT(order_in_memory(view({4, 6}, {6, 1})), ElementsAre(0, 1));
    EXPECT_THAT(order_in_memory(view({4, 6}, {1, 4})), ElementsAre(1, 0));
    EXPECT_THAT(order_in_memory(view({4, 6}, {})), ElementsAre(0, 1)) << "not recorded";
    // 12 heads of 64 columns each, cut out of rows of 768: rows lie farther apart than heads.
    EXPECT_THAT(order_in_memory(view({12, 128, 64}, {64, 768, 1})), ElementsAre(1, 0, 2));
    // Channels last: a dimension of 1 stays where it is, whatever its stride.
    EXPECT_THAT(order_in_memory(view({1, 8, 5, 5}, {7, 1, 40, 8})), ElementsAre(0, 2, 3, 1));
}

TEST(RecordedTensor, RowsAndColumnsButNotHeads) {
    EXPECT_TRUE(lies_in_rows_or_columns(view({4, 6}, {6, 1})));
    EXPECT_TRUE(lies_in_rows_or_columns(view({4, 6}, {1, 4})));
    EXPECT_TRUE(lies_in_rows_or_columns(view({3, 4, 6}, {24, 1, 4})));
    EXPECT_FALSE(lies_in_rows_or_columns(view({12, 128, 64}, {64, 768, 1})));
    EXPECT_TRUE(lies_in_rows_or_columns(view({}, {})));
    EXPECT_TRUE(lies_in_rows_or_columns(view({5}, {3})));
}

}  // namespace
}  // namespace nibble::test
