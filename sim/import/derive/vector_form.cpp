// SPDX-License-Identifier: MIT
#include "sim/import/derive/vector_form.h"

#include <algorithm>
#include <iterator>

namespace nibble {

namespace {

using enum OperandForm;

constexpr VectorForm table[] = {
    // Data movement
    {"copy", whole},
    {"gather", indexed},
    {"scatter_add", indexed},
    {"slice", part},
    {"place", part},
    {"fill", source},
    {"random", source},
    // Arithmetic
    {"add", binary},
    {"mul", binary, Saved::both_sides},
    {"div", binary, Saved::both_sides},
    {"fma", binary, Saved::both_sides},
    {"min", binary, Saved::both_sides},
    {"max", binary, Saved::both_sides},
    {"power", binary, Saved::both_sides},
    {"compare", binary},
    {"select", whole},
    {"negate", unary},
    {"abs", unary, Saved::operand},
    {"clamp", unary, Saved::operand},
    {"exp", unary, Saved::result},
    {"log", unary, Saved::operand},
    {"sqrt", unary, Saved::result},
    {"rsqrt", unary, Saved::result},
    {"reciprocal", unary, Saved::result},
    {"sine", unary, Saved::operand},
    {"erf", unary, Saved::operand},
    {"sum", reduction},
    {"arg_max", reduction},
    {"scan", unary},
    // Between layers
    {"bias", parameters},
    {"dropout", unary, Saved::mask},
    // Activation functions
    {"relu", unary, Saved::mask},
    {"relu6", unary, Saved::mask},
    {"leaky_relu", unary, Saved::either},
    {"elu", unary, Saved::result},
    {"softplus", unary, Saved::operand},
    {"silu", unary, Saved::operand},
    {"hard_sigmoid", unary, Saved::either},
    {"hard_swish", unary, Saved::operand},
    {"sigmoid", unary, Saved::result},
    {"tanh", unary, Saved::result},
    {"gelu", unary, Saved::operand},
    // Pooling
    {"max_pool", window, Saved::mask},
    {"avg_pool", window},
    {"interpolate", window},
    // Normalisation
    {"batch_stats", unary},
    {"batch_norm", parameters, Saved::operand},
    {"layer_norm", parameters, Saved::statistics},
    {"group_norm", parameters, Saved::statistics},
    {"rms_norm", parameters, Saved::statistics},
    // Softmax and loss
    {"softmax", unary, Saved::result},
    {"log_softmax", unary, Saved::result},
    {"cross_entropy_grad", indexed},
    // Recurrent cells
    {"lstm_cell", whole, Saved::cell},
    {"gru_cell", whole, Saved::cell},
};

}  // namespace

const VectorForm* find_vector_form(std::string_view function) {
    const auto* found = std::ranges::find(table, function, &VectorForm::function);
    return found == std::end(table) ? nullptr : found;
}

}  // namespace nibble
