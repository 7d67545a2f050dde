// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "models/numerics/magnitudes.h"

namespace nibble {

/// A row-major tensor seen along one of its axes: `outer` is the product of the sizes before the axis, `inner` of those
/// behind it. Blocks of a block format run along the axis and do not cross its end: the last may be shorter.
struct BlockLayout {
    std::size_t outer = 1;
    std::size_t length = 0;
    std::size_t inner = 1;

    [[nodiscard]] constexpr std::size_t elements() const { return outer * length * inner; }
    /// Blocks of `size` elements along the axis.
    [[nodiscard]] constexpr std::size_t along(std::size_t size) const { return (length + size - 1) / size; }
    [[nodiscard]] constexpr std::size_t blocks(std::size_t size) const { return outer * along(size) * inner; }
};

/// Elements that share a scale: `count` of them, `stride` apart, in `rows` rows `row_stride` apart.
struct Block {
    std::size_t number;  ///< of the block, and of its scale
    std::size_t first;   ///< element
    std::size_t count;
    std::size_t stride;
    std::size_t rows = 1;
    std::size_t row_stride = 0;

    /// Calls `action` with the index of each element.
    template <class Action>
    void for_each(Action action) const {
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t begin = first + row * row_stride;
            // Apart, so that the loop over neighbours vectorises.
            if (stride == 1) {
                for (std::size_t i = 0; i < count; ++i) {
                    action(begin + i);
                }
            } else {
                for (std::size_t i = 0; i < count; ++i) {
                    action(begin + i * stride);
                }
            }
        }
    }

    /// The bits of the largest magnitude in `tensor`: from infinity_bits on if an element is infinite or NaN.
    [[nodiscard]] std::uint32_t largest_bits(const float* tensor) const {
        std::uint32_t largest = 0;
        for_each([&](std::size_t i) { largest = std::max(largest, magnitude_bits(tensor[i])); });
        return largest;
    }
};

/// Calls `action` with each block of `size` elements along the axis. Scales lie as the tensor does, with the axis
/// `along(size)` long.
template <class Action>
void for_each_block(const BlockLayout& layout, std::size_t size, Action action) {
    std::size_t number = 0;
    for (std::size_t outer = 0; outer < layout.outer; ++outer) {
        for (std::size_t begin = 0; begin < layout.length; begin += size) {
            const std::size_t count = std::min(size, layout.length - begin);
            for (std::size_t inner = 0; inner < layout.inner; ++inner) {
                const std::size_t first = (outer * layout.length + begin) * layout.inner + inner;
                action(Block{.number = number++, .first = first, .count = count, .stride = layout.inner});
            }
        }
    }
}

/// Calls `action` with each tile of `size` x `size` elements of a matrix of length x inner; those at the lower and
/// right edge may be smaller. Every one of the `outer` matrices has tiles of its own.
template <class Action>
void for_each_tile(const BlockLayout& layout, std::size_t size, Action action) {
    std::size_t number = 0;
    for (std::size_t outer = 0; outer < layout.outer; ++outer) {
        for (std::size_t row = 0; row < layout.length; row += size) {
            for (std::size_t column = 0; column < layout.inner; column += size) {
                action(Block{.number = number++,
                             .first = (outer * layout.length + row) * layout.inner + column,
                             .count = std::min(size, layout.inner - column),
                             .stride = 1,
                             .rows = std::min(size, layout.length - row),
                             .row_stride = layout.inner});
            }
        }
    }
}

}  // namespace nibble
