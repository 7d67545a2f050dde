// SPDX-License-Identifier: MIT
// Graphs of ONNX Runtime's training, which hold a backward pass. Written by hand after what its gradient builders
// (orttraining/core/graph/gradient_builder.cc) make of a convolution and a linear layer.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/imported_graph.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/onnx_imported.h"

namespace nibble::test {

namespace {

using testing::ElementsAre;

OnnxBytes training_graph() {
    OnnxBytes model;
    model.input("x", {4, 3, 8, 8}).input("labels", {4}, onnx_int64);
    // Parameters are inputs, each with a buffer for its gradient.
    model.input("conv.weight", {5, 3, 3, 3}).input("conv.weight_grad.accumulation.buffer", {5, 3, 3, 3});
    model.input("fc.weight", {10, 180}).input("fc.weight_grad.accumulation.buffer", {10, 180});
    model.input("lazy_reset_grad", {1}, onnx_bool);
    const std::string ms = "com.microsoft";
    model.node("Conv", {"x", "conv.weight"}, {"c"}, {}, "/conv/Conv");
    model.node("Relu", {"c"}, {"r"}, {}, "/Relu").node("Flatten", {"r"}, {"f"}, {}, "/Flatten");
    model.node("Gemm", {"f", "fc.weight"}, {"scores"}, OnnxAttributes().number("transB", 1), "/fc/Gemm");
    model.node("SoftmaxCrossEntropyLoss", {"scores", "labels"}, {"loss", "log_prob"}, {}, "/loss");
    model.node("ConstantOfShape", {"one"}, {"loss_grad"}).integers("one", {1});
    model.node("SoftmaxCrossEntropyLossGrad", {"loss_grad", "log_prob", "labels"}, {"scores_grad"}, {}, "/loss_Grad/0",
               ms);
    model.node("Gemm", {"scores_grad", "fc.weight"}, {"f_grad"}, {}, "/fc/Gemm_Grad/Gemm_0");
    model.node("Gemm", {"scores_grad", "f"}, {"fc.weight_grad"}, OnnxAttributes().number("transA", 1),
               "/fc/Gemm_Grad/Gemm_1");
    model.node("Shape", {"r"}, {"r_shape"})
        .node("Reshape", {"f_grad", "r_shape"}, {"r_grad"}, {}, "/Flatten_Grad/Reshape_0");
    model.node("ReluGrad", {"r_grad", "r"}, {"c_grad"}, {}, "/Relu_Grad/ReluGrad_0", ms);
    model.node("ConvGrad", {"c_grad", "x", "conv.weight"}, {"", "conv.weight_grad", ""}, {},
               "/conv/Conv_Grad/ConvGrad_0", ms);
    for (const std::string name : {"conv.weight", "fc.weight"}) {
        model.node("InPlaceAccumulatorV2", {name + "_grad.accumulation.buffer", name + "_grad", "lazy_reset_grad"},
                   {name + "_grad.done", name + "_grad.accumulation.out"}, {}, "", ms);
    }
    return model;
}

Imported import(const OnnxBytes& model, Training training = Training::derive) {
    ImportOptions options;
    options.training = training;
    return import_onnx(model.bytes(), options);
}

}  // namespace

TEST(OnnxBackward, GemmsHaveTheirPhase) {
    const Imported imported = import(training_graph());
    EXPECT_TRUE(imported.graph.backward_recorded);
    EXPECT_TRUE(imported.summary.unrecognised.empty());
    const std::vector<Operation> gemms = imported.gemms();
    ASSERT_EQ(gemms.size(), 5U);
    std::vector<Phase> phases;
    for (const Operation& operation : gemms) {
        phases.push_back(operation.phase);
    }
    EXPECT_THAT(phases, ElementsAre(Phase::forward, Phase::forward, Phase::dx, Phase::dw, Phase::dw));
    EXPECT_THAT(imported.layers(), ElementsAre("conv", "fc", "fc", "fc", "conv"));
    EXPECT_EQ(imported.matmul(2), (Matmul{1, 4, 180, 10, false, false}));
    EXPECT_EQ(imported.matmul(3), (Matmul{1, 10, 180, 4, true, false}));
    EXPECT_EQ(imported.tensor(gemms[3].outputs[0]).role, TensorRole::weight_gradient);
    EXPECT_EQ(imported.tensor(gemms[4].outputs[0]).role, TensorRole::weight_gradient);
    EXPECT_EQ(imported.tensor(gemms[2].outputs[0]).role, TensorRole::gradient);
    EXPECT_EQ(imported.tensor(gemms[0].inputs[1]).role, TensorRole::weight);
    // Both phases of a layer have the layer's place.
    EXPECT_EQ(gemms[4].position, Position::first);
    EXPECT_EQ(gemms[3].position, Position::last);
    EXPECT_EQ(imported.graph.header.batch, 4U);
}

TEST(OnnxBackward, ForwardOnlyLeavesItOut) {
    const Imported imported = import(training_graph(), Training::forward_only);
    EXPECT_FALSE(imported.graph.backward_recorded);
    EXPECT_EQ(imported.gemms().size(), 2U);
}

TEST(OnnxBackward, ProductsOfActivations) {
    // y = a b: da = dy b^T is dx, db = a^T dy is dw.
    OnnxBytes model;
    model.input("a0", {2, 5, 7}).input("b0", {2, 7, 4}).input("y_grad", {2, 5, 4});
    model.node("Relu", {"a0"}, {"a"}).node("Relu", {"b0"}, {"b"});
    model.node("MatMul", {"a", "b"}, {"y"}, {}, "/MatMul");
    model.node("ReluGrad", {"y_grad", "y"}, {"z_grad"}, {}, "/Relu_Grad/ReluGrad_0", "com.microsoft");
    model.node("FusedMatMul", {"z_grad", "b"}, {"a_grad"}, OnnxAttributes().number("transB", 1),
               "/MatMul_Grad/FusedMatMul_0", "com.microsoft");
    model.node("FusedMatMul", {"a", "z_grad"}, {"b_grad"}, OnnxAttributes().number("transA", 1),
               "/MatMul_Grad/FusedMatMul_1", "com.microsoft");
    const std::vector<Operation> gemms = import(model).gemms();
    ASSERT_EQ(gemms.size(), 3U);
    EXPECT_EQ(gemms[1].phase, Phase::dx);
    EXPECT_EQ(gemms[2].phase, Phase::dw);
}

TEST(OnnxBackward, EveryOperatorBecomesItsGradient) {
    OnnxBytes model;
    model.input("dy", {4, 6}).input("x", {4, 6}).weight("s", {6}).input("rows", {4, 1}).input("i", {4}, onnx_int64);
    model.integers("table", {100, 6}).input("n", {4, 6, 2, 2}).input("m", {4, 6, 2, 2});
    const std::string ms = "com.microsoft";
    model.node("GeluGrad", {"dy", "x"}, {"a"}, {}, "", ms).node("SoftmaxGrad_13", {"a", "x"}, {"b"}, {}, "", ms);
    model.node("LayerNormalizationGrad", {"b", "x", "s", "rows", "rows"}, {"c", "s_grad", "t_grad"}, {}, "", ms);
    model.node("DropoutGrad", {"c", "x"}, {"d"}, {}, "", ms).node("GatherGrad", {"table", "i", "d"}, {"e"}, {}, "", ms);
    model.node("BatchNormalizationGrad", {"n", "m", "s", "s", "s"}, {"f", "g", "h"}, {}, "", ms);
    const Imported imported = import(model);
    std::vector<std::string> functions;
    for (const Operation& operation : imported.graph.operations) {
        functions.push_back(std::get<VectorWork>(operation.work).steps.front().function);
    }
    EXPECT_THAT(functions, ElementsAre("gelu_grad", "softmax_grad", "layer_norm_grad", "dropout_grad", "scatter_add",
                                       "bn_grad_reduce", "bn_grad_apply"));
}

}  // namespace nibble::test
