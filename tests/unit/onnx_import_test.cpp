// SPDX-License-Identifier: MIT
// What the nodes of a model become. Expected sizes follow from the operators' definitions.
#include "sim/import/onnx/onnx_import.h"

#include <algorithm>
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
using testing::HasSubstr;

Imported import(const OnnxBytes& model, const ImportOptions& options = {}) {
    return import_onnx(model.bytes(), options);
}

std::string problems(const OnnxBytes& model, const ImportOptions& options = {}) {
    return problems_of([&] { return import(model, options); });
}

ImportOptions with_batch(std::uint64_t batch) {
    ImportOptions options;
    options.batch = batch;
    return options;
}

ImportOptions with_training(Training training) {
    ImportOptions options;
    options.training = training;
    return options;
}

/// Functions of the operations that are no GEMMs, those of one operation joined by "+".
std::vector<std::string> passes(const Imported& imported) {
    std::vector<std::string> all;
    for (const Operation& operation : imported.graph.operations) {
        if (const auto* work = std::get_if<VectorWork>(&operation.work)) {
            std::string functions;
            for (const VectorStep& step : work->steps) {
                functions += (functions.empty() ? "" : "+") + step.function;
            }
            all.push_back(functions);
        }
    }
    return all;
}

std::uint64_t elements(const Imported& imported, std::size_t operation) {
    return std::get<VectorWork>(imported.graph.operations.at(operation).work).elements;
}

std::vector<std::string> names(const Imported& imported, const std::vector<TensorId>& ids) {
    std::vector<std::string> all;
    for (const TensorId id : ids) {
        all.push_back(imported.tensor(id).name);
    }
    return all;
}

OnnxBytes with_x(const OnnxDims& dims) {
    OnnxBytes model;
    model.input("x", dims);
    return model;
}

}  // namespace

TEST(OnnxImport, Convolution) {
    OnnxBytes model = with_x({2, 4, 9, 11});
    model.weight("w", {6, 2, 3, 5}).weight("b", {6});
    model.node("Conv", {"x", "w", "b"}, {"y"},
               OnnxAttributes()
                   .numbers("strides", {2, 1})
                   .numbers("pads", {1, 2, 3, 4})
                   .number("group", 2)
                   .numbers("dilations", {1, 2}));
    const Imported imported = import(model);
    const Convolution expected{.n = 2,
                               .c = 4,
                               .h = 9,
                               .w = 11,
                               .k = 6,
                               .r = 3,
                               .s = 5,
                               .stride_h = 2,
                               .stride_w = 1,
                               .pad_top = 1,
                               .pad_bottom = 3,
                               .pad_left = 2,
                               .pad_right = 4,
                               .dilation_h = 1,
                               .dilation_w = 2,
                               .groups = 2};
    EXPECT_EQ(imported.conv(0), expected);
    const Operation operation = imported.gemms().at(0);
    ASSERT_EQ(operation.epilogue.size(), 1U);
    EXPECT_EQ(operation.epilogue.front().function, "bias");
    EXPECT_THAT(names(imported, operation.inputs), ElementsAre("x", "w", "b"));
    EXPECT_EQ(imported.tensor(operation.inputs[0]).role, TensorRole::activation);
    EXPECT_EQ(imported.tensor(operation.inputs[1]).role, TensorRole::weight);
    EXPECT_EQ(imported.tensor(operation.inputs[2]).role, TensorRole::state);
}

TEST(OnnxImport, ConvolutionOfOneDimensionIsARow) {
    const Imported imported =
        import(with_x({2, 4, 10})
                   .weight("w", {8, 4, 3})
                   .node("Conv", {"x", "w"}, {"y"}, OnnxAttributes().numbers("pads", {1, 2}).numbers("strides", {2})));
    EXPECT_EQ(
        imported.conv(0),
        (Convolution{
            .n = 2, .c = 4, .h = 1, .w = 10, .k = 8, .r = 1, .s = 3, .stride_w = 2, .pad_left = 1, .pad_right = 2}));
}

TEST(OnnxImport, OddPaddingGoesWhereTheModelSays) {
    // 7 wide, stride 2, window 4: 4 places reach 10, so 3 are missing.
    OnnxBytes model = with_x({1, 1, 7, 7});
    model.weight("w", {1, 1, 4, 4});
    model.node("Conv", {"x", "w"}, {"y"}, OnnxAttributes().text("auto_pad", "SAME_UPPER").numbers("strides", {2, 2}));
    model.node("Conv", {"x", "w"}, {"z"}, OnnxAttributes().text("auto_pad", "SAME_LOWER").numbers("strides", {2, 2}));
    const Imported imported = import(model);
    EXPECT_EQ(imported.conv(0).pad_top, 1U);
    EXPECT_EQ(imported.conv(0).pad_bottom, 2U);
    EXPECT_EQ(imported.conv(1).pad_left, 2U);
    EXPECT_EQ(imported.conv(1).pad_right, 1U);
}

TEST(OnnxImport, TransposedConvolutionIsTheInputGradientOfAnother) {
    OnnxBytes model = with_x({2, 6, 5, 7});
    model.weight("w", {6, 4, 4, 3});
    model.node("ConvTranspose", {"x", "w"}, {"y"},
               OnnxAttributes()
                   .numbers("strides", {2, 3})
                   .numbers("pads", {1, 0, 1, 1})
                   .number("group", 2)
                   .numbers("output_padding", {0, 1}));
    const Imported imported = import(model);
    // h = 2 (5 - 1) + 4 - 2 = 10, w = 3 (7 - 1) + 3 + 1 - 1 = 21, c = 2 groups of 4 channels
    const Convolution expected{.n = 2,
                               .c = 8,
                               .h = 10,
                               .w = 21,
                               .k = 6,
                               .r = 4,
                               .s = 3,
                               .stride_h = 2,
                               .stride_w = 3,
                               .pad_top = 1,
                               .pad_bottom = 1,
                               .pad_right = 1,
                               .groups = 2,
                               .transposed = true};
    EXPECT_EQ(imported.conv(0), expected);
    EXPECT_EQ(imported.macs(), 2U * 6 * 5 * 7 * 4 * 4 * 3);  // each input element meets each weight of its channel
}

TEST(OnnxImport, Gemm) {
    OnnxBytes model = with_x({8, 32});
    model.weight("w", {10, 32}).weight("b", {10});
    model.node("Gemm", {"x", "w", "b"}, {"y"}, OnnxAttributes().number("transB", 1));
    const Imported imported = import(model);
    EXPECT_EQ(imported.matmul(0), (Matmul{1, 8, 10, 32, false, true}));
    EXPECT_EQ(imported.gemms()[0].epilogue.at(0).function, "bias");
    const Imported transposed = import(
        with_x({32, 8}).weight("w", {32, 10}).node("Gemm", {"x", "w"}, {"y"}, OnnxAttributes().number("transA", 1)));
    EXPECT_EQ(transposed.matmul(0), (Matmul{1, 8, 10, 32, true, false}));
}

TEST(OnnxImport, IntegersAreMadeDataBeforeAProductReadsThem) {
    OnnxBytes model = with_x({8, 32});
    model.weight("w", {32, 10}, onnx_int64).node("MatMul", {"x", "w"}, {"y"});
    const Imported imported = import(model);
    EXPECT_THAT(passes(imported), ElementsAre("copy"));
    EXPECT_EQ(imported.tensor(imported.gemms()[0].inputs[1]).role, TensorRole::activation);
}

TEST(OnnxImport, AWeightTransposedInTheGraphIsReadAsItLies) {
    OnnxBytes model = with_x({4, 6, 32});
    model.weight("fc.weight", {10, 32}).weight("fc.bias", {10});
    model.node("Transpose", {"fc.weight"}, {"t"}, OnnxAttributes().numbers("perm", {1, 0}));
    model.node("MatMul", {"x", "t"}, {"p"}, {}, "/fc/MatMul").node("Add", {"fc.bias", "p"}, {"y"}, {}, "/fc/Add");
    const Imported imported = import(model);
    EXPECT_EQ(imported.matmul(0), (Matmul{1, 24, 10, 32, false, true}));
    EXPECT_THAT(names(imported, imported.gemms()[0].inputs), ElementsAre("x", "fc.weight"));
    EXPECT_THAT(passes(imported), ElementsAre("bias"));
    EXPECT_THAT(names(imported, imported.graph.operations[1].inputs), ElementsAre("p", "fc.bias"));
    EXPECT_EQ(imported.graph.operations[1].layer, "fc");
}

TEST(OnnxImport, StacksOfMatrices) {
    const auto product = [](const OnnxDims& left, const OnnxDims& right) {
        return import(with_x(left).input("b", right).node("MatMul", {"x", "b"}, {"y"}));
    };
    EXPECT_EQ(product({2, 3, 5, 7}, {2, 3, 7, 4}).matmul(0), (Matmul{6, 5, 4, 7, false, false}));
    EXPECT_EQ(product({2, 3, 5, 7}, {7, 4}).matmul(0), (Matmul{1, 30, 4, 7, false, false}));
    EXPECT_EQ(product({5, 7}, {6, 7, 4}).matmul(0), (Matmul{6, 5, 4, 7, false, false}));
    EXPECT_EQ(product({7}, {7, 4}).matmul(0), (Matmul{1, 1, 4, 7, false, false}));
    EXPECT_EQ(product({5, 7}, {7}).matmul(0), (Matmul{1, 5, 1, 7, false, false}));
    // Different stacks: the right operand is repeated first.
    const Imported repeated = product({2, 3, 5, 7}, {2, 1, 7, 4});
    EXPECT_EQ(repeated.matmul(0), (Matmul{6, 5, 4, 7, false, false}));
    EXPECT_THAT(passes(repeated), ElementsAre("copy"));
    EXPECT_EQ(elements(repeated, 0), 6U * 7 * 4);
}

TEST(OnnxImport, SwappedMatricesOfAStackAreReadAsTheyLie) {
    // As q k^T in attention.
    OnnxBytes model = with_x({6, 5, 8});
    model.input("k", {6, 4, 8}).node("Transpose", {"k"}, {"t"}, OnnxAttributes().numbers("perm", {0, 2, 1}));
    model.node("MatMul", {"x", "t"}, {"s"});
    model.node("Transpose", {"s"}, {"st"}, OnnxAttributes().numbers("perm", {0, 2, 1}));
    model.node("Relu", {"st"}, {"y"});  // element-wise work needs it as it says
    const Imported imported = import(model);
    EXPECT_EQ(imported.matmul(0), (Matmul{6, 5, 4, 8, false, true}));
    EXPECT_THAT(passes(imported), ElementsAre("copy", "relu"));
}

TEST(OnnxImport, OtherTransposesAreCopies) {
    OnnxBytes model = with_x({2, 3, 4, 5});
    model.node("Transpose", {"x"}, {"y"}, OnnxAttributes().numbers("perm", {0, 2, 1, 3}));
    EXPECT_THAT(passes(import(model)), ElementsAre("copy"));
    // Dimensions of 1 change no order.
    OnnxBytes free = with_x({2, 1, 4, 5});
    free.node("Transpose", {"x"}, {"t"}, OnnxAttributes().numbers("perm", {0, 2, 1, 3})).node("Relu", {"t"}, {"y"});
    EXPECT_THAT(passes(import(free)), ElementsAre("relu"));
}

TEST(OnnxImport, FusedProducts) {
    OnnxBytes model = with_x({3, 7, 5});
    model.input("b", {3, 4, 7});
    model.node("FusedMatMul", {"x", "b"}, {"y"},
               OnnxAttributes().number("transA", 1).number("transB", 1).real("alpha", 0.5F), "", "com.microsoft");
    const Imported imported = import(model);
    EXPECT_EQ(imported.matmul(0), (Matmul{3, 5, 4, 7, true, true}));
    EXPECT_EQ(imported.gemms()[0].epilogue.at(0).function, "mul");
}

TEST(OnnxImport, Einsum) {
    const auto einsum = [](const std::string& equation, const OnnxDims& left, const OnnxDims& right) {
        return import(with_x(left)
                          .input("b", right)
                          .node("Einsum", {"x", "b"}, {"y"}, OnnxAttributes().text("equation", equation)));
    };
    EXPECT_EQ(einsum("bhid,bhjd->bhij", {2, 3, 5, 7}, {2, 3, 4, 7}).matmul(0), (Matmul{6, 5, 4, 7, false, true}));
    EXPECT_EQ(einsum("bhij,bhjd->bhid", {2, 3, 5, 4}, {2, 3, 4, 7}).matmul(0), (Matmul{6, 5, 7, 4, false, false}));
    EXPECT_EQ(einsum("ki,kj->ij", {7, 5}, {7, 4}).matmul(0), (Matmul{1, 5, 4, 7, true, false}));
    const Imported moved = einsum("bihd,bjhd->bhij", {2, 5, 3, 7}, {2, 4, 3, 7});
    EXPECT_EQ(moved.matmul(0), (Matmul{6, 5, 4, 7, false, false}));
    EXPECT_THAT(passes(moved), ElementsAre("copy", "copy"));
    const Imported sum = einsum("ij,k->i", {5, 7}, {4});
    EXPECT_TRUE(sum.gemms().empty());
    EXPECT_EQ(sum.summary.unrecognised.at("Einsum").calls, 1U);
}

TEST(OnnxImport, LstmStepByStep) {
    OnnxBytes model = with_x({3, 2, 8});
    model.weight("w", {1, 24, 8}).weight("r", {1, 24, 6}).weight("b", {1, 48});
    model.node("LSTM", {"x", "w", "r", "b"}, {"y", "", ""}, OnnxAttributes().number("hidden_size", 6), "/lstm/LSTM")
        .output("y");
    const Imported imported = import(model);
    ASSERT_EQ(imported.gemms().size(), 4U);
    EXPECT_EQ(imported.matmul(0), (Matmul{1, 6, 24, 8, false, true}));  // all steps at once
    for (std::size_t t = 1; t <= 3; ++t) {
        EXPECT_EQ(imported.matmul(t), (Matmul{1, 2, 24, 6, false, true}));
    }
    EXPECT_THAT(passes(imported), ElementsAre("copy", "lstm_cell", "lstm_cell", "lstm_cell", "copy"));
    EXPECT_EQ(elements(imported, 3), 12U);
    EXPECT_EQ(imported.graph.header.batch, 2U);  // dimension 0 is time
}

TEST(OnnxImport, BothDirectionsHaveWeightsOfTheirOwn) {
    OnnxBytes model = with_x({3, 2, 8});
    model.weight("w", {2, 18, 8}).weight("r", {2, 18, 6});
    model.node("GRU", {"x", "w", "r"}, {"y", "h"},
               OnnxAttributes().text("direction", "bidirectional").number("linear_before_reset", 1));
    model.node("Relu", {"h"}, {"z"});
    const Imported imported = import(model);
    // Each direction: one product of all steps and three of one step.
    EXPECT_EQ(imported.macs(), 2U * (6 * 18 * 8 + 3 * 2 * 18 * 6));
    const auto weights = std::count_if(imported.graph.tensors.begin(), imported.graph.tensors.end(),
                                       [](const Tensor& tensor) { return tensor.role == TensorRole::weight; });
    EXPECT_EQ(weights, 4);
}

TEST(OnnxImport, AGruWhoseResetActsOnTheStateHasTwoProductsAStep) {
    OnnxBytes model = with_x({1, 2, 8});
    model.weight("w", {1, 18, 8}).weight("r", {1, 18, 6}).node("GRU", {"x", "w", "r"}, {"y"});
    const Imported imported = import(model);
    ASSERT_EQ(imported.gemms().size(), 3U);
    EXPECT_EQ(imported.matmul(1), (Matmul{1, 2, 12, 6, false, true}));
    EXPECT_EQ(imported.matmul(2), (Matmul{1, 2, 6, 6, false, true}));
}

TEST(OnnxImport, AttentionAsOneNode) {
    OnnxBytes model = with_x({2, 5, 24});
    model.input("k", {2, 7, 24}).input("v", {2, 7, 24});
    model.node("MultiHeadAttention", {"x", "k", "v"}, {"y"}, OnnxAttributes().number("num_heads", 4), "",
               "com.microsoft");
    const Imported imported = import(model);
    EXPECT_EQ(imported.matmul(0), (Matmul{8, 5, 7, 6, false, true}));
    EXPECT_EQ(imported.matmul(1), (Matmul{8, 5, 6, 7, false, false}));
    EXPECT_THAT(passes(imported), ElementsAre("softmax"));
    // Eight heads of the query share two of key and value: 8 / 2 * 5 rows against each.
    OnnxBytes grouped = with_x({2, 8, 5, 6});
    grouped.input("k", {2, 2, 7, 6}).input("v", {2, 2, 7, 6}).node("Attention", {"x", "k", "v"}, {"y"});
    EXPECT_EQ(import(grouped).matmul(0), (Matmul{4, 20, 7, 6, false, true}));
    OnnxBytes projecting = with_x({2, 5, 24});
    projecting.weight("w", {24, 72}).weight("b", {72});
    projecting.node("Attention", {"x", "w", "b"}, {"y"}, OnnxAttributes().number("num_heads", 4), "", "com.microsoft");
    EXPECT_EQ(import(projecting).matmul(0), (Matmul{1, 10, 72, 24, false, false}));
}

TEST(OnnxImport, BatchNormalisationIsTwoPasses) {
    OnnxBytes model = with_x({2, 3, 4, 4});
    model.weight("s", {3}).weight("b", {3}).weight("m", {3}).weight("v", {3});
    model.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"});
    const Imported derived = import(model);
    EXPECT_THAT(passes(derived), ElementsAre("batch_stats", "batch_norm"));
    EXPECT_EQ(elements(derived, 1), 96U);
    EXPECT_THAT(derived.summary.notes, ElementsAre(HasSubstr("training mode")));
    const Imported recorded = import(model, with_training(Training::as_recorded));
    EXPECT_THAT(passes(recorded), ElementsAre("batch_norm"));
    EXPECT_THAT(names(recorded, recorded.graph.operations[0].inputs), ElementsAre("x", "m", "v", "s", "b"));
    EXPECT_EQ(recorded.tensor(recorded.graph.operations[0].inputs[1]).role, TensorRole::statistic);
}

TEST(OnnxImport, OnePassForEachNode) {
    struct Case {
        const char* op;
        std::vector<std::string> inputs;
        OnnxAttributes attributes;
        const char* function;
        std::uint64_t elements;
    };
    const std::vector<Case> cases{
        {"Relu", {"x"}, {}, "relu", 144},
        {"Gelu", {"x"}, {}, "gelu", 144},
        {"Softmax", {"x"}, {}, "softmax", 144},
        {"LogSoftmax", {"x"}, {}, "log_softmax", 144},
        {"LayerNormalization", {"x", "s", "s"}, {}, "layer_norm", 144},
        {"InstanceNormalization", {"x", "c", "c"}, {}, "group_norm", 144},
        {"Dropout", {"x"}, {}, "dropout", 144},
        {"MaxPool", {"x"}, OnnxAttributes().numbers("kernel_shape", {2, 2}).numbers("strides", {2, 2}), "max_pool", 36},
        {"GlobalAveragePool", {"x"}, {}, "avg_pool", 6},
        {"ReduceMean", {"x"}, OnnxAttributes().numbers("axes", {1}), "sum", 144},
        {"ReduceSumSquare", {"x"}, OnnxAttributes().numbers("axes", {1}), "mul+sum", 144},
        {"ArgMax", {"x"}, OnnxAttributes().number("axis", 1), "arg_max", 144},
        {"Mul", {"x", "x"}, {}, "mul", 144},
        {"Sub", {"x", "x"}, {}, "add", 144},
        {"Div", {"x", "ten"}, {}, "mul", 144},
        {"Div", {"ten", "x"}, {}, "reciprocal", 144},
        {"Pow", {"x", "ten"}, {}, "power", 144},
        {"Pow", {"x", "two"}, {}, "mul", 144},
        {"Pow", {"x", "half"}, {}, "sqrt", 144},
        {"Clip", {"x", "zero", "six"}, {}, "relu6", 144},
        {"Clip", {"x", "zero"}, {}, "relu", 144},
        {"Clip", {"x", "two", "six"}, {}, "clamp", 144},
        {"Concat", {"x", "x"}, OnnxAttributes().number("axis", 1), "copy", 288},
        {"Slice", {"x", "zeros", "twos"}, {}, "slice", 12},
        {"Gather", {"x", "index"}, OnnxAttributes().number("axis", 2), "gather", 120},
        {"Gather", {"x", "one"}, OnnxAttributes().number("axis", 2), "slice", 24},
        {"Expand", {"x", "wide"}, {}, "copy", 288},
        {"Pad", {"x", "pads"}, {}, "copy", 168},
        {"DepthToSpace", {"y4"}, OnnxAttributes().number("blocksize", 2), "copy", 64},
        {"Resize", {"x", "", "scales"}, OnnxAttributes().text("mode", "linear"), "interpolate", 576},
        {"Where", {"truth", "x", "x"}, {}, "select", 144},
        {"NegativeLogLikelihoodLoss", {"rows", "labels"}, {}, "gather+sum", 8},
    };
    for (const Case& one : cases) {
        OnnxBytes model = with_x({2, 3, 6, 4});
        model.weight("s", {4}).weight("c", {3}).input("index", {5}, onnx_int64).input("y4", {1, 4, 4, 4});
        model.input("truth", {2, 3, 6, 4}, onnx_bool).input("rows", {8, 10}).input("labels", {8}, onnx_int64);
        model.integers("zeros", {0, 0}).integers("twos", {1, 0x7FFFFFFF}).integers("wide", {2, 2, 3, 6, 4});
        model.integers("pads", {0, 0, 0, 0, 0, 0, 1, 0}).reals("scales", {1, 1, 2, 2}).integers("one", {1});
        for (const auto& [name, value] :
             {std::pair{"ten", 10.F}, {"two", 2.F}, {"half", .5F}, {"zero", 0.F}, {"six", 6.F}}) {
            model.node("Constant", {}, {name}, OnnxAttributes().real("value_float", value));
        }
        const bool sliced = std::string(one.op) == "Slice";  // one image, one channel less nothing: 1 * 3 * 6 * 4
        const Imported imported = import(model.node(one.op, one.inputs, {"y"}, one.attributes));
        ASSERT_THAT(passes(imported), ElementsAre(one.function)) << one.op;
        EXPECT_EQ(elements(imported, 0), sliced ? 72U : one.elements) << one.op;
    }
}

TEST(OnnxImport, ViewsAreFree) {
    OnnxBytes model = with_x({2, 3, 4});
    model.integers("s", {6, 4}).integers("a", {0});
    model.node("Reshape", {"x", "s"}, {"r"}).node("Unsqueeze", {"r", "a"}, {"u"}).node("Identity", {"u"}, {"i"});
    model.node("Cast", {"i"}, {"c"}, OnnxAttributes().number("to", 10)).node("Relu", {"c"}, {"y"});
    const Imported imported = import(model);
    EXPECT_THAT(passes(imported), ElementsAre("relu"));
    EXPECT_THAT(names(imported, imported.graph.operations[0].inputs), ElementsAre("x"));
}

TEST(OnnxImport, WhatIsMadeOfParametersAloneIsAParameter) {
    // As PyTorch exports an LSTM's weights: gates cut out and joined in another order.
    OnnxBytes model = with_x({4, 8});
    model.weight("cell.weight", {8, 6});
    for (const auto& [name, from, to] : {std::tuple{"first", 0, 3}, {"second", 3, 6}}) {
        model.integers(std::string(name) + "_from", {from}).integers(std::string(name) + "_to", {to});
        model.node("Slice", {"cell.weight", std::string(name) + "_from", std::string(name) + "_to", "axis"}, {name});
    }
    model.integers("axis", {1}).node("Concat", {"second", "first"}, {"w"}, OnnxAttributes().number("axis", 1));
    model.node("MatMul", {"x", "w"}, {"y"});
    const Imported imported = import(model);
    EXPECT_EQ(imported.graph.operations.size(), 1U);
    EXPECT_THAT(names(imported, imported.graph.operations[0].inputs), ElementsAre("x", "cell.weight"));
    EXPECT_EQ(imported.tensor(imported.graph.operations[0].inputs[1]).role, TensorRole::weight);
}

TEST(OnnxImport, Roles) {
    OnnxBytes model;
    model.input("tokens", {2, 5}, onnx_int64).weight("table", {100, 8}).weight("scale", {8});
    model.node("Gather", {"table", "tokens"}, {"e"}).node("Mul", {"e", "scale"}, {"y"});
    model.node("Equal", {"tokens", "tokens"}, {"mask"});
    const Imported imported = import(model);
    for (const auto& [name, role] : {std::pair{"tokens", TensorRole::index},
                                     {"table", TensorRole::weight},
                                     {"scale", TensorRole::state},
                                     {"e", TensorRole::activation},
                                     {"mask", TensorRole::mask}}) {
        const auto found = std::find_if(imported.graph.tensors.begin(), imported.graph.tensors.end(),
                                        [&](const Tensor& tensor) { return tensor.name == name; });
        ASSERT_NE(found, imported.graph.tensors.end()) << name;
        EXPECT_EQ(found->role, role) << name;
    }
}

TEST(OnnxImport, LayersAreNamedAfterNodesOrParameters) {
    OnnxBytes model = with_x({2, 3, 8, 8});
    model.weight("layer1.0.conv1.weight", {3, 3, 1, 1}).weight("onnx::Conv_7", {3, 3, 1, 1});
    model.node("Conv", {"x", "layer1.0.conv1.weight"}, {"a"}, {}, "/layer1/layer1.0/conv1/Conv");
    model.node("Conv", {"a", "layer1.0.conv1.weight"}, {"b"}, {}, "Conv_3");
    model.node("Conv", {"b", "onnx::Conv_7"}, {"c"}, {}, "Conv_4").node("Conv", {"c", "onnx::Conv_7"}, {"y"});
    const Imported imported = import(model);
    EXPECT_THAT(imported.layers(), ElementsAre("layer1/layer1.0/conv1", "layer1.0.conv1", "Conv_4", "Conv_3"));
    std::vector<std::string> groups;
    for (const Operation& operation : imported.gemms()) {
        groups.push_back(operation.group);
    }
    EXPECT_THAT(groups, ElementsAre("layer1", "layer1", "layer1", "layer1"));  // what has no name goes by its input
    EXPECT_EQ(imported.gemms().front().position, Position::first);
    EXPECT_EQ(imported.gemms()[1].position, Position::middle);
    EXPECT_EQ(imported.gemms().back().position, Position::last);
}

TEST(OnnxImport, OpenBatch) {
    OnnxBytes model = with_x({"batch", 32});
    model.weight("w", {32, 10}).node("MatMul", {"x", "w"}, {"y"});
    EXPECT_EQ(import(model, with_batch(7)).matmul(0).m, 7U);
    EXPECT_EQ(import(model, with_batch(7)).graph.header.batch, 7U);
    EXPECT_THAT(problems(model), HasSubstr("input 'x': the batch, dimension 0 ('batch'), is open: give it by --batch"));
    OnnxBytes wide = with_x({"n", 3, "height", 4});
    EXPECT_THAT(problems(wide.node("Relu", {"x"}, {"y"}), with_batch(7)),
                HasSubstr("input 'x': dimension 2 ('height') is open; export the model with a fixed size"));
    OnnxBytes second = with_x({5, "batch_size", 8});
    EXPECT_EQ(import(second.node("Relu", {"x"}, {"y"}), with_batch(3)).graph.header.batch, 3U);
}

TEST(OnnxImport, FixedBatchIsReplacedWhereThatIsSound) {
    OnnxBytes model = with_x({4, 32});
    model.weight("w", {32, 10}).node("MatMul", {"x", "w"}, {"z"});
    EXPECT_EQ(import(model).graph.header.batch, 4U);
    EXPECT_EQ(import(model, with_batch(9)).matmul(0).m, 9U);
    model.integers("s", {4, 2, 5}).node("Reshape", {"z", "s"}, {"y"}, {}, "view");
    EXPECT_EQ(import(model, with_batch(4)).matmul(0).m, 4U);
    EXPECT_THAT(problems(model, with_batch(9)),
                HasSubstr("the model is made for a batch of 4 and cannot be taken with 9; export it with an open batch "
                          "(node 'view' (Reshape)"));
    OnnxBytes two = with_x({4, 32});
    two.input("b", {5, 32}).node("Relu", {"x"}, {"y"}).node("Relu", {"b"}, {"z"});
    EXPECT_THAT(problems(two, with_batch(9)), HasSubstr("dimension 0 is 4 in input 'x', 5 in 'b'"));
    // Of a recurrent layer, dimension 1.
    OnnxBytes recurrent = with_x({3, 2, 8});
    recurrent.weight("w", {1, 24, 8}).weight("r", {1, 24, 6}).node("LSTM", {"x", "w", "r"}, {"y"});
    EXPECT_EQ(import(recurrent, with_batch(5)).matmul(1).m, 5U);
}

TEST(OnnxImport, UnknownOperatorsAreCountedWithTheirBytes) {
    OnnxBytes model = with_x({2, 3});
    model.value("z", {4, 5}).node("Mystery", {"x"}, {"z"}, {}, "", "org.example").node("Relu", {"z"}, {"y"});
    const Imported imported = import(model);
    const auto& entry = imported.summary.unrecognised.at("org.example.Mystery");
    EXPECT_EQ(entry.calls, 1U);
    EXPECT_EQ(entry.bytes, (6U + 20) * 4);
    EXPECT_EQ(imported.summary.bytes, (6U + 20) * 4 + 40 * 4);
    EXPECT_THAT(passes(imported), ElementsAre("relu"));
}

TEST(OnnxImport, FunctionsOfTheModelAreExpanded) {
    Proto function;
    function.text(1, "Dense").text(10, "local").text(4, "a").text(4, "w").text(5, "r");
    Proto gemm = onnx_node("Gemm", {"a", "w"}, {"p"}, {}, "inner");
    gemm.message(5, Proto().text(1, "transB").text(21, "by_rows"));
    function.message(7, gemm).message(7, onnx_node("Relu", {"p"}, {"r"}));
    OnnxBytes model = with_x({4, 8});
    model.weight("w1", {6, 8}).weight("w2", {6, 3});
    model.node("Dense", {"x", "w1"}, {"h"}, OnnxAttributes().number("by_rows", 1), "first", "local");
    model.node("Dense", {"h", "w2"}, {"y"}, {}, "second", "local").function(function);
    const Imported imported = import(model);
    EXPECT_EQ(imported.matmul(0), (Matmul{1, 4, 6, 8, false, true}));
    EXPECT_EQ(imported.matmul(1), (Matmul{1, 4, 3, 6, false, false}));
    EXPECT_THAT(imported.layers(), ElementsAre("first/inner", "second/inner"));

    Proto endless;
    endless.text(1, "Endless").text(10, "local").text(4, "a").text(5, "r");
    endless.message(7, onnx_node("Endless", {"a"}, {"r"}, {}, "", "local"));
    OnnxBytes circular = with_x({4, 8});
    circular.node("Endless", {"x"}, {"y"}, {}, "", "local").function(endless);
    EXPECT_THAT(problems(circular), HasSubstr("function 'Endless' calls itself"));
}

TEST(OnnxImport, AChoiceThatIsKnownIsTaken) {
    // As PyTorch exports squeeze() of a dimension of unknown size.
    OnnxBytes model = with_x({4, 1});
    model.integers("one", {1}).integers("axis", {1});
    OnnxBytes yes;
    yes.node("Squeeze", {"x", "axis"}, {"squeezed"}).output("squeezed");
    OnnxBytes no;
    no.node("Exp", {"x"}, {"kept"}).output("kept");
    model.node("Shape", {"x"}, {"shape"})
        .node("Gather", {"shape", "axis"}, {"size"})
        .node("Equal", {"size", "one"}, {"is"});
    model.node("If", {"is"}, {"chosen"},
               OnnxAttributes().graph("then_branch", yes.graph()).graph("else_branch", no.graph()));
    model.node("Relu", {"chosen"}, {"y"});
    const Imported imported = import(model);
    EXPECT_THAT(passes(imported), ElementsAre("relu"));
    EXPECT_EQ(imported.tensor(imported.graph.operations[0].outputs[0]).shape, (std::vector<std::uint64_t>{4}));
}

TEST(OnnxImport, NodesMayStandInAnyOrder) {
    OnnxBytes model = with_x({2, 3});
    model.node("Exp", {"b"}, {"y"}).node("Abs", {"a"}, {"b"}).node("Relu", {"x"}, {"a"});
    EXPECT_THAT(passes(import(model)), ElementsAre("relu", "abs", "exp"));
}

TEST(OnnxImport, BrokenGraphs) {
    OnnxBytes circle = with_x({2, 3});
    circle.node("Add", {"x", "c"}, {"a"}, {}, "one")
        .node("Relu", {"a"}, {"b"}, {}, "two")
        .node("Exp", {"b"}, {"c"}, {}, "three");
    EXPECT_THAT(problems(circle), HasSubstr("the graph runs in a circle"));
    EXPECT_THAT(problems(circle), HasSubstr("node 'two' (Relu)"));
    EXPECT_THAT(problems(with_x({2, 3}).node("Relu", {"z"}, {"y"}, {}, "act")),
                HasSubstr("node 'act' (Relu): reads 'z', which is neither an input nor an initializer, and no node "
                          "makes it"));
    EXPECT_THAT(problems(with_x({2, 3}).node("Relu", {"x"}, {"y"}).node("Exp", {"x"}, {"y"}, {}, "again")),
                HasSubstr("node 'again' (Exp): makes 'y', which"));
    EXPECT_THAT(problems(with_x({2, 3}).weight("w", {4, 5}).node("MatMul", {"x", "w"}, {"y"}, {}, "fc")),
                HasSubstr("node 'fc' (MatMul): a product of [2,3] and [4,5]: 3 columns and 4 rows"));
    EXPECT_THAT(problems(with_x({2, 3}).node("Relu", {}, {"y"}, {}, "act")), HasSubstr("expected an input 0"));
}

TEST(OnnxImport, TooLongSequences) {
    OnnxBytes model = with_x({std::int64_t{1} << 30U, 2, 8});
    model.weight("w", {1, 24, 8}).weight("r", {1, 24, 6}).node("LSTM", {"x", "w", "r"}, {"y"}, {}, "lstm");
    EXPECT_THAT(problems(model), HasSubstr("node 'lstm' (LSTM): a sequence of 1073741824 steps"));
}

TEST(OnnxImport, Description) {
    EXPECT_EQ(import(with_x({2}).node("Relu", {"x"}, {"y"})).summary.description, "ONNX, IR version 8, opset 17, test");
}

}  // namespace nibble::test
