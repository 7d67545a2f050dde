// SPDX-License-Identifier: MIT
#include "sim/import/derive/derive_training.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/vector_unit/vector_function.h"
#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/import/derive/gradient_rules.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/tensor_plan.h"
#include "tests/support/derived_step.h"
#include "tests/support/graph_builder.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using test::GraphBuilder;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Derives, checks that the trace is one that every recipe can run, and lists its operations.
std::vector<std::string> operations(StepGraph graph, ImportSummary& summary, const ImportOptions& options = {}) {
    const test::TraceFile file(test::derived_trace(graph, options));
    for (const std::string& name : recipe_names()) {
        EXPECT_NO_THROW(TensorPlan(file.path(), load_machine("edge-int4"), *find_recipe(name), {})) << name;
    }
    return test::described(test::derived_step(std::move(graph), options, summary));
}

std::vector<std::string> operations(StepGraph graph, const ImportOptions& options = {}) {
    ImportSummary summary;
    return operations(std::move(graph), summary, options);
}

/// What comes after the first `skipped` operations.
std::vector<std::string> from(std::vector<std::string> lines, std::size_t skipped) {
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(skipped));
    return lines;
}

std::vector<std::string> of_layer(const std::vector<std::string>& lines, const std::string& layer) {
    std::vector<std::string> found;
    for (const std::string& line : lines) {
        if (line.starts_with(layer + ":")) {
            found.push_back(line);
        }
    }
    return found;
}

// ---- A whole small network

TEST(DeriveTraining, CompletesASmallNetwork) {
    GraphBuilder b;
    const TensorId image = b.activation("image", {2, 3, 8, 8});
    const TensorId y = b.gemm("conv", Convolution{.n = 2, .c = 3, .h = 8, .w = 8, .k = 4, .r = 3, .s = 3}, image,
                              b.weight("conv.weight", {4, 3, 3, 3}), {2, 4, 6, 6}, Position::first);
    const TensorId mean = b.tensor("mean", TensorRole::statistic, {4});
    const TensorId variance = b.tensor("variance", TensorRole::statistic, {4});
    const TensorId bn = b.vector("bn", {{"batch_norm"}},
                                 {y, b.state("scale", {4}), b.state("shift", {4}), mean, variance}, {2, 4, 6, 6});
    const TensorId relu = b.vector("relu", {{"relu"}}, {bn}, {2, 4, 6, 6});
    const TensorId pool = b.vector("pool", {{"max_pool", 9}}, {relu}, {2, 4, 2, 2});
    // A view: the product reads 2 rows of 16.
    const TensorId product =
        b.gemm("fc", Matmul{1, 2, 10, 16, false, true}, pool, b.weight("fc.weight", {10, 16}), {2, 10}, Position::last);
    b.vector("fc.bias", {{"bias"}}, {product, b.state("bias", {10})}, {2, 10});

    ImportSummary summary;
    EXPECT_THAT(
        operations(b.graph(), summary),
        ElementsAre(
            // Forward, with what is saved: statistics of the batch, mask, winner.
            "conv: forward conv: image, conv.weight -> conv",  //
            "bn: vector batch_stats 288: conv -> bn.statistics",
            "bn: vector batch_norm 288: conv, bn.statistics, scale, shift -> bn",
            "relu: vector relu 288: bn -> relu, relu.mask", "pool: vector max_pool x9 32: relu -> pool, pool.winner",
            "fc: forward matmul 1 2 10 16 mk nk: pool, fc.weight -> fc", "fc.bias: vector bias 20: fc, bias -> fc.bias",
            // Loss and backward: no dx for the image.
            "loss: vector softmax cross_entropy_grad 20: fc.bias, labels -> fc.bias.gradient",
            "fc.bias: vector bias_grad 20: fc.bias.gradient -> bias.gradient",
            "fc: dw matmul 1 10 16 2 km kn: fc.bias.gradient, pool -> fc.weight.gradient",
            "fc: dx matmul 1 2 16 10 mk kn: fc.bias.gradient, fc.weight -> pool.gradient",
            "pool: vector max_pool_grad x9 32: pool.gradient, pool.winner -> relu.gradient",
            "relu: vector relu_grad 288: relu.gradient, relu.mask -> bn.gradient",
            "bn: vector bn_grad_reduce 288: bn.gradient, conv, bn.statistics -> bn.scale_shift_gradient",
            "bn: vector bn_grad_apply 288: bn.gradient, conv, bn.statistics, bn.scale_shift_gradient, scale, shift -> "
            "conv.gradient",
            "conv: dw conv: image, conv.gradient -> conv.weight.gradient",
            // Optimiser: 108 and 160 weights, 4 scales with 4 shifts, 10 biases.
            "conv: update sgd_momentum 108: conv.weight.gradient, conv.weight.master, conv.weight.momentum -> "
            "conv.weight.master, conv.weight.momentum, conv.weight",
            "bn: update sgd_momentum 8: bn.scale_shift_gradient, scale, scale.momentum, shift, shift.momentum -> "
            "scale, "
            "scale.momentum, shift, shift.momentum",
            "fc: update sgd_momentum 160: fc.weight.gradient, fc.weight.master, fc.weight.momentum -> "
            "fc.weight.master, fc.weight.momentum, fc.weight",
            "fc.bias: update sgd_momentum 10: bias.gradient, bias, bias.momentum -> bias, bias.momentum"));
    EXPECT_THAT(summary.derived,
                ElementsAre("statistics of the batch for 1 normalisation", "softmax cross entropy on 'fc.bias'",
                            "backward pass (dx, dw and the gradients of vector work)",
                            "optimiser (SGD with momentum) for 5 trained tensors"));
    EXPECT_THAT(summary.notes, IsEmpty());
}

TEST(DeriveTraining, KeepsPositionAndNumbersTensorsAsTheyAreUsed) {
    GraphBuilder b;
    b.activation("nobody reads this", {7});
    const TensorId h = b.gemm("a", Matmul{1, 4, 8, 3, false, true}, b.activation("x", {4, 3}), b.weight("wa", {8, 3}),
                              {4, 8}, Position::first);
    b.gemm("b", Matmul{1, 4, 5, 8, false, true}, h, b.weight("wb", {5, 8}), {4, 5}, Position::last);
    ImportSummary summary;
    const TrainingStep step = test::derived_step(b.graph(), {}, summary);
    EXPECT_EQ(step.tensors.front().name, "x");
    for (TensorId id = 0; id < step.tensors.size(); ++id) {
        EXPECT_EQ(step.tensors[id].id, id);
    }
    for (const Operation& operation : step.operations) {
        const bool gemm = !std::holds_alternative<VectorWork>(operation.work);
        const Position expected = !gemm ? Position::middle : operation.layer == "a" ? Position::first : Position::last;
        EXPECT_EQ(operation.position, expected) << test::described(step, operation);
    }
}

// ---- What is derived, and what is not

GraphBuilder one_layer() {
    GraphBuilder b;
    const TensorId x = b.activation("x", {4, 3});
    const TensorId w = b.weight("w", {5, 3});
    b.linear("fc", x, w);  // tensor 2
    return b;
}

TEST(DeriveTraining, AddsNothingUnlessAsked) {
    for (const Training training : {Training::as_recorded, Training::forward_only}) {
        ImportOptions options;
        options.training = training;
        ImportSummary summary;
        EXPECT_THAT(operations(one_layer().graph(), summary, options),
                    ElementsAre("fc: forward matmul 1 4 5 3 mk nk: x, w -> fc"));
        EXPECT_THAT(summary.derived, IsEmpty());
    }
}

TEST(DeriveTraining, OptimisersDifferInTheirMoments) {
    ImportOptions options;
    options.optimizer = Optimizer::sgd;
    EXPECT_EQ(operations(one_layer().graph(), options).back(),
              "fc: update sgd 15: w.gradient, w.master -> w.master, w");
    options.optimizer = Optimizer::adam;
    EXPECT_EQ(
        operations(one_layer().graph(), options).back(),
        "fc: update adam 15: w.gradient, w.master, w.momentum, w.variance -> w.master, w.momentum, w.variance, w");
}

TEST(DeriveTraining, ARecordedBackwardPassGetsItsOptimiserOnly) {
    GraphBuilder b = one_layer();
    const TensorId dy = b.tensor("dy", TensorRole::gradient, {4, 5});
    const TensorId dw = b.tensor("dw", TensorRole::weight_gradient, {5, 3});
    b.vector_into("loss", {{"copy"}}, {2}, {dy});
    Operation gemm;
    gemm.layer = "fc";
    gemm.phase = Phase::dw;
    gemm.work = Matmul{1, 5, 3, 4, true, false};
    gemm.inputs = {dy, 0};
    gemm.outputs = {dw};
    b.graph().operations.push_back(gemm);
    b.graph().backward_recorded = true;
    ImportSummary summary;
    const std::vector<std::string> lines = operations(b.graph(), summary);
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines.back(), "fc: update sgd_momentum 15: dw, w.master, w.momentum -> w.master, w.momentum, w");
    EXPECT_THAT(summary.derived, ElementsAre(HasSubstr("optimiser")));

    b.graph().operations.push_back(
        vector_operation({"fc", ""}, Phase::update, 15, {{"sgd"}}, {dw, TensorId{1}}, {TensorId{1}}));
    EXPECT_THAT(operations(b.graph()), testing::SizeIs(4));
    ImportOptions options;
    options.training = Training::forward_only;
    EXPECT_THAT(operations(b.graph(), options), ElementsAre("fc: forward matmul 1 4 5 3 mk nk: x, w -> fc"));
}

TEST(DeriveTraining, ANetworkWithoutTrainedTensorsStaysAsItIs) {
    GraphBuilder b;
    b.vector("a", {{"relu"}}, {b.activation("x", {4})}, {4});
    ImportSummary summary;
    EXPECT_THAT(operations(b.graph(), summary), ElementsAre("a: vector relu 4: x -> a"));
    EXPECT_THAT(summary.notes, ElementsAre(HasSubstr("no gradient reaches a trained tensor")));
}

// ---- Losses

TEST(DeriveTraining, ASoftmaxAtTheEndIsThatOfTheLoss) {
    GraphBuilder b = one_layer();
    b.vector("softmax", {{"softmax"}}, {2}, {4, 5});
    EXPECT_EQ(from(operations(b.graph()), 2).front(),
              "loss: vector cross_entropy_grad 20: softmax, labels -> fc.gradient");
}

TEST(DeriveTraining, ASingleNumberIsTheLoss) {
    GraphBuilder b = one_layer();
    b.vector("mse", {{"sum"}}, {2}, {1}, 20);
    const std::vector<std::string> lines = operations(b.graph());
    EXPECT_EQ(lines[2], "loss: vector fill 1: mse -> mse.gradient");
    EXPECT_EQ(lines[3], "mse: vector copy 20: mse.gradient -> fc.gradient");
}

TEST(DeriveTraining, ALossOfTheGraphIsTaken) {
    GraphBuilder b = one_layer();
    b.vector_into("loss", {{"softmax"}, {"cross_entropy_grad"}}, {2, b.index("labels", {4})},
                  {b.tensor("dlogits", TensorRole::gradient, {4, 5})});
    EXPECT_EQ(from(operations(b.graph()), 2).front(), "fc: dw matmul 1 5 3 4 km kn: dlogits, x -> w.gradient");
}

TEST(DeriveTraining, OtherEndsAreGivenTheirGradients) {
    GraphBuilder b = one_layer();
    b.linear("other", 0, b.weight("v", {2, 3}));
    ImportSummary summary;
    const std::vector<std::string> lines = operations(b.graph(), summary);
    EXPECT_EQ(lines[2], "loss: vector copy 20: fc -> fc.gradient");
    EXPECT_EQ(lines[3], "loss: vector copy 8: other -> other.gradient");
    EXPECT_THAT(summary.derived, Contains("a given gradient for 2 outputs of unknown loss"));
}

// Layers of a table: each reads what nobody wrote. All but the first have a dx.
TEST(DeriveTraining, DisconnectedLayersAllHaveTheirGradients) {
    GraphBuilder b;
    for (const std::string name : {"a", "b", "c"}) {
        b.linear(name, b.activation(name + ".x", {4, 3}), b.weight(name + ".w", {5, 3}));
    }
    b.graph().layers_disconnected = true;
    ImportSummary summary;
    const std::vector<std::string> lines = operations(b.graph(), summary);
    const std::string dx = " dx matmul 1 4 3 5 mk kn: ";
    EXPECT_THAT(lines, Contains("c:" + dx + "c.gradient, c.w -> c.x.gradient"));
    EXPECT_THAT(lines, Contains("b:" + dx + "b.gradient, b.w -> b.x.gradient"));
    EXPECT_THAT(of_layer(lines, "a"), ElementsAre(HasSubstr("forward"), HasSubstr("dw"), HasSubstr("update")));
    EXPECT_THAT(summary.derived, Contains("a given gradient for the output of each of 3 layers"));
}

// ---- Values with several readers

TEST(DeriveTraining, GradientsOfAllReadersAreAdded) {
    GraphBuilder b = one_layer();
    const TensorId h = 2;
    const TensorId a = b.vector("a", {{"sigmoid"}}, {h}, {4, 5});
    const TensorId c = b.vector("c", {{"tanh"}}, {h}, {4, 5});
    const TensorId sum = b.vector("sum", {{"add", 2}}, {a, c, h}, {4, 5});
    b.vector("end", {{"exp"}}, {sum}, {4, 5});
    EXPECT_THAT(from(operations(b.graph()), 5),
                ElementsAre("loss: vector softmax cross_entropy_grad 20: end, labels -> end.gradient",
                            "end: vector mul 20: end.gradient, end -> sum.gradient",
                            "c: vector tanh_grad 20: sum.gradient, c -> fc.gradient",
                            "a: vector sigmoid_grad 20: sum.gradient, a -> fc.gradient",
                            "fc: vector add x2 20: sum.gradient, fc.gradient, fc.gradient -> fc.gradient",
                            "fc: dw matmul 1 5 3 4 km kn: fc.gradient, x -> w.gradient", HasSubstr("update")));
}

TEST(DeriveTraining, WhatIsSpreadOverTheResultIsSummedUp) {
    GraphBuilder b = one_layer();
    const TensorId scaled = b.vector("scaled", {{"mul"}}, {2, b.state("gamma", {5})}, {4, 5});
    b.vector("end", {{"add"}}, {scaled, b.state("beta", {5})}, {4, 5});
    EXPECT_THAT(from(operations(b.graph()), 3),
                ElementsAre("loss: vector softmax cross_entropy_grad 20: end, labels -> end.gradient",
                            "end: vector bias_grad 20: end.gradient -> beta.gradient",
                            "scaled: vector mul 20: end.gradient, gamma -> fc.gradient",
                            "scaled: vector mul 20: end.gradient, fc -> gamma.gradient.spread",
                            "scaled: vector bias_grad 20: gamma.gradient.spread -> gamma.gradient",
                            "fc: dw matmul 1 5 3 4 km kn: fc.gradient, x -> w.gradient", HasSubstr("update"),
                            HasSubstr("update"), HasSubstr("update")));
}

// ---- Pieces of fused operations

// The argument of GELU is no tensor of the forward pass; it becomes one.
TEST(DeriveTraining, AnEpilogueIsTakenApart) {
    GraphBuilder b = one_layer();
    Operation& fc = b.graph().operations.front();
    fc.epilogue = {{"bias"}, {"gelu"}, {"dropout"}, {"add"}};
    fc.inputs.push_back(b.state("bias", {5}));
    fc.inputs.push_back(b.activation("residual", {4, 5}));
    EXPECT_THAT(operations(b.graph()),
                ElementsAre("fc: forward matmul 1 4 5 3 mk nk: x, w, bias, residual -> fc, fc.dropout.mask, fc.bias",
                            "loss: vector softmax cross_entropy_grad 20: fc, labels -> fc.gradient",
                            "fc: vector dropout_grad 20: fc.gradient, fc.dropout.mask -> fc.gelu.gradient",
                            "fc: vector gelu_grad 20: fc.gelu.gradient, fc.bias -> fc.bias.gradient",
                            "fc: vector bias_grad 20: fc.bias.gradient -> bias.gradient",
                            "fc: dw matmul 1 5 3 4 km kn: fc.bias.gradient, x -> w.gradient", HasSubstr("update"),
                            HasSubstr("update")));
}

// A constant factor, then a bias: the input is the bias.
TEST(DeriveTraining, AConstantTakesNoInput) {
    GraphBuilder b = one_layer();
    b.graph().operations.front().epilogue = {{"mul"}, {"bias"}};
    b.graph().operations.front().inputs.push_back(b.state("bias", {5}));
    EXPECT_THAT(from(operations(b.graph()), 2),
                ElementsAre("fc: vector bias_grad 20: fc.gradient -> bias.gradient",
                            "fc: vector mul 20: fc.gradient -> fc.product.gradient",
                            "fc: dw matmul 1 5 3 4 km kn: fc.product.gradient, x -> w.gradient", HasSubstr("update"),
                            HasSubstr("update")));
}

// Two normalised branches and their sum in one pass, as at the end of a residual block.
TEST(DeriveTraining, TwoChainsOfOneOperationAreKeptApart) {
    GraphBuilder b;
    const TensorId x = b.activation("x", {4, 3});
    const TensorId v = b.weight("v", {5, 3});
    const TensorId w = b.weight("w", {5, 3});
    const TensorId s = b.linear("s", x, v);
    const TensorId t = b.linear("t", x, w);
    std::vector<TensorId> inputs;
    for (const TensorId branch : {s, t}) {
        const std::string name = branch == s ? "s" : "t";
        const TensorId statistics = b.tensor(name + ".statistics", TensorRole::statistic, {2, 5});
        b.vector_into(name, {{"batch_stats"}}, {branch}, {statistics}, 20);
        inputs.insert(inputs.end(), {branch, statistics, b.state(name + ".scale_shift", {2, 5})});
    }
    b.vector("sum", {{"batch_norm"}, {"batch_norm"}, {"add"}, {"relu"}}, inputs, {4, 5});
    const std::vector<std::string> lines = operations(b.graph());
    EXPECT_THAT(lines, Contains(HasSubstr("-> sum, sum.mask")));
    for (const std::string name : {"s", "t"}) {
        EXPECT_THAT(lines, Contains(testing::StartsWith("sum: vector bn_grad_apply 20: sum.add.gradient, " + name +
                                                        ", " + name + ".statistics, ")));
        EXPECT_THAT(of_layer(lines, name), Contains(HasSubstr("dw")));
    }
}

// ---- Movement

TEST(DeriveTraining, PiecesAreJoinedAndCutUpAgain) {
    GraphBuilder b;
    const TensorId qkv = b.linear("qkv", b.activation("x", {4, 3}), b.weight("w", {6, 3}));
    const TensorId q = b.activation("q", {4, 3});
    const TensorId k = b.activation("k", {4, 3});
    b.vector_into("split", {{"copy"}}, {qkv}, {q, k}, 24);
    const TensorId a = b.vector("a", {{"tanh"}}, {q}, {4, 3});
    b.vector("cat", {{"copy"}}, {a, k, b.activation("constant", {4, 1})}, {4, 7});
    EXPECT_THAT(from(operations(b.graph()), 4),
                ElementsAre("loss: vector softmax cross_entropy_grad 28: cat, labels -> cat.gradient",
                            // Of the constant no gradient is wanted.
                            "cat: vector slice 12: cat.gradient -> a.gradient",
                            "cat: vector slice 12: cat.gradient -> k.gradient",
                            "a: vector tanh_grad 12: a.gradient, a -> q.gradient",
                            "split: vector copy 24: q.gradient, k.gradient -> qkv.gradient",
                            "qkv: dw matmul 1 6 3 4 km kn: qkv.gradient, x -> w.gradient", HasSubstr("update")));
}

TEST(DeriveTraining, SlicesPutTheirGradientsSideBySide) {
    GraphBuilder b;
    const TensorId y = b.linear("y", b.activation("x", {4, 3}), b.weight("w", {6, 3}));
    const TensorId a = b.vector("a", {{"slice"}}, {y}, {4, 4});
    const TensorId c = b.vector("c", {{"slice"}, {"tanh"}}, {y}, {4, 2});
    b.vector("cat", {{"copy"}}, {a, c}, {4, 6});
    EXPECT_THAT(
        from(operations(b.graph()), 5),
        ElementsAre("cat: vector copy 24: cat.gradient -> a.gradient, c.gradient",
                    "c: vector tanh_grad 8: c.gradient, c -> c.slice.gradient",
                    "c: vector place 8: c.slice.gradient -> y.gradient", "a: vector place 16: a.gradient -> y.gradient",
                    "y: dw matmul 1 6 3 4 km kn: y.gradient, x -> w.gradient", HasSubstr("update")));
    // Without the second, the gradient is zero outside the first.
    b.graph().operations.resize(2);
    EXPECT_THAT(from(operations(b.graph()), 3), ElementsAre("a: vector scatter_add 16: a.gradient -> y.gradient",
                                                            HasSubstr("dw"), HasSubstr("update")));
}

TEST(DeriveTraining, AStepThatReadsAPartGivesTheGradientOfAPart) {
    GraphBuilder net;
    const TensorId a = net.linear("a", net.activation("x", {8, 4}), net.weight("w", {4, 4}));
    const TensorId c = net.linear("c", net.activation("x2", {8, 1}), net.weight("w2", {1, 1}));
    (void)net.vector("sum", {{"slice"}, {"fma"}}, {c, a}, {1});
    const std::vector<std::string> lines = operations(net.graph());
    EXPECT_THAT(lines, Contains("sum: vector scatter_add 1: sum.gradient -> a.gradient"));
    EXPECT_THAT(lines, Contains(HasSubstr("a.gradient, x -> w.gradient")));
}

TEST(DeriveTraining, ATableGetsItsRows) {
    GraphBuilder b;
    const TensorId table = b.weight("table", {100, 8});
    const TensorId e = b.vector("embedding", {{"gather"}}, {table, b.index("tokens", {2, 3})}, {2, 3, 8});
    const TensorId h = b.linear("fc", e, b.weight("w", {8, 8}));
    b.linear("head", h, table);  // tied
    EXPECT_THAT(from(operations(b.graph()), 4),
                ElementsAre("head: dw matmul 1 100 8 6 km kn: head.gradient, fc -> table.gradient",
                            "head: dx matmul 1 6 8 100 mk kn: head.gradient, table -> fc.gradient",
                            "fc: dw matmul 1 8 8 6 km kn: fc.gradient, embedding -> w.gradient",
                            "fc: dx matmul 1 6 8 8 mk kn: fc.gradient, w -> embedding.gradient",
                            "embedding: vector scatter_add 48: embedding.gradient, tokens, table.gradient -> "
                            "table.gradient",
                            HasSubstr("update"), HasSubstr("update")));
}

// ---- Weights that several steps share

TEST(DeriveTraining, StepsOfARecurrenceShareOneWeightGradient) {
    GraphBuilder b;
    const TensorId w = b.weight("w", {8, 2});  // four gates of two
    TensorId h = b.activation("h0", {3, 2});
    TensorId c = b.activation("c0", {3, 2});
    for (const std::string t : {"1", "2", "3"}) {
        const TensorId sum = b.linear("sum" + t, h, w);
        h = b.activation("h" + t, {3, 2});
        const TensorId next = b.activation("c" + t, {3, 2});
        b.vector_into("cell" + t, {{"lstm_cell"}}, {sum, b.activation("x" + t, {3, 8}), c}, {h, next});
        c = next;
    }
    EXPECT_THAT(
        from(operations(b.graph()), 6),
        ElementsAre(
            "loss: vector softmax cross_entropy_grad 6: h3, labels -> h3.gradient",
            "cell3: vector lstm_cell_grad 6: h3.gradient, cell3.gates, c3, c2 -> cell3.gates.gradient, c2.gradient",
            "sum3: dx matmul 1 3 2 8 mk kn: cell3.gates.gradient, w -> h2.gradient",
            "cell2: vector lstm_cell_grad 6: h2.gradient, c2.gradient, cell2.gates, c2, c1 -> cell2.gates.gradient, "
            "c1.gradient",
            "sum2: dx matmul 1 3 2 8 mk kn: cell2.gates.gradient, w -> h1.gradient",
            // h0 and c0 are given.
            "cell1: vector lstm_cell_grad 6: h1.gradient, c1.gradient, cell1.gates, c1, c0 -> cell1.gates.gradient",
            "sum1: vector copy 18: h0, h1, h2 -> sum1.rows",
            "sum1: vector copy 72: cell1.gates.gradient, cell2.gates.gradient, cell3.gates.gradient -> "
            "sum1.rows.gradient",
            "sum1: dw matmul 1 8 2 9 km kn: sum1.rows.gradient, sum1.rows -> w.gradient", HasSubstr("update")));
}

TEST(DeriveTraining, ProductsOfSeveralShapesHaveTheirGradientsAdded) {
    GraphBuilder b;
    const TensorId w = b.weight("w", {3, 3});
    const TensorId a = b.linear("a", b.activation("x", {4, 3}), w);
    const TensorId c = b.linear("c", b.activation("z", {2, 3}), w);
    b.vector("cat", {{"copy"}}, {a, c}, {6, 3});
    const std::vector<std::string> lines = operations(b.graph());
    EXPECT_THAT(lines, Contains("a: dw matmul 1 3 3 4 km kn: a.gradient, x -> w.gradient"));
    EXPECT_THAT(lines, Contains("c: dw matmul 1 3 3 2 km kn: c.gradient, z -> w.gradient"));
    EXPECT_THAT(lines, Contains("a: vector add 9: w.gradient, w.gradient -> w.gradient"));
}

TEST(DeriveTraining, AGruHasTwoGradientsOfItsGates) {
    GraphBuilder b;
    const TensorId x = b.linear("x.gates", b.activation("x", {3, 5}), b.weight("wx", {6, 5}));
    const TensorId h0 =
        b.vector("h0", {{"tanh"}}, {b.linear("init", b.activation("z", {3, 4}), b.weight("wz", {2, 4}))}, {3, 2});
    const TensorId r = b.linear("h.gates", h0, b.weight("wh", {6, 2}));
    b.vector("h1", {{"gru_cell"}}, {x, r, h0}, {3, 2});
    const std::vector<std::string> lines = operations(b.graph());
    EXPECT_THAT(lines, Contains("h1: vector gru_cell_grad 6: h1.gradient, h1.gates, h0 -> h1.gates.gradient, "
                                "h1.gates.gradient, h0.gradient"));
    EXPECT_THAT(lines, Contains("h.gates: dx matmul 1 3 2 6 mk kn: h1.gates.gradient, wh -> h0.gradient"));
    EXPECT_THAT(lines, Contains("h0: vector add 6: h0.gradient, h0.gradient -> h0.gradient"));
}

// ---- Rules

TEST(GradientRules, EveryFunctionOfAForwardPassHasOne) {
    // Those whose result does not change smoothly, or does not depend on an operand; and those with a place of their
    // own.
    const std::set<std::string> none{"compare", "arg_max", "fill", "random", "batch_stats"};
    const std::set<std::string> own{"copy", "lstm_cell", "gru_cell", "cross_entropy_grad"};
    for (const std::string& name : vector_function_names()) {
        const bool forward = find_vector_form(name) != nullptr;
        EXPECT_EQ(forward && !none.contains(name) && !own.contains(name), find_gradient_rule(name) != nullptr) << name;
        const bool other = name.ends_with("_grad") || name.ends_with("_quantize") || name.starts_with("bn_grad") ||
                           name.starts_with("sgd");
        EXPECT_TRUE(forward || other ||
                    std::set<std::string>({"adam", "sawb_stats", "fp16_cast", "depthwise_mac"}).contains(name))
            << name << " is neither known to go forward nor known not to";
    }
}

// Each function once between a layer and the loss: the trace is valid, and the layer has its gradient.
TEST(GradientRules, PassTheGradientOn) {
    for (const std::string& name : vector_function_names()) {
        const GradientRule rule = find_gradient_rule(name);
        if (rule == nullptr) {
            continue;
        }
        GraphBuilder b = one_layer();
        const OperandForm form = find_vector_form(name)->form;
        std::vector<TensorId> inputs{2};
        if (form == OperandForm::indexed) {
            inputs.push_back(b.index("rows", {4}));
        } else if (form == OperandForm::parameters) {
            inputs.push_back(b.state("parameters", {name == "bias" ? 5U : 10U}));
        }
        b.vector("f", {{name}}, inputs, {4, 5});
        ImportSummary summary;
        const std::vector<std::string> lines = operations(b.graph(), summary);
        EXPECT_THAT(lines, Contains(testing::StartsWith("fc: dw"))) << name;
        EXPECT_THAT(summary.notes, IsEmpty()) << name;
    }
}

TEST(GradientRules, StopWhereNothingSmoothComesThrough) {
    GraphBuilder b = one_layer();
    b.vector("f", {{"compare"}}, {2}, {4, 5});
    ImportSummary summary;
    EXPECT_THAT(operations(b.graph(), summary), Not(Contains(HasSubstr("dw"))));
}

TEST(GradientRules, SayWhatTheyDoNotKnow) {
    GraphBuilder b = one_layer();
    b.vector("f", {{"pact_quantize"}}, {2}, {4, 5});
    ImportSummary summary;
    operations(b.graph(), summary);
    EXPECT_THAT(summary.notes, Contains(HasSubstr("no gradient is known to pass through pact_quantize")));
}

// ---- Graphs that are wrong

TEST(DeriveTraining, RefusesWhatIsNoGraph) {
    const auto derive = [](StepGraph graph) {
        ImportSummary summary;
        return test::derived_step(std::move(graph), {}, summary);
    };
    StepGraph graph = one_layer().graph();
    graph.operations[0].inputs[1] = 99;
    EXPECT_THROW(derive(graph), ModelError);
    graph.operations[0].inputs.pop_back();
    EXPECT_THROW(derive(graph), ModelError);
    graph = one_layer().graph();
    graph.tensors[0].elements = 0;
    EXPECT_THROW(derive(graph), ModelError);
}

// The right operand is as large as a trace allows, and shared: its gradient before the sum is twice that.
TEST(DeriveTraining, RefusesGradientsThatAreTooLarge) {
    constexpr std::uint64_t huge = std::uint64_t{1} << 47U;
    GraphBuilder b;
    b.gemm("a", Matmul{4, 1, 1, huge, true, false}, b.activation("x", {4, huge / 4, 4}), b.weight("w", {huge}), {4});
    ImportSummary summary;
    EXPECT_THROW(test::derived_step(b.graph(), {}, summary), InputError);
}

}  // namespace
}  // namespace nibble
