// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nibble {

/// Tensors are numbered 0, 1, 2, ... in the order in which a trace declares them.
using TensorId = std::uint32_t;

/// What a tensor is to the training step. Together with the precision recipe it decides the tensor's storage format.
enum class TensorRole : std::uint8_t {
    activation,       ///< input image, layer outputs; operand of GEMMs and of vector work
    weight,           ///< trained parameters as the GEMMs read them (the low-precision copy)
    gradient,         ///< gradient of the loss with respect to an activation
    weight_gradient,  ///< gradient with respect to a weight: GEMM output, optimiser input
    state,            ///< master weights, momentum, optimiser moments: always 32 bits
    statistic,        ///< per-channel or per-row sums, means, scales: always 32 bits
    mask,             ///< a few bits saved for the backward pass (ReLU sign, arg-max of pooling): `bits` wide
    index,            ///< token or class numbers: always 32 bits
};

/// How the source of a tensor's values quantised them, for each format of which it says so. What it does not say
/// follows from the values by the machine's own rule.
struct GivenRange {
    std::optional<double> clip{};                  ///< INT4: the largest magnitude that a code stands for, above 0
    std::optional<bool> has_sign{};                ///< INT4, with a clip: signed codes or unsigned ones
    std::optional<std::int32_t> fp4_scale_log2{};  ///< FP4: numbers are multiplied by 2^this
    std::optional<std::int32_t> fp8_scale_log2{};  ///< FP8: the same
    friend bool operator==(const GivenRange&, const GivenRange&) = default;
};

/// A tensor of the step. Values, when present, are a .npy file beside the trace.
struct Tensor {
    TensorId id = 0;
    std::string name;  ///< for people; may be empty
    TensorRole role = TensorRole::activation;
    std::vector<std::uint64_t> shape;     ///< outermost first; images are batch, channels, height, width
    std::uint32_t bits = 0;               ///< width of one element, for masks only (1 to 8); 0 otherwise
    std::string values;                   ///< path of a .npy file, relative to the trace or full; empty: shapes only
    std::optional<GivenRange> quantized;  ///< of values only: how they were quantised where they come from
    std::uint64_t elements = 0;           ///< product of shape, checked against overflow by the reader
};

/// Which part of the training step an operation belongs to.
enum class Phase : std::uint8_t {
    forward,  ///< GEMMs of the forward pass
    dx,       ///< GEMMs for the gradient of the layer's input (for a product of two activations: of its left operand)
    dw,       ///< GEMMs for the gradient of the layer's weight (for a product of two activations: of its right operand)
    vector,   ///< everything element-wise between the GEMMs, in both directions
    update,   ///< optimiser
};

/// Recipes treat the first and the last GEMM layer of a network apart (Sun et al. 2020, section 2, rules of [14,15]).
enum class Position : std::uint8_t { first, middle, last };

/// Convolution, any phase, always described by its forward shape: N,C,H,W * K,C/g,R,S -> N,K,P,Q.
/// forward: in = {x, w}, out = {y}; dx: in = {dy, w}, out = {dx}; dw: in = {x, dy}, out = {dw}.
/// A transposed one is described by the shape of the convolution whose input gradient it computes: x is N,K,P,Q, y is
/// N,C,H,W, and w keeps K,C/g,R,S, which is PyTorch's layout of a ConvTranspose2d weight. What this makes of each phase
/// says computed_as().
struct Convolution {
    std::uint64_t n = 1, c = 1, h = 1, w = 1;  ///< input: batch, channels, height, width
    std::uint64_t k = 1, r = 1, s = 1;         ///< output channels, filter height and width
    std::uint64_t stride_h = 1, stride_w = 1;
    std::uint64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
    std::uint64_t dilation_h = 1, dilation_w = 1;
    std::uint64_t groups = 1;
    bool transposed = false;
    friend bool operator==(const Convolution&, const Convolution&) = default;

    [[nodiscard]] std::uint64_t p() const {  ///< output height
        return (h + pad_top + pad_bottom - dilation_h * (r - 1) - 1) / stride_h + 1;
    }
    [[nodiscard]] std::uint64_t q() const {  ///< output width
        return (w + pad_left + pad_right - dilation_w * (s - 1) - 1) / stride_w + 1;
    }
    [[nodiscard]] bool depthwise() const {  ///< each channel of x is a group
        return groups > 1 && groups == (transposed ? k : c);
    }
    [[nodiscard]] bool pointwise() const { return r == 1 && s == 1; }
};

/// Batched matrix product, as this phase executes it: out[b][m][n] = sum over k of left[b][m][k] * right[b][k][n].
/// in = {left, right}, out = {out}. Operands are row-major in the stated order of their last two dimensions.
/// With batch > 1 an operand without a batch dimension of its own (elements == m*k) is shared by the whole batch.
struct Matmul {
    std::uint64_t batch = 1, m = 1, n = 1, k = 1;
    bool left_transposed = false;   ///< left is stored k by m
    bool right_transposed = false;  ///< right is stored n by k (a linear layer's weight, out by in)
    friend bool operator==(const Matmul&, const Matmul&) = default;
};

/// How wide the source that a trace was made from says that the elements of a layer's forward GEMM are, in bits, 1 to
/// 32. The layer's backward GEMMs carry the same three numbers, so that a layer is one precision throughout.
struct OperandBits {
    std::uint32_t left = 0, right = 0, out = 0;  ///< of the forward GEMM: x and w of a convolution
    friend bool operator==(const OperandBits&, const OperandBits&) = default;
};

/// One element-wise function applied to every element, with how often: pooling over 3x3 has repeat 9.
struct VectorStep {
    std::string function;      ///< a name of models/vector_unit/vector_function.h
    std::uint64_t repeat = 1;  ///< operands folded into one element
};

/// Element-wise work in one pass over memory: all inputs are read once, all steps applied to `elements` elements,
/// all outputs written once. Two passes (batch statistics, then normalisation) are two operations.
struct VectorWork {
    std::uint64_t elements = 0;
    std::vector<VectorStep> steps;
};

/// One operation of a training step: what one trace line says.
struct Operation {
    std::uint64_t line = 0;  ///< line of the trace, for messages; 0 if it has none
    std::string layer;       ///< e.g. "layer1.0.conv1"
    std::string group;       ///< layers reported together, e.g. "layer1"
    Phase phase = Phase::forward;
    Position position = Position::middle;
    std::variant<Convolution, Matmul, VectorWork> work;
    std::vector<VectorStep> epilogue;  ///< GEMMs only: element-wise steps applied to each output tile as it drains
    std::optional<OperandBits> operand_bits;  ///< GEMMs only; recipe as-recorded goes by it
    /// GEMMs only: a .npy file, relative to the trace or full, with what the source computed for the result, before the
    /// epilogue; empty: none.
    std::string result;
    std::vector<TensorId> inputs;
    std::vector<TensorId> outputs;
};

/// What a trace says of itself in its first line.
struct TraceHeader {
    std::string name;         ///< network
    std::uint64_t batch = 1;  ///< images, sequences or samples in the step: throughput is per one of these
};

}  // namespace nibble
