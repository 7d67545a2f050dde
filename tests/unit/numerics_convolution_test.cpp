// SPDX-License-Identifier: MIT
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/convolution.h"
#include "sim/base/error.h"
#include "sim/lowering/gemm_reference.h"
#include "sim/lowering/recorded_values.h"
#include "tests/support/random_gemm.h"

namespace nibble {
namespace {

using Codes = std::vector<std::uint16_t>;

/// Any codes, infinities and NaNs among them, or only those that a layer of hashed operands would have.
Codes random_codes(test::RandomCase& random, OperandFormat format, std::size_t count, bool any) {
    const ValueSource source{format, random.number(0, 1U << 30), nullptr, nullptr};
    Codes codes(count);
    for (std::size_t i = 0; i < count; ++i) {
        codes[i] = any ? static_cast<std::uint16_t>(random.number(0, (1U << code_bits(format)) - 1)) : source.code(i);
    }
    return codes;
}

ConvolutionShape shape_of(const Convolution& c) {
    return {c.n,        c.c,       c.h,          c.w,        c.k,         c.r,          c.s,          c.stride_h,
            c.stride_w, c.pad_top, c.pad_bottom, c.pad_left, c.pad_right, c.dilation_h, c.dilation_w, c.groups};
}

/// One product of a convolution: its operands NCHW, as the array has them on its left and right, and its result.
struct Product {
    Phase phase;
    CodeArray left, right;
    ImageShape left_shape, right_shape;
    std::vector<float> result;
};

/// Hands out the result of one group in the order in which an untiled pass of the array delivers it.
std::vector<float> in_order_of_the_array(const Convolution& c, const Product& product, std::uint64_t group) {
    const std::uint64_t channels = c.c / c.groups;
    const std::uint64_t filters = c.k / c.groups;
    const std::vector<float>& result = product.result;
    std::vector<float> sums;
    if (product.phase == Phase::forward) {
        for (std::uint64_t pixel = 0; pixel < c.n * c.p() * c.q(); ++pixel) {
            const std::uint64_t image = pixel / (c.p() * c.q());
            for (std::uint64_t k = group * filters; k < (group + 1) * filters; ++k) {
                sums.push_back(result[(image * c.k + k) * c.p() * c.q() + pixel % (c.p() * c.q())]);
            }
        }
    } else if (product.phase == Phase::dx) {
        const auto reached = [](std::uint64_t first, std::uint64_t pad, std::uint64_t taps, std::uint64_t dilation,
                                std::uint64_t stride) {
            for (std::uint64_t tap = 0; tap < taps; ++tap) {
                if ((first + pad + tap * dilation * (stride - 1)) % stride == 0) {
                    return true;
                }
            }
            return false;
        };
        const auto for_each_class = [&](const auto& visit) {
            for (std::uint64_t a = 0; a < c.stride_h; ++a) {
                for (std::uint64_t b = 0; b < c.stride_w; ++b) {
                    visit(a, b,
                          reached(a, c.pad_top, c.r, c.dilation_h, c.stride_h) &&
                              reached(b, c.pad_left, c.s, c.dilation_w, c.stride_w));
                }
            }
        };
        for_each_class([&](std::uint64_t a, std::uint64_t b, bool has_taps) {
            for (std::uint64_t image = 0; image < c.n; ++image) {
                for (std::uint64_t h = a; h < c.h; h += c.stride_h) {
                    for (std::uint64_t w = b; w < c.w; w += c.stride_w) {
                        for (std::uint64_t ch = group * channels; ch < (group + 1) * channels; ++ch) {
                            const float sum = result[((image * c.c + ch) * c.h + h) * c.w + w];
                            if (has_taps) {
                                sums.push_back(sum);
                            } else {
                                EXPECT_EQ(std::bit_cast<std::uint32_t>(sum), 0U);
                            }
                        }
                    }
                }
            }
        });
    } else {
        for (std::uint64_t k = group * filters; k < (group + 1) * filters; ++k) {
            for (std::uint64_t tap = 0; tap < c.r * c.s; ++tap) {
                for (std::uint64_t ch = 0; ch < channels; ++ch) {
                    sums.push_back(result[(k * channels + ch) * c.r * c.s + tap]);
                }
            }
        }
    }
    return sums;
}

ValueSource channels_last_source(const CodeArray& array, const ImageShape& shape) {
    const std::size_t elements = shape[0] * shape[1] * shape[2] * shape[3];
    const std::span<const std::uint16_t> codes(std::get<const std::uint16_t*>(array.codes), elements);
    return {array.format, 0, std::make_shared<const Codes>(channels_last<std::uint16_t>(codes, shape)), nullptr};
}

/// Throws ModelError at the first difference from the textbook formula in an untiled reduction.
std::uint64_t check_product(const Convolution& c, const AccumulationRule& rule, const Product& product) {
    const Operation operation = test::gemm(c, product.phase);
    const GemmProblem problem = test::problem_of(operation);
    const Tiling whole{1, problem.i().extent, problem.j().extent, problem.l().extent};
    const LayerValues layer{operation,
                            problem,
                            whole,
                            channels_last_source(product.left, product.left_shape),
                            channels_last_source(product.right, product.right_shape),
                            0,
                            0,
                            1};
    std::uint64_t compared = 0;
    for (std::uint64_t group = 0; group < c.groups; ++group) {
        const TileRange tile{
            {group, group + 1}, {0, problem.i().extent}, {0, problem.j().extent}, {0, problem.l().extent}};
        compared += check_tile(layer, tile, rule, in_order_of_the_array(c, product, group));
    }
    return compared;
}

TEST(ConvolutionProducts, EqualTheLayersFormulaBitForBit) {
    std::uint64_t compared = 0;
    for (std::uint64_t seed = 0; seed < 250; ++seed) {
        test::RandomCase random(seed);
        Convolution c = test::random_convolution(random);
        c.transposed = false;
        const ConvolutionShape shape = shape_of(c);
        const auto format = [&] { return static_cast<OperandFormat>(random.number(0, 6)); };
        const bool any = random.number(0, 3) == 0;
        const AccumulationRule rule{random.one_of<std::uint32_t>({1, 7, 64, 1000}),
                                    static_cast<AccumulatorFormat>(random.number(0, 2))};
        const auto threads = static_cast<unsigned>(random.number(1, 3));
        const ImageShape x_shape{c.n, c.c, c.h, c.w};
        const ImageShape w_shape{c.k, c.c / c.groups, c.r, c.s};
        const ImageShape y_shape{c.n, c.k, c.p(), c.q()};
        const auto count = [](const ImageShape& s) { return s[0] * s[1] * s[2] * s[3]; };
        const OperandFormat of_x = format();
        const OperandFormat of_w = format();
        const OperandFormat of_dy = format();
        const Codes x = random_codes(random, of_x, count(x_shape), any);
        const Codes w = random_codes(random, of_w, count(w_shape), any);
        const Codes dy = random_codes(random, of_dy, count(y_shape), any);
        const CodeArray x_codes{of_x, x.data()};
        const CodeArray w_codes{of_w, w.data()};
        const CodeArray dy_codes{of_dy, dy.data()};

        Product y{Phase::forward, x_codes, w_codes, x_shape, w_shape, std::vector<float>(count(y_shape), -1.0F)};
        convolution_forward(shape, x_codes, w_codes, rule, threads, y.result);
        Product dx{Phase::dx, dy_codes, w_codes, y_shape, w_shape, std::vector<float>(count(x_shape), -1.0F)};
        convolution_dx(shape, dy_codes, w_codes, rule, threads, dx.result);
        Product dw{Phase::dw, dy_codes, x_codes, y_shape, x_shape, std::vector<float>(count(w_shape), -1.0F)};
        convolution_dw(shape, x_codes, dy_codes, rule, threads, dw.result);
        for (const Product* product : {&y, &dx, &dw}) {
            ASSERT_NO_THROW(compared += check_product(c, rule, *product))
                << testing::PrintToString(c) << " formats " << static_cast<int>(of_x) << ' ' << static_cast<int>(of_w)
                << ' ' << static_cast<int>(of_dy) << " phase " << static_cast<int>(product->phase);
        }
    }
    EXPECT_GT(compared, 100000U);
}

TEST(ConvolutionProducts, PaddingIsATermOfItsChunk) {
    // One channel, one row, 1x3 kernel of ones, padding 1: the first output has the terms 0 * 1, 3 * 1, 3 * 1. In
    // chunks of two these are 0 + 3 and 3: with the padding left out, they would be 3 + 3 and nothing. A running sum of
    // 2048 + ... cannot show it in so few terms, but FP16 weights can: 2048 * 1, then 1 * 1 twice. Padding first puts
    // 2048 into the first chunk and both ones into the second: 2050. Without it, 2048 + 1 ties to 2048, and again.
    const ConvolutionShape shape{.w = 3, .s = 4, .pad_left = 1, .pad_right = 0};
    const Codes x(3, 0x3c00);                       // 1.0
    const Codes w{0x3c00, 0x6800, 0x3c00, 0x3c00};  // 1, 2048, 1, 1
    std::vector<float> y(1);
    const AccumulationRule rule{.chunk = 2, .format = AccumulatorFormat::fp16};
    convolution_forward(shape, {OperandFormat::fp16, x.data()}, {OperandFormat::fp16, w.data()}, rule, 1, y);
    EXPECT_EQ(y[0], 2050.0F);
    // And with an infinite weight over the padding it is not a number.
    const Codes infinite{0x7c00, 0x3c00, 0x3c00, 0x3c00};
    convolution_forward(shape, {OperandFormat::fp16, x.data()}, {OperandFormat::fp16, infinite.data()}, rule, 1, y);
    EXPECT_NE(y[0], y[0]);
}

TEST(ConvolutionProducts, RefuseWhatDoesNotFit) {
    const Codes codes(64);
    const CodeArray array{OperandFormat::fp16, codes.data()};
    std::vector<float> out(16);
    const ConvolutionShape good{.c = 2, .h = 4, .w = 4, .k = 1};
    EXPECT_NO_THROW(convolution_forward(good, array, array, {}, 1, out));
    EXPECT_THROW(convolution_forward(good, array, array, {}, 1, std::span(out).first(15)), ModelError);
    EXPECT_THROW(convolution_forward(good, array, array, {.chunk = 0}, 1, out), ModelError);
    EXPECT_THROW(convolution_dx(good, array, array, {}, 1, out), ModelError);
    EXPECT_THROW(convolution_dw(good, array, array, {}, 1, out), ModelError);
    ConvolutionShape bad = good;
    bad.groups = 2;  // of one output channel
    EXPECT_THROW(convolution_forward(bad, array, array, {}, 1, out), ModelError);
    bad = good;
    bad.r = 5;  // larger than the image
    EXPECT_THROW(convolution_forward(bad, array, array, {}, 1, out), ModelError);
    bad = good;
    bad.stride_w = 0;
    EXPECT_THROW(convolution_forward(bad, array, array, {}, 1, out), ModelError);
}

}  // namespace
}  // namespace nibble
