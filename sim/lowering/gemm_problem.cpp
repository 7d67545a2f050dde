// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_problem.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/base/units.h"
#include "sim/input/gemm_direction.h"
#include "sim/input/operation_names.h"

namespace nibble {

namespace {

/// A dimension of a block, in elements.
struct ElementDimension {
    std::uint64_t count = 1;
    std::uint64_t stride = 0;
};

/// Runs of `run` elements from element `offset` on, repeated along `outer`, in bytes.
Slice block(std::uint64_t offset, std::uint64_t run, const std::array<ElementDimension, 3>& outer, std::uint32_t bits) {
    Slice slice;
    const std::uint64_t first_bit = offset * bits;
    slice.address = first_bit / 8;
    slice.run_bytes = bytes_for(Bits(first_bit % 8 + run * bits)).count();
    for (std::size_t d = 0; d < outer.size(); ++d) {
        slice.outer[d] = {outer[d].count, bytes_for(Bits(outer[d].stride * bits)).count()};
    }
    return slice;
}

/// Channels that lie side by side in memory: the largest divisor of the channels up to the width of a common array.
/// With none of a useful size, all of them.
std::uint64_t channel_block(std::uint64_t channels) {
    constexpr std::uint64_t widest = 32;
    constexpr std::uint64_t narrowest = 8;
    for (std::uint64_t size = widest; size >= narrowest; --size) {
        if (channels % size == 0) {
            return size;
        }
    }
    return channels;
}

/// The block, or 1 where there are no blocks: then any cut is as good as another.
std::uint64_t block_or_one(std::uint64_t channels) {
    const std::uint64_t size = channel_block(channels);
    return size == channels ? 1 : size;
}

/// Pixels (or matrix rows) in memory order, each with its channels (or columns), block of channels after block.
struct BlockedPlane {
    std::uint64_t base = 0;      // elements before the first plane
    std::uint64_t pixels = 0;    // of a plane
    std::uint64_t channels = 0;  // of a pixel
    std::uint64_t block = 0;     // channels that lie side by side
};

/// A range of pixels of each of a range of planes; some or all of the channels.
Slice blocked(const BlockedPlane& in, const Range& planes, const Range& pixels, const Range& channels,
              std::uint32_t bits) {
    if (planes.size() == 0 || pixels.size() == 0 || channels.size() == 0) {
        return {};
    }
    const std::uint64_t plane = in.pixels * in.channels;
    const std::uint64_t start = in.base + planes.begin * plane;
    const bool all_pixels = pixels.size() == in.pixels;
    if (all_pixels && channels.size() == in.channels) {
        return block(start, planes.size() * plane, {}, bits);
    }
    if (channels.begin % in.block != 0 || channels.size() % in.block != 0) {
        // Part of a block: pixel by pixel.
        const std::uint64_t first = channels.begin / in.block * in.pixels * in.block + channels.begin % in.block;
        return block(start + first + pixels.begin * in.block, channels.size(),
                     {{{}, {planes.size(), plane}, {pixels.size(), in.block}}}, bits);
    }
    const std::uint64_t blocks = channels.size() / in.block;
    const std::uint64_t offset = start + channels.begin * in.pixels + pixels.begin * in.block;
    if (all_pixels) {
        return block(offset, blocks * in.pixels * in.block, {{{}, {}, {planes.size(), plane}}}, bits);
    }
    return block(offset, pixels.size() * in.block, {{{}, {planes.size(), plane}, {blocks, in.pixels * in.block}}},
                 bits);
}

/// Rows and columns of a matrix.
Slice matrix_block(std::uint64_t base, const Range& rows, const Range& cols, std::uint64_t all_rows,
                   std::uint64_t all_cols, std::uint32_t bits) {
    return blocked({base, all_rows, all_cols, channel_block(all_cols)}, {0, 1}, rows, cols, bits);
}

/// A batch of images.
struct Image {
    std::uint64_t rows, cols, channels, groups;

    [[nodiscard]] BlockedPlane plane() const { return {0, rows * cols, channels, channel_block(channels / groups)}; }
};

/// Whole pixel rows of one image, or whole images; some or all of the channels.
Slice image_block(const Image& image, const Range& images, const Range& rows, const Range& channels,
                  std::uint32_t bits) {
    return blocked(image.plane(), images, {rows.begin * image.cols, rows.end * image.cols}, channels, bits);
}

/// A weight: a plane whose pixels are the taps of all output channels; output channels from `first_k` on (the group's).
Slice weight_block(const Convolution& c, std::uint64_t first_k, const Range& k, const Range& channels,
                   std::uint32_t bits) {
    const std::uint64_t taps = c.r * c.s;
    const std::uint64_t group_channels = c.c / c.groups;
    return blocked({0, c.k * taps, group_channels, channel_block(group_channels)}, {0, 1},
                   {(first_k + k.begin) * taps, (first_k + k.end) * taps}, channels, bits);
}

/// Images and rows that a range of units covers, `period` units an image.
struct ImageRange {
    Range images, units;
};

ImageRange split(const Range& range, std::uint64_t period) {
    const std::uint64_t first = range.begin / period;
    const Range units{range.begin % period, range.begin % period + range.size()};
    if (units.end <= period) {
        return {{first, first + 1}, units};
    }
    return {{first, range.end / period}, {0, period}};
}

/// Members of [range) that are `residue` modulo `modulus`.
std::uint64_t count_of_class(const Range& range, std::uint64_t residue, std::uint64_t modulus) {
    const auto below = [&](std::uint64_t end) { return (end + modulus - 1 - residue) / modulus; };
    return below(range.end) - below(range.begin);
}

/// Taps of a filter that reach the pixels of one stride class.
std::uint64_t taps_of_class(std::uint64_t residue, std::uint64_t stride, std::uint64_t pad, std::uint64_t taps,
                            std::uint64_t dilation) {
    std::uint64_t count = 0;
    for (std::uint64_t t = 0; t < taps; ++t) {
        // (residue + pad - t * dilation) divisible by stride, without going below zero.
        count += (residue + pad + t * dilation * (stride - 1)) % stride == 0 ? 1U : 0U;
    }
    return count;
}

}  // namespace

GemmProblem::GemmProblem(const Operation& operation, std::uint64_t left_elements, std::uint64_t right_elements)
    : phase_(computed_as(operation)) {
    if (const auto* matmul = std::get_if<Matmul>(&operation.work)) {
        work_ = *matmul;
        batch_ = matmul->batch;
        m_ = matmul->m;
        n_ = matmul->n;
        k_ = matmul->k;
        left_shared_ = batch_ > 1 && left_elements == m_ * k_;
        right_shared_ = batch_ > 1 && right_elements == k_ * n_;
        i_ = {m_, m_};
        j_ = {n_, n_};
        l_ = {k_, k_};
        // The PEs take both operands along the reduction: left m by k, right n by k.
        left_transposed_ = matmul->left_transposed;
        right_transposed_ = !matmul->right_transposed;
        return;
    }
    const auto& c = std::get<Convolution>(operation.work);
    work_ = c;
    batch_ = c.groups;
    const std::uint64_t in_channels = c.c / c.groups;
    const std::uint64_t out_channels = c.k / c.groups;
    const std::uint64_t pixels = c.n * c.p() * c.q();
    const std::uint64_t taps = c.r * c.s;
    switch (phase_) {
        case Phase::forward:
            m_ = pixels;
            n_ = out_channels;
            k_ = in_channels * taps;
            i_ = {c.n * c.p(), c.p()};
            j_ = {out_channels, out_channels};
            l_ = {in_channels, in_channels};
            return;
        case Phase::dx: {
            m_ = pixels;
            n_ = in_channels * taps;
            k_ = out_channels;
            const std::uint64_t groups_of_rows = ceil_div(c.h, c.stride_h);
            i_ = {c.n * groups_of_rows, groups_of_rows};
            j_ = {in_channels, in_channels};
            l_ = {out_channels, out_channels};
            right_transposed_ = true;
            return;
        }
        case Phase::dw:
            m_ = out_channels;
            n_ = in_channels * taps;
            k_ = pixels;
            i_ = {out_channels, out_channels};
            j_ = {in_channels, in_channels};
            l_ = {c.n * c.p(), c.p()};
            left_transposed_ = true;
            right_transposed_ = true;
            return;
        case Phase::vector:
        case Phase::update:
            break;
    }
    throw ModelError("a GEMM belongs to forward, dx or dw");
}

std::uint64_t GemmProblem::j_step() const {
    return block_or_one(j_.extent);
}

std::uint64_t GemmProblem::l_step() const {
    return reduces_rows() ? 1 : block_or_one(l_.extent);
}

std::uint64_t GemmProblem::terms_of_l() const {
    const auto* c = std::get_if<Convolution>(&work_);
    if (c == nullptr) {
        return 1;
    }
    if (phase_ == Phase::dw) {
        return c->q();
    }
    return c->pointwise() ? 1 : 0;
}

Range GemmProblem::input_rows(const Range& output_rows) const {
    const auto& c = std::get<Convolution>(work_);
    const std::uint64_t first = output_rows.begin * c.stride_h;
    const std::uint64_t last = (output_rows.end - 1) * c.stride_h + (c.r - 1) * c.dilation_h;  // still padded
    const std::uint64_t begin = first > c.pad_top ? first - c.pad_top : 0;
    const std::uint64_t end = last + 1 > c.pad_top ? std::min(c.h, last + 1 - c.pad_top) : 0;
    return {std::min(begin, end), end};
}

Range GemmProblem::gradient_rows(const Range& row_groups) const {
    const auto& c = std::get<Convolution>(work_);
    const std::uint64_t first = row_groups.begin * c.stride_h + c.pad_top;
    const std::uint64_t last = std::min(c.h, row_groups.end * c.stride_h) - 1 + c.pad_top;
    const std::uint64_t reach = (c.r - 1) * c.dilation_h;
    const std::uint64_t begin = first > reach ? ceil_div(first - reach, c.stride_h) : 0;
    const std::uint64_t end = std::min(c.p(), last / c.stride_h + 1);
    return {std::min(begin, end), end};
}

namespace {

/// The patch of input that a range of output rows reads. Strided pointwise convolutions skip the rows that they do not
/// read.
Slice input_patch(const Convolution& c, const ImageRange& at, const Range& rows, const Range& channels,
                  std::uint32_t bits) {
    const Image image{c.h, c.w, c.c, c.groups};
    const std::uint64_t side_by_side = channel_block(c.c / c.groups);
    if (c.r == 1 && c.stride_h > 1 && c.pad_top == 0 && c.pad_bottom == 0 && at.images.size() == 1 &&
        channels.size() % side_by_side == 0) {
        const std::uint64_t first = (at.images.begin * c.c + channels.begin) * c.h * c.w;
        const std::uint64_t row = c.w * side_by_side;
        return block(first + at.units.begin * c.stride_h * row, row,
                     {{{}, {channels.size() / side_by_side, c.h * row}, {at.units.size(), c.stride_h * row}}}, bits);
    }
    return image_block(image, at.images, rows, channels, bits);
}

Range offset_by(const Range& range, std::uint64_t offset) {
    return {range.begin + offset, range.end + offset};
}

Slice matmul_operand(bool transposed, bool shared, const TileRange& tile, const Range& rows, const Range& cols,
                     std::uint64_t all_rows, std::uint64_t all_cols, std::uint32_t bits) {
    const std::uint64_t base = shared ? 0 : tile.batch.begin * all_rows * all_cols;
    const std::uint64_t copies = shared ? 1 : tile.batch.size();
    if (copies > 1) {
        // Several products in one tile: each of them whole.
        return block(base, copies * all_rows * all_cols, {}, bits);
    }
    return transposed ? matrix_block(base, cols, rows, all_cols, all_rows, bits)
                      : matrix_block(base, rows, cols, all_rows, all_cols, bits);
}

}  // namespace

Slice GemmProblem::left(const TileRange& tile, std::uint32_t bits) const {
    if (const auto* matmul = std::get_if<Matmul>(&work_)) {
        return matmul_operand(matmul->left_transposed, left_shared_, tile, tile.i, tile.l, m_, k_, bits);
    }
    const auto& c = std::get<Convolution>(work_);
    const Image gradient{c.p(), c.q(), c.k, c.groups};
    const std::uint64_t first_c = tile.batch.begin * (c.c / c.groups);
    const std::uint64_t first_k = tile.batch.begin * (c.k / c.groups);
    switch (phase_) {
        case Phase::forward: {
            const ImageRange at = split(tile.i, i_.period);
            return input_patch(c, at, input_rows(at.units), offset_by(tile.l, first_c), bits);
        }
        case Phase::dx: {
            const ImageRange at = split(tile.i, i_.period);
            return image_block(gradient, at.images, gradient_rows(at.units), offset_by(tile.l, first_k), bits);
        }
        default: {
            const ImageRange at = split(tile.l, l_.period);
            return image_block(gradient, at.images, at.units, offset_by(tile.i, first_k), bits);
        }
    }
}

Slice GemmProblem::right(const TileRange& tile, std::uint32_t bits) const {
    if (const auto* matmul = std::get_if<Matmul>(&work_)) {
        return matmul_operand(matmul->right_transposed, right_shared_, tile, tile.l, tile.j, k_, n_, bits);
    }
    const auto& c = std::get<Convolution>(work_);
    const std::uint64_t first_c = tile.batch.begin * (c.c / c.groups);
    const std::uint64_t first_k = tile.batch.begin * (c.k / c.groups);
    switch (phase_) {
        case Phase::forward:
            return weight_block(c, first_k, tile.j, tile.l, bits);
        case Phase::dx:
            return weight_block(c, first_k, tile.l, tile.j, bits);
        default: {
            const ImageRange at = split(tile.l, l_.period);
            return input_patch(c, at, input_rows(at.units), offset_by(tile.j, first_c), bits);
        }
    }
}

Slice GemmProblem::out(const TileRange& tile, std::uint32_t bits) const {
    if (std::holds_alternative<Matmul>(work_)) {
        return matmul_operand(false, false, tile, tile.i, tile.j, m_, n_, bits);
    }
    const auto& c = std::get<Convolution>(work_);
    const std::uint64_t first_c = tile.batch.begin * (c.c / c.groups);
    const std::uint64_t first_k = tile.batch.begin * (c.k / c.groups);
    switch (phase_) {
        case Phase::forward: {
            const ImageRange at = split(tile.i, i_.period);
            return image_block({c.p(), c.q(), c.k, c.groups}, at.images, at.units, offset_by(tile.j, first_k), bits);
        }
        case Phase::dx: {
            const ImageRange at = split(tile.i, i_.period);
            const Range rows{at.units.begin * c.stride_h, std::min(c.h, at.units.end * c.stride_h)};
            return image_block({c.h, c.w, c.c, c.groups}, at.images, rows, offset_by(tile.j, first_c), bits);
        }
        default:
            return weight_block(c, first_k, tile.i, tile.j, bits);
    }
}

std::uint64_t GemmProblem::out_elements(const TileRange& tile) const {
    const Slice bytes = out(tile, 8);
    return bytes.bytes();
}

std::vector<MatmulPass> GemmProblem::passes(const TileRange& tile) const {
    if (std::holds_alternative<Matmul>(work_)) {
        return std::vector<MatmulPass>(tile.batch.size(), {tile.i.size(), tile.j.size(), tile.l.size()});
    }
    const auto& c = std::get<Convolution>(work_);
    const std::uint64_t taps = c.r * c.s;
    if (phase_ == Phase::forward) {
        return {{tile.i.size() * c.q(), tile.j.size(), tile.l.size() * taps}};
    }
    if (phase_ == Phase::dw) {
        return {{tile.i.size(), tile.j.size() * taps, tile.l.size() * c.q()}};
    }
    const ImageRange at = split(tile.i, i_.period);
    const Range rows{at.units.begin * c.stride_h, std::min(c.h, at.units.end * c.stride_h)};
    const Range cols{0, c.w};
    std::vector<MatmulPass> passes;
    for (std::uint64_t a = 0; a < c.stride_h; ++a) {
        for (std::uint64_t b = 0; b < c.stride_w; ++b) {
            const MatmulPass pass{
                .m = at.images.size() * count_of_class(rows, a, c.stride_h) * count_of_class(cols, b, c.stride_w),
                .n = tile.j.size(),
                .k = taps_of_class(a, c.stride_h, c.pad_top, c.r, c.dilation_h) *
                     taps_of_class(b, c.stride_w, c.pad_left, c.s, c.dilation_w) * tile.l.size()};
            if (pass.m > 0 && pass.k > 0) {
                passes.push_back(pass);
            }
        }
    }
    return passes;
}

std::string GemmProblem::text() const {
    if (const auto* m = std::get_if<Matmul>(&work_)) {
        return fmt::format("matmul batch {} m {} n {} k {}{}{}{}{}", m->batch, m->m, m->n, m->k,
                           m->left_transposed ? " left k by m" : "", m->right_transposed ? " right n by k" : "",
                           left_shared_ ? " left shared" : "", right_shared_ ? " right shared" : "");
    }
    const auto& c = std::get<Convolution>(work_);
    std::string text = fmt::format("{} conv n {} c {} h {} w {} k {} r {} s {} stride {} {} pad {} {} {} {}",
                                   name_of(phase_), c.n, c.c, c.h, c.w, c.k, c.r, c.s, c.stride_h, c.stride_w,
                                   c.pad_top, c.pad_bottom, c.pad_left, c.pad_right);
    if (c.dilation_h > 1 || c.dilation_w > 1) {
        text += fmt::format(" dilation {} {}", c.dilation_h, c.dilation_w);
    }
    return text + (c.groups > 1 ? fmt::format(" groups {}", c.groups) : "");
}

}  // namespace nibble
