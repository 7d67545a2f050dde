// SPDX-License-Identifier: MIT
#include "models/numerics/convolution.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "models/numerics/code_decoder.h"
#include "models/numerics/gemm.h"
#include "models/numerics/packed_product.h"
#include "models/numerics/parallel.h"
#include "models/numerics/patch_lanes.h"
#include "models/numerics/strided_lanes.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

/// A tensor of codes in four dimensions.
struct Tensor4 {
    const CodeArray& array;
    std::array<std::size_t, 4> shape;

    [[nodiscard]] std::size_t plane() const { return shape[2] * shape[3]; }
};

void require_shape(const ConvolutionShape& c) {
    if (c.groups == 0 || c.c % c.groups != 0 || c.k % c.groups != 0 || c.stride_h == 0 || c.stride_w == 0 ||
        c.dilation_h == 0 || c.dilation_w == 0 || c.r == 0 || c.s == 0 ||
        c.h + c.pad_top + c.pad_bottom < c.dilation_h * (c.r - 1) + 1 ||
        c.w + c.pad_left + c.pad_right < c.dilation_w * (c.s - 1) + 1) {
        throw ModelError("no convolution has this shape");
    }
}

void require_output(std::span<float> output, std::size_t expected, std::size_t terms, const AccumulationRule& rule) {
    if (output.size() != expected) {
        throw ModelError("the output of a convolution has not the size that its shape says");
    }
    require_sums(terms, rule);
}

/// Decodes images as they lie, NCHW, or with channels last.
template <class Element>
std::vector<Element> decoded(const Tensor4& images, const CodeDecoder<Element>& decoder, bool channels_last,
                             unsigned threads) {
    const std::size_t channels = images.shape[1];
    const std::size_t plane = images.plane();
    std::vector<Element> elements(images.shape[0] * channels * plane);
    run_tasks(images.shape[0], threads, [&](std::size_t image) {
        Element* out = elements.data() + image * channels * plane;
        std::visit(
            [&](const auto* codes) {
                const auto* from = codes + image * channels * plane;
                if (!channels_last) {
                    decoder.decode(channels * plane, from, 1, out, 1);
                    return;
                }
                for (std::size_t channel = 0; channel < channels; ++channel) {
                    decoder.decode(plane, from + channel * plane, 1, out + channel, channels);
                }
            },
            images.array.codes);
    });
    return elements;
}

/// A left operand, row-major, put together from runs of `count` codes, `stride` apart: one for each of rows x runs,
/// beginning at code start(row, run).
template <class Element, class Start>
std::vector<Element> gathered(const CodeArray& array, const CodeDecoder<Element>& decoder, std::size_t rows,
                              std::size_t runs, std::size_t count, std::size_t stride, Start start) {
    std::vector<Element> elements(rows * runs * count);
    std::visit(
        [&](const auto* codes) {
            for (std::size_t row = 0; row < rows; ++row) {
                for (std::size_t run = 0; run < runs; ++run) {
                    decoder.decode(count, codes + start(row, run), static_cast<std::ptrdiff_t>(stride),
                                   elements.data() + (row * runs + run) * count, 1);
                }
            }
        },
        array.codes);
    return elements;
}

/// Calls `run(group, threads)` for each group. Several groups are run side by side, each on one thread.
template <class Run>
void for_each_group(std::size_t groups, unsigned threads, Run run) {
    if (groups == 1) {
        run(std::size_t{0}, threads);
    } else {
        run_tasks(groups, threads, [&](std::size_t group) { run(group, 1U); });
    }
}

/// Where the sums of pixels go: pixel (i, j) of a grid to (i * step_h + row, j * step_w + column) of a plane.
struct PixelOutput {
    float* planes;  ///< of channel 0 of the group, in image 0
    std::size_t image_stride, plane, width;
    std::size_t row, column;

    void store(const PatchGrid& grid, std::size_t step_h, std::size_t step_w, std::size_t channel,
               std::size_t first_pixel, std::size_t count, const float* sums) const {
        std::size_t j = first_pixel % grid.columns;
        std::size_t i = first_pixel / grid.columns;  // counted over all images
        for (std::size_t done = 0; done < count; j = 0, ++i) {
            float* out = planes + i / grid.rows * image_stride + channel * plane +
                         (i % grid.rows * step_h + row) * width + j * step_w + column;
            const std::size_t run = std::min(count - done, grid.columns - j);
            for (std::size_t pixel = 0; pixel < run; ++pixel) {
                out[pixel * step_w] = sums[done + pixel];
            }
            done += run;
        }
    }
};

/// The product of a gathered left operand with the pixels of a grid.
template <class Element>
void multiply_pixels(const std::vector<Element>& left, std::size_t rows, std::size_t images, const PatchGrid& grid,
                     const std::vector<Element>& right, const ChunkSum& sum, const AccumulationRule& rule,
                     unsigned threads, const PixelOutput& output, std::size_t step_h, std::size_t step_w) {
    const std::size_t terms = grid.taps.size() * grid.channels;
    const ElementCopy<Element> copy;
    const StridedLanes<Element, Element, ElementCopy<Element>> left_lanes(copy, left.data(),
                                                                          static_cast<std::ptrdiff_t>(terms), 1);
    const PixelLanes<Element> pixels(grid, right.data());
    multiply_packed(PackedProduct<Element>{rows, images * grid.pixels(), terms, left_lanes, pixels, sum, rule}, threads,
                    [&](std::size_t row, std::size_t count, std::size_t column, std::size_t width, const float* block) {
                        for (std::size_t i = 0; i < count; ++i) {
                            output.store(grid, step_h, step_w, row + i, column, width, block + i * width);
                        }
                    });
}

/// The pixels of y and what the kernel's taps reach from them in x, in the channels of a group.
PatchGrid output_grid(const ConvolutionShape& c, std::size_t group) {
    const std::size_t channels = c.c / c.groups;
    PatchGrid grid{.rows = c.p(),
                   .columns = c.q(),
                   .step_h = c.stride_h,
                   .step_w = c.stride_w,
                   .height = c.h,
                   .width = c.w,
                   .image_channels = c.c,
                   .first_channel = group * channels,
                   .channels = channels,
                   .taps = {}};
    for (std::size_t r = 0; r < c.r; ++r) {
        for (std::size_t s = 0; s < c.s; ++s) {
            grid.taps.push_back(
                {static_cast<std::ptrdiff_t>(r * c.dilation_h) - static_cast<std::ptrdiff_t>(c.pad_top),
                 static_cast<std::ptrdiff_t>(s * c.dilation_w) - static_cast<std::ptrdiff_t>(c.pad_left)});
        }
    }
    return grid;
}

/// Input pixels (first, first + stride, ...) of one axis and the taps that reach them.
struct AxisClass {
    struct Tap {
        std::size_t tap;
        std::ptrdiff_t offset;  ///< of the output behind pixel i of the class from i
    };
    std::size_t pixels;
    std::vector<Tap> taps;

    AxisClass(std::size_t first, std::size_t stride, std::size_t size, std::size_t pad, std::size_t kernel,
              std::size_t dilation)
        : pixels(first < size ? ceil_div(size - first, stride) : 0) {
        for (std::size_t tap = 0; tap < kernel; ++tap) {
            const auto distance =
                static_cast<std::ptrdiff_t>(first + pad) - static_cast<std::ptrdiff_t>(tap * dilation);
            if (distance % static_cast<std::ptrdiff_t>(stride) == 0) {
                taps.push_back({tap, distance / static_cast<std::ptrdiff_t>(stride)});
            }
        }
    }
};

}  // namespace

void convolution_forward(const ConvolutionShape& c, const CodeArray& x, const CodeArray& w,
                         const AccumulationRule& rule, unsigned threads, std::span<float> y) {
    require_shape(c);
    const std::size_t channels = c.c / c.groups;
    const std::size_t taps = c.r * c.s;
    require_output(y, c.n * c.k * c.p() * c.q(), taps * channels, rule);
    const std::size_t filters = c.k / c.groups;
    const std::size_t plane = c.p() * c.q();
    with_element(w.format, x.format, rule.chunk, [&]<class Element>(const ChunkSum& sum) {
        const CodeDecoder<Element> decode_w(w.format, sum.integers);
        const CodeDecoder<Element> decode_x(x.format, sum.integers);
        const std::vector<Element> images = decoded({x, {c.n, c.c, c.h, c.w}}, decode_x, false, threads);
        for_each_group(c.groups, threads, [&](std::size_t group, unsigned workers) {
            const PatchGrid grid = output_grid(c, group);
            const std::vector<Element> weights =
                gathered(w, decode_w, filters, taps, channels, taps, [&](std::size_t filter, std::size_t tap) {
                    return (group * filters + filter) * channels * taps + tap;
                });
            multiply_pixels(weights, filters, c.n, grid, images, sum, rule, workers,
                            {y.data() + group * filters * plane, c.k * plane, plane, c.q(), 0, 0}, 1, 1);
        });
    });
}

void convolution_dx(const ConvolutionShape& c, const CodeArray& dy, const CodeArray& w, const AccumulationRule& rule,
                    unsigned threads, std::span<float> dx) {
    require_shape(c);
    const std::size_t filters = c.k / c.groups;
    const std::size_t taps = c.r * c.s;
    require_output(dx, c.n * c.c * c.h * c.w, taps * filters, rule);
    const std::size_t channels = c.c / c.groups;
    const std::size_t plane = c.h * c.w;
    std::ranges::fill(dx, 0.0F);  // and what no tap reaches stays so
    with_element(w.format, dy.format, rule.chunk, [&]<class Element>(const ChunkSum& sum) {
        const CodeDecoder<Element> decode_w(w.format, sum.integers);
        const CodeDecoder<Element> decode_dy(dy.format, sum.integers);
        const std::vector<Element> gradients = decoded({dy, {c.n, c.k, c.p(), c.q()}}, decode_dy, false, threads);
        for_each_group(c.groups, threads, [&](std::size_t group, unsigned workers) {
            for (std::size_t first_h = 0; first_h < c.stride_h; ++first_h) {
                const AxisClass rows(first_h, c.stride_h, c.h, c.pad_top, c.r, c.dilation_h);
                for (std::size_t first_w = 0; first_w < c.stride_w; ++first_w) {
                    const AxisClass columns(first_w, c.stride_w, c.w, c.pad_left, c.s, c.dilation_w);
                    PatchGrid grid{.rows = rows.pixels,
                                   .columns = columns.pixels,
                                   .step_h = 1,
                                   .step_w = 1,
                                   .height = c.p(),
                                   .width = c.q(),
                                   .image_channels = c.k,
                                   .first_channel = group * filters,
                                   .channels = filters,
                                   .taps = {}};
                    std::vector<std::size_t> reaching;
                    for (const AxisClass::Tap& r : rows.taps) {
                        for (const AxisClass::Tap& s : columns.taps) {
                            grid.taps.push_back({r.offset, s.offset});
                            reaching.push_back(r.tap * c.s + s.tap);
                        }
                    }
                    if (reaching.empty() || grid.pixels() == 0) {
                        continue;
                    }
                    const std::vector<Element> weights =
                        gathered(w, decode_w, channels, reaching.size(), filters, channels * taps,
                                 [&](std::size_t channel, std::size_t tap) {
                                     return (group * filters * channels + channel) * taps + reaching[tap];
                                 });
                    multiply_pixels(weights, channels, c.n, grid, gradients, sum, rule, workers,
                                    {dx.data() + group * channels * plane, c.c * plane, plane, c.w, first_h, first_w},
                                    c.stride_h, c.stride_w);
                }
            }
        });
    });
}

void convolution_dw(const ConvolutionShape& c, const CodeArray& x, const CodeArray& dy, const AccumulationRule& rule,
                    unsigned threads, std::span<float> dw) {
    require_shape(c);
    const std::size_t channels = c.c / c.groups;
    const std::size_t taps = c.r * c.s;
    const std::size_t plane = c.p() * c.q();
    require_output(dw, c.k * channels * taps, c.n * plane, rule);
    const std::size_t filters = c.k / c.groups;
    with_element(dy.format, x.format, rule.chunk, [&]<class Element>(const ChunkSum& sum) {
        const CodeDecoder<Element> decode_dy(dy.format, sum.integers);
        const CodeDecoder<Element> decode_x(x.format, sum.integers);
        const std::vector<Element> images = decoded({x, {c.n, c.c, c.h, c.w}}, decode_x, true, threads);
        for_each_group(c.groups, threads, [&](std::size_t group, unsigned workers) {
            const PatchGrid grid = output_grid(c, group);
            const std::vector<Element> gradients =
                gathered(dy, decode_dy, filters, c.n, plane, 1, [&](std::size_t filter, std::size_t image) {
                    return (image * c.k + group * filters + filter) * plane;
                });
            const ElementCopy<Element> copy;
            const StridedLanes<Element, Element, ElementCopy<Element>> left(
                copy, gradients.data(), static_cast<std::ptrdiff_t>(c.n * plane), 1);
            const TapLanes<Element> right(grid, images.data());
            multiply_packed(
                PackedProduct<Element>{filters, taps * channels, c.n * plane, left, right, sum, rule}, workers,
                [&](std::size_t row, std::size_t count, std::size_t column, std::size_t width, const float* block) {
                    for (std::size_t i = 0; i < count; ++i) {
                        float* filter = dw.data() + (group * filters + row + i) * channels * taps;
                        for (std::size_t j = 0; j < width; ++j) {
                            const std::size_t lane = column + j;
                            filter[lane % channels * taps + lane / channels] = block[i * width + j];
                        }
                    }
                });
        });
    });
}

}  // namespace nibble
