// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_measurement.h"

#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace nibble {
namespace {

Operation gemm(Phase phase, bool convolution) {
    Operation made;
    made.phase = phase;
    if (convolution) {
        made.work = Convolution{};
    } else {
        made.work = Matmul{};
    }
    return made;
}

TEST(OperandName, IsThatOfTheTraceFormat) {
    EXPECT_EQ(operand_name(gemm(Phase::forward, true), 0), "x");
    EXPECT_EQ(operand_name(gemm(Phase::forward, true), 1), "w");
    EXPECT_EQ(operand_name(gemm(Phase::dx, true), 0), "dy");
    EXPECT_EQ(operand_name(gemm(Phase::dx, true), 1), "w");
    EXPECT_EQ(operand_name(gemm(Phase::dw, true), 0), "x");
    EXPECT_EQ(operand_name(gemm(Phase::dw, true), 1), "dy");
    EXPECT_EQ(operand_name(gemm(Phase::dw, false), 0), "left");
    EXPECT_EQ(operand_name(gemm(Phase::dw, false), 1), "right");
}

/// A product of 2 x 2 x 2 with codes that are their numbers' doubles (scale 1/2).
class TwoByTwo : public testing::Test {
protected:
    static RecordedOperand operand(const std::vector<std::uint16_t>& codes) {
        RecordedOperand made;
        for (const std::uint16_t code : codes) {
            made.values.push_back(static_cast<float>(code) / 2);
        }
        made.quantized = {OperandFormat::int4_unsigned, codes, {RangeRule::pact, 7.5, 0.5, {}}};
        return made;
    }

    GemmMeasurement measured(Dataflow dataflow, std::size_t macs_per_pe) {
        GemmMeasurement measurement(dataflow, macs_per_pe);
        const Operation product = gemm(Phase::forward, false);
        measurement.describe(product, 0, true, OperandFormat::int4_unsigned, &left_);
        measurement.describe(product, 1, false, OperandFormat::int4_unsigned, &right_);
        return measurement;
    }

    std::array<std::optional<double>, 2> toggle_rates(Dataflow dataflow, std::size_t macs_per_pe) {
        GemmMeasurement measurement = measured(dataflow, macs_per_pe);
        ExactOutputs outputs(4);
        measurement.add_tile(passes_, tile_, numbers_, &outputs);
        const auto& operands = measurement.record()->operands;
        return {operands[0].recorded->toggle_rate, operands[1].recorded->toggle_rate};
    }

    // Bits that differ: in the left one 1 along each row, 3 down each column; in the right one 4 and 2.
    RecordedOperand left_ = operand({0, 1, 14, 15});
    RecordedOperand right_ = operand({0, 15, 3, 12});
    std::array<MatmulPass, 1> passes_{{{2, 2, 2}}};
    TileValues tile_{OperandFormat::int4_unsigned,
                     OperandFormat::int4_unsigned,
                     left_.quantized.codes,
                     right_.quantized.codes,
                     nullptr,
                     nullptr};
    TileNumbers numbers_{left_.values, right_.values};
};

TEST_F(TwoByTwo, CodesToggleInTheOrderOfTheDataflow) {
    using Rates = std::array<std::optional<double>, 2>;
    // Left is m x k and right k x n. Both along k; left along m; right along n.
    EXPECT_EQ(toggle_rates(Dataflow::output_stationary, 1), (Rates{0.25, 0.5}));
    EXPECT_EQ(toggle_rates(Dataflow::weight_stationary, 1), (Rates{0.75, 0.5}));
    EXPECT_EQ(toggle_rates(Dataflow::input_stationary, 1), (Rates{0.25, 1.0}));
    // A PE that takes two steps of k at a time has wires of its own for each.
    EXPECT_EQ(toggle_rates(Dataflow::output_stationary, 2), (Rates{}));
    EXPECT_EQ(toggle_rates(Dataflow::weight_stationary, 2), (Rates{0.75, std::nullopt}));
}

// The reduction in two tiles: 0 1 x 0 15 + 14 15 x 0 15 = 3 12 + 45 390 in codes; rows 3 12 and 45 390.
//                             14 15   3 12
TEST_F(TwoByTwo, OutputsAreThoseOfBothTilesOfAReduction) {
    GemmMeasurement measurement = measured(Dataflow::output_stationary, 1);
    ASSERT_TRUE(measurement.compares());
    ExactOutputs outputs(4);
    measurement.add_tile(passes_, tile_, numbers_, &outputs);
    measurement.add_tile(passes_, tile_, numbers_, &outputs);
    EXPECT_EQ(measurement.record()->output, std::nullopt);
    EXPECT_EQ(outputs.quantized, (std::vector<double>{6, 24, 90, 780}));
    EXPECT_EQ(outputs.full_precision, (std::vector<double>{1.5, 6, 22.5, 195}));
    measurement.compare(outputs, std::vector<float>{6, 24, 90, 780});
    EXPECT_EQ(measurement.record()->output->relative_error, 0);
    EXPECT_EQ(measurement.record()->output->array_relative_error, 0);
    // Another reduction, of which the array loses half.
    ExactOutputs others(4);
    measurement.add_tile(passes_, tile_, numbers_, &others);
    measurement.compare(others, std::vector<float>{1.5, 6, 22.5, 195});
    EXPECT_EQ(measurement.record()->output->relative_error, 0);
    EXPECT_GT(measurement.record()->output->array_relative_error, 0);
}

TEST_F(TwoByTwo, OneRecordedOperandIsMeasuredAlone) {
    GemmMeasurement measurement(Dataflow::output_stationary, 1);
    const Operation weight_gradient = gemm(Phase::dw, true);
    measurement.describe(weight_gradient, 1, true, OperandFormat::fp4_odd, nullptr);
    measurement.describe(weight_gradient, 0, false, OperandFormat::int4_unsigned, &right_);
    EXPECT_FALSE(measurement.compares());
    EXPECT_FALSE(measurement.compares());
    measurement.add_tile(passes_, tile_, {}, nullptr);
    const ValueRecord& record = *measurement.record();
    EXPECT_EQ(record.operands[0].name, "x");
    EXPECT_FALSE(record.operands[0].on_left);
    EXPECT_EQ(record.operands[0].recorded->toggle_rate, 0.5);
    EXPECT_EQ(record.operands[1].name, "dy");
    EXPECT_EQ(record.operands[1].format, "fp4_odd");
    EXPECT_FALSE(record.operands[1].recorded);
    EXPECT_FALSE(record.output);
}

}  // namespace
}  // namespace nibble
