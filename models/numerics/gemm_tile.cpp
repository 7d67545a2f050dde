// SPDX-License-Identifier: MIT
#include "models/numerics/gemm_tile.h"

#include <algorithm>
#include <cstring>

namespace nibble {

namespace {

template <class Element>
using Tile = Element[tile_rows][tile_columns<Element>];

/// One vector register of AVX2, two of the baseline.
template <class Element>
struct VectorOf {
    using Type [[gnu::vector_size(32)]] = Element;
    using InMemory [[gnu::vector_size(32), gnu::aligned(alignof(Element)), gnu::may_alias]] = Element;
};

/// out = the sum over `terms` of column k of A times row k of B. Each output is one sequential sum; the vectors run
/// across outputs. Products are exact in Element, so fusing them with the addition changes nothing.
template <class Element>
[[gnu::always_inline]] inline void multiply_tile(std::size_t terms, const Element* a, const Element* b,
                                                 Tile<Element>& out) {
    using Vector = typename VectorOf<Element>::Type;
    constexpr std::size_t vectors = tile_columns<Element> * sizeof(Element) / sizeof(Vector);
    Vector sums[tile_rows][vectors] = {};
    for (std::size_t k = 0; k < terms; ++k) {
        const auto* b_row = reinterpret_cast<const typename VectorOf<Element>::InMemory*>(b);
        for (std::size_t row = 0; row < tile_rows; ++row) {
            for (std::size_t vector = 0; vector < vectors; ++vector) {
                sums[row][vector] += a[row] * b_row[vector];
            }
        }
        a += tile_rows;
        b += tile_columns<Element>;
    }
    std::memcpy(out, sums, sizeof(sums));
}

template <AccumulatorFormat format, class Float, class Sum>
[[gnu::always_inline]] inline void accumulate_row(float* partial, const Sum* sums, std::size_t columns, Float unit) {
    for (std::size_t column = 0; column < columns; ++column) {
        partial[column] = accumulate<format>(partial[column], static_cast<Float>(sums[column]) * unit);
    }
}

template <class Float, class Sum>
[[gnu::always_inline]] inline void accumulate_row(AccumulatorFormat format, float* partial, const Sum* sums,
                                                  std::size_t columns, Float unit) {
    switch (format) {
        case AccumulatorFormat::fp16:
            accumulate_row<AccumulatorFormat::fp16>(partial, sums, columns, unit);
            break;
        case AccumulatorFormat::dlfloat16:
            accumulate_row<AccumulatorFormat::dlfloat16>(partial, sums, columns, unit);
            break;
        case AccumulatorFormat::fp32:
            accumulate_row<AccumulatorFormat::fp32>(partial, sums, columns, unit);
            break;
    }
}

template <class Element>
[[gnu::always_inline]] inline void run_strip(const GemmStrip<Element>& strip) {
    constexpr std::size_t width = tile_columns<Element>;
    for (std::size_t first = 0; first < strip.columns; first += width) {
        const Element* b = strip.b + first * strip.chunk;
        const std::size_t columns = std::min(width, strip.columns - first);
        float* partial = strip.partial + first;
        Tile<Element> sums;
        // Sums of one piece in a narrow type fit binary32, which rounds twice as fast as binary64.
        if (sizeof(Element) <= sizeof(float) && strip.piece >= strip.chunk) {
            multiply_tile(strip.chunk, strip.a, b, sums);
            for (std::size_t row = 0; row < strip.rows; ++row) {
                accumulate_row(strip.format, partial + row * strip.columns, sums[row], columns,
                               static_cast<float>(strip.unit));
            }
            continue;
        }
        double total[tile_rows][width] = {};
        for (std::size_t k = 0; k < strip.chunk; k += strip.piece) {
            const std::size_t terms = std::min(strip.piece, strip.chunk - k);
            multiply_tile(terms, strip.a + k * tile_rows, b + k * width, sums);
            for (std::size_t row = 0; row < tile_rows; ++row) {
                for (std::size_t column = 0; column < width; ++column) {
                    total[row][column] += static_cast<double>(sums[row][column]);
                }
            }
        }
        for (std::size_t row = 0; row < strip.rows; ++row) {
            accumulate_row(strip.format, partial + row * strip.columns, total[row], columns, strip.unit);
        }
    }
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void run_strip_avx2(const GemmStrip<std::int16_t>& strip) {
    run_strip(strip);
}

[[gnu::target("avx2,fma")]] void run_strip_avx2(const GemmStrip<float>& strip) {
    run_strip(strip);
}

[[gnu::target("avx2,fma")]] void run_strip_avx2(const GemmStrip<double>& strip) {
    run_strip(strip);
}

bool host_has_avx2() {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}
#endif

template <class Element>
void choose_strip(const GemmStrip<Element>& strip) {
#if defined(__x86_64__)
    if (host_has_avx2()) {
        run_strip_avx2(strip);
        return;
    }
#endif
    run_strip(strip);
}

}  // namespace

void accumulate_strip(const GemmStrip<std::int16_t>& strip) {
    choose_strip(strip);
}

void accumulate_strip(const GemmStrip<float>& strip) {
    choose_strip(strip);
}

void accumulate_strip(const GemmStrip<double>& strip) {
    choose_strip(strip);
}

}  // namespace nibble
