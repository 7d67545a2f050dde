// SPDX-License-Identifier: MIT
#include "models/vector_unit/vector_function.h"

#include <algorithm>
#include <array>

namespace nibble {

namespace {

// Building blocks of the transcendental functions.
// exp(x) = 2^i * 2^f: scale by log2(e) and round to i (1), f (1), polynomial of degree 3 (3; relative error 1e-4,
// below half a unit of an 11-bit significand), insert i into the exponent (1).
constexpr std::uint32_t exp_ops = 6;
constexpr std::uint32_t reciprocal_ops = 3;   // 8-bit seed (1), one Newton step (2)
constexpr std::uint32_t square_root_ops = 5;  // seed of 1/sqrt (1), one Newton step (3), times x (1)
constexpr std::uint32_t log_ops = 6;          // exponent (1), significand (1), polynomial of degree 3 (3), sum (1)
constexpr std::uint32_t sigmoid_ops = exp_ops + 1 + reciprocal_ops;  // 1 / (1 + exp(-x))
constexpr std::uint32_t tanh_ops = sigmoid_ops + 1;                  // 2 sigmoid(2x) - 1; the inner 2 is in exp's scale
constexpr std::uint32_t gelu_argument_ops = 3;                       // x (a + b x^2)

constexpr VectorFunction table[] = {
    // Data movement
    {"copy", 1, "moves an element: one pass through a lane"},
    {"gather", 1, "moves one element of a table's row: one pass through a lane"},
    {"scatter_add", 1, "adds an element to a table's row: 1 addition"},
    {"slice", 1, "moves an element of a part of a tensor, of which nothing else is read: one pass through a lane"},
    {"place", 1, "moves an element into a part of a tensor, of which nothing else is written: one pass through a lane"},
    {"fill", 1, "writes a constant: one pass through a lane"},
    {"random", 1, "writes the lane's random number: one pass through a lane"},
    // Arithmetic
    {"mul", 1, "1 multiplication"},
    {"div", 1 + reciprocal_ops, "reciprocal (3), multiplication (1)"},
    {"fma", 1, "scales and adds a second operand: 1 fused multiply-add"},
    {"negate", 1, "1 multiplication by -1"},
    {"abs", 1, "1 selection"},
    {"min", 1, "1 comparison with selection"},
    {"max", 1, "1 comparison with selection"},
    {"clamp", 2, "2 comparisons with selection"},
    {"compare", 1, "1 comparison"},
    {"select", 1, "takes one of two operands by a mask: 1 selection"},
    {"exp", exp_ops, "scale (1), fraction (1), polynomial (3), exponent (1)"},
    {"log", log_ops, "exponent (1), significand (1), polynomial (3), sum (1)"},
    {"sqrt", square_root_ops, "seed of 1 / sqrt (1), Newton step (3), times x (1)"},
    {"rsqrt", square_root_ops - 1, "seed of 1 / sqrt (1), Newton step (3)"},
    {"reciprocal", reciprocal_ops, "seed (1), Newton step (2)"},
    {"power", log_ops + 1 + exp_ops, "exp(y log(x)): log (6), multiplication (1), exp (6)"},
    {"sine", 6, "range reduction (2), polynomial in x^2 of degree 3 (4): sine or cosine"},
    {"erf", 1 + reciprocal_ops + 3 + 1 + exp_ops + 1,
     "Abramowitz and Stegun 7.1.25: t = 1 / (1 + p x) (4), polynomial of degree 3 (3), exp(-x^2) (7), 1 - poly e (1)"},
    {"sum", 1, "for each element that is summed: 1 addition"},
    {"arg_max", 1, "for each element that is looked at: 1 comparison with selection"},
    {"scan", 1, "running sum: 1 addition"},
    // Arithmetic between layers
    {"add", 1, "adds a second operand, of a residual or of another gradient: 1 addition"},
    {"bias", 1, "adds the channel's bias: 1 addition"},
    {"bias_grad", 1, "sums the gradient over the channel: 1 addition"},
    {"dropout", 2, "compares the lane's random number with the rate (1), scales or clears (1)"},
    {"dropout_grad", 1, "scales or clears by the saved mask: 1 multiplication"},
    // Activation functions
    {"relu", 1, "max(x, 0): 1 comparison; its outcome is the mask"},
    {"relu_grad", 1, "passes or clears by the saved mask: 1 selection"},
    {"relu6", 2, "min(max(x, 0), 6): 2 comparisons; their outcome is the mask"},
    {"relu6_grad", 1, "passes or clears by the saved mask: 1 selection"},
    {"leaky_relu", 2, "max(x, slope x): 1 multiplication, 1 comparison"},
    {"leaky_relu_grad", 2, "slope dy (1), selection by the sign of x (1)"},
    {"elu", exp_ops + 2, "exp (6), a e - a (1), selection (1)"},
    {"elu_grad", 2, "dy (y + a) (1), selection (1)"},
    {"softplus", exp_ops + 1 + log_ops, "log(1 + exp(x)): exp (6), addition (1), log (6)"},
    {"softplus_grad", sigmoid_ops + 1, "sigmoid (10), times dy (1)"},
    {"silu", sigmoid_ops + 1, "x sigmoid(x): sigmoid (10), product (1)"},
    {"silu_grad", sigmoid_ops + 4, "with s = sigmoid(x) (10): s + x (s - s^2) (3), times dy (1)"},
    {"hard_sigmoid", 3, "clamp(x / 6 + 1 / 2): 1 fused multiply-add, 2 comparisons"},
    {"hard_sigmoid_grad", 2, "dy / 6 (1), selection (1)"},
    {"hard_swish", 4, "x hard_sigmoid(x): hard_sigmoid (3), product (1)"},
    {"hard_swish_grad", 4, "slope x / 3 + 1 / 2 (1), 2 selections (2), times dy (1)"},
    {"sigmoid", sigmoid_ops, "1 / (1 + exp(-x)): exp (6), addition (1), reciprocal (3)"},
    {"sigmoid_grad", 2, "dy (s - s^2): 1 fused multiply-add, 1 multiplication"},
    {"tanh", tanh_ops, "2 sigmoid(2x) - 1: sigmoid (10), 1 fused multiply-add"},
    {"tanh_grad", 2, "dy (1 - t^2): 1 fused multiply-add, 1 multiplication"},
    {"gelu", gelu_argument_ops + sigmoid_ops + 1, "x sigmoid(x (a + b x^2)): argument (3), sigmoid (10), product (1)"},
    {"gelu_grad", gelu_argument_ops + sigmoid_ops + 5,
     "with s = sigmoid(u), u = x (a + b x^2): u (3), s (10), u' = a + 3b x^2 (1), s - s^2 (1), x u' (1), "
     "s + (s - s^2) x u' (1), times dy (1)"},
    // Pooling
    {"max_pool", 1, "for each operand of the window: 1 comparison; the winner's number is the mask"},
    {"max_pool_grad", 1, "for each operand of the window: 1 addition where the mask names it"},
    {"avg_pool", 1, "for each operand of the window: 1 fused multiply-add"},
    {"avg_pool_grad", 1, "for each element of the result: 1 multiplication by 1 / window"},
    {"interpolate", 1, "for each operand of the result: 1 fused multiply-add"},
    {"interpolate_grad", 1, "for each operand of the result: 1 fused multiply-add"},
    // Normalisation
    {"batch_stats", 2, "sum (1) and sum of squares (1) of the channel"},
    {"batch_norm", 1, "x scale + shift, both folded for the channel: 1 fused multiply-add"},
    {"bn_grad_reduce", 3, "x^ = normalised x (1), sum of dy (1), sum of dy x^ (1)"},
    {"bn_grad_apply", 3, "x^ = normalised x (1), dy - x^ m2 (1), times the channel's factor less m1 (1)"},
    {"layer_norm", 4, "sum (1), sum of squares (1), normalise (1), scale and shift (1)"},
    {"layer_norm_grad", 8,
     "x^ = normalised x (1), sum of dy for the shift (1), sum of dy x^ for the scale (1), g = dy scale (1), row sum of "
     "g (1), row sum of g x^ (1), g - x^ m2 (1), times the row's factor less m1 (1)"},
    {"group_norm", 4, "sum (1), sum of squares (1), normalise (1), scale and shift (1)"},
    {"group_norm_grad", 8, "as layer_norm_grad, with sums over a group of channels for those over a row"},
    {"rms_norm", 2, "sum of squares (1), times the row's factor and the scale (1)"},
    {"rms_norm_grad", 5,
     "x^ = normalised x (1), sum of dy x^ for the scale (1), row sum of dy scale x^ (1), g - x^ m (1), times the row's "
     "factor (1)"},
    // Softmax and loss
    {"softmax", 1 + exp_ops + 1 + 1,
     "row maximum (1), exp with the maximum folded into its scale (6), sum (1), product (1)"},
    {"softmax_grad", 3, "row sum of dp p (1), dp less the sum (1), times p (1)"},
    {"log_softmax", 1 + exp_ops + 1 + 1, "row maximum (1), exp (6), sum (1), x less the row's logarithm (1)"},
    {"log_softmax_grad", exp_ops + 2, "row sum of dy (1), exp(y) (6), dy - p sum (1)"},
    {"cross_entropy_grad", 2, "compares with the label (1), (p - label) / rows (1)"},
    // Recurrent cell, for each hidden unit
    {"lstm_cell", 4 + 3 * sigmoid_ops + tanh_ops + 2 + tanh_ops + 1,
     "four gates' sums (4), three sigmoids (30), tanh (11), c = f c + i g (2), tanh(c) (11), times o (1)"},
    {"lstm_cell_grad", tanh_ops + 1 + 3 + 4 + 3 * 2 + 2,
     "tanh(c) (11), do (1), dc += dh o (1 - tanh^2) (3), di, dg, df, dc of the step before (4), derivatives of three "
     "sigmoids (6) and of tanh (2)"},
    {"gru_cell", 2 * (1 + sigmoid_ops) + 2 + tanh_ops + 2,
     "two gates: sums (2), sigmoids (20); candidate: r h + x (2), tanh (11); h = n + z (h - n) (2)"},
    {"gru_cell_grad", 3 + 2 + 2 + 2 * 2 + 1,
     "dz, dn and dh of the step before (3), derivative of tanh (2), dr and the reset product (2), derivatives of two "
     "sigmoids (4), sum into dh (1)"},
    // Optimisers
    {"sgd", 2, "weight decay (1), w - rate g (1)"},
    {"sgd_momentum", 3, "weight decay (1), v = momentum v + g (1), w - rate v (1)"},
    {"adam", 1 + 2 + 3 + square_root_ops + 1 + reciprocal_ops + 2,
     "weight decay (1), first moment (2), second moment (3), square root (5), plus epsilon (1), reciprocal (3), "
     "w - rate m r (2); bias corrections are folded into rate and epsilon"},
    // Quantisation
    {"pact_quantize", 3, "clamp to [0, alpha] (2), scale and round to a code (1)"},
    {"pact_grad", 2, "clears outside [0, alpha] (1), sums the gradient of alpha (1)"},
    {"sawb_stats", 2, "sum of |w| (1), sum of w^2 (1)"},
    {"sawb_quantize", 3, "clamp to +-clip (2), scale and round to a code (1)"},
    {"fp8_quantize", 1, "one conversion"},
    {"fp16_cast", 1, "one conversion"},
    // Convolution without the array
    {"depthwise_mac", 1, "for each tap of the filter: 1 fused multiply-add"},
};

}  // namespace

const VectorFunction* find_vector_function(std::string_view name) {
    const auto* found = std::find_if(std::begin(table), std::end(table), [&](const auto& f) { return f.name == name; });
    return found == std::end(table) ? nullptr : found;
}

const std::vector<std::string>& vector_function_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const VectorFunction& function : table) {
            all.emplace_back(function.name);
        }
        return all;
    }();
    return names;
}

}  // namespace nibble
