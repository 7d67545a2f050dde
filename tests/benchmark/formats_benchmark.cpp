// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/numerics/log5.h"
#include "models/numerics/luq.h"
#include "models/numerics/mxfp4.h"
#include "models/numerics/nvfp4.h"
#include "models/numerics/radix2_fp4.h"

namespace {

using namespace nibble;

constexpr std::size_t rows = 512;
constexpr std::size_t columns = 2048;
constexpr std::uint32_t seed = 1;

/// items_per_second is elements a second of one core, of a million with a wide range.
template <class Round>
void round_tensor(benchmark::State& state, Round round) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> tensor(rows * columns);
    for (auto& x : tensor) {
        x = normal(random) * std::exp(2.0F * normal(random));
    }
    std::vector<float> values(tensor.size());
    for (auto iteration : state) {
        round(std::span<const float>(tensor), std::span<float>(values));
        benchmark::DoNotOptimize(values.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(tensor.size()));
}

constexpr BlockLayout along_rows{.outer = rows, .length = columns, .inner = 1};
constexpr BlockLayout along_columns{.outer = 1, .length = rows, .inner = columns};

void mxfp4(std::span<const float> tensor, std::span<float> values, const BlockLayout& layout, E2m1Rounding rounding) {
    decode_mxfp4(encode_mxfp4(tensor, layout, rounding, seed), values);
}

void nvfp4(std::span<const float> tensor, std::span<float> values, const BlockLayout& layout, Nvfp4Blocks blocks,
           E2m1Rounding rounding) {
    decode_nvfp4(encode_nvfp4(tensor, layout, blocks, rounding, seed), values);
}

BENCHMARK_CAPTURE(round_tensor, radix2_fp4, [](auto in, auto out) { round_to_radix2_fp4(in, 3, out); });
BENCHMARK_CAPTURE(round_tensor, luq, [](auto in, auto out) { LuqGrid::stretched_to(in).round(in, seed, out); });
BENCHMARK_CAPTURE(round_tensor, log5, [](auto in, auto out) { Log5Grid::stretched_to(in).round(in, out); });
BENCHMARK_CAPTURE(round_tensor, mxfp4, [](auto in, auto out) { mxfp4(in, out, along_rows, E2m1Rounding::nearest); });
BENCHMARK_CAPTURE(round_tensor, mxfp4_columns,
                  [](auto in, auto out) { mxfp4(in, out, along_columns, E2m1Rounding::nearest); });
BENCHMARK_CAPTURE(round_tensor, mxfp4_stochastic,
                  [](auto in, auto out) { mxfp4(in, out, along_rows, E2m1Rounding::stochastic); });
BENCHMARK_CAPTURE(round_tensor, nvfp4, [](auto in, auto out) {
    nvfp4(in, out, along_rows, Nvfp4Blocks::along_axis, E2m1Rounding::nearest);
});
BENCHMARK_CAPTURE(round_tensor, nvfp4_tiles,
                  [](auto in, auto out) { nvfp4(in, out, along_columns, Nvfp4Blocks::tiles, E2m1Rounding::nearest); });
BENCHMARK_CAPTURE(round_tensor, nvfp4_stochastic, [](auto in, auto out) {
    nvfp4(in, out, along_rows, Nvfp4Blocks::along_axis, E2m1Rounding::stochastic);
});

}  // namespace
