// SPDX-License-Identifier: MIT
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "models/numerics/full_precision_gemm.h"
#include "models/numerics/gemm_tile.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

// Whole numbers below 2^10: every sum is exact, so that the order of additions does not matter.
TEST(FullPrecisionGemm, IsTheTextbooksForShapesAroundTheTiles) {
    std::mt19937_64 random(1);
    const auto numbers = [&](std::size_t count) {
        std::vector<float> made(count);
        for (float& number : made) {
            number = static_cast<float>(static_cast<int>(random() % 2048) - 1024);
        }
        return made;
    };
    for (const std::uint64_t m : {1U, 3U, 4U, 9U}) {
        for (const std::uint64_t n : {1U, 7U, 8U, 17U}) {
            for (const std::uint64_t k : {1U, 127U, 128U, 300U}) {
                const std::vector<float> a = numbers(m * k);
                const std::vector<float> b = numbers(k * n);
                std::vector<double> out(m * n, 0.5);
                add_full_precision_product(m, n, k, a, b, out);
                for (std::uint64_t i = 0; i < m; ++i) {
                    for (std::uint64_t j = 0; j < n; ++j) {
                        double sum = 0.5;
                        for (std::uint64_t l = 0; l < k; ++l) {
                            sum += static_cast<double>(a[i * k + l]) * static_cast<double>(b[l * n + j]);
                        }
                        ASSERT_EQ(out[i * n + j], sum) << m << " x " << n << " x " << k;
                    }
                }
            }
        }
    }
}

// (1 + 2^-20)^2 = 1 + 2^-19 + 2^-40 needs 41 bits; binary32 has 24.
TEST(FullPrecisionGemm, KeepsWhatBinary32Loses) {
    const std::vector<float> a{1 + 0x1p-20F};
    std::vector<double> out(1);
    add_full_precision_product(1, 1, 1, a, a, out);
    EXPECT_EQ(out[0], 1 + 0x1p-19 + 0x1p-40);
}

TEST(FullPrecisionGemm, NothingToDo) {
    std::vector<double> out(6, 1);
    add_full_precision_product(2, 3, 0, {}, {}, out);
    EXPECT_EQ(out, std::vector<double>(6, 1));
    add_full_precision_product(0, 3, 1, {}, std::vector<float>(3), {});
    EXPECT_THROW(add_full_precision_product(2, 3, 1, {}, {}, out), ModelError);
}

// Every vector unit of this host gives the same bits.
TEST(FullPrecisionGemm, VectorUnitsAgree) {
    constexpr std::size_t terms = 37;
    constexpr std::size_t columns = 11;
    std::mt19937_64 random(2);
    const auto numbers = [&](std::size_t count) {
        std::vector<double> made(count);
        for (double& number : made) {
            number = static_cast<double>(static_cast<float>(random()) * 0x1p-40F);
        }
        return made;
    };
    const std::vector<double> a = numbers(terms * tile_rows);
    const std::vector<double> b = numbers(terms * 2 * tile_columns<double>);
    std::vector<double> baseline(3 * columns);
    ProductStrip strip{terms, a.data(), b.data(), baseline.data(), 3, columns};
    add_products(HostVectors::baseline, strip);
    for (const HostVectors unit : vector_units()) {
        std::vector<double> out(3 * columns);
        strip.out = out.data();
        add_products(unit, strip);
        EXPECT_EQ(baseline, out) << static_cast<int>(unit);
    }
}

}  // namespace
}  // namespace nibble
