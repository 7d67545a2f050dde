// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// How a PyTorch operator becomes operations of a trace. One rule serves all operators whose arguments mean the same.
enum class AtenRule : std::uint8_t {
    nothing,  ///< moves and computes nothing
    // GEMMs
    convolution,           ///< input, weight, bias, stride, padding, dilation, transposed, output padding, groups
    conv,                  ///< input, weight, bias, stride, padding, dilation, groups (and mkldnn_convolution)
    conv_transpose,        ///< input, weight, bias, stride, padding, output padding, groups, dilation
    cudnn_convolution,     ///< input, weight, padding, stride, dilation, groups
    cudnn_transpose,       ///< input, weight, padding, output padding, stride, dilation, groups
    slow_convolution,      ///< input, weight, kernel, bias, stride, padding, dilation
    convolution_backward,  ///< dy, input, weight, bias sizes, stride, padding, dilation, transposed, output padding,
                           ///< groups, mask of wanted results
    matrix_product,        ///< left, right
    addmm,                 ///< addend, left, right
    linear,                ///< input, weight, bias
    attention,             ///< query, key, value: [batch, heads, rows, depth]
    attention_backward,    ///< dy, query, key, value; the result of the forward call somewhere behind them
    recurrent,             ///< layers of an LSTM, a GRU or a plain recurrent network over whole sequences
    recurrent_backward,
    // Passes over memory
    elementwise,          ///< one function of an element of each tensor
    reduction,            ///< reads every element of the largest tensor
    write,                ///< writes, reads nothing
    copy,                 ///< the first tensor, or a list of them, into one
    copy_into,            ///< the second tensor into the first
    gather,               ///< rows of the first tensor, at indices
    scatter,              ///< adds the first tensor's rows into the result, at indices
    scatter_into,         ///< adds rows into the first tensor in place, at indices
    pool,                 ///< input, window
    pool_backward,        ///< dy, input, window
    global_pool,          ///< input; the window follows from the sizes
    batch_norm,           ///< input, scale, shift, running mean, running variance, training
    cudnn_norm_backward,  ///< input, dy, scale, ...
    batch_norm_backward,  ///< dy, input, scale, ...
    cell,                 ///< a recurrent cell: elements are those of the result
};

struct AtenOperator {
    std::string_view name;  ///< without "aten::"
    CallTreatment treatment;
    AtenRule rule;
    std::string_view function;  ///< of the vector unit; empty for GEMMs
};

/// All of them, sorted by name.
[[nodiscard]] std::span<const AtenOperator> aten_operators();

/// The operator of this name ("aten::addmm"), or null.
[[nodiscard]] const AtenOperator* find_aten_operator(std::string_view op);

/// Why calls of this name are left out although they did something, or null: communication between processes, ...
[[nodiscard]] const char* reason_to_leave_out(std::string_view op);

}  // namespace nibble
