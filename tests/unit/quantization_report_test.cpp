// SPDX-License-Identifier: MIT
#include "sim/lowering/quantization_report.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

QuantizationRecord measured(const std::vector<float>& values, OperandFormat wanted) {
    return quantization_of(values, quantize_operand(values, wanted));
}

// 15 is the clip, so that codes are the numbers rounded: 0, 0, 1, 6, 15. Errors 0, 0.25, 0.25, 0, 0.
TEST(QuantizationOf, Activations) {
    const QuantizationRecord record = measured({0, 0.25F, 1.25F, 6, 15}, OperandFormat::int4_unsigned);
    EXPECT_EQ(record.elements, 5U);
    EXPECT_EQ(record.range.clip, 15);
    EXPECT_DOUBLE_EQ(*record.sqnr_db, 10 * std::log10((0.0625 + 1.5625 + 36 + 225) / 0.125));
    EXPECT_EQ(record.clipped, 0);
    EXPECT_EQ(record.underflowed, 0.2);
    EXPECT_EQ(record.zero_codes, 0.4);
    EXPECT_EQ(record.non_zero, 0.8);
    EXPECT_EQ(record.toggle_rate, std::nullopt);
}

// Fifteen weights 1 and one 8: E[w^2] = 79/16, E|w| = 23/16; clip = 12.035 * 2.2220 - 12.03 * 1.4375 = 9.449; a step is
// 1.35. 1 becomes one step, 8 six: 7 * 8 / 9.449 = 5.93.
TEST(QuantizationOf, WeightsWithinTheClip) {
    std::vector<float> weights(16, 1);
    weights[7] = 8;
    const QuantizationRecord record = measured(weights, OperandFormat::int4_signed);
    const double step = record.range.clip / 7;
    EXPECT_NEAR(record.range.clip, 9.449, 1e-3);
    EXPECT_EQ(record.clipped, 0);
    EXPECT_NEAR(*record.sqnr_db,
                10 * std::log10((15 + 64) / (15 * (step - 1) * (step - 1) + (6 * step - 8) * (6 * step - 8))), 1e-9);
}

// Three weights of 2: clip = (12.035 - 12.03) * 2 = 0.01: all are beyond it, and what is left of them is 0.01.
TEST(QuantizationOf, WeightsBeyondTheClip) {
    const QuantizationRecord record = measured({2, -2, 2}, OperandFormat::int4_signed);
    EXPECT_NEAR(record.range.clip, 0.01, 1e-12);
    EXPECT_EQ(record.clipped, 1);
    EXPECT_NEAR(*record.sqnr_db, 20 * std::log10(2 / 1.99), 1e-9);
}

// Scale 1. Even levels: 64, 10 -> 16, 0.005 -> 0; odd: 64 -> 32, 10 -> 8, and 0.005 -> 4^-3 / 2 = 0.0078125.
TEST(QuantizationOf, GradientsInBothPhases) {
    const std::vector<float> gradients{64, -10, 0.005F, 0};
    const double small = static_cast<double>(gradients[2]);
    const double signal = 4096 + 100 + small * small;
    const QuantizationRecord even = measured(gradients, OperandFormat::fp4_even);
    EXPECT_EQ(even.range.scale_log2, 0);
    EXPECT_DOUBLE_EQ(*even.sqnr_db, 10 * std::log10(signal / (36 + small * small)));
    EXPECT_EQ(even.clipped, 0);
    EXPECT_EQ(even.underflowed, 0.25);
    EXPECT_EQ(even.zero_codes, 0.5);
    EXPECT_EQ(even.non_zero, 0.75);
    const QuantizationRecord odd = measured(gradients, OperandFormat::fp4_odd);
    EXPECT_DOUBLE_EQ(*odd.sqnr_db, 10 * std::log10(signal / (1024 + 4 + std::pow(0.0078125 - small, 2))));
    EXPECT_EQ(odd.clipped, 0.25);
    EXPECT_EQ(odd.underflowed, 0);
    EXPECT_EQ(odd.zero_codes, 0.25);
}

// The scale is part of what a code stands for: 3 * 2^-8 becomes 48 and stands for 64 * 2^-12.
TEST(QuantizationOf, ScaledGradients) {
    const QuantizationRecord record = measured({0x3p-8F}, OperandFormat::fp4_even);
    EXPECT_EQ(record.range.scale_log2, 12);
    EXPECT_DOUBLE_EQ(*record.sqnr_db, 20 * std::log10(3));  // 3 against 4
}

// 1 + 2^-11 lies between two binary16 numbers, to the even one; 2^-26 is below half the smallest; 70000 above the
// largest.
TEST(QuantizationOf, Fp16) {
    const QuantizationRecord record = measured({1 + 0x1p-11F, 0x1p-26F, 70000, -0.0F}, OperandFormat::fp16);
    EXPECT_EQ(record.clipped, 0.25);
    EXPECT_EQ(record.underflowed, 0.25);
    EXPECT_EQ(record.zero_codes, 0.5);
    EXPECT_EQ(record.non_zero, 0.75);
    const double signal = std::pow(1 + 0x1p-11, 2) + 0x1p-52 + 4.9e9;
    EXPECT_DOUBLE_EQ(*record.sqnr_db, 10 * std::log10(signal / (0x1p-22 + 0x1p-52 + 4496.0 * 4496.0)));
}

TEST(QuantizationOf, WithoutErrorOrSignalThereIsNoRatio) {
    EXPECT_EQ(measured({1, 2, 15}, OperandFormat::int4_unsigned).sqnr_db, std::nullopt);
    const QuantizationRecord zeros = measured({0, 0}, OperandFormat::int4_unsigned);
    EXPECT_EQ(zeros.sqnr_db, std::nullopt);
    EXPECT_EQ(zeros.zero_codes, 1);
    EXPECT_EQ(zeros.range.scale, 0);
    EXPECT_EQ(measured({}, OperandFormat::fp16).non_zero, 0);
    EXPECT_THROW(static_cast<void>(quantization_of(std::vector<float>{1}, {})), ModelError);
}

// Rows 0000 1111 0000, 0001 0011 0111.
TEST(ToggleCounter, AlongRowsAndDownColumns) {
    const std::vector<std::uint16_t> codes{0, 15, 0, 1, 3, 7};
    ToggleCounter along;
    along.add_along(codes, 3, 1);
    EXPECT_EQ(along.rate(4), (4 + 4 + 1 + 1) / (4 * 4.0));
    ToggleCounter two_steps;
    two_steps.add_along(codes, 3, 2);
    EXPECT_EQ(two_steps.rate(4), (0 + 2) / (2 * 4.0));
    ToggleCounter down;
    down.add_down(codes, 3, 1);
    EXPECT_EQ(down.rate(4), (1 + 2 + 3) / (3 * 4.0));
    down.add_down(codes, 1, 3);  // the same pairs, as a column
    EXPECT_EQ(down.rate(4), 0.5);
}

TEST(ToggleCounter, OneCodeFollowsNoOther) {
    ToggleCounter counter;
    EXPECT_EQ(counter.rate(4), std::nullopt);
    const std::vector<std::uint16_t> codes{1, 2, 3};
    counter.add_along(codes, 3, 3);
    counter.add_along(codes, 1, 1);
    counter.add_down(codes, 3, 1);
    counter.add_down(codes, 1, 4);
    EXPECT_EQ(counter.rate(4), std::nullopt);
    counter.add_down({}, 0, 1);
    counter.add_along({}, 0, 1);
    EXPECT_EQ(counter.rate(4), std::nullopt);
}

// Alternating codes of all ones and zeros, longer than a machine word: every bit toggles.
TEST(ToggleCounter, LongRuns) {
    std::vector<std::uint16_t> codes(103);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        codes[i] = i % 2 == 0 ? 0xffff : 0;
    }
    ToggleCounter counter;
    counter.add_along(codes, codes.size(), 1);
    EXPECT_EQ(counter.rate(16), 1);
    counter.add_down(codes, 1, 2);  // 101 pairs without a toggle
    EXPECT_EQ(counter.rate(16), 102.0 / 203);
}

// Exact 3 and 4, a vector of length 5. Quantised 3 and 5: off by 1. Delivered 4 and 3: off by sqrt(2).
TEST(OutputComparison, RelativeErrorAndCosine) {
    OutputComparison comparison;
    comparison.add(3, 3, 4);
    comparison.add(4, 5, 3);
    const OutputRecord record = comparison.record();
    EXPECT_DOUBLE_EQ(*record.relative_error, 0.2);
    EXPECT_DOUBLE_EQ(*record.cosine_similarity, 29 / (5 * std::sqrt(34)));
    EXPECT_DOUBLE_EQ(*record.array_relative_error, std::sqrt(2) / 5);
    EXPECT_DOUBLE_EQ(*record.array_cosine_similarity, 24.0 / 25);
    EXPECT_EQ(record.overflowed, 0);
}

TEST(OutputComparison, Overflow) {
    OutputComparison comparison;
    comparison.add(1, 1, 1);
    comparison.add(1, 1, std::numeric_limits<double>::infinity());
    comparison.add(1, 1, std::numeric_limits<double>::quiet_NaN());
    comparison.add(1, 1, 1);
    const OutputRecord record = comparison.record();
    EXPECT_EQ(record.overflowed, 0.5);
    EXPECT_EQ(record.relative_error, 0);
    EXPECT_EQ(record.array_relative_error, std::nullopt);
    EXPECT_EQ(record.array_cosine_similarity, std::nullopt);
}

TEST(OutputComparison, Zeros) {
    OutputComparison nothing_exact;
    nothing_exact.add(0, 1, 1);
    EXPECT_EQ(nothing_exact.record().relative_error, std::nullopt);
    EXPECT_EQ(nothing_exact.record().cosine_similarity, std::nullopt);
    OutputComparison nothing_made;
    nothing_made.add(2, 0, 0);
    EXPECT_EQ(nothing_made.record().relative_error, 1);
    EXPECT_EQ(nothing_made.record().cosine_similarity, std::nullopt);
}

}  // namespace
}  // namespace nibble
