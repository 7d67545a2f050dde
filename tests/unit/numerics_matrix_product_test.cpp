// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/gemm.h"
#include "models/numerics/matrix_product.h"
#include "models/numerics/parallel.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

template <class Code>
std::vector<Code> random_codes(std::mt19937_64& random, OperandFormat format, std::size_t count) {
    std::vector<Code> codes(count);
    for (auto& code : codes) {
        code = static_cast<Code>(random() & ((1U << code_bits(format)) - 1));
    }
    return codes;
}

/// A matrix somewhere in a larger one: transposed, with gaps, or backwards.
template <class Code>
struct Laid {
    std::vector<Code> memory;
    CodeMatrix matrix;
    std::vector<std::uint16_t> plain;  // the same, row-major without gaps
};

template <class Code>
Laid<Code> laid_out(std::mt19937_64& random, OperandFormat format, std::size_t rows, std::size_t columns) {
    Laid<Code> laid;
    const auto step = static_cast<std::ptrdiff_t>(1 + random() % 3);
    std::ptrdiff_t row_stride = step * static_cast<std::ptrdiff_t>(columns);
    std::ptrdiff_t column_stride = step;
    if (random() % 2 == 0) {
        row_stride = step;
        column_stride = step * static_cast<std::ptrdiff_t>(rows);
    }
    laid.memory = random_codes<Code>(random, format, rows * columns * static_cast<std::size_t>(step));
    const Code* first = laid.memory.data();
    if (random() % 3 == 0) {
        first += row_stride * (static_cast<std::ptrdiff_t>(rows) - 1);
        row_stride = -row_stride;
    }
    laid.matrix = {format, first, row_stride, column_stride};
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            laid.plain.push_back(first[static_cast<std::ptrdiff_t>(row) * row_stride +
                                       static_cast<std::ptrdiff_t>(column) * column_stride]);
        }
    }
    return laid;
}

template <class CodeA, class CodeB>
void check(std::mt19937_64& random, OperandFormat a_format, OperandFormat b_format, std::size_t m, std::size_t n,
           std::size_t k) {
    const Laid<CodeA> a = laid_out<CodeA>(random, a_format, m, k);
    const Laid<CodeB> b = laid_out<CodeB>(random, b_format, k, n);
    const AccumulationRule rule{.chunk = static_cast<std::uint32_t>(1 + random() % 80),
                                .format = static_cast<AccumulatorFormat>(random() % 3)};
    std::vector<float> expected(m * n);
    gemm_accumulate_reference(m, n, k, {a_format, a.plain}, {b_format, b.plain}, rule, expected);
    for (const unsigned threads : {1U, 2U, 5U}) {
        std::vector<float> sums(m * n, -1.0F);
        multiply(m, n, k, a.matrix, b.matrix, rule, threads, sums);
        for (std::size_t i = 0; i < m * n; ++i) {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(sums[i]), std::bit_cast<std::uint32_t>(expected[i]))
                << m << " x " << n << " x " << k << ", formats " << static_cast<int>(a_format) << ' '
                << static_cast<int>(b_format) << ", threads " << threads;
        }
    }
}

TEST(MatrixProduct, EqualsTheReferenceForAllFormatsLayoutsAndThreads) {
    std::mt19937_64 random(1);
    constexpr OperandFormat formats[] = {OperandFormat::int4_signed, OperandFormat::int4_unsigned,
                                         OperandFormat::fp4_even,    OperandFormat::fp4_odd,
                                         OperandFormat::fp8_143,     OperandFormat::fp8_152};
    for (const OperandFormat a : formats) {
        for (const OperandFormat b : formats) {
            check<std::uint8_t, std::uint8_t>(random, a, b, 1 + random() % 40, 1 + random() % 40, 1 + random() % 200);
        }
        check<std::uint8_t, std::uint16_t>(random, a, OperandFormat::fp16, 7, 1 + random() % 40, 70);
        check<std::uint16_t, std::uint8_t>(random, OperandFormat::fp16, a, 1 + random() % 40, 3, 70);
    }
    check<std::uint16_t, std::uint16_t>(random, OperandFormat::fp16, OperandFormat::fp16, 33, 35, 100);
}

TEST(MatrixProduct, LargeOnesAreCutIntoBlocks) {
    // More columns than one block has, enough work for several threads, and few columns, where operands change sides.
    std::mt19937_64 random(2);
    check<std::uint8_t, std::uint8_t>(random, OperandFormat::int4_signed, OperandFormat::fp4_even, 50, 1100, 130);
    check<std::uint8_t, std::uint8_t>(random, OperandFormat::fp8_143, OperandFormat::fp8_152, 1500, 10, 130);
}

TEST(MatrixProduct, EmptyOnes) {
    const std::uint8_t code = 1;
    const CodeMatrix any{OperandFormat::int4_signed, &code, 1, 1};
    std::vector<float> sums(6, -1.0F);
    multiply(2, 3, 0, any, any, {}, 2, sums);
    EXPECT_EQ(sums, std::vector<float>(6, 0.0F));
    multiply(0, 3, 5, any, any, {}, 2, {});
    multiply(3, 0, 5, any, any, {}, 2, {});
    EXPECT_THROW(multiply(2, 3, 0, any, any, {}, 1, std::span(sums).first(5)), ModelError);
    EXPECT_THROW(multiply(2, 3, 0, any, any, {.chunk = 0}, 1, sums), ModelError);
}

TEST(MatrixProduct, OfNumbersRoundsEveryProduct) {
    // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, halfway between two binary32 numbers: to even, 1 + 2^-11. A fused
    // multiply-add would have kept 2^-24 when -(1 + 2^-11) is added.
    const float x = 1.0F + 0x1p-12F;
    const std::array<float, 2> a{-1.0F - 0x1p-11F, x};
    const std::array<float, 2> b{1.0F, x};
    float sum = -1.0F;
    multiply(1, 1, 2, {a.data(), 2, 1}, {b.data(), 1, 1}, {.chunk = 64, .format = AccumulatorFormat::fp32}, 1,
             {&sum, 1});
    EXPECT_EQ(sum, 0.0F);
}

TEST(MatrixProduct, OfNumbersEqualsThePlainLoop) {
    std::mt19937_64 random(3);
    const std::size_t m = 9;
    const std::size_t n = 50;
    const std::size_t k = 150;
    const auto numbers = [&](std::size_t count) {
        std::vector<float> made(count);
        for (float& number : made) {
            number = (static_cast<float>(random() % 20001) - 10000.0F) / 7777.0F;
        }
        return made;
    };
    const std::vector<float> a = numbers(m * k);  // k x m in memory
    const std::vector<float> b = numbers(k * n);
    for (const AccumulatorFormat format :
         {AccumulatorFormat::fp16, AccumulatorFormat::dlfloat16, AccumulatorFormat::fp32}) {
        std::vector<float> sums(m * n, -1.0F);
        multiply(m, n, k, {a.data(), 1, m}, {b.data(), n, 1}, {.chunk = 64, .format = format}, 3, sums);
        for (std::size_t row = 0; row < m; ++row) {
            for (std::size_t column = 0; column < n; ++column) {
                float expected = 0.0F;
                for (std::size_t start = 0; start < k; start += 64) {
                    float chunk = 0.0F;
                    for (std::size_t term = start; term < std::min(start + 64, k); ++term) {
                        const volatile float product = a[term * m + row] * b[term * n + column];
                        chunk += product;
                    }
                    expected = accumulate(format, expected, static_cast<double>(chunk));
                }
                ASSERT_EQ(sums[row * n + column], expected) << row << ' ' << column;
            }
        }
    }
}

TEST(RunTasks, RunsEachOnceAndPassesErrorsOn) {
    std::vector<std::atomic<int>> runs(1000);
    run_tasks(runs.size(), 7, [&](std::size_t task) { ++runs[task]; });
    for (const std::atomic<int>& count : runs) {
        EXPECT_EQ(count, 1);
    }
    run_tasks(0, 3, [](std::size_t) { FAIL(); });
    EXPECT_THROW(run_tasks(100, 3,
                           [](std::size_t task) {
                               if (task == 50) {
                                   throw std::runtime_error("");
                               }
                           }),
                 std::runtime_error);
}

}  // namespace
}  // namespace nibble
