// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/numerics/fp4.h"
#include "models/numerics/gemm.h"
#include "models/numerics/half.h"

namespace {

using namespace nibble;

constexpr std::uint32_t seed = 1;

std::vector<std::uint16_t> random_codes(std::size_t count, OperandFormat format) {
    std::mt19937_64 random(seed);
    // Binary16 codes up to 0x3fff: non-negative values below 2, so that no sum becomes infinite.
    const std::uint64_t mask = format == OperandFormat::fp16 ? 0x3fff : (1u << code_bits(format)) - 1;
    std::vector<std::uint16_t> codes(count);
    for (auto& code : codes) {
        code = static_cast<std::uint16_t>(random() & mask);
    }
    return codes;
}

/// items_per_second is multiply-accumulates a second of one core.
void gemm(benchmark::State& state, OperandFormat a, OperandFormat b, AccumulatorFormat accumulator) {
    const auto size = static_cast<std::size_t>(state.range(0));
    const std::vector<std::uint16_t> a_codes = random_codes(size * size, a);
    const std::vector<std::uint16_t> b_codes = random_codes(size * size, b);
    std::vector<float> partial(size * size);
    for (auto iteration : state) {
        gemm_accumulate(size, size, size, {a, a_codes}, {b, b_codes}, {.chunk = 64, .format = accumulator}, partial);
        benchmark::DoNotOptimize(partial.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(size * size * size));
}

BENCHMARK_CAPTURE(gemm, int4_int4_fp16, OperandFormat::int4_unsigned, OperandFormat::int4_signed,
                  AccumulatorFormat::fp16)
    ->Arg(32)
    ->Arg(256);
BENCHMARK_CAPTURE(gemm, fp4_int4_fp16, OperandFormat::fp4_even, OperandFormat::int4_signed, AccumulatorFormat::fp16)
    ->Arg(32)
    ->Arg(256);
BENCHMARK_CAPTURE(gemm, fp4_int4_dlfloat16, OperandFormat::fp4_even, OperandFormat::int4_signed,
                  AccumulatorFormat::dlfloat16)
    ->Arg(256);
BENCHMARK_CAPTURE(gemm, fp4_int4_fp32, OperandFormat::fp4_even, OperandFormat::int4_signed, AccumulatorFormat::fp32)
    ->Arg(256);
BENCHMARK_CAPTURE(gemm, fp8_fp8_fp16, OperandFormat::fp8_152, OperandFormat::fp8_143, AccumulatorFormat::fp16)
    ->Arg(256);
BENCHMARK_CAPTURE(gemm, fp16_fp16_fp16, OperandFormat::fp16, OperandFormat::fp16, AccumulatorFormat::fp16)->Arg(256);

std::vector<Half> random_halves(std::size_t count) {
    std::mt19937_64 random(seed);
    std::vector<Half> halves(count);
    for (auto& half : halves) {
        half.bits = static_cast<std::uint16_t>(random());
    }
    return halves;
}

void convert_half_to_fp4_pair(benchmark::State& state) {
    const std::vector<Half> halves = random_halves(4096);
    for (auto iteration : state) {
        for (const Half half : halves) {
            benchmark::DoNotOptimize(encode_fp4_pair(half, 6));
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(halves.size()));
}
BENCHMARK(convert_half_to_fp4_pair);

void convert_float_to_half(benchmark::State& state) {
    std::vector<float> values;
    for (const Half half : random_halves(4096)) {
        values.push_back(decode_half(half));
    }
    for (auto iteration : state) {
        for (const float value : values) {
            benchmark::DoNotOptimize(encode_half(value));
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(values.size()));
}
BENCHMARK(convert_float_to_half);

void convert_half_to_float(benchmark::State& state) {
    const std::vector<Half> halves = random_halves(4096);
    for (auto iteration : state) {
        for (const Half half : halves) {
            benchmark::DoNotOptimize(decode_half(half));
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(halves.size()));
}
BENCHMARK(convert_half_to_float);

}  // namespace
