// SPDX-License-Identifier: MIT
#include "models/mac_array/tile_values.h"

#include <algorithm>
#include <span>

namespace nibble {

void compute(TileValues& values, const MatmulCommand& tile, const AccumulationRule& rule) {
    if (!tile.accumulate) {
        std::fill(values.sums->begin(), values.sums->end(), 0.0F);
    }
    std::size_t left = 0;
    std::size_t right = 0;
    std::size_t out = 0;
    for (const MatmulPass& pass : tile.passes) {
        const std::span<const std::uint16_t> left_codes(values.left.data() + left, pass.m * pass.k);
        const std::span<const std::uint16_t> right_codes(values.right.data() + right, pass.k * pass.n);
        gemm_accumulate(pass.m, pass.n, pass.k, {values.left_format, left_codes}, {values.right_format, right_codes},
                        rule, std::span<float>(values.sums->data() + out, pass.m * pass.n));
        left += pass.m * pass.k;
        right += pass.k * pass.n;
        out += pass.m * pass.n;
    }
    if (tile.finish && values.finished) {
        values.finished(*values.sums);
    }
}

}  // namespace nibble
