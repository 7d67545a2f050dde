// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "sim/input/operation.h"
#include "sim/program/command.h"

namespace nibble {

/// A half-open range of indices.
struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    [[nodiscard]] std::uint64_t size() const { return end - begin; }
    friend bool operator==(const Range&, const Range&) = default;
};

/// One dimension of a tiled product, in units that a tile cannot split. `period` is the number of units of one image
/// where a tile holds part of an image or whole images, and the whole extent elsewhere.
struct TiledDimension {
    std::uint64_t extent = 1;
    std::uint64_t period = 1;
};

/// A tile: a range of each dimension.
struct TileRange {
    Range batch, i, j, l;
};

/// A GEMM of any layer kind and phase as a tiled product out(i, j) += left(i, l) * right(l, j), with the addresses of
/// its operands.
///
/// In memory channels lie in blocks: up to 32 of them side by side, then the next pixel, and so on through the image;
/// then the next block of the same image (N, C/block, H, W, block). Weights are blocked along their input channels
/// (C/block, K, R, S, block) and matrices along their columns in the same way. So tiles of some of the channels are
/// still a few long runs. The block is the largest divisor of the (group's) channels from 8 to 32; with none, all
/// channels lie side by side.
///
///   forward  i: output rows (of Q pixels)   j: output channels                 l: input channels (with R*S taps)
///   dx       i: groups of stride_h rows     j: input channels                  l: output channels (with their taps)
///   dw       i: output channels             j: input channels (with R*S taps)  l: output rows (of Q pixels)
///   matmul   i: m                           j: n                               l: k
///
/// dx gathers: dx pixels of one stride class (row and column modulo the stride) see the same taps, so each class is a
/// dense product of its own and no zero is inserted. Groups are products of a batch. The phase is the one that the
/// operation is computed as, which of a transposed convolution is another than its own.
class GemmProblem {
public:
    /// `left_elements` and `right_elements` say whether a batch shares an operand.
    GemmProblem(const Operation& operation, std::uint64_t left_elements, std::uint64_t right_elements);

    [[nodiscard]] std::uint64_t batch() const { return batch_; }
    /// Of matrices? Then tiles all look alike, and several products of a batch may share one.
    [[nodiscard]] bool is_matmul() const { return std::holds_alternative<Matmul>(work_); }
    /// Is a unit of l a row of pixels, as in the weight gradient of a convolution? Else it is a channel or an element.
    [[nodiscard]] bool reduces_rows() const { return phase_ == Phase::dw && !is_matmul(); }
    [[nodiscard]] const TiledDimension& i() const { return i_; }
    [[nodiscard]] const TiledDimension& j() const { return j_; }
    [[nodiscard]] const TiledDimension& l() const { return l_; }
    /// Units of j and of l that lie side by side in memory: tiles should take multiples of them.
    [[nodiscard]] std::uint64_t j_step() const;
    [[nodiscard]] std::uint64_t l_step() const;

    /// Terms that one unit of l adds to a sum, where a sum takes one unit after the other: then it may be cut between
    /// units without changing its order. 0 where it may not: a convolution's forward and dx take all channels of one
    /// tap before those of the next.
    [[nodiscard]] std::uint64_t terms_of_l() const;

    /// Memory that a tile touches, relative to the tensor's start.
    [[nodiscard]] Slice left(const TileRange& tile, std::uint32_t bits) const;
    [[nodiscard]] Slice right(const TileRange& tile, std::uint32_t bits) const;
    [[nodiscard]] Slice out(const TileRange& tile, std::uint32_t bits) const;
    /// Outputs in the tile.
    [[nodiscard]] std::uint64_t out_elements(const TileRange& tile) const;
    /// The dense products that the tile consists of.
    [[nodiscard]] std::vector<MatmulPass> passes(const TileRange& tile) const;

    [[nodiscard]] bool left_transposed() const { return left_transposed_; }
    [[nodiscard]] bool right_transposed() const { return right_transposed_; }

    /// Shape as the whole operation's product, and the multiply-accumulates that it asks for: batch * m * n * k.
    [[nodiscard]] std::uint64_t m() const { return m_; }
    [[nodiscard]] std::uint64_t n() const { return n_; }
    [[nodiscard]] std::uint64_t k() const { return k_; }
    [[nodiscard]] std::uint64_t macs() const { return batch_ * m_ * n_ * k_; }

    /// "forward conv n 1 c 64 ..." or "matmul batch 1 m 8 ...": equal for problems that are tiled alike.
    [[nodiscard]] std::string text() const;

private:
    [[nodiscard]] Range input_rows(const Range& output_rows) const;
    [[nodiscard]] Range gradient_rows(const Range& row_groups) const;

    std::variant<Convolution, Matmul> work_;
    Phase phase_;
    std::uint64_t batch_ = 1;
    TiledDimension i_, j_, l_;
    bool left_transposed_ = false;
    bool right_transposed_ = false;
    bool left_shared_ = false;   // one left operand for the whole batch
    bool right_shared_ = false;  // one right operand for the whole batch
    std::uint64_t m_ = 0, n_ = 0, k_ = 0;
};

}  // namespace nibble
