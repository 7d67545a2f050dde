// SPDX-License-Identifier: MIT
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/dlfloat16.h"
#include "models/numerics/fp4.h"
#include "models/numerics/fp8.h"
#include "models/numerics/gemm.h"
#include "models/numerics/gemm_tile.h"
#include "models/numerics/half.h"
#include "models/numerics/int4.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

using Codes = std::vector<std::uint16_t>;

constexpr std::array operand_formats = {
    OperandFormat::int4_signed, OperandFormat::int4_unsigned, OperandFormat::fp4_even, OperandFormat::fp4_odd,
    OperandFormat::fp8_143,     OperandFormat::fp8_152,       OperandFormat::fp16,
};
constexpr std::array accumulator_formats = {AccumulatorFormat::fp16, AccumulatorFormat::dlfloat16,
                                            AccumulatorFormat::fp32};

/// Any bits, also above the code, where they must be ignored.
Codes random_codes(std::mt19937_64& random, std::size_t count) {
    Codes codes(count);
    for (auto& code : codes) {
        code = static_cast<std::uint16_t>(random());
    }
    return codes;
}

/// Finite ones of moderate size, so that sums do not overflow.
Codes moderate_codes(std::mt19937_64& random, OperandFormat format, std::size_t count) {
    Codes codes = random_codes(random, count);
    for (auto& code : codes) {
        switch (format) {
            case OperandFormat::fp8_143:
                code = encode_fp8(fp8_143(), (code % 2001 - 1000) / 77.0);
                break;
            case OperandFormat::fp8_152:
                code = encode_fp8(fp8_152(), (code % 2001 - 1000) / 77.0);
                break;
            case OperandFormat::fp16:
                code = encode_half((code % 2001 - 1000) / 77.0).bits;
                break;
            default:
                break;
        }
    }
    return codes;
}

std::vector<float> random_partial(std::mt19937_64& random, AccumulatorFormat format, std::size_t count) {
    std::vector<float> partial(count);
    for (auto& value : partial) {
        const double any = (static_cast<double>(random() % 20001) - 10000.0) / 77.0;
        switch (format) {
            case AccumulatorFormat::fp16:
                value = static_cast<float>(round_to_half(any));
                break;
            case AccumulatorFormat::dlfloat16:
                value = static_cast<float>(round_to_dlfloat16(any));
                break;
            case AccumulatorFormat::fp32:
                value = static_cast<float>(any);
                break;
        }
    }
    return partial;
}

/// Compares bits, so that the sign of zero and the code of NaN count.
::testing::AssertionResult same_bits(const std::vector<float>& got, const std::vector<float>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (std::bit_cast<std::uint32_t>(got[i]) != std::bit_cast<std::uint32_t>(expected[i])) {
            return ::testing::AssertionFailure() << "output " << i << ": " << got[i] << ", expected " << expected[i];
        }
    }
    return ::testing::AssertionSuccess();
}

struct Shape {
    std::uint64_t m;
    std::uint64_t n;
    std::uint64_t k;
    AccumulationRule rule;
};

void check_against_reference(std::mt19937_64& random, const Shape& shape, const GemmOperand& a, const GemmOperand& b) {
    const auto& [m, n, k, rule] = shape;
    std::vector<float> expected = random_partial(random, rule.format, m * n);
    std::vector<float> got = expected;
    gemm_accumulate_reference(m, n, k, a, b, rule, expected);
    gemm_accumulate(m, n, k, a, b, rule, got);
    ASSERT_TRUE(same_bits(got, expected))
        << "formats " << static_cast<int>(a.format) << " x " << static_cast<int>(b.format) << " into "
        << static_cast<int>(rule.format) << ", " << m << " x " << n << " x " << k << ", chunk " << rule.chunk;
}

TEST(Gemm, EqualsTheReferenceForAllFormatsAndRandomShapes) {
    std::mt19937_64 random(1);
    constexpr std::array<std::uint32_t, 5> chunks = {1, 7, 64, 100, std::numeric_limits<std::uint32_t>::max()};
    for (const OperandFormat a_format : operand_formats) {
        for (const OperandFormat b_format : operand_formats) {
            for (const AccumulatorFormat accumulator : accumulator_formats) {
                for (const std::uint32_t chunk : chunks) {
                    const Shape shape{1 + random() % 9,
                                      1 + random() % 70,
                                      1 + random() % 200,
                                      {.chunk = chunk, .format = accumulator}};
                    const Codes a = moderate_codes(random, a_format, shape.m * shape.k);
                    const Codes b = moderate_codes(random, b_format, shape.k * shape.n);
                    check_against_reference(random, shape, {a_format, a}, {b_format, b});
                }
            }
        }
    }
}

TEST(Gemm, EqualsTheReferenceForCodesOfAnyKind) {
    // Infinities, NaNs, subnormals, and sums that overflow every accumulator.
    std::mt19937_64 random(2);
    for (const OperandFormat a_format : operand_formats) {
        for (const OperandFormat b_format : operand_formats) {
            for (const AccumulatorFormat accumulator : accumulator_formats) {
                const Shape shape{6, 33, 20, {.chunk = 8, .format = accumulator}};
                const Codes a = random_codes(random, shape.m * shape.k);
                const Codes b = random_codes(random, shape.k * shape.n);
                check_against_reference(random, shape, {a_format, a}, {b_format, b});
            }
        }
    }
}

TEST(Gemm, EqualsTheReferenceWhereChunksOfExtremesExceedTheNarrowSums) {
    // All codes at the largest magnitude and k = 1000: the sums pass 2^15 (INT4 x INT4), 2^24 (with FP4) and 2^31.
    std::mt19937_64 random(3);
    constexpr std::array four_bit = {OperandFormat::int4_signed, OperandFormat::int4_unsigned, OperandFormat::fp4_even,
                                     OperandFormat::fp4_odd};
    for (const OperandFormat a_format : four_bit) {
        for (const OperandFormat b_format : four_bit) {
            for (const AccumulatorFormat accumulator : accumulator_formats) {
                for (const std::uint16_t extreme : {std::uint16_t{15}, std::uint16_t{8}, std::uint16_t{7}}) {
                    const Shape shape{2, 3, 1000, {.chunk = 1000, .format = accumulator}};
                    const Codes a(shape.m * shape.k, extreme);
                    const Codes b(shape.k * shape.n, extreme);
                    check_against_reference(random, shape, {a_format, a}, {b_format, b});
                }
            }
        }
    }
}

TEST(Gemm, EveryVectorUnitGivesTheSameBits) {
    std::mt19937_64 random(4);
    const auto check = [&random]<class Element>(const std::vector<Element>& a, const std::vector<Element>& b,
                                                std::size_t chunk, std::size_t piece, std::size_t columns,
                                                bool exact = true) {
        for (const AccumulatorFormat format : accumulator_formats) {
            const std::vector<float> start = random_partial(random, format, 5 * columns);
            std::vector<float> baseline = start;
            GemmStrip<Element> strip{.chunk = chunk,
                                     .piece = piece,
                                     .exact_products = exact,
                                     .a = a.data(),
                                     .b = b.data(),
                                     .unit = 0.125,
                                     .format = format,
                                     .partial = baseline.data(),
                                     .rows = 5,
                                     .columns = columns,
                                     .stride = columns};
            accumulate_strip(HostVectors::baseline, strip);
            EXPECT_FALSE(same_bits(baseline, start));
            for (const HostVectors unit : vector_units()) {
                std::vector<float> vectorised = start;
                strip.partial = vectorised.data();
                accumulate_strip(unit, strip);
                EXPECT_TRUE(same_bits(vectorised, baseline)) << static_cast<int>(unit);
            }
        }
    };
    const auto fill = [&random]<class Element>(std::vector<Element> values, int range) {
        for (auto& value : values) {
            value = static_cast<Element>(static_cast<int>(random() % (2 * static_cast<unsigned>(range) + 1)) - range);
        }
        return values;
    };
    for (const std::size_t piece : {std::size_t{50}, std::size_t{16}}) {
        check(fill(std::vector<std::int16_t>(50 * tile_rows), 15), fill(std::vector<std::int16_t>(50 * 64), 15), 50,
              piece, 45);
        check(fill(std::vector<float>(50 * tile_rows), 15), fill(std::vector<float>(50 * 64), 4096), 50, piece, 45);
        check(fill(std::vector<float>(50 * tile_rows), 9999), fill(std::vector<float>(50 * 64), 9999), 50, piece, 45,
              false);
        check(fill(std::vector<double>(50 * tile_rows), 4096), fill(std::vector<double>(50 * 64), 4096), 50, piece, 45);
    }
}

Codes of(int count, unsigned code) {
    return Codes(static_cast<std::size_t>(count), static_cast<std::uint16_t>(code));
}

float one_output(const GemmOperand& a, const GemmOperand& b, const AccumulationRule& rule, float start = 0.0F) {
    std::array<float, 1> partial = {start};
    gemm_accumulate(1, 1, a.codes.size(), a, b, rule, partial);
    return partial[0];
}

TEST(Gemm, ChunksKeepLongSumsFromSwamping) {
    // 4096 ones in binary16, Wang et al. 2018's example of swamping: one by one the sum stops at 2048, for 2048 + 1 is
    // a tie and goes back to 2048; in chunks of 64 it is exact. In DLFloat16, with a tie away from zero, 1024 + 1 is
    // 1026.
    const Codes ones = of(4096, 1);
    const GemmOperand operand{OperandFormat::int4_signed, ones};
    EXPECT_EQ(one_output(operand, operand, {.chunk = 1, .format = AccumulatorFormat::fp16}), 2048.0F);
    EXPECT_EQ(one_output(operand, operand, {.chunk = 64, .format = AccumulatorFormat::fp16}), 4096.0F);
    EXPECT_EQ(one_output(operand, operand, {.chunk = 1, .format = AccumulatorFormat::fp32}), 4096.0F);
    // Each 1 adds 1 up to 1024, 2 up to 2048 (another 512 ones), and then, less than half of the ulp 4, nothing.
    EXPECT_EQ(one_output(operand, operand, {.chunk = 1, .format = AccumulatorFormat::dlfloat16}), 2048.0F);
    EXPECT_EQ(one_output(operand, operand, {}), 4096.0F) << "the default is chunks of 64 and binary16";
}

TEST(Gemm, ChunksRestartWithEveryCall) {
    // 2048 + 65 ones: 64 and then 1, which is a tie and lost, in each of two calls. In one call of 130 the chunks are
    // 64, 64 and 2, and nothing is lost.
    const Codes ones = of(130, 1);
    const GemmOperand all{OperandFormat::int4_unsigned, ones};
    const GemmOperand some{OperandFormat::int4_unsigned, std::span(ones).first(65)};
    EXPECT_EQ(one_output(some, some, {}, 2048.0F), 2112.0F);
    EXPECT_EQ(one_output(some, some, {}, one_output(some, some, {}, 2048.0F)), 2176.0F);
    EXPECT_EQ(one_output(all, all, {}, 2048.0F), 2178.0F);
}

TEST(Gemm, FloatSumsRunInIncreasingK) {
    // 4096 * 4096 = 2^24; adding 1 twice in binary32 changes nothing, and taking 2^24 away leaves 0. With the ones
    // last, or exactly, the sum is 2.
    const Codes a = {encode_half(4096.0).bits, encode_half(1.0).bits, encode_half(1.0).bits, encode_half(-4096.0).bits};
    const Codes b = {encode_half(4096.0).bits, encode_half(1.0).bits, encode_half(1.0).bits, encode_half(4096.0).bits};
    EXPECT_EQ(one_output({OperandFormat::fp16, a}, {OperandFormat::fp16, b}, {.format = AccumulatorFormat::fp32}),
              0.0F);
    const Codes a_later = {a[0], a[3], a[1], a[2]};
    const Codes b_later = {b[0], b[3], b[1], b[2]};
    EXPECT_EQ(
        one_output({OperandFormat::fp16, a_later}, {OperandFormat::fp16, b_later}, {.format = AccumulatorFormat::fp32}),
        2.0F);
}

TEST(Gemm, FourBitChunksAreExact) {
    // 15 * 64 three times and 7 / 64, a unit of which binary32 still holds: 2880.109375. Binary16's ulp there is 2.
    const Codes activations = {15, 15, 15, 7};
    const Codes gradients = {7, 7, 7, 1};
    const GemmOperand a{OperandFormat::int4_unsigned, activations};
    EXPECT_EQ(one_output(a, {OperandFormat::fp4_even, gradients}, {.format = AccumulatorFormat::fp32}), 2880.109375F);
    EXPECT_EQ(one_output(a, {OperandFormat::fp4_even, gradients}, {}), 2880.0F);
    EXPECT_EQ(one_output(a, {OperandFormat::fp4_odd, gradients}, {.format = AccumulatorFormat::fp32}),
              2880.109375F / 2);
    // 3 * 32 * 32 + 2^-14 has 26 bits. Binary32 would have lost the last; taking 3072 away shows that it was there.
    EXPECT_EQ(one_output({OperandFormat::fp4_odd, gradients}, {OperandFormat::fp4_odd, gradients},
                         {.format = AccumulatorFormat::fp32}, -3072.0F),
              0.00006103515625F);
}

TEST(Gemm, ALongFourBitChunkIsExactToo) {
    // 999 * 15 * 64 = 959040, and 1/64: 61378561 units of 2^-6 in one chunk, an odd number above 2^24.
    Codes activations = of(1000, 15);
    Codes gradients = of(1000, 7);
    activations.back() = 1;
    gradients.back() = 1;
    const AccumulationRule rule{.chunk = 1000, .format = AccumulatorFormat::fp32};
    const GemmOperand a{OperandFormat::int4_unsigned, activations};
    EXPECT_EQ(one_output(a, {OperandFormat::fp4_even, gradients}, rule, -959040.0F), 1.0F / 64);
    EXPECT_EQ(one_output({OperandFormat::fp4_odd, gradients}, a, rule, -479520.0F), 1.0F / 128);
}

TEST(Gemm, MultipliesMatrices) {
    // | 1 -2 |   | 4 0 -8 |   |  2 -14 -22 |
    // | 3  0 | x | 1 7  7 | = | 12   0 -24 |, added to a partial sum of 100.
    const Codes a = {1, int4_bits(-2), 3, 0};
    const Codes b = {4, 0, int4_bits(-8), 1, 7, 7};
    std::vector<float> partial(6, 100.0F);
    gemm_accumulate(2, 3, 2, {OperandFormat::int4_signed, a}, {OperandFormat::int4_signed, b}, {}, partial);
    EXPECT_EQ(partial, (std::vector<float>{102.0F, 86.0F, 78.0F, 112.0F, 100.0F, 76.0F}));
}

TEST(Gemm, AnEmptyInnerDimensionChangesNothing) {
    std::vector<float> partial = {1.0F, 2.0F};
    gemm_accumulate(1, 2, 0, {OperandFormat::fp16, {}}, {OperandFormat::fp16, {}}, {}, partial);
    EXPECT_EQ(partial, (std::vector<float>{1.0F, 2.0F}));
    gemm_accumulate(0, 0, 4, {OperandFormat::fp16, {}}, {OperandFormat::fp16, {}}, {}, {});
}

TEST(Gemm, RefusesWhatDoesNotFit) {
    const Codes four(4);
    const GemmOperand square{OperandFormat::fp16, four};
    const GemmOperand empty{OperandFormat::fp16, {}};
    std::vector<float> partial(4);
    for (const auto gemm : {gemm_accumulate, gemm_accumulate_reference}) {
        EXPECT_NO_THROW(gemm(2, 2, 2, square, square, {}, partial));
        EXPECT_THROW(gemm(2, 2, 1, square, square, {}, partial), ModelError);
        EXPECT_THROW(gemm(2, 1, 2, square, square, {}, partial), ModelError);
        EXPECT_THROW(gemm(2, 2, 2, square, square, {}, std::span(partial).first(3)), ModelError);
        EXPECT_THROW(gemm(2, 2, 2, square, square, {.chunk = 0}, partial), ModelError);
        EXPECT_THROW(gemm(0, 0, std::uint64_t{1} << 28, empty, empty, {}, {}), ModelError);
    }
}

TEST(Operand, DecodesEveryCodeAndIgnoresTheBitsAbove) {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const auto code = static_cast<std::uint16_t>(bits);
        const Fp4Code fp4{static_cast<std::uint8_t>(bits & 15)};
        const auto fp8 = static_cast<std::uint8_t>(bits & 255);
        const auto same = [code](OperandFormat format, float expected) {
            const float decoded = decode_operand(format, code);
            return decoded == expected || (std::isnan(decoded) && std::isnan(expected));
        };
        const int low = static_cast<int>(bits & 15);
        ASSERT_TRUE(same(OperandFormat::int4_unsigned, static_cast<float>(low))) << bits;
        ASSERT_TRUE(same(OperandFormat::int4_signed, static_cast<float>(low < 8 ? low : low - 16))) << bits;
        ASSERT_TRUE(same(OperandFormat::fp4_even, decode_fp4(fp4, Fp4Phase::even))) << bits;
        ASSERT_TRUE(same(OperandFormat::fp4_odd, decode_fp4(fp4, Fp4Phase::odd))) << bits;
        ASSERT_TRUE(same(OperandFormat::fp8_143, decode_fp8(fp8_143(), fp8))) << bits;
        ASSERT_TRUE(same(OperandFormat::fp8_152, decode_fp8(fp8_152(), fp8))) << bits;
        ASSERT_TRUE(same(OperandFormat::fp16, decode_half(Half{code}))) << bits;
    }
}

TEST(Operand, WidthsOfCodes) {
    EXPECT_EQ(code_bits(OperandFormat::int4_signed), 4);
    EXPECT_EQ(code_bits(OperandFormat::int4_unsigned), 4);
    EXPECT_EQ(code_bits(OperandFormat::fp4_even), 4);
    EXPECT_EQ(code_bits(OperandFormat::fp4_odd), 4);
    EXPECT_EQ(code_bits(OperandFormat::fp8_143), 8);
    EXPECT_EQ(code_bits(OperandFormat::fp8_152), 8);
    EXPECT_EQ(code_bits(OperandFormat::fp16), 16);
    EXPECT_TRUE(exact_in_chunk(OperandFormat::int4_signed, OperandFormat::fp4_odd));
    EXPECT_FALSE(exact_in_chunk(OperandFormat::int4_signed, OperandFormat::fp8_152));
    EXPECT_FALSE(exact_in_chunk(OperandFormat::fp16, OperandFormat::int4_unsigned));
}

}  // namespace
}  // namespace nibble
