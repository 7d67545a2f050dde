// SPDX-License-Identifier: MIT
// Shapes of operators that compute element by element, reduce or normalise.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/onnx/onnx_shapes.h"

namespace nibble {

namespace {

using Node = OnnxShapeStep;

void same(Node& node) {
    node.out(0, node.shape(0));
}

void truth_of_each(Node& node) {
    node.out(0, OnnxType{OnnxType::boolean}, node.shape(0));
}

Shape together(Node& node) {
    Shape shape = node.shape(0);
    for (std::size_t i = 1; i < node.step().inputs.size(); ++i) {
        shape = node.broadcast(shape, node.shape(i));
    }
    return shape;
}

void combine(Node& node) {
    node.out(0, together(node));
}

void compare(Node& node) {
    node.out(0, OnnxType{OnnxType::boolean}, together(node));
}

void where(Node& node) {
    node.out(0, node.in(1).type, together(node));
}

void cast(Node& node) {
    const std::int64_t to = node.step().integer("to", 0);
    node.out(0, to == 0 ? node.in(0).type : OnnxType{to}, node.shape(0));
}

void cast_like(Node& node) {
    node.out(0, node.in(1).type, node.shape(0));
}

void dropout(Node& node) {
    node.out(0, node.shape(0));
    node.out(1, OnnxType{OnnxType::boolean}, node.shape(0));
}

void batch_normalization(Node& node) {
    const Shape& x = node.shape_from_rank(0, 2);
    node.out(0, x);
    for (std::size_t i = 1; i < 5; ++i) {
        node.out(i, Shape{x[1]});
    }
}

/// Mean and deviation keep the rank, with 1 for what is normalised.
void layer_normalization(Node& node) {
    const Shape& x = node.shape_from_rank(0, 1);
    const std::size_t axis = node.axis(node.step().integer("axis", -1), x.size());
    Shape rows = x;
    std::fill(rows.begin() + static_cast<std::ptrdiff_t>(axis), rows.end(), 1);
    node.out(0, x);
    node.out(1, OnnxType{OnnxType::float32}, rows);
    node.out(2, OnnxType{OnnxType::float32}, rows);
}

/// ONNX Runtime's: normalises the sum of two; the sum is the fourth result.
void skip_layer_normalization(Node& node) {
    Shape rows = node.shape_from_rank(0, 2);
    rows.back() = 1;
    node.out(0, node.shape(0));
    node.out(1, OnnxType{OnnxType::float32}, rows);
    node.out(2, OnnxType{OnnxType::float32}, rows);
    node.out(3, node.shape(0));
}

void reduce(Node& node) {
    const Shape& x = node.shape(0);
    std::vector<std::int64_t> axes = node.attribute_or_input("axes", 1).value_or(std::vector<std::int64_t>{});
    const bool keep = node.step().integer("keepdims", 1) != 0;
    if (axes.empty() && node.step().integer("noop_with_empty_axes", 0) != 0) {
        return node.out(0, x);
    }
    std::vector<bool> reduced(x.size(), axes.empty());
    for (const std::int64_t axis : axes) {
        reduced[node.axis(axis, x.size())] = true;
    }
    Shape result;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!reduced[i]) {
            result.push_back(x[i]);
        } else if (keep) {
            result.push_back(1);
        }
    }
    node.out(0, result);
}

void arg_reduce(Node& node) {
    Shape result = node.shape_from_rank(0, 1);
    const auto axis = static_cast<std::ptrdiff_t>(node.axis(node.step().integer("axis", 0), result.size()));
    if (node.step().integer("keepdims", 1) != 0) {
        result[static_cast<std::size_t>(axis)] = 1;
    } else {
        result.erase(result.begin() + axis);
    }
    node.out(0, OnnxType{OnnxType::int64}, result);
}

void top_k(Node& node) {
    Shape result = node.shape_from_rank(0, 1);
    const std::vector<std::int64_t> k = node.integers(1);
    if (k.size() != 1) {
        node.fail("expected one number K");
    }
    const std::size_t axis = node.axis(node.step().integer("axis", -1), result.size());
    result[axis] = std::min(node.size(k.front(), "K"), result[axis]);
    node.out(0, result);
    node.out(1, OnnxType{OnnxType::int64}, result);
}

/// Scores [N, classes, ...], labels [N, ...]: the loss, and the logarithms of the probabilities.
void cross_entropy(Node& node) {
    node.shape_from_rank(0, 2);
    const bool one = node.step().text("reduction", "mean") != "none";
    node.out(0, one ? Shape{} : node.shape(1));
    node.out(1, node.shape(0));
}

void quantize(Node& node) {
    const std::int64_t said = node.step().integer("output_dtype", 0);
    const OnnxType type = node.has(2) ? node.in(2).type : OnnxType{said == 0 ? 2 : said};
    node.out(0, type, node.shape(0));
}

void dequantize(Node& node) {
    node.out(0, node.in(1).type, node.shape(0));
}

void quantize_by_range(Node& node) {
    node.out(0, OnnxType{2}, node.shape(0));
    node.out(1, OnnxType{OnnxType::float32}, Shape{});
    node.out(2, OnnxType{2}, Shape{});
}

constexpr std::string_view elementwise[] = {"Abs",
                                            "Acos",
                                            "Acosh",
                                            "Asin",
                                            "Asinh",
                                            "Atan",
                                            "Atanh",
                                            "BiasGelu",
                                            "BitwiseNot",
                                            "Ceil",
                                            "Celu",
                                            "Clip",
                                            "Cos",
                                            "Cosh",
                                            "CumSum",
                                            "Elu",
                                            "Erf",
                                            "Exp",
                                            "FastGelu",
                                            "Floor",
                                            "Gelu",
                                            "GroupNorm",
                                            "GroupNormalization",
                                            "HardSigmoid",
                                            "HardSwish",
                                            "Hardmax",
                                            "Identity",
                                            "InstanceNormalization",
                                            "LRN",
                                            "LeakyRelu",
                                            "Log",
                                            "LogSoftmax",
                                            "LpNormalization",
                                            "MeanVarianceNormalization",
                                            "Mish",
                                            "Neg",
                                            "Not",
                                            "PRelu",
                                            "QuickGelu",
                                            "Reciprocal",
                                            "Relu",
                                            "RMSNormalization",
                                            "RotaryEmbedding",
                                            "Round",
                                            "ScaledTanh",
                                            "Selu",
                                            "Shrink",
                                            "Sigmoid",
                                            "Sign",
                                            "Sin",
                                            "Sinh",
                                            "Softmax",
                                            "Softplus",
                                            "Softsign",
                                            "Sqrt",
                                            "Swish",
                                            "Tan",
                                            "Tanh",
                                            "ThresholdedRelu",
                                            "Trilu"};
constexpr std::string_view combining[] = {"Add", "Sub",  "Mul", "Div",      "Pow",        "Max",       "Min",
                                          "Sum", "Mean", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor"};
constexpr std::string_view comparing[] = {"Equal",          "Less", "LessOrEqual", "Greater",
                                          "GreaterOrEqual", "And",  "Or",          "Xor"};
constexpr std::string_view reducing[] = {"ReduceSum",       "ReduceMean",      "ReduceMax",        "ReduceMin",
                                         "ReduceProd",      "ReduceL1",        "ReduceL2",         "ReduceLogSum",
                                         "ReduceLogSumExp", "ReduceSumSquare", "ReduceSumTraining"};

}  // namespace

OnnxShapeRule onnx_arithmetic_shape(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxShapeRule> rules = [] {
        std::unordered_map<std::string_view, OnnxShapeRule> all{
            {"IsInf", truth_of_each},
            {"IsNaN", truth_of_each},
            {"Where", where},
            {"Cast", cast},
            {"CastLike", cast_like},
            {"Dropout", dropout},
            {"BiasDropout", dropout},
            {"BatchNormalization", batch_normalization},
            {"BatchNormInternal", batch_normalization},
            {"LayerNormalization", layer_normalization},
            {"SimplifiedLayerNormalization", layer_normalization},
            {"SkipLayerNormalization", skip_layer_normalization},
            {"SkipSimplifiedLayerNormalization", skip_layer_normalization},
            {"ArgMax", arg_reduce},
            {"ArgMin", arg_reduce},
            {"TopK", top_k},
            {"SoftmaxCrossEntropyLoss", cross_entropy},
            {"SoftmaxCrossEntropyLossInternal", cross_entropy},
            {"NegativeLogLikelihoodLoss", cross_entropy},
            {"QuantizeLinear", quantize},
            {"DequantizeLinear", dequantize},
            {"DynamicQuantizeLinear", quantize_by_range},
        };
        for (const std::string_view name : elementwise) {
            all.emplace(name, same);
        }
        for (const std::string_view name : combining) {
            all.emplace(name, combine);
        }
        for (const std::string_view name : comparing) {
            all.emplace(name, compare);
        }
        for (const std::string_view name : reducing) {
            all.emplace(name, reduce);
        }
        return all;
    }();
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
