// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "models/numerics/accumulate.h"
#include "models/numerics/matrix_product.h"

namespace nibble {

/// The sizes of a convolution, y(n,k,p,q) from x(n,c,h,w) and w(k,c/groups,r,s). Channels are divisible by groups;
/// sizes, strides and dilations are at least 1; the padded image holds the kernel at least once.
struct ConvolutionShape {
    std::uint64_t n = 1, c = 1, h = 1, w = 1, k = 1, r = 1, s = 1;
    std::uint64_t stride_h = 1, stride_w = 1;
    std::uint64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
    std::uint64_t dilation_h = 1, dilation_w = 1;
    std::uint64_t groups = 1;

    [[nodiscard]] std::uint64_t p() const {
        return (h + pad_top + pad_bottom - dilation_h * (r - 1) - 1) / stride_h + 1;
    }
    [[nodiscard]] std::uint64_t q() const {
        return (w + pad_left + pad_right - dilation_w * (s - 1) - 1) / stride_w + 1;
    }
};

// The three products of a convolution in the arithmetic of the processing array, in its order of terms where the
// reduction is one tile: bit for bit its outputs. Tensors are NCHW, weights KCRS; sums start from zero and are in units
// of the operands' scales. A term that falls on padding is a product with code 0, so that it counts in its chunk (and
// is not a number where the other operand is infinite). Throw ModelError if a span has not the size of its tensor, if
// the shape is none, or as gemm_accumulate() does.

/// y(n,k,p,q): terms by tap (r, s), within it by channel of the group.
void convolution_forward(const ConvolutionShape& shape, const CodeArray& x, const CodeArray& w,
                         const AccumulationRule& rule, unsigned threads, std::span<float> y);

/// dx(n,c,h,w): terms by tap, of those whose distance from the pixel is a multiple of the stride, within it by output
/// channel of the group. A pixel that no tap reaches has the gradient 0.
void convolution_dx(const ConvolutionShape& shape, const CodeArray& dy, const CodeArray& w,
                    const AccumulationRule& rule, unsigned threads, std::span<float> dx);

/// dw(k,c/groups,r,s): terms by image, output row and output column.
void convolution_dw(const ConvolutionShape& shape, const CodeArray& x, const CodeArray& dy,
                    const AccumulationRule& rule, unsigned threads, std::span<float> dw);

}  // namespace nibble
