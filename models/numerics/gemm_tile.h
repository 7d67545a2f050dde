// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "models/numerics/accumulate.h"

namespace nibble {

/// Outputs that one call of a tile kernel computes together: enough independent sums to fill vector registers.
inline constexpr std::size_t tile_rows = 6;
template <class Element>
inline constexpr std::size_t tile_columns = 64 / sizeof(Element);

/// A strip of tiles in the same rows over one chunk of k. Packed operands are padded to whole tiles;
/// what the padding holds does not matter.
template <class Element>
struct GemmStrip {
    std::size_t chunk;  ///< Terms in this chunk, at least 1.
    /// The longest run of terms that may be summed in Element. Runs are then added up in binary64.
    std::size_t piece;
    bool exact_products;  ///< Else each product is rounded to Element before it is added: float only.
    const Element* a;     ///< [chunk][tile_rows]
    const Element* b;     ///< [tile][chunk][tile_columns]
    double unit;          ///< What one of the sums' units is worth: a power of two.
    AccumulatorFormat format;
    float* partial;       ///< Row 0, column 0 of the strip's outputs.
    std::size_t rows;     ///< Rows that exist, 1..tile_rows.
    std::size_t columns;  ///< Columns that exist, in all tiles.
    std::size_t stride;   ///< The distance between rows of partial.
};

/// A strip of tiles in the same rows whose sums stay in binary64. Packed and padded as those of GemmStrip.
struct ProductStrip {
    std::size_t terms;
    const double* a;      ///< [terms][tile_rows]
    const double* b;      ///< [tile][terms][tile_columns<double>]
    double* out;          ///< Row 0, column 0 of the strip's outputs.
    std::size_t rows;     ///< Rows that exist, 1..tile_rows.
    std::size_t columns;  ///< Columns that exist, in all tiles; also the distance between rows.
};

/// The instructions a strip is computed with. The result does not depend on it.
enum class HostVectors : std::uint8_t { baseline, avx2_fma, avx512 };

/// Those that this program and this host both have, the widest last.
[[nodiscard]] std::span<const HostVectors> vector_units();

/// Adds the strip's chunk to its partial sums, for Element std::int16_t, float or double. The host must have `unit`.
void accumulate_strip(HostVectors unit, const GemmStrip<std::int16_t>& strip);
void accumulate_strip(HostVectors unit, const GemmStrip<float>& strip);
void accumulate_strip(HostVectors unit, const GemmStrip<double>& strip);

/// Adds the strip's products, which must be exact in binary64, to its outputs. The host must have `unit`.
void add_products(HostVectors unit, const ProductStrip& strip);

}  // namespace nibble
