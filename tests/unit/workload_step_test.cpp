// SPDX-License-Identifier: MIT
// What small networks become, operation by operation: who reads what, which work is fused, where gradients meet.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/input/operation_names.h"
#include "tests/support/training_step.h"

namespace nibble {
namespace {

using testing::ElementsAre;

/// One line for each operation: "phase layer [steps]: inputs -> outputs", by names.
std::vector<std::string> lines_of(const std::string& text, Phase least = Phase::forward, Phase most = Phase::update) {
    const TrainingStep step = training_step(read_workload(YamlDocument::from_text(text, "n.yaml")), 2);
    std::vector<std::string> lines;
    for (const Operation& operation : step.operations) {
        if (operation.phase < least || operation.phase > most) {
            continue;
        }
        std::vector<std::string> steps;
        const auto* work = std::get_if<VectorWork>(&operation.work);
        for (const VectorStep& each : work != nullptr ? work->steps : operation.epilogue) {
            steps.push_back(each.repeat == 1 ? each.function : fmt::format("{} x{}", each.function, each.repeat));
        }
        std::vector<std::string> inputs;
        for (const TensorId id : operation.inputs) {
            inputs.push_back(step.tensors.at(id).name);
        }
        std::vector<std::string> outputs;
        for (const TensorId id : operation.outputs) {
            outputs.push_back(step.tensors.at(id).name);
        }
        lines.push_back(fmt::format("{} {} [{}]: {} -> {}", name_of(operation.phase), operation.layer,
                                    fmt::join(steps, ", "), fmt::join(inputs, ", "), fmt::join(outputs, ", ")));
    }
    return lines;
}

// A residual block: the block's output is relu(norm(conv b) + a); a's output feeds conv b and the addition.
TEST(TrainingStep, ResidualBlockWithBatchNormalisation) {
    EXPECT_THAT(
        lines_of("name: n\noptimizer: sgd_momentum\nimage: [3, 8, 8]\nlayers:\n"
                 "  - {conv: a, out: 4, kernel: 3, norm: batch, act: relu}\n"
                 "  - {conv: b, out: 4, kernel: 3, pad: 1, norm: batch}\n"
                 "  - {add: sum, from: [b, a], act: relu}\n"
                 "  - {global_pool: pool}\n"
                 "  - {linear: fc, out: 5}\n"
                 "  - {loss: loss}\n"),
        ElementsAre(
            // Statistics are gathered while the array drains; normalisation must wait for them.
            "forward a [batch_stats]: image, a.weight -> a.output, a.statistics",
            "vector a [batch_norm, relu]: a.output, a.statistics, a.scale_shift -> a.activation, a.mask",
            "forward b [batch_stats]: a.activation, b.weight -> b.output, b.statistics",
            "vector b [batch_norm, add, relu]: b.output, b.statistics, b.scale_shift, a.activation -> sum.activation, "
            "sum.mask",
            "vector pool [avg_pool x36]: sum.activation -> pool.activation",  // 6 x 6 pixels
            "forward fc [bias]: pool.activation, fc.weight, fc.bias -> fc.output",
            "vector loss [softmax, cross_entropy_grad, bias_grad]: fc.output, loss.labels -> loss.gradient, "
            "fc.bias_gradient",
            "dw fc []: loss.gradient, pool.activation -> fc.weight_gradient",
            "dx fc []: loss.gradient, fc.weight -> fc.input_gradient",
            // The gradient of the sum is written, because both of its operands take it.
            "vector sum [avg_pool_grad, relu_grad, bn_grad_reduce]: fc.input_gradient, sum.mask, b.output, "
            "b.statistics -> "
            "sum.gradient, b.scale_shift_gradient",
            "vector b [bn_grad_apply]: sum.gradient, b.output, b.statistics, b.scale_shift_gradient, b.scale_shift -> "
            "b.output_gradient",
            "dw b []: a.activation, b.output_gradient -> b.weight_gradient",
            // Where the branches meet, their gradients are added, once, while the array drains; what normalisation sums
            // is summed then, too, and the pass that needs the sums must wait.
            "dx b [add, relu_grad, bn_grad_reduce]: b.output_gradient, b.weight, sum.gradient, a.mask, a.output, "
            "a.statistics -> a.gradient, a.scale_shift_gradient",
            "vector a [bn_grad_apply]: a.gradient, a.output, a.statistics, a.scale_shift_gradient, a.scale_shift -> "
            "a.output_gradient",
            "dw a []: image, a.output_gradient -> a.weight_gradient",  // and no dx: nobody wants the image's gradient
            "update a [sgd_momentum]: a.weight_gradient, a.weight.master, a.weight.momentum -> a.weight.master, "
            "a.weight.momentum, a.weight",
            "update a [sgd_momentum]: a.scale_shift_gradient, a.scale_shift, a.scale_shift.momentum -> a.scale_shift, "
            "a.scale_shift.momentum",
            "update b [sgd_momentum]: b.weight_gradient, b.weight.master, b.weight.momentum -> b.weight.master, "
            "b.weight.momentum, b.weight",
            "update b [sgd_momentum]: b.scale_shift_gradient, b.scale_shift, b.scale_shift.momentum -> b.scale_shift, "
            "b.scale_shift.momentum",
            "update fc [sgd_momentum]: fc.weight_gradient, fc.weight.master, fc.weight.momentum -> fc.weight.master, "
            "fc.weight.momentum, fc.weight",
            "update fc [sgd_momentum]: fc.bias_gradient, fc.bias, fc.bias.momentum -> fc.bias, fc.bias.momentum"));
}

// Without normalisation everything element-wise is part of a GEMM, except pooling.
TEST(TrainingStep, ConvolutionsWithBiasAndPooling) {
    EXPECT_THAT(
        lines_of("name: n\noptimizer: sgd\nimage: [3, 8, 8]\nlayers:\n"
                 "  - {conv: a, out: 4, kernel: 3, act: relu}\n"
                 "  - {conv: b, out: 4, kernel: 3, act: relu}\n"
                 "  - {max_pool: pool, kernel: 2}\n"
                 "  - {flatten: flat}\n"
                 "  - {linear: fc, out: 5}\n"
                 "  - {loss: loss}\n",
                 Phase::forward, Phase::vector),
        ElementsAre("forward a [bias, relu]: image, a.weight, a.bias -> a.activation, a.mask",
                    "forward b [bias, relu]: a.activation, b.weight, b.bias -> b.activation, b.mask",
                    "vector pool [max_pool x4]: b.activation -> pool.activation, pool.winner",
                    "forward fc [bias]: pool.activation, fc.weight, fc.bias -> fc.output",
                    "vector loss [softmax, cross_entropy_grad, bias_grad]: fc.output, loss.labels -> loss.gradient, "
                    "fc.bias_gradient",
                    "dw fc []: loss.gradient, pool.activation -> fc.weight_gradient",
                    "dx fc []: loss.gradient, fc.weight -> fc.input_gradient",
                    "vector pool [max_pool_grad x4]: fc.input_gradient, pool.winner -> pool.input_gradient",
                    "vector b [relu_grad, bias_grad]: pool.input_gradient, b.mask -> b.gradient, b.bias_gradient",
                    "dw b []: a.activation, b.gradient -> b.weight_gradient",
                    "dx b [relu_grad, bias_grad]: b.gradient, b.weight, a.mask -> a.gradient, a.bias_gradient",
                    "dw a []: image, a.gradient -> a.weight_gradient"));
}

// Layer norm before attention, as in GPT-2, between an embedding and a decoder that share a table.
TEST(TrainingStep, AttentionAndASharedTable) {
    EXPECT_THAT(
        lines_of("name: n\noptimizer: adam\nlayers:\n"
                 "  - {embedding: words, length: 4, rows: 9, width: 6}\n"
                 "  - {layer_norm: norm}\n"
                 "  - {attention: att, heads: 2, drop_probabilities: true}\n"
                 "  - {add: sum, from: [att, words]}\n"
                 "  - {linear: out, out: 9, bias: false, share: words}\n"
                 "  - {loss: loss}\n",
                 Phase::forward, Phase::vector),
        ElementsAre(
            "vector words [gather]: words.weight, words.tokens -> words.activation",
            "vector norm [layer_norm]: words.activation, norm.scale_shift -> norm.activation, norm.statistics",
            "forward att [bias]: norm.activation, att.query.weight, att.query.bias -> att.query.output",
            "forward att [bias]: norm.activation, att.key.weight, att.key.bias -> att.key.output",
            "forward att [bias]: norm.activation, att.value.weight, att.value.bias -> att.value.output",
            "forward att []: att.query.output, att.key.output -> att.scores",
            "vector att [softmax, dropout]: att.scores -> att.dropped, att.probabilities, att.dropout_mask",
            "forward att []: att.dropped, att.value.output -> att.context",
            "forward att [bias, add]: att.context, att.output.weight, att.output.bias, words.activation -> "
            "att.output.output",
            "forward out []: att.output.output, words.weight -> out.output",
            "vector loss [softmax, cross_entropy_grad]: out.output, loss.labels -> loss.gradient",
            "dw out []: loss.gradient, att.output.output -> out.weight_gradient",
            // The gradient of the sum goes to the attention, whose output projection has a bias, and to the embedding.
            "dx out [bias_grad]: loss.gradient, words.weight -> out.input_gradient, att.output.bias_gradient",
            "dw att []: out.input_gradient, att.context -> att.output.weight_gradient",
            "dx att []: out.input_gradient, att.output.weight -> att.output.input_gradient",
            "dx att []: att.output.input_gradient, att.value.output -> att.probabilities_gradient",
            "vector att [dropout_grad, softmax_grad]: att.probabilities_gradient, att.probabilities, att.dropout_mask "
            "-> "
            "att.scores_gradient",
            "dw att [bias_grad]: att.dropped, att.output.input_gradient -> att.value_gradient, att.value.bias_gradient",
            "dw att []: att.value_gradient, norm.activation -> att.value.weight_gradient",
            "dx att [bias_grad]: att.scores_gradient, att.key.output -> att.query_gradient, att.query.bias_gradient",
            "dw att []: att.query_gradient, norm.activation -> att.query.weight_gradient",
            "dx att []: att.value_gradient, att.value.weight -> att.value.input_gradient",
            "dw att [bias_grad]: att.scores_gradient, att.query.output -> att.key_gradient, att.key.bias_gradient",
            "dw att []: att.key_gradient, norm.activation -> att.key.weight_gradient",
            // Three gradients of one activation: the second and the third GEMM add what there is already.
            "dx att [add]: att.query_gradient, att.query.weight, att.value.input_gradient -> att.query.input_gradient",
            "dx att [add]: att.key_gradient, att.key.weight, att.query.input_gradient -> att.key.input_gradient",
            "vector words [layer_norm_grad, add, scatter_add]: att.key.input_gradient, words.activation, "
            "norm.statistics, "
            "norm.scale_shift, out.input_gradient, words.tokens, out.weight_gradient -> out.weight_gradient, "
            "norm.scale_shift_gradient"));
}

TEST(TrainingStep, LstmGoesStepByStepAndBack) {
    EXPECT_THAT(
        lines_of("name: n\noptimizer: sgd\nlayers:\n"
                 "  - {embedding: words, length: 2, rows: 9, width: 3}\n"
                 "  - {lstm: l, hidden: 5}\n"
                 "  - {linear: out, out: 9}\n"
                 "  - {loss: loss}\n",
                 Phase::forward, Phase::vector),
        ElementsAre(
            "vector words [gather]: words.weight, words.tokens -> words.activation",
            "forward l [bias]: words.activation, l.input.weight, l.bias -> l.input.output",
            "vector l [copy]: l.input.output -> l.input_gates[0], l.input_gates[1]",
            "forward l []: l.h[0], l.recurrent.weight -> l.recurrent_gates[0]",
            "vector l [lstm_cell]: l.recurrent_gates[0], l.input_gates[0], l.c[0] -> l.h[1], l.c[1], l.gates[0]",
            "forward l []: l.h[1], l.recurrent.weight -> l.recurrent_gates[1]",
            "vector l [lstm_cell]: l.recurrent_gates[1], l.input_gates[1], l.c[1] -> l.h[2], l.c[2], l.gates[1]",
            "vector l [copy]: l.h[1], l.h[2] -> l.output",
            "forward out [bias]: l.output, out.weight, out.bias -> out.output",
            "vector loss [softmax, cross_entropy_grad, bias_grad]: out.output, loss.labels -> loss.gradient, "
            "out.bias_gradient",
            "dw out []: loss.gradient, l.output -> out.weight_gradient",
            "dx out []: loss.gradient, out.weight -> out.input_gradient",
            "vector l [copy]: out.input_gradient -> l.h_gradient[1], l.h_gradient[2]",
            "vector l [lstm_cell_grad]: l.h_gradient[2], l.gates[1], l.c[2], l.c[1] -> l.gates_gradient[1], "
            "l.c_gradient[1]",
            "dx l []: l.gates_gradient[1], l.recurrent.weight -> l.recurrent_h_gradient[1]",
            "vector l [add, lstm_cell_grad]: l.h_gradient[1], l.gates[0], l.c[1], l.c[0], l.recurrent_h_gradient[1], "
            "l.c_gradient[1] -> l.gates_gradient[0]",
            "vector l [copy]: l.h[0], l.h[1] -> l.h_before",
            "vector l [copy, bias_grad]: l.gates_gradient[0], l.gates_gradient[1] -> l.gates_gradient, "
            "l.input.bias_gradient",
            "dw l []: l.gates_gradient, words.activation -> l.input.weight_gradient",
            "dw l []: l.gates_gradient, l.h_before -> l.recurrent.weight_gradient",
            "dx l []: l.gates_gradient, l.input.weight -> l.input.input_gradient",
            "vector words [scatter_add]: l.input.input_gradient, words.tokens -> words.weight_gradient"));
}

}  // namespace
}  // namespace nibble
