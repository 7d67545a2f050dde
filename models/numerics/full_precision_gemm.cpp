// SPDX-License-Identifier: MIT
#include "models/numerics/full_precision_gemm.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/numerics/gemm_tile.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

void add_full_precision_product(std::uint64_t m, std::uint64_t n, std::uint64_t k, std::span<const float> a,
                                std::span<const float> b, std::span<double> out) {
    constexpr std::size_t longest_run = 128;  // of terms: a tile's columns of b stay in the first-level cache
    constexpr std::size_t width = tile_columns<double>;
    if (a.size() != m * k || b.size() != k * n || out.size() != m * n) {
        throw ModelError("the operands of a product have not the sizes that m, n and k say");
    }
    const std::size_t run = std::min<std::size_t>(longest_run, k);
    std::vector<double> a_strip(run * tile_rows);
    std::vector<double> b_tiles(run * round_up(n, width));
    const HostVectors unit = vector_units().back();
    ProductStrip strip{.terms = 0, .a = a_strip.data(), .b = b_tiles.data(), .out = nullptr, .rows = 0, .columns = n};
    for (std::size_t start = 0; start < k; start += run) {
        strip.terms = std::min<std::size_t>(run, k - start);
        for (std::size_t term = 0; term < strip.terms; ++term) {
            const auto row = b.subspan((start + term) * n, n);
            for (std::size_t column = 0; column < n; ++column) {
                const std::size_t tile = column / width;
                b_tiles[(tile * strip.terms + term) * width + column % width] = static_cast<double>(row[column]);
            }
        }
        for (std::size_t row = 0; row < m; row += tile_rows) {
            strip.rows = std::min<std::size_t>(tile_rows, m - row);
            for (std::size_t lane = 0; lane < strip.rows; ++lane) {
                const auto terms = a.subspan((row + lane) * k + start, strip.terms);
                for (std::size_t term = 0; term < strip.terms; ++term) {
                    a_strip[term * tile_rows + lane] = static_cast<double>(terms[term]);
                }
            }
            strip.out = out.data() + row * n;
            add_products(unit, strip);
        }
    }
}

}  // namespace nibble
