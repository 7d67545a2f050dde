// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/input/operation_names.h"
#include "sim/input/operation_size.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

OperandElements exactly(std::uint64_t elements) {
    return {elements, elements};
}

Operation convolution(Phase phase) {
    Convolution conv;
    conv.n = 2;
    conv.c = 6;
    conv.h = 9;
    conv.w = 7;
    conv.k = 4;
    conv.r = 3;
    conv.s = 2;
    conv.stride_h = 2;
    conv.stride_w = 1;
    conv.pad_top = 1;
    conv.dilation_w = 3;
    conv.groups = 2;
    Operation operation;
    operation.phase = phase;
    operation.work = conv;
    return operation;
}

// Output rows: (9 + 1 - 2 - 1) / 2 + 1 = 4; the window is 3 (2 - 1) + 1 = 4 columns wide, so that 7 - 4 + 1 = 4 fit.
constexpr std::uint64_t x_elements = 2 * 6 * 9 * 7;
constexpr std::uint64_t w_elements = 4 * 3 * 3 * 2;
constexpr std::uint64_t y_elements = 2 * 4 * 4 * 4;

TEST(OperationSize, OfAConvolutionFollowsItsPhase) {
    EXPECT_THAT(expected_elements(convolution(Phase::forward)),
                ElementsAre(exactly(x_elements), exactly(w_elements), exactly(y_elements)));
    EXPECT_THAT(expected_elements(convolution(Phase::dx)),
                ElementsAre(exactly(y_elements), exactly(w_elements), exactly(x_elements)));
    EXPECT_THAT(expected_elements(convolution(Phase::dw)),
                ElementsAre(exactly(x_elements), exactly(y_elements), exactly(w_elements)));
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw}) {
        EXPECT_EQ(macs_of(convolution(phase)), y_elements * 3 * 2 * 3);  // r, s, channels of a group
    }
}

// x is what the convolution that describes it would write, y what that one would read.
TEST(OperationSize, OfATransposedConvolutionHasInputAndOutputSwapped) {
    const auto transposed = [](Phase phase) {
        Operation operation = convolution(phase);
        std::get<Convolution>(operation.work).transposed = true;
        return operation;
    };
    EXPECT_THAT(expected_elements(transposed(Phase::forward)),
                ElementsAre(exactly(y_elements), exactly(w_elements), exactly(x_elements)));
    EXPECT_THAT(expected_elements(transposed(Phase::dx)),
                ElementsAre(exactly(x_elements), exactly(w_elements), exactly(y_elements)));
    EXPECT_THAT(expected_elements(transposed(Phase::dw)),
                ElementsAre(exactly(y_elements), exactly(x_elements), exactly(w_elements)));
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw}) {
        EXPECT_EQ(macs_of(transposed(phase)), y_elements * 3 * 2 * 3);
    }
}

TEST(OperationSize, IsDepthwiseWhereEachInputChannelIsAGroup) {
    // Six input channels: x of the transposed one is n,k,p,q.
    EXPECT_TRUE((Convolution{.c = 6, .k = 12, .groups = 6}).depthwise());
    EXPECT_FALSE((Convolution{.c = 12, .k = 6, .groups = 6}).depthwise());
    EXPECT_TRUE((Convolution{.c = 12, .k = 6, .groups = 6, .transposed = true}).depthwise());
    EXPECT_FALSE((Convolution{.c = 6, .k = 12, .groups = 6, .transposed = true}).depthwise());
}

TEST(OperationSize, OfABatchedProductLetsOperandsBeShared) {
    Operation operation;
    operation.work = Matmul{5, 2, 3, 7, true, false};
    EXPECT_THAT(expected_elements(operation),
                ElementsAre(OperandElements{5 * 2 * 7, 2 * 7}, OperandElements{5 * 7 * 3, 7 * 3}, exactly(5 * 2 * 3)));
    EXPECT_EQ(macs_of(operation), 5u * 2 * 3 * 7);
    EXPECT_TRUE(expected_elements(operation)[0].allows(14));
    EXPECT_TRUE(expected_elements(operation)[0].allows(70));
    EXPECT_FALSE(expected_elements(operation)[0].allows(28));
}

TEST(OperationSize, VectorWorkHasNoneToExpect) {
    Operation operation;
    operation.work = VectorWork{10, {{"relu"}}};
    EXPECT_THAT(expected_elements(operation), IsEmpty());
    EXPECT_EQ(macs_of(operation), 0u);
}

TEST(OperationSize, ProductsAreBounded) {
    EXPECT_EQ(bounded_product({3, 4, 5}, 60), 60u);
    EXPECT_EQ(bounded_product({3, 4, 5}, 59), std::nullopt);
    const std::uint64_t large = std::uint64_t{1} << 32U;
    EXPECT_EQ(bounded_product({large, large}, ~std::uint64_t{0}), std::nullopt);  // 2^64 does not fit
    EXPECT_EQ(bounded_product({}, 1), 1u);
}

TEST(OperationNames, GoBothWays) {
    for (const std::string& name : role_names()) {
        EXPECT_EQ(name_of(role_named(name).value()), name);
    }
    for (const std::string& name : phase_names()) {
        EXPECT_EQ(name_of(phase_named(name).value()), name);
    }
    for (const std::string& name : position_names()) {
        EXPECT_EQ(name_of(position_named(name).value()), name);
    }
    EXPECT_EQ(name_of(TensorRole::weight_gradient), "weight_gradient");
    EXPECT_EQ(name_of(Phase::update), "update");
    EXPECT_EQ(name_of(Position::last), "last");
    EXPECT_EQ(role_named("image"), std::nullopt);
}

}  // namespace
}  // namespace nibble
