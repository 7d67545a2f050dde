// SPDX-License-Identifier: MIT
#include "sim/lowering/recipe.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

using enum StorageFormat;

Operation gemm(Phase phase, Position position, std::variant<Convolution, Matmul, VectorWork> work) {
    Operation operation;
    operation.layer = "layer";
    operation.phase = phase;
    operation.position = position;
    operation.work = std::move(work);
    return operation;
}

const Convolution conv3x3{.n = 1, .c = 8, .h = 8, .w = 8, .k = 8, .r = 3, .s = 3};
const Convolution conv1x1{.n = 1, .c = 8, .h = 8, .w = 8, .k = 8, .r = 1, .s = 1};
const Convolution depthwise{.n = 1, .c = 8, .h = 8, .w = 8, .k = 8, .r = 3, .s = 3, .groups = 8};
const Matmul matmul{.batch = 2, .m = 4, .n = 4, .k = 4};

const GemmPrecision all_fp16{ArrayMode::fp16, fp16, fp16, fp16};

/// Formats of the operands that each GEMM reads (Sun et al. 2020, figure 4b): the forward GEMM has no gradient, dx no
/// activation, dw no weight.
struct Expected {
    ArrayMode forward_mode, dx_mode, dw_mode;
    StorageFormat forward_activation, forward_weight, dx_gradient, dx_weight, dw_gradient, dw_activation;
};

void expect_layer(const Recipe& recipe, std::variant<Convolution, Matmul, VectorWork> work, const Expected& expected) {
    SCOPED_TRACE(recipe.name());
    const GemmPrecision forward = recipe.precision_of(gemm(Phase::forward, Position::middle, work));
    EXPECT_EQ(forward.mode, expected.forward_mode);
    EXPECT_EQ(forward.activation, expected.forward_activation);
    EXPECT_EQ(forward.weight, expected.forward_weight);
    const GemmPrecision dx = recipe.precision_of(gemm(Phase::dx, Position::middle, work));
    EXPECT_EQ(dx.mode, expected.dx_mode);
    EXPECT_EQ(dx.gradient, expected.dx_gradient);
    EXPECT_EQ(dx.weight, expected.dx_weight);
    const GemmPrecision dw = recipe.precision_of(gemm(Phase::dw, Position::middle, work));
    EXPECT_EQ(dw.mode, expected.dw_mode);
    EXPECT_EQ(dw.gradient, expected.dw_gradient);
    EXPECT_EQ(dw.activation, expected.dw_activation);
}

constexpr Expected in_fp16{ArrayMode::fp16, ArrayMode::fp16, ArrayMode::fp16, fp16, fp16, fp16, fp16, fp16, fp16};
constexpr Expected in_fp8{ArrayMode::fp8, ArrayMode::fp8, ArrayMode::fp8, fp8, fp8, fp8, fp8, fp8, fp8};
constexpr Expected four_bit{
    ArrayMode::int4, ArrayMode::int4_fp4, ArrayMode::int4_fp4, int4, int4, fp4, int4, fp4, int4};
constexpr Expected four_bit_dw8{ArrayMode::int4, ArrayMode::int4_fp4, ArrayMode::fp8, int4, int4, fp4, int4, fp8, int4};
constexpr Expected backward_fp8{ArrayMode::int4, ArrayMode::fp8, ArrayMode::fp8, int4, int4, fp8, int4, fp8, int4};
constexpr Expected backward_fp16{ArrayMode::int4, ArrayMode::fp16, ArrayMode::fp16, int4, int4, fp16, int4, fp16, int4};

struct Row {
    std::string name;
    Expected pointwise, other;
};

const std::vector<Row> rows{
    {"fp16", in_fp16, in_fp16},
    {"hfp8", in_fp8, in_fp8},
    {"int4-fp4", four_bit, four_bit},
    {"int4-fp4-dw8", four_bit_dw8, four_bit_dw8},
    {"int4-fp4-1x1-fp8", backward_fp8, four_bit},
    {"int4-fp8", backward_fp8, backward_fp8},
    {"int4-fp16", backward_fp16, backward_fp16},
    {"as-recorded", in_fp16, in_fp16},  // these GEMMs record no widths
};

TEST(RecipeTest, FollowsTheTableForEveryLayerKind) {
    ASSERT_EQ(rows.size(), recipe_names().size());
    for (const Row& row : rows) {
        const Recipe* recipe = find_recipe(row.name);
        ASSERT_NE(recipe, nullptr) << row.name;
        expect_layer(*recipe, conv3x3, row.other);
        expect_layer(*recipe, conv1x1, row.pointwise);
        expect_layer(*recipe, matmul, row.other);
    }
}

TEST(RecipeTest, KeepsSensitiveLayersInSixteenBits) {
    for (const std::string& name : recipe_names()) {
        SCOPED_TRACE(name);
        const Recipe& recipe = *find_recipe(name);
        for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw}) {
            EXPECT_EQ(recipe.precision_of(gemm(phase, Position::middle, depthwise)), all_fp16);
            for (const Position position : {Position::first, Position::last}) {
                EXPECT_EQ(recipe.precision_of(gemm(phase, position, conv3x3)), all_fp16);
                EXPECT_EQ(recipe.precision_of(gemm(phase, position, conv1x1)), all_fp16);
                EXPECT_EQ(recipe.precision_of(gemm(phase, position, matmul)), all_fp16);
            }
        }
    }
}

/// Checks what recipe as-recorded makes of operands of these widths, wherever the layer stands.
void expect_recorded(std::uint32_t left, std::uint32_t right, const Expected& expected) {
    SCOPED_TRACE(testing::Message() << left << " and " << right << " bits");
    for (const Position position : {Position::first, Position::middle, Position::last}) {
        for (const auto& [phase, mode] : {std::pair{Phase::forward, expected.forward_mode},
                                          {Phase::dx, expected.dx_mode},
                                          {Phase::dw, expected.dw_mode}}) {
            for (const std::variant<Convolution, Matmul, VectorWork>& work :
                 {std::variant<Convolution, Matmul, VectorWork>(conv1x1), {conv3x3}, {matmul}}) {
                Operation operation = gemm(phase, position, work);
                operation.operand_bits = OperandBits{left, right, 32};
                EXPECT_EQ(find_recipe("as-recorded")->precision_of(operation).mode, mode);
            }
        }
    }
}

TEST(RecipeTest, AsRecordedTakesTheNarrowestModeThatHoldsBothOperands) {
    expect_recorded(4, 4, four_bit);
    expect_recorded(1, 2, four_bit);
    expect_recorded(4, 5, in_fp8);
    expect_recorded(8, 1, in_fp8);
    expect_recorded(8, 8, in_fp8);
    expect_recorded(9, 4, in_fp16);
    expect_recorded(4, 16, in_fp16);
    expect_recorded(32, 32, in_fp16);
    Operation operation = gemm(Phase::forward, Position::middle, depthwise);
    operation.operand_bits = OperandBits{4, 4, 8};
    EXPECT_EQ(find_recipe("as-recorded")->precision_of(operation), all_fp16);  // the vector unit computes it
}

TEST(RecipeTest, NamesFindThemselves) {
    EXPECT_THAT(recipe_names(), testing::ElementsAre("fp16", "hfp8", "int4-fp4", "int4-fp4-dw8", "int4-fp4-1x1-fp8",
                                                     "int4-fp8", "int4-fp16", "as-recorded"));
    for (const std::string& name : recipe_names()) {
        EXPECT_EQ(find_recipe(name)->name(), name);
        EXPECT_FALSE(find_recipe(name)->description().empty());
    }
    EXPECT_EQ(find_recipe("int4"), nullptr);
    EXPECT_EQ(find_recipe(""), nullptr);
}

TEST(RecipeTest, KnowsTheWidthOfEveryFormat) {
    EXPECT_EQ(bits_of(int4), 4U);
    EXPECT_EQ(bits_of(fp4), 4U);
    EXPECT_EQ(bits_of(fp8), 8U);
    EXPECT_EQ(bits_of(fp16), 16U);
    EXPECT_EQ(bits_of(fp32), 32U);
}

TEST(RecipeTest, RefusesWorkThatIsNotAGemm) {
    const Recipe& recipe = *find_recipe("int4-fp4");
    EXPECT_THROW(static_cast<void>(recipe.precision_of(gemm(Phase::vector, Position::middle, VectorWork{}))),
                 ModelError);
    EXPECT_THROW(static_cast<void>(recipe.precision_of(gemm(Phase::update, Position::middle, conv3x3))), ModelError);
}

}  // namespace
}  // namespace nibble
