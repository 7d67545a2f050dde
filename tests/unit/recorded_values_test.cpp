// SPDX-License-Identifier: MIT
#include "sim/lowering/recorded_values.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/numerics/grad_scale.h"
#include "models/numerics/power_scale.h"
#include "sim/base/error.h"
#include "sim/input/trace_writer.h"
#include "tests/support/npy_bytes.h"

namespace nibble {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::uint16_t> codes(const std::vector<float>& values, OperandFormat format) {
    const OperandCodes made = quantize_operand(values, format);
    EXPECT_EQ(made.format, format);
    return made.codes;
}

// Weights 1, -1, 0, 0: E[w^2] = E|w| = 1/2, clip = 12.035 sqrt(1/2) - 12.03 / 2 = 2.495; 7 / 2.495 = 2.81 -> 3.
TEST(QuantizeOperand, WeightsToInt4BySawb) {
    EXPECT_THAT(codes({1, -1, 0, 0}, OperandFormat::int4_signed), ElementsAre(3, 13, 0, 0));
    EXPECT_THAT(codes({0.25F, -0.25F, 0, 0}, OperandFormat::int4_signed), ElementsAre(3, 13, 0, 0));
    // Equal magnitudes: clip = (12.035 - 12.03) * 2, everything is beyond it. The code -8 is not used.
    EXPECT_THAT(codes({2, -2, -2}, OperandFormat::int4_signed), ElementsAre(7, 9, 9));
    EXPECT_THAT(codes({0, 0}, OperandFormat::int4_signed), ElementsAre(0, 0));
}

TEST(QuantizeOperand, ActivationsStretchedToUnsignedInt4) {
    // 7.5 lies between two codes: to the even one.
    EXPECT_THAT(codes({0, 1, 7.5F, 15}, OperandFormat::int4_unsigned), ElementsAre(0, 1, 8, 15));
    EXPECT_THAT(codes({0.25F, 0.0625F, -0.0F}, OperandFormat::int4_unsigned), ElementsAre(15, 4, 0));  // 3.75 -> 4
    EXPECT_THAT(codes({0, 0}, OperandFormat::int4_unsigned), ElementsAre(0, 0));
}

TEST(QuantizeOperand, ActivationsWithANegativeOneAreSigned) {
    // 7 x / 2: -7, 3.5 -> 4 (even), 1.75 -> 2, -0.875 -> -1.
    const OperandCodes made = quantize_operand(std::vector<float>{-2, 1, 0.5F, -0.25F}, OperandFormat::int4_unsigned);
    EXPECT_EQ(made.format, OperandFormat::int4_signed);
    EXPECT_THAT(made.codes, ElementsAre(9, 4, 2, 15));
}

// Codes 4..7 are the levels 1, 4, 16, 64 of the even phase and halves of them in the odd one.
TEST(QuantizeOperand, GradientsToFp4) {
    EXPECT_THAT(codes({64, -16, 4, 1, 0}, OperandFormat::fp4_even), ElementsAre(7, 14, 5, 4, 0));
    // Between two odd levels, at 16 of 8 and 32: below their midpoint 20.
    EXPECT_THAT(codes({64, -16, 4, 1, 0}, OperandFormat::fp4_odd), ElementsAre(7, 14, 5, 4, 0));
    // Scale 2^6: 48, from 40 on 64; 24, from 10 on 16.
    EXPECT_THAT(codes({0.75F, 0.375F}, OperandFormat::fp4_even), ElementsAre(7, 6));
    // Odd: 48 is beyond 32; 24, from 20 on 32.
    EXPECT_THAT(codes({0.75F, 0.375F}, OperandFormat::fp4_odd), ElementsAre(7, 7));
    EXPECT_THAT(codes({0, 0}, OperandFormat::fp4_even), ElementsAre(0, 0));
}

// A code stands for its number times the scale, and none for more than the clip.
TEST(QuantizeOperand, SaysItsRange) {
    const auto range = [](const std::vector<float>& values, OperandFormat format) {
        return quantize_operand(values, format).range;
    };
    const QuantizationRange weight = range({1, -1, 0, 0}, OperandFormat::int4_signed);
    EXPECT_EQ(weight.rule, RangeRule::sawb);
    EXPECT_DOUBLE_EQ(weight.clip, 12.035 * std::sqrt(0.5) - 12.03 / 2);
    EXPECT_DOUBLE_EQ(weight.scale, weight.clip / 7);
    EXPECT_EQ(weight.scale_log2, std::nullopt);
    const QuantizationRange activation = range({0, 30}, OperandFormat::int4_unsigned);
    EXPECT_EQ(activation.rule, RangeRule::pact);
    EXPECT_EQ(activation.clip, 30);
    EXPECT_EQ(activation.scale, 2);
    const QuantizationRange negative = range({-14, 1}, OperandFormat::int4_unsigned);
    EXPECT_EQ(negative.rule, RangeRule::symmetric);
    EXPECT_EQ(negative.clip, 14);
    EXPECT_EQ(negative.scale, 2);
    // 0.75 * 2^6 = 48 lies in (32, 64]. The largest levels are 64 and 32.
    const QuantizationRange even = range({0.75F, 0}, OperandFormat::fp4_even);
    EXPECT_EQ(even.rule, RangeRule::grad_scale);
    EXPECT_EQ(even.scale_log2, 6);
    EXPECT_EQ(even.scale, 0x1p-6);
    EXPECT_EQ(even.clip, 1);
    EXPECT_EQ(range({0.75F, 0}, OperandFormat::fp4_odd).clip, 0.5);
    // 0.75 * 2^4 = 12 lies in (8, 16]. The largest numbers are 448 and 57344.
    EXPECT_EQ(range({0.75F}, OperandFormat::fp8_143).rule, RangeRule::power_of_two);
    EXPECT_EQ(range({0.75F}, OperandFormat::fp8_143).clip, 28);
    EXPECT_EQ(range({0.75F}, OperandFormat::fp8_152).clip, 3584);
    EXPECT_EQ(range({0.75F}, OperandFormat::fp16).rule, RangeRule::unscaled);
    EXPECT_EQ(range({0.75F}, OperandFormat::fp16).clip, 65504);
    EXPECT_EQ(range({0.75F}, OperandFormat::fp16).scale, 1);
}

// Scale 2^4: 16, -8, 12 = 1.5 * 8. 1-4-3 with bias 7: exponent fields 11, 10, 10; 1-5-2 with bias 15: 19, 18, 18.
TEST(QuantizeOperand, Fp8) {
    EXPECT_THAT(codes({1, -0.5F, 0.75F, 0}, OperandFormat::fp8_143), ElementsAre(0x58, 0xd0, 0x54, 0));
    EXPECT_THAT(codes({1, -0.5F, 0.75F, 0}, OperandFormat::fp8_152), ElementsAre(0x4c, 0xc8, 0x4a, 0));
    // 3 to 12, 3000 * 2^-8 = 11.72 to 12.
    EXPECT_THAT(codes({3}, OperandFormat::fp8_143), ElementsAre(0x54));
    EXPECT_THAT(codes({-3000}, OperandFormat::fp8_143), ElementsAre(0xd4));
}

TEST(QuantizeOperand, Fp16AsItIs) {
    EXPECT_THAT(codes({1, -2, 0x1p-24F, 65504}, OperandFormat::fp16), ElementsAre(0x3c00, 0xc000, 0x0001, 0x7bff));
    EXPECT_THAT(codes({1e6F, -1e6F}, OperandFormat::fp16), ElementsAre(0x7bff, 0xfbff));
}

// A range that the trace gives is used as it is, and what lies outside goes to the last code.
TEST(QuantizeOperand, AsTheTraceSaysThatItWas) {
    const auto made = [](const std::vector<float>& values, OperandFormat format, const GivenRange& given) {
        const OperandCodes operand = quantize_operand(values, format, given);
        EXPECT_EQ(operand.range.rule, RangeRule::given);
        return operand;
    };
    // 15 levels to 1.5: a step is 0.1. Negative ones to 0 if codes have no sign.
    const OperandCodes unsigned_codes =
        made({-1, 0.24F, 1.5F, 9}, OperandFormat::int4_unsigned, {.clip = 1.5, .has_sign = false});
    EXPECT_EQ(unsigned_codes.format, OperandFormat::int4_unsigned);
    EXPECT_THAT(unsigned_codes.codes, ElementsAre(0, 2, 15, 15));
    EXPECT_EQ(unsigned_codes.range.clip, 1.5);
    EXPECT_EQ(unsigned_codes.range.scale, 1.5 / 15);
    // 7 levels to 3.5: a step is 0.5. With a sign although no element needs it.
    const OperandCodes with_sign = made({1, 4}, OperandFormat::int4_unsigned, {.clip = 3.5, .has_sign = true});
    EXPECT_EQ(with_sign.format, OperandFormat::int4_signed);
    EXPECT_THAT(with_sign.codes, ElementsAre(2, 7));
    // It says nothing of signs: they follow from the elements.
    EXPECT_EQ(made({1, -1}, OperandFormat::int4_unsigned, {.clip = 3.5}).format, OperandFormat::int4_signed);
    EXPECT_THAT(made({-9, 1.4F}, OperandFormat::int4_signed, {.clip = 7}).codes, ElementsAre(9, 1));
    // 2^3: 8 lies below 10, the midpoint of 4 and 16, and becomes 4; 100 is beyond 64.
    EXPECT_THAT(made({1, 12.5F}, OperandFormat::fp4_even, {.fp4_scale_log2 = 3}).codes, ElementsAre(5, 7));
    EXPECT_EQ(made({1}, OperandFormat::fp4_odd, {.fp4_scale_log2 = 3}).range.scale_log2, 3);
    // 1-4-3: 2 has the exponent field 8.
    EXPECT_THAT(made({1}, OperandFormat::fp8_143, {.fp8_scale_log2 = 1}).codes, ElementsAre(0x40));
}

// 2.5 * (1 + 2^-12) is above the midpoint of 1 and 4; as FP16 it is 2.5, and that goes up as well. Just below, 2.5 *
// (1 - 2^-13) would go down, but reaches the log-gradient unit as 2.5.
TEST(QuantizeOperand, GivenScalesOfFp4ApplyToFp16) {
    const std::vector<float> below{2.5F * (1 - 0x1p-13F)};
    EXPECT_THAT(quantize_operand(below, OperandFormat::fp4_even, {.fp4_scale_log2 = 0}).codes, ElementsAre(5));
}

TEST(GivenRangeFits, OnlyTheFormatThatItSpeaksOf) {
    const auto problem = [](const GivenRange& given, OperandFormat wanted) -> std::string {
        Tensor tensor;
        tensor.id = 3;
        tensor.quantized = given;
        try {
            require_given_range_fits(tensor, wanted);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(problem({.clip = 1}, OperandFormat::int4_unsigned), "");
    EXPECT_EQ(problem({.clip = 1}, OperandFormat::fp16), "");
    EXPECT_EQ(problem({.fp4_scale_log2 = 1}, OperandFormat::fp4_odd), "");
    EXPECT_THAT(
        problem({.clip = 1}, OperandFormat::fp8_143),
        HasSubstr("tensor 3 says how it was quantised to INT4 (clip), but this GEMM reads it in FP8: expected an "
                  "fp8_scale_log2"));
    EXPECT_THAT(problem({.fp8_scale_log2 = 1}, OperandFormat::fp4_even),
                HasSubstr("in FP4: expected an fp4_scale_log2"));
    EXPECT_THAT(problem({.fp4_scale_log2 = 1}, OperandFormat::int4_signed), HasSubstr("in INT4: expected a clip"));
    EXPECT_THAT(problem({.clip = 1, .has_sign = false}, OperandFormat::int4_signed), HasSubstr("is a weight"));
}

TEST(ScaleLog2Into, BringsTheMaximumIntoTheWindowOfTheGradientScale) {
    for (const double largest : {0x1p-149, 1e-30, 0.3, 0.5, 0.9999, 1.0, 1.0001, 31.9, 32.0, 32.1, 64.0, 64.1, 3e38}) {
        const int scale = scale_log2_into(largest, fp4_largest_log2);
        EXPECT_EQ(grad_scale_vote(std::ldexp(largest, scale)), 0) << largest;
    }
    EXPECT_EQ(scale_log2_into(64.0, 6), 0);
    EXPECT_EQ(scale_log2_into(32.0, 6), 1);
    EXPECT_EQ(scale_log2_into(65.0, 6), -1);
    EXPECT_EQ(scale_log2_into(0.0, 6), 0);
}

// Numbers that are levels come back as their codes, if the largest of them is where the scale brings it.
TEST(QuantizeOperand, RoundTrips) {
    const auto round_trip = [](OperandFormat format, OperandFormat wanted, const std::vector<std::uint16_t>& all) {
        std::vector<float> values;
        for (const std::uint16_t code : all) {
            values.push_back(decode_operand(format, code));
        }
        const OperandCodes made = quantize_operand(values, wanted);
        EXPECT_EQ(made.format, format);
        EXPECT_EQ(made.codes, all);
    };
    const std::vector<std::uint16_t> zero_to_15{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const std::vector<std::uint16_t> not_8{0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15};
    round_trip(OperandFormat::int4_unsigned, OperandFormat::int4_unsigned, zero_to_15);
    round_trip(OperandFormat::int4_signed, OperandFormat::int4_unsigned, not_8);
    round_trip(OperandFormat::fp4_even, OperandFormat::fp4_even, not_8);
    // The largest odd level, 32, is scaled to 64, and each level to the even one above it, which rounds back down.
    round_trip(OperandFormat::fp4_odd, OperandFormat::fp4_odd, not_8);
    std::vector<std::uint16_t> up_to_16;
    for (std::uint16_t code = 0; code <= 0x58; ++code) {
        up_to_16.push_back(code);
        up_to_16.push_back(code | 0x80U);
    }
    round_trip(OperandFormat::fp8_143, OperandFormat::fp8_143, up_to_16);
    up_to_16.clear();
    for (std::uint16_t code = 0; code <= 0x4c; ++code) {
        up_to_16.push_back(code);
        up_to_16.push_back(code | 0x80U);
    }
    round_trip(OperandFormat::fp8_152, OperandFormat::fp8_152, up_to_16);
    std::vector<std::uint16_t> finite;
    for (std::uint32_t code = 0; code < 0x10000; ++code) {
        if ((code & 0x7c00U) != 0x7c00U) {
            finite.push_back(static_cast<std::uint16_t>(code));
        }
    }
    round_trip(OperandFormat::fp16, OperandFormat::fp16, finite);
}

TEST(ChannelsLast, OfTwoImagesOfThreeChannels) {
    const ImageShape shape{2, 3, 4, 5};
    std::vector<std::uint16_t> given(120);
    for (std::uint16_t i = 0; i < 120; ++i) {
        given[i] = i;
    }
    const std::vector<std::uint16_t> moved = channels_last<std::uint16_t>(given, shape);
    ASSERT_EQ(moved.size(), 120);
    // The three channels of the first pixel, one plane of 4x5 apart; then the second pixel.
    EXPECT_THAT((std::vector<std::uint16_t>(moved.begin(), moved.begin() + 6)), ElementsAre(0, 20, 40, 1, 21, 41));
    for (std::size_t n = 0; n < 2; ++n) {
        for (std::size_t c = 0; c < 3; ++c) {
            for (std::size_t h = 0; h < 4; ++h) {
                for (std::size_t w = 0; w < 5; ++w) {
                    EXPECT_EQ(moved[((n * 4 + h) * 5 + w) * 3 + c], ((n * 3 + c) * 4 + h) * 5 + w);
                }
            }
        }
    }
    EXPECT_THROW(static_cast<void>(channels_last<std::uint16_t>(given, {2, 3, 4, 4})), ModelError);
}

Operation convolution(Phase phase) {
    Operation made;
    made.layer = "conv";
    made.phase = phase;
    // Output height 5 - 3 + 1 = 3, width 6 - 2 + 1 = 5.
    made.work = Convolution{.n = 2, .c = 4, .h = 5, .w = 6, .k = 8, .r = 3, .s = 2, .groups = 2};
    return made;
}

TEST(ImageShapeOf, EveryOperandOfAConvolution) {
    const ImageShape x{2, 4, 5, 6};
    const ImageShape w{8, 2, 3, 2};
    const ImageShape dy{2, 8, 3, 5};
    EXPECT_EQ(image_shape(convolution(Phase::forward), 0), x);
    EXPECT_EQ(image_shape(convolution(Phase::forward), 1), w);
    EXPECT_EQ(image_shape(convolution(Phase::dx), 0), dy);
    EXPECT_EQ(image_shape(convolution(Phase::dx), 1), w);
    EXPECT_EQ(image_shape(convolution(Phase::dw), 0), x);
    EXPECT_EQ(image_shape(convolution(Phase::dw), 1), dy);
    Operation product;
    product.work = Matmul{};
    EXPECT_EQ(image_shape(product, 0), std::nullopt);
}

TEST(ImageShapeOf, EveryOperandOfATransposedConvolution) {
    const auto transposed = [](Phase phase) {
        Operation made = convolution(phase);
        std::get<Convolution>(made.work).transposed = true;
        return made;
    };
    const ImageShape x{2, 8, 3, 5};
    const ImageShape w{8, 2, 3, 2};
    const ImageShape dy{2, 4, 5, 6};
    EXPECT_EQ(image_shape(transposed(Phase::forward), 0), x);
    EXPECT_EQ(image_shape(transposed(Phase::forward), 1), w);
    EXPECT_EQ(image_shape(transposed(Phase::dx), 0), dy);
    EXPECT_EQ(image_shape(transposed(Phase::dx), 1), w);
    EXPECT_EQ(image_shape(transposed(Phase::dw), 0), x);
    EXPECT_EQ(image_shape(transposed(Phase::dw), 1), dy);
}

Tensor tensor(TensorId id, TensorRole role, std::vector<std::uint64_t> shape, std::string values) {
    Tensor made;
    made.id = id;
    made.role = role;
    made.shape = std::move(shape);
    made.values = std::move(values);
    made.elements = 1;
    for (const std::uint64_t dimension : made.shape) {
        made.elements *= dimension;
    }
    return made;
}

TEST(RecordedValues, LoadsNumbersAndCodesInTheOrderOfTheFile) {
    const test::TemporaryDirectory directory;
    // One image of two channels and 1x3 pixels; the maximum 15 makes codes of the numbers.
    directory.write("x.npy", test::npy_of_floats("(1, 2, 1, 3)", {1, 2, 3, 13, 14, 15}));
    const RecordedValues recorded(directory.path("a.trace"));
    const Tensor x = tensor(0, TensorRole::activation, {1, 2, 1, 3}, "x.npy");
    Operation conv;
    conv.work = Convolution{.n = 1, .c = 2, .h = 1, .w = 3, .k = 1};
    const RecordedOperand operand = recorded.load(conv, 0, x, OperandFormat::int4_unsigned);
    EXPECT_THAT(operand.values, ElementsAre(1, 2, 3, 13, 14, 15));
    EXPECT_THAT(operand.quantized.codes, ElementsAre(1, 2, 3, 13, 14, 15));
    EXPECT_THAT(channels_last<std::uint16_t>(operand.quantized.codes, {1, 2, 1, 3}), ElementsAre(1, 13, 2, 14, 3, 15));
    EXPECT_THAT(channels_last<float>(operand.values, {1, 2, 1, 3}), ElementsAre(1, 13, 2, 14, 3, 15));
}

TEST(RecordedValues, FitOfBothOperands) {
    const std::uint64_t half = RecordedValues::most_elements / 2;
    const Tensor left = tensor(0, TensorRole::activation, {half}, "l.npy");
    EXPECT_NO_THROW(require_recorded_fit(left, tensor(1, TensorRole::activation, {half}, "r.npy")));
    EXPECT_NO_THROW(require_recorded_fit(left, tensor(1, TensorRole::activation, {half + 1}, "")));
    EXPECT_THROW(require_recorded_fit(left, tensor(1, TensorRole::activation, {half + 1}, "r.npy")), InputError);
}

/// A trace of one matrix product (4x3 times 3x2), one of its transpose, a depthwise convolution and vector work.
class CheckRecordedValues : public testing::Test {
protected:
    CheckRecordedValues() {
        directory_.write("x.npy", test::npy_of_floats("(4, 3)", std::vector<float>(12, 1)));
        directory_.write("w.npy", test::npy_of_floats("(6,)", std::vector<float>(6, -1)));
    }

    std::string problems(const std::string& x, const std::string& w, const Selection& selection = {},
                         const std::string& image = "no.npy") {
        std::ostringstream text;
        TraceWriter writer(text, {"checks", 1});
        writer.write(tensor(0, TensorRole::activation, {4, 3}, x));
        writer.write(tensor(1, TensorRole::weight, {3, 2}, w));
        writer.write(tensor(2, TensorRole::activation, {4, 2}, "output.npy"));
        writer.write(tensor(3, TensorRole::weight, {4, 1, 1, 1}, "depthwise.npy"));
        writer.write(tensor(4, TensorRole::activation, {1, 4, 1, 3}, image));
        writer.write(tensor(5, TensorRole::weight, {3, 1, 1, 4}, ""));
        writer.write(tensor(6, TensorRole::activation, {9}, ""));
        const auto operation = [&](const std::string& layer, auto work, std::vector<TensorId> inputs, TensorId output) {
            Operation made;
            made.layer = layer;
            made.work = work;
            made.inputs = std::move(inputs);
            made.outputs = {output};
            if (std::holds_alternative<VectorWork>(made.work)) {
                made.phase = Phase::vector;
            }
            writer.write(made);
        };
        operation("fc", Matmul{.m = 4, .n = 2, .k = 3}, {0, 1}, 2);
        operation("again", Matmul{.m = 4, .n = 2, .k = 3}, {0, 1}, 2);
        operation("depthwise", Convolution{.c = 4, .h = 1, .w = 3, .k = 4, .groups = 4}, {4, 3}, 4);
        operation("copy", VectorWork{8, {{"copy", 1}}}, {2}, 2);
        operation("conv", Convolution{.c = 4, .h = 1, .w = 3, .k = 3}, {4, 5}, 6);
        writer.finish();
        try {
            check_recorded_values(directory_.write("a.trace", text.str()), selection);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }

    test::TemporaryDirectory directory_;
    Selection products_{.layers = "[fa]*"};
};

TEST_F(CheckRecordedValues, PassesWhatIsRight) {
    directory_.write("image.npy", test::npy_of_floats("(12,)", std::vector<float>(12, 1)));
    EXPECT_EQ(problems("x.npy", "w.npy", {}, "image.npy"), "");
    EXPECT_EQ(problems("", "", {}, ""), "");
}

TEST_F(CheckRecordedValues, LeavesOutWhatTheArrayDoesNotReadInTheSelection) {
    EXPECT_EQ(problems("x.npy", "w.npy", products_), "");
    EXPECT_EQ(problems("missing.npy", "missing.npy", {.layers = "depthwise"}), "");
    EXPECT_EQ(problems("missing.npy", "missing.npy", {.layers = "copy"}), "");
}

// Line 1 is the header, lines 2 to 8 are tensors; the first product is in line 9.
TEST_F(CheckRecordedValues, FindsEveryProblemOnce) {
    directory_.write("w.npy", test::npy_of_floats("(2, 3)", std::vector<float>(6, -1)));
    const std::string found = problems("missing.npy", "w.npy");
    EXPECT_THAT(found, HasSubstr("a.trace:9: fc: " + directory_.path("missing.npy") +
                                 ": expected a .npy file, found no such file"));
    EXPECT_THAT(found,
                HasSubstr("a.trace:9: fc: " + directory_.path("w.npy") + ": expected shape (3, 2), found (2, 3)"));
    EXPECT_THAT(found, HasSubstr("a.trace:13: conv: " + directory_.path("no.npy")));
    EXPECT_THAT(found, Not(HasSubstr("again")));
    EXPECT_THAT(found, Not(HasSubstr("output.npy")));
}

TEST_F(CheckRecordedValues, LooksAtEveryNumber) {
    std::vector<float> numbers(12, 1);
    numbers[11] = std::numeric_limits<float>::quiet_NaN();
    directory_.write("nan.npy", test::npy_of_floats("(4, 3)", numbers));
    EXPECT_THAT(problems("nan.npy", "w.npy", products_), AllOf(HasSubstr("nan.npy: element 11"), HasSubstr("fc")));
}

TEST_F(CheckRecordedValues, TakesFullPaths) {
    directory_.write("full.npy", test::npy_of_floats("(4, 3)", std::vector<float>(12, 1)));
    const std::string full = std::filesystem::absolute(directory_.path("full.npy")).string();
    EXPECT_THAT(problems(full, "no.npy", products_), Not(HasSubstr("full.npy")));
}

TEST(RequireImageShape, FourDimensionsMustBeThoseOfTheConvolution) {
    const Operation forward = convolution(Phase::forward);
    EXPECT_NO_THROW(require_image_shape(forward, 0, tensor(0, TensorRole::activation, {2, 4, 5, 6}, "x.npy")));
    EXPECT_NO_THROW(require_image_shape(forward, 0, tensor(0, TensorRole::activation, {240}, "x.npy")));
    // Channels last: as many elements, another order.
    EXPECT_THROW(require_image_shape(forward, 0, tensor(0, TensorRole::activation, {2, 5, 6, 4}, "x.npy")), InputError);
    EXPECT_THROW(require_image_shape(forward, 1, tensor(0, TensorRole::weight, {8, 3, 2, 2}, "w.npy")), InputError);
}

}  // namespace
}  // namespace nibble
