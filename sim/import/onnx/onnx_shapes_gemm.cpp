// SPDX-License-Identifier: MIT
// Shapes of operators that become matrix products and convolutions, and of pooling.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/onnx/onnx_einsum.h"
#include "sim/import/onnx/onnx_shapes.h"
#include "sim/import/onnx/onnx_window.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

using Node = OnnxShapeStep;

Shape spatial(const Shape& shape) {
    return {shape.begin() + 2, shape.end()};
}

Shape image(std::uint64_t batch, std::uint64_t channels, const Shape& sizes) {
    Shape shape{batch, channels};
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    return shape;
}

/// Inputs x and w at these places.
void convolution_at(Node& node, std::size_t x_at, std::size_t w_at, OnnxType result) {
    const Shape& x = node.shape_from_rank(x_at, 3);
    const Shape& w = node.shape_of_rank(w_at, x.size());
    const std::uint64_t groups = node.step().count("group", 1, 1, std::uint64_t{1} << 32U);
    if (x[1] % groups != 0 || w[0] % groups != 0 || w[1] != x[1] / groups) {
        node.fail(fmt::format("an input [{}] and a weight [{}] do not fit together in {} group{}", fmt::join(x, ","),
                              fmt::join(w, ","), groups, groups == 1 ? "" : "s"));
    }
    node.out(0, result, image(x[0], w[0], onnx_window(node.step(), spatial(x), spatial(w)).output));
}

void convolution(Node& node) {
    convolution_at(node, 0, 1, node.in(0).type);
}

void integer_convolution(Node& node) {
    convolution_at(node, 0, 1, OnnxType{6});
}

void quantized_convolution(Node& node) {  // x, scale, zero, w, scale, zero, scale, zero, bias
    convolution_at(node, 0, 3, node.in(0).type);
}

void transposed_convolution(Node& node) {
    const Shape& x = node.shape_from_rank(0, 3);
    const Shape& w = node.shape_of_rank(1, x.size());
    const std::uint64_t groups = node.step().count("group", 1, 1, std::uint64_t{1} << 32U);
    if (x[1] != w[0] || x[1] % groups != 0) {
        node.fail(fmt::format("an input [{}] and a weight [{}] do not fit together in {} group{}", fmt::join(x, ","),
                              fmt::join(w, ","), groups, groups == 1 ? "" : "s"));
    }
    const auto channels = bounded_product({w[1], groups}, most_elements);
    if (!channels) {
        node.fail(fmt::format("{} groups of {} output channels", groups, w[1]));
    }
    node.out(0, image(x[0], *channels, onnx_transposed_window(node.step(), spatial(x), spatial(w)).output));
}

void product_at(Node& node, std::size_t left_at, std::size_t right_at, OnnxType type) {
    Shape left = node.shape_from_rank(left_at, 1);
    Shape right = node.shape_from_rank(right_at, 1);
    const bool row = left.size() == 1;
    const bool column = right.size() == 1;
    if (row) {
        left.insert(left.begin(), 1);
    }
    if (column) {
        right.push_back(1);
    }
    const auto swap_if = [&](const char* name, Shape& shape) {
        if (node.step().integer(name, 0) != 0) {
            std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
        }
    };
    swap_if("transA", left);
    swap_if("transB", right);
    if (left.back() != right[right.size() - 2]) {
        node.fail(fmt::format("a product of [{}] and [{}]: {} columns and {} rows do not fit together",
                              fmt::join(left, ","), fmt::join(right, ","), left.back(), right[right.size() - 2]));
    }
    Shape result = node.broadcast({left.begin(), left.end() - 2}, {right.begin(), right.end() - 2});
    if (!row) {
        result.push_back(left[left.size() - 2]);
    }
    if (!column) {
        result.push_back(right.back());
    }
    node.out(0, type, result);
}

void product(Node& node) {
    if (node.step().integer("transBatchA", 0) != 0 || node.step().integer("transBatchB", 0) != 0) {
        node.fail("transBatchA and transBatchB are not understood");
    }
    product_at(node, 0, 1, node.in(0).type);
}

void integer_product(Node& node) {
    product_at(node, 0, 1, OnnxType{6});
}

void quantized_product(Node& node) {  // a, scale, zero, b, scale, zero, scale, zero
    product_at(node, 0, 3, node.in(0).type);
}

void gemm(Node& node) {
    node.shape_of_rank(0, 2);
    node.shape_of_rank(1, 2);
    product_at(node, 0, 1, node.in(0).type);
}

void einsum(Node& node) {
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < node.step().inputs.size(); ++i) {
        shapes.push_back(node.shape(i));
    }
    node.out(0, OnnxEinsum(node.step(), shapes).result_shape());
}

/// X [T,B,I], W [D,gates H,I], R [D,gates H,H]; with layout 1, the batch of what flows in and out comes first.
void recurrent(Node& node, std::uint64_t gates) {
    const Shape& x = node.shape_of_rank(0, 3);
    const Shape& w = node.shape_of_rank(1, 3);
    const Shape& r = node.shape_of_rank(2, 3);
    const std::string direction = node.step().text("direction", "forward");
    const std::uint64_t directions = direction == "bidirectional" ? 2 : 1;
    const std::uint64_t hidden = r[2];
    if (w[0] != directions || r[0] != directions || w[1] != r[1] || w[2] != x[2] || w[1] / gates != hidden ||
        w[1] % gates != 0) {
        node.fail(
            fmt::format("expected weights [{0},{1}H,{2}] and [{0},{1}H,H] for {0} direction{3} and an input of "
                        "width {2}, found [{4}] and [{5}]",
                        directions, gates, x[2], directions == 1 ? "" : "s", fmt::join(w, ","), fmt::join(r, ",")));
    }
    const bool batch_first = node.step().integer("layout", 0) != 0;
    const std::uint64_t steps = x[batch_first ? 1 : 0];
    const std::uint64_t batch = x[batch_first ? 0 : 1];
    const OnnxType type = node.in(0).type;
    node.out(0, type, batch_first ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden});
    const Shape last = batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
    node.out(1, type, last);
    node.out(2, type, last);
}

void pool(Node& node) {
    const Shape& x = node.shape_from_rank(0, 3);
    const Shape sizes = spatial(x);
    const Shape result =
        image(x[0], x[1], onnx_window(node.step(), sizes, onnx_kernel(node.step(), sizes.size())).output);
    node.out(0, result);
    node.out(1, OnnxType{OnnxType::int64}, result);
}

void global_pool(Node& node) {
    const Shape& x = node.shape_from_rank(0, 3);
    node.out(0, image(x[0], x[1], Shape(x.size() - 2, 1)));
}

/// ONNX Runtime's: query, key and value as [batch, rows, heads x depth].
void multi_head_attention(Node& node) {
    Shape result = node.shape(0);
    if (result.size() == 5) {  // query, key and value in one: [batch, rows, heads, 3, depth]
        result = {result[0], result[1], result[2] * result[4]};
    } else if (result.size() == 3 && node.has(2)) {
        const Shape& value = node.shape(2);
        result[2] = value.size() == 4 ? value[1] * value[3] : node.shape_of_rank(2, 3)[2];
    } else {
        node.fail("expected query, key and value as [batch, rows, width]");
    }
    node.out(0, result);
}

/// ONNX Runtime's: projects x [batch, rows, width] by one weight [width, 3 width] itself.
void projecting_attention(Node& node) {
    Shape result = node.shape_of_rank(0, 3);
    if (const auto sizes = node.step().integers("qkv_hidden_sizes"); sizes && sizes->size() == 3) {
        result[2] = node.size(sizes->back(), "qkv_hidden_sizes");
    } else {
        result[2] = node.shape_of_rank(1, 2)[1] / 3;
    }
    node.out(0, result);
}

/// Of ONNX since version 23: query [batch, heads, rows, depth] or [batch, rows, heads x depth].
void attention(Node& node) {
    if (!node.has(2) || node.step().node().domain == "com.microsoft") {
        return projecting_attention(node);
    }
    Shape result = node.shape(0);
    if (result.size() == 4) {
        result[3] = node.shape_of_rank(2, 4)[3];
    } else {
        node.shape_of_rank(0, 3);
        const std::uint64_t heads = node.step().count("q_num_heads", 1, 1, std::uint64_t{1} << 20U);
        const std::uint64_t value_heads = node.step().count("kv_num_heads", heads, 1, std::uint64_t{1} << 20U);
        const auto width = bounded_product({node.shape_of_rank(2, 3)[2] / value_heads, heads}, most_elements);
        if (!width) {
            node.fail(fmt::format("{} heads of a value [{}]", heads, fmt::join(node.shape(2), ",")));
        }
        result[2] = *width;
    }
    node.out(0, result);
}

}  // namespace

OnnxShapeRule onnx_gemm_shape(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxShapeRule> rules{
        {"Conv", convolution},
        {"FusedConv", convolution},
        {"ConvInteger", integer_convolution},
        {"QLinearConv", quantized_convolution},
        {"ConvTranspose", transposed_convolution},
        {"MatMul", product},
        {"FusedMatMul", product},
        {"TransposeMatMul", product},
        {"MatMulInteger", integer_product},
        {"QLinearMatMul", quantized_product},
        {"Gemm", gemm},
        {"FusedGemm", gemm},
        {"Einsum", einsum},
        {"LSTM", [](Node& node) { recurrent(node, 4); }},
        {"GRU", [](Node& node) { recurrent(node, 3); }},
        {"RNN", [](Node& node) { recurrent(node, 1); }},
        {"MaxPool", pool},
        {"AveragePool", pool},
        {"LpPool", pool},
        {"GlobalAveragePool", global_pool},
        {"GlobalMaxPool", global_pool},
        {"GlobalLpPool", global_pool},
        {"MultiHeadAttention", multi_head_attention},
        {"Attention", attention},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
