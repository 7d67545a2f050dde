// SPDX-License-Identifier: MIT
#include "models/numerics/gemm_tile.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace nibble {

namespace {

template <class Element>
using Tile = Element[tile_rows][tile_columns<Element>];

/// A vector register of `bytes`.
template <class Element, std::size_t bytes>
struct VectorOf {
    using Type [[gnu::vector_size(bytes)]] = Element;
    using InMemory [[gnu::vector_size(bytes), gnu::aligned(alignof(Element)), gnu::may_alias]] = Element;
};

/// Keeps the compiler from fusing a product with the addition that follows. Clang fuses within an expression only.
template <class Vector>
[[gnu::always_inline]] inline void keep_rounded([[maybe_unused]] Vector& product) {
#if defined(__clang__)
#elif defined(__x86_64__)
    asm("" : "+x"(product));
#elif defined(__aarch64__)
    asm("" : "+w"(product));
#else
#error "say in which kind of register a vector lies"
#endif
}

/// out = the sum over `terms` of column k of A times row k of B. Each output is one sequential sum; the vectors run
/// across outputs. Where products are exact in Element, fusing them with the addition changes nothing.
template <std::size_t bytes, bool exact_products, class Element>
[[gnu::always_inline]] inline void multiply_tile(std::size_t terms, const Element* a, const Element* b,
                                                 Tile<Element>& out) {
    using Vector = typename VectorOf<Element, bytes>::Type;
    using InMemory = typename VectorOf<Element, bytes>::InMemory;
    // Six rows of two registers are what hosts of 16 registers can keep beside their operands; and enough independent
    // sums to hide the latency of one.
    constexpr std::size_t vectors = std::min<std::size_t>(2, tile_columns<Element> * sizeof(Element) / bytes);
    constexpr std::size_t step = vectors * bytes / sizeof(Element);
    for (std::size_t column = 0; column < tile_columns<Element>; column += step) {
        Vector sums[tile_rows][vectors] = {};
        for (std::size_t k = 0; k < terms; ++k) {
            const auto* b_row = reinterpret_cast<const InMemory*>(b + k * tile_columns<Element> + column);
            const Element* a_column = a + k * tile_rows;
            for (std::size_t row = 0; row < tile_rows; ++row) {
                for (std::size_t vector = 0; vector < vectors; ++vector) {
                    Vector product = a_column[row] * b_row[vector];
                    if constexpr (!exact_products) {
                        keep_rounded(product);
                    }
                    sums[row][vector] += product;
                }
            }
        }
        for (std::size_t row = 0; row < tile_rows; ++row) {
            std::memcpy(&out[row][column], sums[row], sizeof(sums[row]));
        }
    }
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

template <std::size_t bytes, bool exact_products, class Element>
[[gnu::always_inline]] inline void run_strip(const GemmStrip<Element>& strip) {
    constexpr std::size_t width = tile_columns<Element>;
    for (std::size_t first = 0; first < strip.columns; first += width) {
        const Element* b = strip.b + first * strip.chunk;
        const std::size_t columns = std::min(width, strip.columns - first);
        float* partial = strip.partial + first;
        Tile<Element> sums;
        // Sums of one piece in a narrow type fit binary32, which rounds twice as fast as binary64.
        if (sizeof(Element) <= sizeof(float) && strip.piece >= strip.chunk) {
            multiply_tile<bytes, exact_products>(strip.chunk, strip.a, b, sums);
            for (std::size_t row = 0; row < strip.rows; ++row) {
                accumulate_row(strip.format, partial + row * strip.stride, sums[row], columns,
                               static_cast<float>(strip.unit));
            }
            continue;
        }
        double total[tile_rows][width] = {};
        for (std::size_t k = 0; k < strip.chunk; k += strip.piece) {
            const std::size_t terms = std::min(strip.piece, strip.chunk - k);
            multiply_tile<bytes, exact_products>(terms, strip.a + k * tile_rows, b + k * width, sums);
            for (std::size_t row = 0; row < tile_rows; ++row) {
                for (std::size_t column = 0; column < width; ++column) {
                    total[row][column] += static_cast<double>(sums[row][column]);
                }
            }
        }
        for (std::size_t row = 0; row < strip.rows; ++row) {
            accumulate_row(strip.format, partial + row * strip.stride, total[row], columns, strip.unit);
        }
    }
}

template <std::size_t bytes>
[[gnu::always_inline]] inline void run(const ProductStrip& strip) {
    constexpr std::size_t width = tile_columns<double>;
    for (std::size_t first = 0; first < strip.columns; first += width) {
        Tile<double> sums;
        multiply_tile<bytes, true>(strip.terms, strip.a, strip.b + first * strip.terms, sums);
        const std::size_t columns = std::min(width, strip.columns - first);
        for (std::size_t row = 0; row < strip.rows; ++row) {
            for (std::size_t column = 0; column < columns; ++column) {
                strip.out[row * strip.columns + first + column] += sums[row][column];
            }
        }
    }
}

template <std::size_t bytes, class Element>
[[gnu::always_inline]] inline void run(const GemmStrip<Element>& strip) {
    if constexpr (std::is_same_v<Element, float>) {
        if (!strip.exact_products) {
            run_strip<bytes, false>(strip);
            return;
        }
    }
    run_strip<bytes, true>(strip);
}

// Everything above is inlined into each of these functions, and compiled for it.
#if defined(__x86_64__)
template <class Strip>
[[gnu::target("avx2,fma")]] void run_avx2_fma(const Strip& strip) {
    run<32>(strip);
}
template <class Strip>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,fma")]] void run_avx512(const Strip& strip) {
    run<64>(strip);
}
#endif

template <class Strip>
void dispatch(HostVectors unit, const Strip& strip) {
    switch (unit) {
#if defined(__x86_64__)
        case HostVectors::avx512:
            run_avx512(strip);
            return;
        case HostVectors::avx2_fma:
            run_avx2_fma(strip);
            return;
#endif
        default:
            run<16>(strip);
    }
}

}  // namespace

std::span<const HostVectors> vector_units() {
    static constexpr std::array all{HostVectors::baseline, HostVectors::avx2_fma, HostVectors::avx512};
    std::size_t usable = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
        usable = 2;
        if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
            __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
            usable = 3;
        }
    }
#endif
    return std::span(all).first(usable);
}

void accumulate_strip(HostVectors unit, const GemmStrip<std::int16_t>& strip) {
    dispatch(unit, strip);
}

void accumulate_strip(HostVectors unit, const GemmStrip<float>& strip) {
    dispatch(unit, strip);
}

void accumulate_strip(HostVectors unit, const GemmStrip<double>& strip) {
    dispatch(unit, strip);
}

void add_products(HostVectors unit, const ProductStrip& strip) {
    dispatch(unit, strip);
}

}  // namespace nibble
