// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/numerics/packed_product.h"

namespace nibble {

/// Pixels (i, j) of a grid in every image, and, for each of them, the elements under the taps of a kernel: tap t of
/// pixel (i, j) is element (i * step_h + taps[t].row, j * step_w + taps[t].column) of the image, or padding, which is
/// 0.
struct PatchGrid {
    struct Tap {
        std::ptrdiff_t row, column;
    };
    std::size_t rows, columns;  ///< of the grid
    std::size_t step_h, step_w;
    std::size_t height, width;            ///< of the images
    std::size_t image_channels;           ///< in memory
    std::size_t first_channel, channels;  ///< that take part
    std::vector<Tap> taps;

    [[nodiscard]] std::size_t pixels() const { return rows * columns; }
};

/// Lanes are pixels, image by image; terms are taps, and within a tap channels. Images are NCHW.
template <class Element>
class PixelLanes : public LaneSource<Element> {
public:
    PixelLanes(const PatchGrid& grid, const Element* images) : grid_(grid), images_(images) {}

    void pack(std::size_t first_lane, std::size_t lanes, std::size_t first_term, std::size_t terms, std::size_t width,
              Element* out) const override {
        for (std::size_t tap = first_term / grid_.channels; tap * grid_.channels < first_term + terms; ++tap) {
            const std::size_t begin = std::max(first_term, tap * grid_.channels);
            const std::size_t end = std::min(first_term + terms, (tap + 1) * grid_.channels);
            // Pixels that lie side by side, in one row of the grid and in one tile.
            for (std::size_t lane = 0; lane < lanes;) {
                const std::size_t pixel = first_lane + lane;
                const std::size_t column = pixel % grid_.columns;
                const std::size_t count = std::min({lanes - lane, grid_.columns - column, width - lane % width});
                pack_run(grid_.taps[tap], pixel / grid_.columns, column, count, begin - tap * grid_.channels,
                         end - begin, width,
                         out + lane / width * terms * width + (begin - first_term) * width + lane % width);
                lane += count;
            }
        }
    }

private:
    /// `count` pixels from (row, column), row counting over all images, under one tap, in `channels` channels.
    void pack_run(const PatchGrid::Tap& tap, std::size_t row, std::size_t column, std::size_t count,
                  std::size_t channel, std::size_t channels, std::size_t width, Element* out) const {
        const auto signed_of = [](std::size_t value) { return static_cast<std::ptrdiff_t>(value); };
        const std::ptrdiff_t h = signed_of(row % grid_.rows * grid_.step_h) + tap.row;
        const std::ptrdiff_t w = signed_of(column * grid_.step_w) + tap.column;
        const auto step = signed_of(grid_.step_w);
        // Pixels [first, last) of the run lie over the image, the others over padding.
        std::ptrdiff_t first = 0;
        std::ptrdiff_t last = 0;
        if (h >= 0 && h < signed_of(grid_.height)) {
            const auto reaching = [&](std::ptrdiff_t edge) {
                return std::clamp<std::ptrdiff_t>(edge > w ? (edge - w + step - 1) / step : 0, 0, signed_of(count));
            };
            first = reaching(0);
            last = reaching(signed_of(grid_.width));
        }
        const std::size_t plane = grid_.height * grid_.width;
        const std::size_t image = row / grid_.rows;
        const Element* in = images_ + (image * grid_.image_channels + grid_.first_channel + channel) * plane;
        const std::ptrdiff_t offset = h * signed_of(grid_.width) + w;
        for (std::size_t c = 0; c < channels; ++c, in += plane, out += width) {
            for (std::ptrdiff_t i = 0; i < first; ++i) {
                out[i] = 0;
            }
            if (step == 1) {
                for (std::ptrdiff_t i = first; i < last; ++i) {
                    out[i] = in[offset + i];
                }
            } else {
                for (std::ptrdiff_t i = first; i < last; ++i) {
                    out[i] = in[offset + i * step];
                }
            }
            for (std::ptrdiff_t i = last; i < signed_of(count); ++i) {
                out[i] = 0;
            }
        }
    }

    const PatchGrid& grid_;
    const Element* images_;
};

/// Lanes are taps, and within a tap channels; terms are pixels, image by image. Images are NHWC.
template <class Element>
class TapLanes : public LaneSource<Element> {
public:
    TapLanes(const PatchGrid& grid, const Element* images) : grid_(grid), images_(images) {}

    void pack(std::size_t first_lane, std::size_t lanes, std::size_t first_term, std::size_t terms, std::size_t width,
              Element* out) const override {
        // Channels that lie side by side, of one tap and in one tile.
        for (std::size_t lane = 0; lane < lanes;) {
            const std::size_t tap = (first_lane + lane) / grid_.channels;
            const std::size_t channel = (first_lane + lane) % grid_.channels;
            const std::size_t count = std::min({lanes - lane, grid_.channels - channel, width - lane % width});
            pack_run(grid_.taps[tap], channel, count, first_term, terms, width,
                     out + lane / width * terms * width + lane % width);
            lane += count;
        }
    }

private:
    void pack_run(const PatchGrid::Tap& tap, std::size_t channel, std::size_t count, std::size_t first_term,
                  std::size_t terms, std::size_t width, Element* out) const {
        std::size_t column = first_term % grid_.columns;
        std::size_t row = first_term / grid_.columns;  // counted over all images
        for (std::size_t term = 0; term < terms; ++term, out += width) {
            const std::ptrdiff_t h = static_cast<std::ptrdiff_t>(row % grid_.rows * grid_.step_h) + tap.row;
            const std::ptrdiff_t w = static_cast<std::ptrdiff_t>(column * grid_.step_w) + tap.column;
            if (h < 0 || h >= static_cast<std::ptrdiff_t>(grid_.height) || w < 0 ||
                w >= static_cast<std::ptrdiff_t>(grid_.width)) {
                std::fill_n(out, count, Element{0});
            } else {
                const std::size_t image = row / grid_.rows;
                const std::size_t pixel =
                    (image * grid_.height + static_cast<std::size_t>(h)) * grid_.width + static_cast<std::size_t>(w);
                std::copy_n(images_ + pixel * grid_.image_channels + grid_.first_channel + channel, count, out);
            }
            if (++column == grid_.columns) {
                column = 0;
                ++row;
            }
        }
    }

    const PatchGrid& grid_;
    const Element* images_;
};

}  // namespace nibble
