// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/fp8.h"
#include "models/numerics/half.h"
#include "models/numerics/nvfp4.h"

namespace nibble {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

std::vector<float> rounded(const std::vector<float>& tensor, const BlockLayout& layout, Nvfp4Blocks blocks,
                           E2m1Rounding rounding = E2m1Rounding::nearest, std::uint64_t seed = 0) {
    std::vector<float> values(tensor.size());
    decode_nvfp4(encode_nvfp4(tensor, layout, blocks, rounding, seed), values);
    return values;
}

std::vector<float> rounded_row(const std::vector<float>& tensor) {
    return rounded(tensor, {.outer = 1, .length = tensor.size(), .inner = 1}, Nvfp4Blocks::along_axis);
}

/// One operation in binary32: done in binary64, which holds twice the digits and some, and rounded once more.
float single(double exact) {
    return static_cast<float>(exact);
}

/// The nearest of the E4M3 numbers, by trying all: sec. 2.1 of Micikevicius et al. 2022, 448 the largest.
double nearest_e4m3(double x) {
    int best = 0;
    const auto value = [](int code) {
        const int exponent = code >> 3;
        return exponent == 0 ? std::ldexp(code & 7, -9) : std::ldexp(8 + (code & 7), exponent - 10);
    };
    for (int code = 1; code < 127; ++code) {
        const double nearer = std::fabs(x - value(best)) - std::fabs(x - value(code));
        if (nearer > 0.0 || (nearer == 0.0 && code % 2 == 0)) {
            best = code;
        }
    }
    return value(best);
}

/// The table of NVIDIA TransformerEngine's cast_to_fp4x2
/// (transformer_engine/pytorch/custom_recipes/quantization_nvfp4.py).
double te_e2m1(double x) {
    const double m = std::fabs(x);
    const double value = m <= 0.25   ? 0.0
                         : m < 0.75  ? 0.5
                         : m <= 1.25 ? 1.0
                         : m < 1.75  ? 1.5
                         : m <= 2.5  ? 2.0
                         : m < 3.5   ? 3.0
                         : m <= 5.0  ? 4.0
                                     : 6.0;
    return std::copysign(value, x);
}

/// _quantize_blockwise_reference of the same file, and the product that undoes it.
double reference(double x, double block_largest, double tensor_largest) {
    const double encode = static_cast<double>(single(2688.0 / tensor_largest));
    const double decode = static_cast<double>(single(1.0 / encode));
    const double wanted = static_cast<double>(single(static_cast<double>(single(block_largest / 6.0)) * encode));
    const double scale = nearest_e4m3(std::fmin(wanted, 448.0));
    if (scale == 0.0) {
        return std::copysign(0.0, x);
    }
    const double factor = static_cast<double>(single(1.0 / static_cast<double>(single(scale * decode))));
    const double element = te_e2m1(static_cast<double>(single(x * factor)));
    return static_cast<double>(single(element * scale * decode));
}

TEST(Nvfp4, TheLargestOfATensorUsesTheWholeRange) {
    // 2688 -> element 6, scale 448, tensor scale 1. In a block of its own, 3 -> 3 / 6 = 0.5 -> element 6, scale 0.5.
    std::vector<float> tensor(32, 0.0F);
    tensor[0] = 2688.0F;
    tensor[16] = 3.0F;
    tensor[17] = -1.0F;
    const Nvfp4Tensor coded =
        encode_nvfp4(tensor, {.outer = 1, .length = 32, .inner = 1}, Nvfp4Blocks::along_axis, E2m1Rounding::nearest);
    EXPECT_EQ(coded.scale.encode, 1.0F);
    EXPECT_EQ(coded.scale.decode, 1.0F);
    ASSERT_EQ(coded.scales.size(), 2U);
    EXPECT_EQ(decode_fp8(fp8_143(), coded.scales[0]), 448.0F);
    EXPECT_EQ(decode_fp8(fp8_143(), coded.scales[1]), 0.5F);
    EXPECT_EQ(coded.elements[0], 7);
    EXPECT_EQ(coded.elements[16], 7);
    EXPECT_EQ(coded.elements[17], 8 + 4);  // -1 / 0.5 = -2
    EXPECT_EQ(rounded_row(tensor), tensor);
}

/// Every half in a block of its own beside an element that fixes the scale of the tensor.
TEST(Nvfp4, RoundsEveryHalf) {
    for (const float largest : {65504.0F, 70000.0F}) {
        for (unsigned bits = 0; bits < 0x7c00; ++bits) {
            const float x = decode_half(Half{static_cast<std::uint16_t>(bits)});
            std::vector<float> tensor(18, 0.0F);
            tensor[0] = largest;
            tensor[16] = x;
            tensor[17] = -x / 3;
            const std::vector<float> values = rounded_row(tensor);
            const auto top = static_cast<double>(largest);
            ASSERT_EQ(static_cast<double>(values[0]), reference(top, top, top));
            ASSERT_EQ(static_cast<double>(values[16]), reference(static_cast<double>(x), static_cast<double>(x), top));
            ASSERT_EQ(static_cast<double>(values[17]),
                      reference(static_cast<double>(tensor[17]), static_cast<double>(x), top));
        }
    }
}

/// The smallest scale is 2^-9; from half of it down it rounds to zero. With a tensor scale of 1, that is a largest
/// element of 6 * 2^-10.
TEST(Nvfp4, BlocksFarBelowTheLargestVanish) {
    std::vector<float> tensor(32, 0.0F);
    tensor[0] = 2688.0F;
    tensor[16] = 6 * std::ldexp(1.0F, -10);
    EXPECT_EQ(rounded_row(tensor)[16], 0.0F);
    tensor[16] = std::nextafter(tensor[16], 1.0F);
    EXPECT_EQ(rounded_row(tensor)[16], 3 * std::ldexp(1.0F, -9));
    EXPECT_EQ(nvfp4_scale(magnitude_bits(tensor[16]), {1.0F, 1.0F}), 1);
}

TEST(Nvfp4, NanAndInfinityPoisonTheirBlockOnly) {
    for (const float bad : {nan_value, infinity, -infinity}) {
        std::vector<float> tensor(48, 1.0F);
        tensor[20] = bad;
        const std::vector<float> values = rounded_row(tensor);
        for (std::size_t i = 0; i < tensor.size(); ++i) {
            EXPECT_EQ(std::isnan(values[i]), i / 16 == 1) << i;
        }
        EXPECT_EQ(values[0], 1.0F);
    }
}

TEST(Nvfp4, ZerosAndTinyTensorsAreHeld) {
    EXPECT_EQ(rounded_row({0.0F, 0.0F}), (std::vector<float>{0.0F, 0.0F}));
    EXPECT_TRUE(rounded_row({}).empty());
    // 2688 / largest would overflow below 7.9e-36; the scale stays at the largest binary32 number.
    EXPECT_EQ(Nvfp4TensorScale::of(1e-37F).encode, std::numeric_limits<float>::max());
    for (const float value : rounded_row({1e-37F, -1e-40F})) {
        EXPECT_TRUE(std::isfinite(value)) << value;
    }
}

/// Along each axis of 3 x 40 x 5, and in tiles: the elements that share a scale are found by a loop of the test's own.
TEST(Nvfp4, BlocksRunAlongAnyAxis) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    const std::size_t shape[] = {3, 40, 5};
    std::vector<float> tensor(3 * 40 * 5);
    double top = 0.0;
    for (float& x : tensor) {
        x = normal(random) * std::exp(2.0F * normal(random));
        top = std::fmax(top, std::fabs(static_cast<double>(x)));
    }
    for (int axis = 0; axis < 3; ++axis) {
        const BlockLayout layout{.outer = axis == 0   ? 1u
                                          : axis == 1 ? 3u
                                                      : 120u,
                                 .length = shape[axis],
                                 .inner = axis == 0   ? 200u
                                          : axis == 1 ? 5u
                                                      : 1u};
        const std::vector<float> values = rounded(tensor, layout, Nvfp4Blocks::along_axis);
        for (std::size_t i = 0; i < tensor.size(); ++i) {
            std::size_t place[] = {i / 200, i / 5 % 40, i % 5};
            const std::size_t begin = place[axis] / 16 * 16;
            double largest = 0.0;
            for (place[axis] = begin; place[axis] < std::min(begin + 16, shape[axis]); ++place[axis]) {
                const float x = tensor[(place[0] * 40 + place[1]) * 5 + place[2]];
                largest = std::fmax(largest, std::fabs(static_cast<double>(x)));
            }
            ASSERT_EQ(static_cast<double>(values[i]), reference(static_cast<double>(tensor[i]), largest, top)) << i;
        }
    }
}

TEST(Nvfp4, TilesAreThoseOfTheTransposedMatrix) {
    constexpr std::size_t rows = 20;
    constexpr std::size_t columns = 35;
    std::mt19937 random(6);
    std::normal_distribution<float> normal;
    std::vector<float> matrix(rows * columns);
    std::vector<float> transposed(rows * columns);
    double top = 0.0;
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            const float x = normal(random) * std::exp(2.0F * normal(random));
            matrix[row * columns + column] = x;
            transposed[column * rows + row] = x;
            top = std::fmax(top, std::fabs(static_cast<double>(x)));
        }
    }
    const auto values = rounded(matrix, {.outer = 1, .length = rows, .inner = columns}, Nvfp4Blocks::tiles);
    const auto of_transposed = rounded(transposed, {.outer = 1, .length = columns, .inner = rows}, Nvfp4Blocks::tiles);
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            double largest = 0.0;
            for (std::size_t r = row / 16 * 16; r < std::min(row / 16 * 16 + 16, rows); ++r) {
                for (std::size_t c = column / 16 * 16; c < std::min(column / 16 * 16 + 16, columns); ++c) {
                    largest = std::fmax(largest, std::fabs(static_cast<double>(matrix[r * columns + c])));
                }
            }
            const float value = values[row * columns + column];
            ASSERT_EQ(static_cast<double>(value),
                      reference(static_cast<double>(matrix[row * columns + column]), largest, top));
            ASSERT_EQ(value, of_transposed[column * rows + row]);
        }
    }
}

/// 2688 leads, so that the tensor scale is 1; blocks lead with 6, so that theirs is; 4.5 then goes to 6 with
/// probability 1/4. The count deviates by sqrt(n p (1 - p)); five times that is allowed.
TEST(Nvfp4, StochasticRoundingIsRightInExpectation) {
    constexpr std::size_t blocks = 10000;
    std::vector<float> tensor(blocks * 16, 4.5F);
    for (std::size_t block = 0; block < blocks; ++block) {
        tensor[block * 16] = block == 0 ? 2688.0F : 6.0F;
    }
    const BlockLayout layout{.outer = 1, .length = tensor.size(), .inner = 1};
    const auto values = rounded(tensor, layout, Nvfp4Blocks::along_axis, E2m1Rounding::stochastic, 21);
    double up = 0;
    for (std::size_t i = 16; i < values.size(); ++i) {
        if (i % 16 == 0) {
            ASSERT_EQ(values[i], 6.0F);
        } else {
            ASSERT_TRUE(values[i] == 4.0F || values[i] == 6.0F) << values[i];
            up += values[i] == 6.0F ? 1 : 0;
        }
    }
    const double count = (blocks - 1) * 15.0;
    EXPECT_NEAR(up, count / 4, 5 * std::sqrt(count / 4 * 0.75));
}

}  // namespace
}  // namespace nibble
