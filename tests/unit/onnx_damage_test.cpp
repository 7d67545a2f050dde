// SPDX-License-Identifier: MIT
// Damaged and hostile models: an error, or a model that another program could have meant, but never a crash.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/onnx_imported.h"

namespace nibble::test {

namespace {

/// The message, or "" if it could be read.
std::string attempt(const std::string& bytes) {
    try {
        ImportOptions options;
        options.batch = 2;
        static_cast<void>(import_onnx(bytes, options));
    } catch (const InputError& error) {
        EXPECT_STRNE(error.what(), "");
        return error.what();
    }
    return "";
}

/// A little of everything.
OnnxBytes small_model() {
    OnnxBytes model;
    model.input("x", {"batch", 3, 8, 8}).weight("w", {4, 3, 3, 3}).weight("fc", {10, 4}).integers("s", {0, -1});
    model.weight("lw", {1, 8, 10}).weight("lr", {1, 8, 2}).integers("axis", {0}).output("y").value("c", {2, 4, 6, 6});
    model.node("Conv", {"x", "w"}, {"c"}, OnnxAttributes().numbers("strides", {1, 1}), "conv");
    model.node("GlobalAveragePool", {"c"}, {"p"}).node("Reshape", {"p", "s"}, {"f"});
    model.node("Gemm", {"f", "fc"}, {"g"}, OnnxAttributes().number("transB", 1))
        .node("Unsqueeze", {"g", "axis"}, {"u"});
    model.node("LSTM", {"u", "lw", "lr"}, {"y"}, OnnxAttributes().number("hidden_size", 2));
    return model;
}

}  // namespace

TEST(OnnxDamage, TheWholeModelIsGood) {
    EXPECT_EQ(attempt(small_model().bytes()), "");
}

TEST(OnnxDamage, CutShortAtEveryByte) {
    const std::string whole = small_model().bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const std::string message = attempt(whole.substr(0, length));
        // Fields of the model may end anywhere between them: only the graph must be whole.
        if (length < whole.size() - 8) {
            EXPECT_NE(message, "") << length;
        }
    }
}

TEST(OnnxDamage, RandomBytes) {
    const std::string whole = small_model().bytes();
    std::mt19937_64 random(1);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes = whole;
        const auto changes = 1 + random() % 3;
        for (std::uint64_t i = 0; i < changes; ++i) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        static_cast<void>(attempt(bytes));
    }
}

TEST(OnnxDamage, NoModelAtAll) {
    EXPECT_THAT(attempt(""), testing::HasSubstr("expected an ONNX model, found no graph in it"));
    EXPECT_NE(attempt("this is text and nothing else"), "");
    EXPECT_NE(attempt(std::string(1000, '\xFF')), "");
}

TEST(OnnxDamage, DeepGraphs) {
    Proto body;
    body.message(1, onnx_node("Relu", {"x"}, {"y"}));
    for (int depth = 0; depth < 200; ++depth) {
        Proto outer;
        outer.message(1, onnx_node("If", {"x"}, {"y"}, OnnxAttributes().graph("then_branch", body)));
        body = outer;
    }
    EXPECT_THAT(attempt(Proto().message(7, body).bytes()), testing::HasSubstr("deep in one another"));
}

TEST(OnnxDamage, ListsOfMoreNumbersThanAnyModelHas) {
    Proto tensor;
    tensor.text(1, std::string(1'000'000, '\1'));  // dimensions, packed: one byte each
    EXPECT_THAT(attempt(Proto().message(7, Proto().message(5, tensor)).bytes()),
                testing::HasSubstr("more than 64 numbers"));
    Proto attribute;
    attribute.text(1, "axes").text(8, std::string(1'000'000, '\1'));
    EXPECT_THAT(attempt(Proto().message(7, Proto().message(1, Proto().message(5, attribute))).bytes()),
                testing::HasSubstr("more than 65536 numbers"));
}

TEST(OnnxDamage, EverySizeReplacedByHugeAndNegativeOnes) {
    for (const std::int64_t bad :
         {std::int64_t{1} << 62U, std::int64_t{1} << 47U, std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{0}}) {
        for (int place = 0; place < 10; ++place) {
            const auto size = [&](int at, std::int64_t good) { return at == place ? bad : good; };
            OnnxBytes model;
            model.input("x", {size(0, 2), size(1, 3), size(2, 8), 8})
                .weight("w", {size(3, 4), size(4, 3), size(5, 3), 3});
            model.weight("fc", {size(6, 10), size(7, 4)}).integers("s", {size(8, 0), size(9, -1)});
            model.node("Conv", {"x", "w"}, {"c"})
                .node("GlobalAveragePool", {"c"}, {"p"})
                .node("Reshape", {"p", "s"}, {"f"});
            model.node("Gemm", {"f", "fc"}, {"g"}, OnnxAttributes().number("transB", 1));
            static_cast<void>(attempt(model.bytes()));
        }
    }
}

TEST(OnnxDamage, EveryAttributeReplaced) {
    for (const std::int64_t bad :
         {std::int64_t{1} << 62U, std::int64_t{1} << 21U, std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{0}}) {
        for (const char* name :
             {"strides", "pads", "dilations", "kernel_shape", "axes", "perm", "output_padding", "output_shape", "group",
              "axis", "hidden_size", "num_heads", "blocksize", "keepdims"}) {
            for (const char* op : {"Conv",
                                   "ConvTranspose",
                                   "MaxPool",
                                   "AveragePool",
                                   "Transpose",
                                   "ReduceSum",
                                   "Squeeze",
                                   "Unsqueeze",
                                   "Concat",
                                   "Split",
                                   "Gather",
                                   "Flatten",
                                   "Softmax",
                                   "ArgMax",
                                   "DepthToSpace",
                                   "SpaceToDepth",
                                   "LayerNormalization",
                                   "Slice",
                                   "TopK",
                                   "OneHot"}) {
                OnnxBytes model;
                model.input("x", {2, 4, 8, 8}).weight("w", {4, 4, 3, 3});
                model.node(op, {"x", "w"}, {"y"}, OnnxAttributes().numbers(name, {bad, bad, bad, bad}));
                model.node(op, {"x", "w"}, {"z"}, OnnxAttributes().number(name, bad).numbers("kernel_shape", {2, 2}));
                static_cast<void>(attempt(model.bytes()));
            }
        }
    }
}

/// Any operator with any operands: what does not make sense must be found out before it is looked at.
TEST(OnnxDamage, EveryOperatorWithWhateverOperands) {
    const std::vector<std::string> operators{"Abs",
                                             "Add",
                                             "ArgMax",
                                             "Attention",
                                             "AveragePool",
                                             "BatchNormalization",
                                             "BatchNormalizationGrad",
                                             "BiasDropout",
                                             "BiasGelu",
                                             "BroadcastGradientArgs",
                                             "Cast",
                                             "CastLike",
                                             "Clip",
                                             "Concat",
                                             "Constant",
                                             "ConstantOfShape",
                                             "Conv",
                                             "ConvGrad",
                                             "ConvInteger",
                                             "ConvTranspose",
                                             "CumSum",
                                             "DepthToSpace",
                                             "DequantizeLinear",
                                             "Div",
                                             "Dropout",
                                             "DropoutGrad",
                                             "DynamicQuantizeLinear",
                                             "Einsum",
                                             "Equal",
                                             "Expand",
                                             "EyeLike",
                                             "FastGelu",
                                             "Flatten",
                                             "FusedConv",
                                             "FusedMatMul",
                                             "GRU",
                                             "Gather",
                                             "GatherElements",
                                             "GatherElementsGrad",
                                             "GatherGrad",
                                             "GatherND",
                                             "Gelu",
                                             "GeluGrad",
                                             "Gemm",
                                             "GlobalAveragePool",
                                             "GlobalMaxPool",
                                             "GridSample",
                                             "GroupNormalization",
                                             "Identity",
                                             "If",
                                             "InPlaceAccumulator",
                                             "InPlaceAccumulatorV2",
                                             "InstanceNormalization",
                                             "LSTM",
                                             "LayerNormalization",
                                             "LayerNormalizationGrad",
                                             "LogSoftmax",
                                             "MatMul",
                                             "MatMulInteger",
                                             "Max",
                                             "MaxPool",
                                             "MaxPoolGrad",
                                             "Mean",
                                             "Mish",
                                             "Mod",
                                             "Mul",
                                             "MultiHeadAttention",
                                             "NegativeLogLikelihoodLoss",
                                             "OneHot",
                                             "PRelu",
                                             "Pad",
                                             "Pow",
                                             "QLinearConv",
                                             "QLinearMatMul",
                                             "QuantizeLinear",
                                             "RNN",
                                             "RandomNormalLike",
                                             "Range",
                                             "ReduceL2",
                                             "ReduceMax",
                                             "ReduceProd",
                                             "ReduceSum",
                                             "Relu",
                                             "ReluGrad",
                                             "Reshape",
                                             "Resize",
                                             "ScatterND",
                                             "Shape",
                                             "SimplifiedLayerNormalizationGrad",
                                             "Size",
                                             "SkipLayerNormalization",
                                             "Slice",
                                             "SliceGrad",
                                             "Softmax",
                                             "SoftmaxCrossEntropyLoss",
                                             "SoftmaxCrossEntropyLossGrad",
                                             "SpaceToDepth",
                                             "Split",
                                             "Squeeze",
                                             "Sub",
                                             "Sum",
                                             "Tile",
                                             "TopK",
                                             "Transpose",
                                             "Trilu",
                                             "Unsqueeze",
                                             "Upsample",
                                             "Where",
                                             "YieldOp",
                                             "ZeroGradient"};
    const std::vector<std::string> operands{"",   "a",  "b",  "c",    "s",  "w3", "w4",
                                            "i1", "i2", "i4", "none", "r4", "t",  "q"};
    std::mt19937_64 random(2);
    const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
    for (int round = 0; round < 3000; ++round) {
        OnnxBytes model;
        model.input("a", {2, 4, 6, 6})
            .input("b", {4, 6})
            .input("c", {2, 3, 8})
            .input("s", {})
            .input("t", {2}, onnx_int64);
        model.weight("w3", {1, 8, 8}).weight("w4", {4, 4, 3, 3}).weight("q", {3, 4}, 3).integers("i1", {1});
        model.integers("i2", {-1, 4}).integers("i4", {2, 4, 6, 6}).weight("none", {0}).reals("r4", {1, 1, 2, 2});
        const std::string op = pick(operators);
        for (int node = 0; node < 2; ++node) {
            std::vector<std::string> inputs(random() % 6);
            for (std::string& input : inputs) {
                input = node > 0 && random() % 3 == 0 ? "y00" : pick(operands);
            }
            std::vector<std::string> outputs(random() % 4);
            for (std::size_t i = 0; i < outputs.size(); ++i) {
                outputs[i] = random() % 4 == 0 ? "" : "y" + std::to_string(node) + std::to_string(i);
            }
            OnnxAttributes attributes;
            attributes.numbers("kernel_shape", {3, 3}).number("axis", static_cast<std::int64_t>(random() % 5) - 2);
            attributes.text("equation", "bihw,oikl->bohw").number("num_heads", 2).number("to", 1);
            model.node(node == 0 ? op : pick(operators), inputs, outputs, attributes, "",
                       random() % 2 == 0 ? "" : "com.microsoft");
        }
        static_cast<void>(attempt(model.bytes()));
    }
}

}  // namespace nibble::test
