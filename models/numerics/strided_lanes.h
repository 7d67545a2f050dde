// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>

#include "models/numerics/code_decoder.h"
#include "models/numerics/gemm_tile.h"
#include "models/numerics/packed_product.h"
#include "sim/base/error.h"

namespace nibble {

/// What takes the place of CodeDecoder where the elements themselves lie in memory.
template <class Element>
struct ElementCopy {
    void decode(std::size_t count, const Element* from, std::ptrdiff_t stride, Element* out,
                std::size_t out_stride) const {
        for (std::size_t i = 0; i < count; ++i) {
            out[i * out_stride] = from[static_cast<std::ptrdiff_t>(i) * stride];
        }
    }
};

/// The lanes of a matrix of codes that lies anywhere in memory, decoded as they are packed. Element (lane, term) is
/// codes[lane * lane_stride + term * term_stride].
template <class Element, class Code, class Decoder = CodeDecoder<Element>>
class StridedLanes : public LaneSource<Element> {
public:
    StridedLanes(const Decoder& decoder, const Code* codes, std::ptrdiff_t lane_stride, std::ptrdiff_t term_stride)
        : decoder_(decoder), codes_(codes), lane_stride_(lane_stride), term_stride_(term_stride) {}

    void pack(std::size_t first_lane, std::size_t lanes, std::size_t first_term, std::size_t terms, std::size_t width,
              Element* out) const override {
        const Code* corner = codes_ + static_cast<std::ptrdiff_t>(first_lane) * lane_stride_ +
                             static_cast<std::ptrdiff_t>(first_term) * term_stride_;
        for (std::size_t tile = 0; tile < lanes; tile += width) {
            const Code* from = corner + static_cast<std::ptrdiff_t>(tile) * lane_stride_;
            const std::size_t in_tile = std::min(width, lanes - tile);
            // Widths that are constants make these loops twice as fast.
            if (width == tile_rows) {
                pack_tile<tile_rows>(in_tile, terms, from, out + tile * terms);
            } else if (width == tile_columns<Element>) {
                pack_tile<tile_columns<Element>>(in_tile, terms, from, out + tile * terms);
            } else {
                throw ModelError("operands are packed in the widths of tiles");
            }
        }
    }

private:
    template <std::size_t width>
    void pack_tile(std::size_t lanes, std::size_t terms, const Code* from, Element* to) const {
        // Along the memory of the matrix, whichever way it lies.
        if (lane_stride_ == 1) {
            for (std::size_t term = 0; term < terms; ++term) {
                const Code* row = from + static_cast<std::ptrdiff_t>(term) * term_stride_;
                decoder_.decode(lanes == width ? width : lanes, row, 1, to + term * width, 1);
            }
        } else {
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const Code* row = from + static_cast<std::ptrdiff_t>(lane) * lane_stride_;
                decoder_.decode(terms, row, term_stride_, to + lane, width);
            }
        }
    }

    const Decoder& decoder_;
    const Code* codes_;
    std::ptrdiff_t lane_stride_;
    std::ptrdiff_t term_stride_;
};

}  // namespace nibble
