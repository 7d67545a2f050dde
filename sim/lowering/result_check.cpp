// SPDX-License-Identifier: MIT
#include "sim/lowering/result_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/gemm_direction.h"

namespace nibble {

namespace {

using Elements = std::vector<std::uint64_t>;

void add_product(const Matmul& x, const TileRange& tile, Elements& elements) {
    for (std::uint64_t b = tile.batch.begin; b < tile.batch.end; ++b) {
        for (std::uint64_t m = tile.i.begin; m < tile.i.end; ++m) {
            for (std::uint64_t n = tile.j.begin; n < tile.j.end; ++n) {
                elements.push_back((b * x.m + m) * x.n + n);
            }
        }
    }
}

// A row counts over all images.
void add_forward(const Convolution& c, const TileRange& tile, Elements& elements) {
    const std::uint64_t first_k = tile.batch.begin * (c.k / c.groups);
    for (std::uint64_t row = tile.i.begin; row < tile.i.end; ++row) {
        for (std::uint64_t q = 0; q < c.q(); ++q) {
            for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                elements.push_back(((row / c.p() * c.k + first_k + j) * c.p() + row % c.p()) * c.q() + q);
            }
        }
    }
}

/// Does any of `taps` taps reach the pixels that are `residue` modulo the stride?
bool reached(std::uint64_t residue, std::uint64_t stride, std::uint64_t pad, std::uint64_t taps,
             std::uint64_t dilation) {
    for (std::uint64_t t = 0; t < taps; ++t) {
        const auto distance = static_cast<std::int64_t>(residue + pad) - static_cast<std::int64_t>(t * dilation);
        if (distance % static_cast<std::int64_t>(stride) == 0) {
            return true;
        }
    }
    return false;
}

// Class of pixels after class, and rows of each stride group by group.
void add_dx(const Convolution& c, std::uint64_t groups_of_rows, const TileRange& tile, Elements& elements) {
    const std::uint64_t first_c = tile.batch.begin * (c.c / c.groups);
    for (std::uint64_t a = 0; a < c.stride_h; ++a) {
        for (std::uint64_t b = 0; b < c.stride_w; ++b) {
            if (!reached(a, c.stride_h, c.pad_top, c.r, c.dilation_h) ||
                !reached(b, c.stride_w, c.pad_left, c.s, c.dilation_w)) {
                continue;
            }
            for (std::uint64_t i = tile.i.begin; i < tile.i.end; ++i) {
                const std::uint64_t h = i % groups_of_rows * c.stride_h + a;
                for (std::uint64_t w = b; h < c.h && w < c.w; w += c.stride_w) {
                    for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                        elements.push_back(((i / groups_of_rows * c.c + first_c + j) * c.h + h) * c.w + w);
                    }
                }
            }
        }
    }
}

void add_dw(const Convolution& c, const TileRange& tile, Elements& elements) {
    const std::uint64_t first_k = tile.batch.begin * (c.k / c.groups);
    for (std::uint64_t i = tile.i.begin; i < tile.i.end; ++i) {
        for (std::uint64_t tap = 0; tap < c.r * c.s; ++tap) {
            for (std::uint64_t j = tile.j.begin; j < tile.j.end; ++j) {
                elements.push_back(((first_k + i) * (c.c / c.groups) + j) * c.r * c.s + tap);
            }
        }
    }
}

bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

}  // namespace

Elements delivered_elements(const Operation& operation, const GemmProblem& problem, const TileRange& tile) {
    Elements elements;
    if (const auto* product = std::get_if<Matmul>(&operation.work)) {
        add_product(*product, tile, elements);
        return elements;
    }
    const auto& c = std::get<Convolution>(operation.work);
    switch (computed_as(operation)) {
        case Phase::forward:
            add_forward(c, tile, elements);
            break;
        case Phase::dx:
            add_dx(c, problem.i().period, tile, elements);
            break;
        default:
            add_dw(c, tile, elements);
            break;
    }
    return elements;
}

float scaled_result(float sum, double unit) {
    return sum * static_cast<float>(unit);
}

ResultCheck::ResultCheck(const Operation& operation, const GemmProblem& problem, std::vector<float> expected)
    : operation_(operation), problem_(problem), expected_(std::move(expected)) {}

void ResultCheck::compare(const TileRange& tile, std::span<const float> sums, double unit,
                          ResultComparison& found) const {
    const Elements elements = delivered_elements(operation_, problem_, tile);
    if (elements.size() != sums.size()) {
        throw ModelError(fmt::format("{}: a tile of {} outputs instead of {}", printable(operation_.layer), sums.size(),
                                     elements.size()));
    }
    for (std::size_t at = 0; at < sums.size(); ++at) {
        const float made = scaled_result(sums[at], unit);
        const float expected = expected_.at(elements[at]);
        ++found.outputs_compared;
        if (same_bits(made, expected)) {
            continue;
        }
        ++found.outputs_different;
        const double difference = std::fabs(static_cast<double>(made) - static_cast<double>(expected));
        found.largest_difference = std::isfinite(difference) ? std::max(found.largest_difference, difference)
                                                             : std::numeric_limits<double>::infinity();
    }
}

}  // namespace nibble
