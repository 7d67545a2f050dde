// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "models/numerics/accumulate.h"
#include "models/numerics/code_decoder.h"
#include "models/numerics/float_layout.h"
#include "models/numerics/operand.h"

namespace nibble {

/// One operand of a product as tiles need it. A lane is a row of the left matrix or a column of the right one; its
/// elements are the terms of the sums.
template <class Element>
class LaneSource {
public:
    LaneSource() = default;
    LaneSource(const LaneSource&) = delete;
    LaneSource& operator=(const LaneSource&) = delete;
    virtual ~LaneSource() = default;

    /// Packs lanes [first_lane, first_lane + lanes) and terms [first_term, first_term + terms) as
    /// [tile][term][width]: `width` lanes lie side by side; what pads the last tile does not matter.
    virtual void pack(std::size_t first_lane, std::size_t lanes, std::size_t first_term, std::size_t terms,
                      std::size_t width, Element* out) const = 0;
};

/// How a chunk is summed.
struct ChunkSum {
    std::size_t piece;           ///< The longest run of terms that is summed in Element; runs are added in binary64.
    double unit = 1.0;           ///< What one of the sums' units is worth: a power of two.
    bool integers = false;       ///< Codes are decoded as multiples of their unit.
    bool exact_products = true;  ///< Else each product is rounded to Element before it is added.
};

/// Calls visit.operator()<Element>(ChunkSum) for operands of two formats: with the narrowest element whose sums are
/// exact where they have to be, or else with float.
template <class Visit>
void with_element(OperandFormat a, OperandFormat b, std::size_t chunk, Visit visit) {
    const double unit = power_of_two<double>(operand_unit_log2(a) + operand_unit_log2(b));
    if (!exact_in_chunk(a, b)) {
        visit.template operator()<float>(ChunkSum{.piece = chunk});
    } else if (is_fp4(a) && is_fp4(b)) {
        // Products up to 4^12 = 2^24, fewer than 2^28 of them: below 2^53.
        visit.template operator()<double>(ChunkSum{.piece = chunk, .unit = unit, .integers = true});
    } else if (is_fp4(a) || is_fp4(b)) {
        // 15 * 4^6 * 256 = 15,728,640 is below 2^24.
        visit.template operator()<float>(ChunkSum{.piece = 256, .unit = unit, .integers = true});
    } else {
        // 15 * 15 * 128 = 28,800 is below 2^15.
        visit.template operator()<std::int16_t>(ChunkSum{.piece = 128, .integers = true});
    }
}

/// left (m x k) * right (k x n), summed by chunk and rule.
template <class Element>
struct PackedProduct {
    std::size_t m, n, k;
    const LaneSource<Element>& left;
    const LaneSource<Element>& right;
    ChunkSum sum;
    AccumulationRule rule;
};

/// partial[row * n + column] += the product, on this thread. Element: std::int16_t, float or double.
template <class Element>
void accumulate_product(const PackedProduct<Element>& product, float* partial);

/// Takes a finished block of sums: rows [row, row + rows) and columns [column, column + columns), row-major.
using BlockStore =
    std::function<void(std::size_t row, std::size_t rows, std::size_t column, std::size_t columns, const float* block)>;

/// The product, from zero, on up to `threads` threads: each block is handed to `store` by the thread that computed it.
template <class Element>
void multiply_packed(const PackedProduct<Element>& product, unsigned threads, const BlockStore& store);

}  // namespace nibble
