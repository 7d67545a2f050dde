// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_reference.h"

#include <bit>
#include <optional>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/gemm_direction.h"

namespace nibble {

namespace {

/// The pairs of codes whose products make up one output, within one tile of the reduction.
class Terms {
public:
    explicit Terms(const LayerValues& layer) : layer_(layer) {}

    void add(std::uint64_t left_element, std::uint64_t right_element) {
        left_.push_back(layer_.left.code(left_element));
        right_.push_back(layer_.right.code(right_element));
    }
    /// A product with padding.
    void add_padding(std::uint64_t right_element) {
        left_.push_back(0);
        right_.push_back(layer_.right.code(right_element));
    }
    void add_padding_right(std::uint64_t left_element) {
        left_.push_back(layer_.left.code(left_element));
        right_.push_back(0);
    }
    void sum_into(float& sum, const AccumulationRule& rule) {
        gemm_accumulate_reference(1, 1, left_.size(), {layer_.left.format, left_}, {layer_.right.format, right_}, rule,
                                  {&sum, 1});
        left_.clear();
        right_.clear();
    }

private:
    const LayerValues& layer_;
    std::vector<std::uint16_t> left_, right_;
};

/// Calls `visit` for each tile of the reduction.
template <class Visit>
void for_each_reduction_tile(const LayerValues& layer, Visit visit) {
    const TiledDimension& l = layer.problem.l();
    for (std::uint64_t t = 0; t < tile_count(l, layer.tiling.l); ++t) {
        visit(tile_at(l, layer.tiling.l, t));
    }
}

float matmul_output(const LayerValues& layer, const Matmul& x, std::uint64_t b, std::uint64_t m, std::uint64_t n,
                    const AccumulationRule& rule) {
    const std::uint64_t left = layer.left_elements == x.m * x.k ? 0 : b * x.m * x.k;
    const std::uint64_t right = layer.right_elements == x.k * x.n ? 0 : b * x.k * x.n;
    float sum = 0;
    Terms terms(layer);
    for_each_reduction_tile(layer, [&](const Range& range) {
        for (std::uint64_t k = range.begin; k < range.end; ++k) {
            terms.add(left + (x.left_transposed ? k * x.m + m : m * x.k + k),
                      right + (x.right_transposed ? n * x.k + k : k * x.n + n));
        }
        terms.sum_into(sum, rule);
    });
    return sum;
}

/// The input pixel under tap (r, s) of output (n, p, q), counted over all images; nothing for padding.
std::optional<std::uint64_t> input_pixel(const Convolution& c, std::uint64_t n, std::uint64_t p, std::uint64_t q,
                                         std::uint64_t r, std::uint64_t s) {
    const auto h = static_cast<std::int64_t>(p * c.stride_h + r * c.dilation_h) - static_cast<std::int64_t>(c.pad_top);
    const auto w = static_cast<std::int64_t>(q * c.stride_w + s * c.dilation_w) - static_cast<std::int64_t>(c.pad_left);
    if (h < 0 || h >= static_cast<std::int64_t>(c.h) || w < 0 || w >= static_cast<std::int64_t>(c.w)) {
        return {};
    }
    return (n * c.h + static_cast<std::uint64_t>(h)) * c.w + static_cast<std::uint64_t>(w);
}

/// y[n, p, q, k] = sum over r, s, c of x[n, p*stride - pad + r*dilation, ..., c] * w[k, r, s, c].
float forward_output(const LayerValues& layer, const Convolution& c, std::uint64_t n, std::uint64_t p, std::uint64_t q,
                     std::uint64_t k, const AccumulationRule& rule) {
    const std::uint64_t per_group = c.c / c.groups;
    const std::uint64_t first_channel = k / (c.k / c.groups) * per_group;
    float sum = 0;
    Terms terms(layer);
    for_each_reduction_tile(layer, [&](const Range& channels) {
        for (std::uint64_t r = 0; r < c.r; ++r) {
            for (std::uint64_t s = 0; s < c.s; ++s) {
                const std::optional<std::uint64_t> pixel = input_pixel(c, n, p, q, r, s);
                for (std::uint64_t ch = channels.begin; ch < channels.end; ++ch) {
                    const std::uint64_t weight = ((k * c.r + r) * c.s + s) * per_group + ch;
                    if (pixel) {
                        terms.add(*pixel * c.c + first_channel + ch, weight);
                    } else {
                        terms.add_padding(weight);
                    }
                }
            }
        }
        terms.sum_into(sum, rule);
    });
    return sum;
}

/// dx[n, h, w, c]: the transpose of the forward formula, found by trying every output row and column for every tap.
float input_gradient(const LayerValues& layer, const Convolution& c, std::uint64_t n, std::uint64_t h, std::uint64_t w,
                     std::uint64_t channel, const AccumulationRule& rule) {
    const std::uint64_t per_group = c.c / c.groups;
    const std::uint64_t k_per_group = c.k / c.groups;
    const std::uint64_t group = channel / per_group;
    float sum = 0;
    Terms terms(layer);
    // A tap takes part if its distance from the pixel is a multiple of the stride, be the output there or not.
    const auto matches = [](std::uint64_t at, std::uint64_t tap, std::uint64_t stride) {
        return (static_cast<std::int64_t>(at) - static_cast<std::int64_t>(tap)) % static_cast<std::int64_t>(stride) ==
               0;
    };
    const auto find = [](std::uint64_t at, std::uint64_t tap, std::uint64_t stride, std::uint64_t outputs) {
        for (std::uint64_t o = 0; o < outputs; ++o) {
            if (o * stride + tap == at) {
                return o;
            }
        }
        return outputs;
    };
    for_each_reduction_tile(layer, [&](const Range& outputs) {
        for (std::uint64_t r = 0; r < c.r; ++r) {
            for (std::uint64_t s = 0; s < c.s; ++s) {
                if (!matches(h + c.pad_top, r * c.dilation_h, c.stride_h) ||
                    !matches(w + c.pad_left, s * c.dilation_w, c.stride_w)) {
                    continue;
                }
                const std::uint64_t p = find(h + c.pad_top, r * c.dilation_h, c.stride_h, c.p());
                const std::uint64_t q = find(w + c.pad_left, s * c.dilation_w, c.stride_w, c.q());
                for (std::uint64_t o = outputs.begin; o < outputs.end; ++o) {
                    const std::uint64_t k = group * k_per_group + o;
                    const std::uint64_t weight = ((k * c.r + r) * c.s + s) * per_group + channel % per_group;
                    if (p < c.p() && q < c.q()) {
                        terms.add(((n * c.p() + p) * c.q() + q) * c.k + k, weight);
                    } else {
                        terms.add_padding(weight);
                    }
                }
            }
        }
        terms.sum_into(sum, rule);
    });
    return sum;
}

/// dw[k, r, s, c] = sum over n, p, q of dy[n, p, q, k] * x[n, p*stride - pad + r*dilation, ..., c].
float weight_gradient(const LayerValues& layer, const Convolution& c, std::uint64_t k, std::uint64_t r, std::uint64_t s,
                      std::uint64_t channel, const AccumulationRule& rule) {
    const std::uint64_t per_group = c.c / c.groups;
    const std::uint64_t first_channel = k / (c.k / c.groups) * per_group;
    float sum = 0;
    Terms terms(layer);
    for_each_reduction_tile(layer, [&](const Range& rows) {
        for (std::uint64_t row = rows.begin; row < rows.end; ++row) {
            for (std::uint64_t q = 0; q < c.q(); ++q) {
                const std::optional<std::uint64_t> pixel = input_pixel(c, row / c.p(), row % c.p(), q, r, s);
                const std::uint64_t gradient = (row * c.q() + q) * c.k + k;
                if (pixel) {
                    terms.add(gradient, *pixel * c.c + first_channel + channel);
                } else {
                    terms.add_padding_right(gradient);
                }
            }
        }
        terms.sum_into(sum, rule);
    });
    return sum;
}

/// Compares sums one by one, in the order in which a tile's passes deliver them.
class Checker {
public:
    Checker(const LayerValues& layer, const std::vector<float>& sums) : layer_(layer), sums_(sums) {}

    template <class Reference>
    void next(Reference reference) {
        const std::uint64_t at = position_++;
        if (at % layer_.sample_step != 0) {
            return;
        }
        const float expected = reference();
        if (at >= sums_.size() || std::bit_cast<std::uint32_t>(expected) != std::bit_cast<std::uint32_t>(sums_[at])) {
            throw ModelError(fmt::format("{}: output {} of a tile: the array computed {}, the reference {}",
                                         printable(layer_.operation.layer), at, at < sums_.size() ? sums_[at] : 0.0F,
                                         expected));
        }
        ++compared_;
    }

    [[nodiscard]] std::uint64_t finish() const {
        if (position_ != sums_.size()) {
            throw ModelError(fmt::format("{}: a tile of {} outputs instead of {}", printable(layer_.operation.layer),
                                         sums_.size(), position_));
        }
        return compared_;
    }

private:
    const LayerValues& layer_;
    const std::vector<float>& sums_;
    std::uint64_t position_ = 0;
    std::uint64_t compared_ = 0;
};

void check_forward(const LayerValues& layer, const Convolution& c, const TileRange& tile, const AccumulationRule& rule,
                   Checker& checker) {
    for (std::uint64_t row = tile.i.begin; row < tile.i.end; ++row) {
        for (std::uint64_t q = 0; q < c.q(); ++q) {
            for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                const std::uint64_t k = tile.batch.begin * (c.k / c.groups) + j;
                checker.next([&] { return forward_output(layer, c, row / c.p(), row % c.p(), q, k, rule); });
            }
        }
    }
}

void check_dx(const LayerValues& layer, const Convolution& c, const TileRange& tile, const AccumulationRule& rule,
              Checker& checker) {
    const std::uint64_t row_groups = layer.problem.i().period;
    for (std::uint64_t a = 0; a < c.stride_h; ++a) {
        for (std::uint64_t b = 0; b < c.stride_w; ++b) {
            // A class that no tap reaches has no pass: its gradients are zero and stay so.
            bool reached = false;
            for (std::uint64_t r = 0; r < c.r; ++r) {
                for (std::uint64_t s = 0; s < c.s; ++s) {
                    const auto up =
                        static_cast<std::int64_t>(a + c.pad_top) - static_cast<std::int64_t>(r * c.dilation_h);
                    const auto left =
                        static_cast<std::int64_t>(b + c.pad_left) - static_cast<std::int64_t>(s * c.dilation_w);
                    reached = reached || (up % static_cast<std::int64_t>(c.stride_h) == 0 &&
                                          left % static_cast<std::int64_t>(c.stride_w) == 0);
                }
            }
            for (std::uint64_t i = tile.i.begin; reached && i < tile.i.end; ++i) {
                const std::uint64_t h = i % row_groups * c.stride_h + a;
                for (std::uint64_t w = b; h < c.h && w < c.w; w += c.stride_w) {
                    for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                        const std::uint64_t channel = tile.batch.begin * (c.c / c.groups) + j;
                        checker.next([&] { return input_gradient(layer, c, i / row_groups, h, w, channel, rule); });
                    }
                }
            }
        }
    }
}

void check_dw(const LayerValues& layer, const Convolution& c, const TileRange& tile, const AccumulationRule& rule,
              Checker& checker) {
    for (std::uint64_t i = tile.i.begin; i < tile.i.end; ++i) {
        const std::uint64_t k = tile.batch.begin * (c.k / c.groups) + i;
        for (std::uint64_t r = 0; r < c.r; ++r) {
            for (std::uint64_t s = 0; s < c.s; ++s) {
                for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                    checker.next([&] { return weight_gradient(layer, c, k, r, s, j, rule); });
                }
            }
        }
    }
}

}  // namespace

std::uint64_t check_tile(const LayerValues& layer, const TileRange& tile, const AccumulationRule& rule,
                         const std::vector<float>& sums) {
    Checker checker(layer, sums);
    if (const auto* matmul = std::get_if<Matmul>(&layer.operation.work)) {
        for (std::uint64_t b = tile.batch.begin; b < tile.batch.end; ++b) {
            for (std::uint64_t m = tile.i.begin; m < tile.i.end; ++m) {
                for (std::uint64_t n = tile.j.begin; n < tile.j.end; ++n) {
                    checker.next([&] { return matmul_output(layer, *matmul, b, m, n, rule); });
                }
            }
        }
        return checker.finish();
    }
    const auto& c = std::get<Convolution>(layer.operation.work);
    switch (computed_as(layer.operation)) {
        case Phase::forward:
            check_forward(layer, c, tile, rule, checker);
            break;
        case Phase::dx:
            check_dx(layer, c, tile, rule, checker);
            break;
        default:
            check_dw(layer, c, tile, rule, checker);
            break;
    }
    return checker.finish();
}

}  // namespace nibble
