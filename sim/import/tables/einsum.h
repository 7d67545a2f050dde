// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/import/tables/layer_table.h"

namespace nibble {

/// One index of an operand: a sum of loop dimensions, each times a factor. Most are one dimension; the row of a
/// convolution's input is stride * output row + dilation * filter row.
struct EinsumIndex {
    struct Term {
        std::string dimension;
        std::uint64_t factor = 1;
    };
    std::string name;  ///< for people and for what is told of it elsewhere, such as padding
    std::vector<Term> terms;
};

struct EinsumOperand {
    std::string name;
    std::vector<EinsumIndex> indices;  ///< outermost first
};

/// out[..] += left[..] * right[..] over all loop dimensions, whose sizes are at least 1. How ZigZag and Timeloop
/// describe a layer.
struct Einsum {
    std::map<std::string, std::uint64_t> sizes;
    EinsumOperand left, right, out;
};

/// Elements of an operand: the product of the extents of its indices; nothing if they are more than a tensor may have.
[[nodiscard]] std::optional<std::uint64_t> elements_of(const Einsum& einsum, const EinsumOperand& operand);
/// Sizes of the indices of an operand, which must be single dimensions.
[[nodiscard]] Shape shape_of(const Einsum& einsum, const EinsumOperand& operand);

/// A convolution or a matrix product. A convolution has no padding: its input is what its windows cover.
struct EinsumGemm {
    GemmWork work;
    bool swapped = false;             ///< the GEMM's left operand is the einsum's right one
    std::array<std::string, 2> axes;  ///< of a convolution: names of its input's indices for height and width, if any
};

/// A window that slides over one operand, with the same weights, if any, for all channels: pooling.
struct EinsumWindow {
    Convolution shape;  ///< depthwise, without padding
    bool swapped = false;
    std::array<std::string, 2> axes;
};

/// Nothing is summed, and all three operands have the same dimensions.
struct EinsumElementwise {
    std::uint64_t elements = 0;
};

/// Or why it is none of these.
using EinsumMeaning = std::variant<EinsumGemm, EinsumWindow, EinsumElementwise, std::string>;

/// What an einsum computes, told by where each of its dimensions stands and by nothing else. In left (x), right (w) and
/// out (y) of a convolution stand: groups in all three, the batch in x and y, input channels in x and w, output
/// channels in w and y; output rows in y, filter rows in w and both in one index of x; columns likewise. The operand
/// with such an index is x, whichever it is; the first such index is vertical, and a single one horizontal. Without
/// one it is a matrix product: batch, rows, reduction and columns. Several dimensions of one kind act as one.
[[nodiscard]] EinsumMeaning meaning_of(const Einsum& einsum);

}  // namespace nibble
