// SPDX-License-Identifier: MIT
// Shapes of every operator. Expected shapes follow from the operators' definitions (onnx/docs/Operators.md) by the
// sums in the comments.
#include "sim/import/onnx/onnx_shapes.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_inputs.h"
#include "sim/import/onnx/onnx_model.h"
#include "sim/import/onnx/onnx_program.h"
#include "tests/support/onnx_bytes.h"

namespace nibble::test {

namespace {

/// Infers the shapes of a model whose results are y, y1, y2, ...
class Inferred {
public:
    explicit Inferred(const OnnxBytes& model, std::int64_t opset = 17)
        : model_(read_onnx_model(model.bytes(), file_)),
          program_(order_onnx_graph(model_.graph, file_)),
          inputs_(settle_onnx_inputs(program_, std::nullopt, file_)),
          shapes_(program_, opset, inputs_.sizes) {}

    [[nodiscard]] const OnnxValue& operator[](const std::string& name) const {
        return shapes_[program_.numbers.at(name)];
    }

private:
    std::string file_ = "model.onnx";
    OnnxModel model_;
    OnnxProgram program_;
    OnnxInputs inputs_;
    OnnxShapes shapes_;
};

/// Of one node that reads x and what else is in `model`.
Shape shape_of(OnnxBytes model, const std::string& op, const std::vector<std::string>& inputs,
               const OnnxAttributes& attributes = {}, std::int64_t opset = 17) {
    return Inferred(model.node(op, inputs, {"y"}, attributes), opset)["y"].shape;
}

OnnxBytes with_x(const OnnxDims& dims) {
    OnnxBytes model;
    model.input("x", dims);
    return model;
}

std::string problem(const OnnxBytes& model) {
    try {
        const Inferred inferred(model);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST(OnnxShapes, Convolution) {
    // (224 + 2*3 - 7) / 2 + 1 = 112
    EXPECT_EQ(shape_of(with_x({2, 3, 224, 224}).weight("w", {64, 3, 7, 7}), "Conv", {"x", "w"},
                       OnnxAttributes().numbers("strides", {2, 2}).numbers("pads", {3, 3, 3, 3})),
              (Shape{2, 64, 112, 112}));
    // pads are top, left, bottom, right: rows 5 + 0 + 2 - 3 + 1 = 5, columns 6 + 1 + 0 - 3 + 1 = 5
    EXPECT_EQ(shape_of(with_x({1, 4, 5, 6}).weight("w", {8, 2, 3, 3}), "Conv", {"x", "w"},
                       OnnxAttributes().numbers("pads", {0, 1, 2, 0}).number("group", 2)),
              (Shape{1, 8, 5, 5}));
    // one dimension, dilation 2: reach 5, 10 - 5 + 1 = 6
    EXPECT_EQ(shape_of(with_x({1, 4, 10}).weight("w", {8, 4, 3}), "Conv", {"x", "w"},
                       OnnxAttributes().numbers("dilations", {2})),
              (Shape{1, 8, 6}));
    // SAME: ceil(7 / 2) = 4; VALID: (7 - 3) / 2 + 1 = 3
    const OnnxBytes model = with_x({1, 1, 7, 7}).weight("w", {1, 1, 3, 3});
    for (const char* same : {"SAME_UPPER", "SAME_LOWER"}) {
        EXPECT_EQ(
            shape_of(model, "Conv", {"x", "w"}, OnnxAttributes().text("auto_pad", same).numbers("strides", {2, 2})),
            (Shape{1, 1, 4, 4}));
    }
    EXPECT_EQ(
        shape_of(model, "Conv", {"x", "w"}, OnnxAttributes().text("auto_pad", "VALID").numbers("strides", {2, 2})),
        (Shape{1, 1, 3, 3}));
}

TEST(OnnxShapes, TransposedConvolution) {
    // 2 (16 - 1) + 4 - 2 = 32; the weight holds input channels, then output channels of a group
    EXPECT_EQ(shape_of(with_x({1, 16, 16, 16}).weight("w", {16, 4, 4, 4}), "ConvTranspose", {"x", "w"},
                       OnnxAttributes().numbers("strides", {2, 2}).numbers("pads", {1, 1, 1, 1}).number("group", 2)),
              (Shape{1, 8, 32, 32}));
    // 2 (16 - 1) + 3 + 1 - 2 = 32
    EXPECT_EQ(shape_of(with_x({1, 16, 16}).weight("w", {16, 4, 3}), "ConvTranspose", {"x", "w"},
                       OnnxAttributes().numbers("strides", {2}).numbers("pads", {1, 1}).numbers("output_padding", {1})),
              (Shape{1, 4, 32}));
    // the example of the operator's documentation: 3 (3 - 1) + 3 = 9 and 2 (3 - 1) + 3 = 7, one more of each by request
    EXPECT_EQ(shape_of(with_x({1, 1, 3, 3}).weight("w", {1, 1, 3, 3}), "ConvTranspose", {"x", "w"},
                       OnnxAttributes().numbers("strides", {3, 2}).numbers("output_shape", {10, 8})),
              (Shape{1, 1, 10, 8}));
}

TEST(OnnxShapes, Pooling) {
    const OnnxAttributes window = OnnxAttributes().numbers("kernel_shape", {3, 3}).numbers("strides", {2, 2});
    // floor((8 - 3) / 2) + 1 = 3, rounded up 4
    EXPECT_EQ(shape_of(with_x({1, 2, 8, 8}), "MaxPool", {"x"}, window), (Shape{1, 2, 3, 3}));
    EXPECT_EQ(shape_of(with_x({1, 2, 8, 8}), "AveragePool", {"x"}, OnnxAttributes(window).number("ceil_mode", 1)),
              (Shape{1, 2, 4, 4}));
    // Rounded up, a window of 1 every 2 places would begin behind the input of 3 and its padding in front:
    // ceil((3 + 1 - 1) / 2) + 1 = 3 places at 0, 2, 4 of which 4 lies in the padding behind
    EXPECT_EQ(shape_of(with_x({1, 1, 3}), "MaxPool", {"x"},
                       OnnxAttributes()
                           .numbers("kernel_shape", {1})
                           .numbers("strides", {2})
                           .numbers("pads", {0, 1})
                           .number("ceil_mode", 1)),
              (Shape{1, 1, 2}));
    EXPECT_EQ(shape_of(with_x({1, 2, 8, 8}), "GlobalAveragePool", {"x"}), (Shape{1, 2, 1, 1}));
}

TEST(OnnxShapes, Products) {
    EXPECT_EQ(shape_of(with_x({8, 3, 5, 7}).input("b", {3, 7, 2}), "MatMul", {"x", "b"}), (Shape{8, 3, 5, 2}));
    EXPECT_EQ(shape_of(with_x({4, 1, 5, 7}).input("b", {3, 7, 2}), "MatMul", {"x", "b"}), (Shape{4, 3, 5, 2}));
    EXPECT_EQ(shape_of(with_x({7}).input("b", {3, 7, 2}), "MatMul", {"x", "b"}), (Shape{3, 2}));
    EXPECT_EQ(shape_of(with_x({5, 7}).input("b", {7}), "MatMul", {"x", "b"}), (Shape{5}));
    EXPECT_EQ(shape_of(with_x({7, 5}).input("b", {2, 7}), "Gemm", {"x", "b"},
                       OnnxAttributes().number("transA", 1).number("transB", 1)),
              (Shape{5, 2}));
    EXPECT_EQ(shape_of(with_x({2, 4, 6, 8}).input("b", {2, 4, 5, 8}), "Einsum", {"x", "b"},
                       OnnxAttributes().text("equation", "bhid, bhjd -> bhij")),
              (Shape{2, 4, 6, 5}));
    EXPECT_EQ(shape_of(with_x({2, 4, 6, 8}).input("b", {8, 5}), "Einsum", {"x", "b"},
                       OnnxAttributes().text("equation", "...i,ij->...j")),
              (Shape{2, 4, 6, 5}));
    EXPECT_EQ(
        shape_of(with_x({2, 4}).input("b", {4, 5}), "Einsum", {"x", "b"}, OnnxAttributes().text("equation", "ab,bc")),
        (Shape{2, 5}));
}

TEST(OnnxShapes, RecurrentLayers) {
    OnnxBytes model = with_x({7, 4, 32});
    model.weight("w", {2, 192, 32})
        .weight("r", {2, 192, 48})
        .node("LSTM", {"x", "w", "r"}, {"y", "h", "c"}, OnnxAttributes().text("direction", "bidirectional"));
    const Inferred inferred(model);
    EXPECT_EQ(inferred["y"].shape, (Shape{7, 2, 4, 48}));
    EXPECT_EQ(inferred["h"].shape, (Shape{2, 4, 48}));
    EXPECT_EQ(inferred["c"].shape, (Shape{2, 4, 48}));
    EXPECT_EQ(shape_of(with_x({4, 7, 32}).weight("w", {1, 144, 32}).weight("r", {1, 144, 48}), "GRU", {"x", "w", "r"},
                       OnnxAttributes().number("layout", 1)),
              (Shape{4, 7, 1, 48}));
}

TEST(OnnxShapes, ElementwiseAndBroadcast) {
    for (const char* op : {"Relu", "Sigmoid", "Softmax", "Erf", "Clip", "LeakyRelu", "Not", "LogSoftmax", "CumSum"}) {
        EXPECT_EQ(shape_of(with_x({2, 3}), op, {"x"}), (Shape{2, 3})) << op;
    }
    for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Less", "And"}) {
        EXPECT_EQ(shape_of(with_x({2, 1, 3}).input("b", {4, 1}), op, {"x", "b"}), (Shape{2, 4, 3})) << op;
    }
    EXPECT_EQ(shape_of(with_x({2, 1}).input("b", {3}).input("c", {4, 1, 1}), "Where", {"x", "b", "c"}),
              (Shape{4, 2, 3}));
    EXPECT_THAT(problem(with_x({2, 3}).input("b", {2, 4}).node("Add", {"x", "b"}, {"y"}, {}, "sum")),
                testing::HasSubstr("node 'sum' (Add): the shapes [2,3] and [2,4] do not fit together"));
}

TEST(OnnxShapes, ReductionsInBothForms) {
    const OnnxBytes model = with_x({2, 3, 4});
    EXPECT_EQ(shape_of(model, "ReduceMean", {"x"}, OnnxAttributes().numbers("axes", {-1})), (Shape{2, 3, 1}));
    EXPECT_EQ(shape_of(model, "ReduceSum", {"x"}), (Shape{1, 1, 1}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("axes", {0, 2}), "ReduceSum", {"x", "axes"},
                       OnnxAttributes().number("keepdims", 0)),
              (Shape{3}));
    EXPECT_EQ(shape_of(model, "ReduceMax", {"x"}, OnnxAttributes().number("noop_with_empty_axes", 1)),
              (Shape{2, 3, 4}));
    EXPECT_EQ(shape_of(model, "ArgMax", {"x"}, OnnxAttributes().number("axis", 1).number("keepdims", 0)),
              (Shape{2, 4}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("k", {2}), "TopK", {"x", "k"}), (Shape{2, 3, 2}));
}

TEST(OnnxShapes, Normalisation) {
    const Inferred inferred(with_x({2, 3, 4}).weight("s", {4}).weight("b", {4}).node(
        "LayerNormalization", {"x", "s", "b"}, {"y", "mean", "deviation"}));
    EXPECT_EQ(inferred["y"].shape, (Shape{2, 3, 4}));
    EXPECT_EQ(inferred["mean"].shape, (Shape{2, 3, 1}));
    const Inferred batch(with_x({2, 3, 4, 4})
                             .weight("s", {3})
                             .node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"y", "mean", "variance"},
                                   OnnxAttributes().number("training_mode", 1)));
    EXPECT_EQ(batch["y"].shape, (Shape{2, 3, 4, 4}));
    EXPECT_EQ(batch["mean"].shape, (Shape{3}));
}

TEST(OnnxShapes, ReshapeAndItsKin) {
    const OnnxBytes model = with_x({2, 3, 4});
    // 0 takes the dimension over, -1 is what is left: 2 * 3 * 4 / 2 = 12
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("s", {0, -1}), "Reshape", {"x", "s"}), (Shape{2, 12}));
    EXPECT_EQ(shape_of(model, "Flatten", {"x"}, OnnxAttributes().number("axis", 2)), (Shape{6, 4}));
    EXPECT_EQ(shape_of(with_x({1, 3, 1}), "Squeeze", {"x"}), (Shape{3}));
    EXPECT_EQ(shape_of(with_x({1, 3, 1}), "Squeeze", {"x"}, OnnxAttributes().numbers("axes", {-1})), (Shape{1, 3}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("a", {0, 4}), "Unsqueeze", {"x", "a"}), (Shape{1, 2, 3, 4, 1}));
    EXPECT_EQ(shape_of(model, "Unsqueeze", {"x"}, OnnxAttributes().numbers("axes", {-1})), (Shape{2, 3, 4, 1}));
    EXPECT_EQ(shape_of(model, "Transpose", {"x"}), (Shape{4, 3, 2}));
    EXPECT_EQ(shape_of(model, "Transpose", {"x"}, OnnxAttributes().numbers("perm", {0, 2, 1})), (Shape{2, 4, 3}));
    EXPECT_THAT(problem(OnnxBytes(model).integers("s", {5, -1}).node("Reshape", {"x", "s"}, {"y"})),
                testing::HasSubstr("cannot take [2,3,4], 24 elements, as [5,-1]"));
}

TEST(OnnxShapes, MovingElements) {
    const OnnxBytes model = with_x({2, 3, 10});
    EXPECT_EQ(
        shape_of(OnnxBytes(model).input("b", {2, 5, 10}), "Concat", {"x", "b"}, OnnxAttributes().number("axis", 1)),
        (Shape{2, 8, 10}));
    const Inferred split(OnnxBytes(model)
                             .integers("s", {4, 6})
                             .node("Split", {"x", "s"}, {"y", "y1"}, OnnxAttributes().number("axis", -1)));
    EXPECT_EQ(split["y"].shape, (Shape{2, 3, 4}));
    EXPECT_EQ(split["y1"].shape, (Shape{2, 3, 6}));
    const Inferred even(OnnxBytes(model).node("Split", {"x"}, {"y", "y1"}, OnnxAttributes().number("axis", 1)));
    EXPECT_EQ(even["y"].shape, (Shape{2, 2, 10}));  // ceil(3 / 2), the last one smaller
    EXPECT_EQ(even["y1"].shape, (Shape{2, 1, 10}));
    // 8, 6, 4, 2 backwards: every second from 8 down to 1, exclusive
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("s", {8}).integers("e", {1}).integers("a", {2}).integers("d", {-2}),
                       "Slice", {"x", "s", "e", "a", "d"}),
              (Shape{2, 3, 4}));
    // Exporters write the largest number for "to the end".
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("s", {-4}).integers("e", {INT64_MAX}).integers("a", {-1}), "Slice",
                       {"x", "s", "e", "a"}),
              (Shape{2, 3, 4}));
    EXPECT_EQ(shape_of(OnnxBytes(model)
                           .integers("s", {INT64_MAX})
                           .integers("e", {INT64_MIN})
                           .integers("a", {2})
                           .integers("d", {-1}),
                       "Slice", {"x", "s", "e", "a", "d"}),
              (Shape{2, 3, 10}));
    EXPECT_EQ(shape_of(OnnxBytes(model).input("i", {4, 5}, onnx_int64), "Gather", {"x", "i"},
                       OnnxAttributes().number("axis", 1)),
              (Shape{2, 4, 5, 10}));
    EXPECT_EQ(shape_of(OnnxBytes(model).input("i", {7, 2}, onnx_int64), "GatherND", {"x", "i"}), (Shape{7, 10}));
    EXPECT_EQ(shape_of(OnnxBytes(model).input("i", {2, 1, 10}, onnx_int64), "GatherElements", {"x", "i"}),
              (Shape{2, 1, 10}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("s", {4, 1, 3, 10}), "Expand", {"x", "s"}), (Shape{4, 2, 3, 10}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("s", {1, 2, 3}), "Tile", {"x", "s"}), (Shape{2, 6, 30}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("p", {0, 1, 2, 0, 1, -3}), "Pad", {"x", "p"}), (Shape{2, 5, 9}));
    EXPECT_EQ(shape_of(with_x({1, 8, 2, 3}), "DepthToSpace", {"x"}, OnnxAttributes().number("blocksize", 2)),
              (Shape{1, 2, 4, 6}));
    EXPECT_EQ(shape_of(with_x({1, 2, 4, 6}), "SpaceToDepth", {"x"}, OnnxAttributes().number("blocksize", 2)),
              (Shape{1, 8, 2, 3}));
}

TEST(OnnxShapes, ResizeByScaleAndBySize) {
    const OnnxBytes model = with_x({1, 2, 5, 7});
    // floor(5 * 1.5) = 7, floor(7 * 2) = 14
    EXPECT_EQ(shape_of(OnnxBytes(model).reals("s", {1, 1, 1.5F, 2}), "Resize", {"x", "", "s"}), (Shape{1, 2, 7, 14}));
    EXPECT_EQ(shape_of(OnnxBytes(model).integers("s", {1, 2, 10, 9}), "Resize", {"x", "", "", "s"}),
              (Shape{1, 2, 10, 9}));
    EXPECT_EQ(shape_of(OnnxBytes(model).reals("s", {1, 1, 2, 2}), "Upsample", {"x", "s"}, {}, 9),
              (Shape{1, 2, 10, 14}));
}

TEST(OnnxShapes, ComputedInTheGraph) {
    // As PyTorch exports x.view(x.shape[0], -1): the target is joined from a dimension of x and a constant.
    OnnxBytes model = with_x({6, 3, 4});
    model.integers("first", {0}).integers("rest", {-1});
    model.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "first"}, {"batch"});
    model.node("Concat", {"batch", "rest"}, {"target"}, OnnxAttributes().number("axis", 0));
    model.node("Reshape", {"x", "target"}, {"y"});
    EXPECT_EQ(Inferred(model)["y"].shape, (Shape{6, 12}));

    // Half of the last dimension, as chunk() does: (4 + 1) / 2 = 2
    OnnxBytes half = with_x({6, 3, 4});
    half.integers("last", {2}).integers("one", {1}).integers("two", {2}).integers("zero", {0});
    half.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "last"}, {"size"});
    half.node("Add", {"size", "one"}, {"more"}).node("Div", {"more", "two"}, {"end"});
    half.node("Slice", {"x", "zero", "end", "last"}, {"y"});
    EXPECT_EQ(Inferred(half)["y"].shape, (Shape{6, 3, 2}));

    // Twice as large, by way of reals, as interpolate(scale_factor=2) does.
    OnnxBytes twice = with_x({1, 2, 5, 7});
    twice.integers("from", {2}).integers("to", {4}).integers("start", {0});
    twice.reals("scale", {2, 2}).node("Shape", {"x"}, {"shape"});
    twice.node("Slice", {"shape", "start", "from"}, {"kept"}).node("Slice", {"shape", "from", "to"}, {"sizes"});
    twice.node("Cast", {"sizes"}, {"real"}, OnnxAttributes().number("to", onnx_float));
    twice.node("Mul", {"real", "scale"}, {"scaled"}).node("Floor", {"scaled"}, {"floor"});
    twice.node("Cast", {"floor"}, {"whole"}, OnnxAttributes().number("to", onnx_int64));
    twice.node("Concat", {"kept", "whole"}, {"target"}, OnnxAttributes().number("axis", 0));
    twice.node("Resize", {"x", "", "", "target"}, {"y"});
    EXPECT_EQ(Inferred(twice)["y"].shape, (Shape{1, 2, 10, 14}));

    // expand(-1, ...) becomes a choice between the given size and that of the tensor.
    OnnxBytes choice = with_x({3, 1});
    choice.integers("given", {-1, 5}).integers("minus", {-1});
    choice.node("Shape", {"x"}, {"shape"}).node("Equal", {"given", "minus"}, {"open"});
    choice.node("Where", {"open", "shape", "given"}, {"target"}).node("Expand", {"x", "target"}, {"y"});
    EXPECT_EQ(Inferred(choice)["y"].shape, (Shape{3, 5}));
}

TEST(OnnxShapes, MakingTensors) {
    OnnxBytes model = with_x({2, 3});
    model.integers("shape", {4, 5}).integers("start", {2}).integers("limit", {11}).integers("delta", {3});
    model.node("ConstantOfShape", {"shape"}, {"zeros"});
    model.node("Range", {"start", "limit", "delta"}, {"range"});  // 2, 5, 8
    model.node("Constant", {}, {"constant"}, OnnxAttributes().tensor("value", onnx_integers("", {7, 8})));
    model.node("OneHot", {"range", "limit", "x"}, {"hot"});
    model.node("RandomNormalLike", {"x"}, {"noise"}).node("EyeLike", {"x"}, {"eye"});
    const Inferred inferred(model);
    EXPECT_EQ(inferred["zeros"].shape, (Shape{4, 5}));
    EXPECT_EQ(inferred["range"].shape, (Shape{3}));
    EXPECT_EQ(inferred["constant"].shape, (Shape{2}));
    EXPECT_EQ(inferred["hot"].shape, (Shape{3, 11}));
    EXPECT_EQ(inferred["noise"].shape, (Shape{2, 3}));
    EXPECT_EQ(inferred["eye"].shape, (Shape{2, 3}));
    EXPECT_EQ(inferred["constant"].origin, OnnxOrigin::constant);
    EXPECT_EQ(inferred["noise"].origin, OnnxOrigin::data);
}

TEST(OnnxShapes, Losses) {
    const Inferred inferred(
        with_x({8, 10}).input("t", {8}, onnx_int64).node("SoftmaxCrossEntropyLoss", {"x", "t"}, {"y", "y1"}));
    EXPECT_EQ(inferred["y"].shape, Shape{});
    EXPECT_EQ(inferred["y1"].shape, (Shape{8, 10}));
    EXPECT_EQ(shape_of(with_x({8, 10}).input("t", {8}, onnx_int64), "NegativeLogLikelihoodLoss", {"x", "t"},
                       OnnxAttributes().text("reduction", "none")),
              (Shape{8}));
}

TEST(OnnxShapes, UnknownOperatorsTakeWhatTheModelSays) {
    OnnxBytes model = with_x({2, 3});
    model.node("Mystery", {"x"}, {"z"}, {}, "riddle").node("Relu", {"z"}, {"y"}, {}, "act");
    EXPECT_EQ(Inferred(OnnxBytes(model).value("z", {5, 6}))["y"].shape, (Shape{5, 6}));
    const std::string message = problem(model);
    EXPECT_THAT(message, testing::HasSubstr("node 'act' (Relu): the shape of its input 'z' is not known: node 'riddle' "
                                            "(Mystery) is not understood"));
    EXPECT_THAT(message, testing::HasSubstr("infer_shapes"));
}

TEST(OnnxShapes, SizesThatDependOnDataAreAnError) {
    EXPECT_THAT(problem(with_x({4}).input("s", {2}, onnx_int64).node("Reshape", {"x", "s"}, {"y"}, {}, "view")),
                testing::HasSubstr("node 'view' (Reshape): input 1 ('s') says how large the result is, but is computed "
                                   "from data"));
}

TEST(OnnxShapes, HugeAndNegativeSizesAreErrors) {
    constexpr std::int64_t huge = std::int64_t{1} << 62U;
    EXPECT_NE(problem(with_x({huge, 2})), "");
    EXPECT_NE(problem(with_x({2}).weight("w", {huge, huge})), "");
    EXPECT_NE(problem(with_x({2}).weight("w", {-1, 3})), "");
    const OnnxBytes model = with_x({std::int64_t{1} << 40U});
    EXPECT_NE(problem(OnnxBytes(model).integers("s", {huge, 1}).node("Expand", {"x", "s"}, {"y"})), "");
    EXPECT_NE(problem(OnnxBytes(model).integers("s", {huge}).node("Tile", {"x", "s"}, {"y"})), "");
    EXPECT_NE(problem(OnnxBytes(model).integers("s", {huge, huge}).node("Pad", {"x", "s"}, {"y"})), "");
    EXPECT_NE(problem(OnnxBytes(model).integers("s", {huge, huge}).node("Reshape", {"x", "s"}, {"y"})), "");
    EXPECT_NE(problem(OnnxBytes(model).integers("s", {huge, huge}).node("ConstantOfShape", {"s"}, {"y"})), "");
    EXPECT_NE(problem(OnnxBytes(model).reals("s", {1e30F}).node("Resize", {"x", "", "s"}, {"y"})), "");
    EXPECT_NE(problem(OnnxBytes(model).integers("s", {-huge, -huge}).node("Pad", {"x", "s"}, {"y"})), "");
    EXPECT_NE(problem(with_x({1, 1, 4, 4})
                          .weight("w", {1, 1, 1, 1})
                          .node("Conv", {"x", "w"}, {"y"}, OnnxAttributes().numbers("pads", {huge, huge, huge, huge}))),
              "");
    EXPECT_NE(problem(with_x({1, 1, 4, 4})
                          .weight("w", {1, 1, 1, 1})
                          .node("Conv", {"x", "w"}, {"y"}, OnnxAttributes().numbers("strides", {0, 1}))),
              "");
    EXPECT_NE(problem(with_x({1, 1, 4, 4})
                          .weight("w", {1, 1, 1, 1})
                          .node("Conv", {"x", "w"}, {"y"}, OnnxAttributes().number("group", -1))),
              "");
}

}  // namespace nibble::test
