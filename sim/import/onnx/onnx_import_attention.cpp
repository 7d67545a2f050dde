// SPDX-License-Identifier: MIT
// Attention as one node: its products and a softmax, as in the built-in workloads (sim/input/step_attention.cpp). A
// mask saves no work, and heads that lie side by side are read as they lie.
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "sim/import/onnx/onnx_importer.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

struct Heads {
    std::uint64_t batch = 1;
    std::uint64_t heads = 1;         ///< of the query
    std::uint64_t shared_heads = 1;  ///< of key and value; each serves as many of the query's
    std::uint64_t queries = 1, keys = 1;
    std::uint64_t depth = 1, value_depth = 1;
};

void attend(OnnxImporter& importer, const OnnxStep& step, const Heads& sizes, TensorId q, TensorId k, TensorId v) {
    const auto scores_elements = bounded_product({sizes.batch, sizes.heads, sizes.queries, sizes.keys}, most_elements);
    if (!scores_elements || sizes.heads % sizes.shared_heads != 0) {
        step.fail(fmt::format("{} heads for {} of key and value, or too many scores", sizes.heads, sizes.shared_heads));
    }
    const std::uint64_t products = sizes.batch * sizes.shared_heads;
    const std::uint64_t rows = sizes.queries * (sizes.heads / sizes.shared_heads);
    const Shape scores_shape{sizes.batch, sizes.heads, sizes.queries, sizes.keys};
    const std::string& name = importer.name(step.output(0));
    const TensorId scores = importer.declare(step, TensorRole::activation, name + ".scores", scores_shape);
    importer.gemm(step, Phase::forward, Matmul{products, rows, sizes.keys, sizes.depth, false, true}, q, k, scores);
    const TensorId probabilities =
        importer.declare(step, TensorRole::activation, name + ".probabilities", scores_shape);
    importer.pass(step, *scores_elements, {{"softmax"}}, {scores}, {probabilities});
    importer.gemm(step, Phase::forward, Matmul{products, rows, sizes.value_depth, sizes.keys, false, false},
                  probabilities, v, importer.result(step, 0));
}

std::uint64_t head_count(const OnnxStep& step, const char* name, std::uint64_t otherwise) {
    constexpr std::uint64_t most_heads = std::uint64_t{1} << 20U;
    return step.count(name, otherwise, 1, most_heads);
}

std::uint64_t depth_of(const OnnxStep& step, std::uint64_t width, std::uint64_t heads) {
    if (width % heads != 0) {
        step.fail(fmt::format("{} heads do not divide a width of {}", heads, width));
    }
    return width / heads;
}

/// Adds the part of a bias that belongs to one of the three, if there is one.
TensorId with_bias(OnnxImporter& importer, const OnnxStep& step, TensorId x, const Shape& shape, const char* which) {
    if (!step.has_input(3)) {
        return x;
    }
    const OnnxValueId id = step.input(3);
    const TensorRole role = importer.parameter(id) ? TensorRole::state : TensorRole::activation;
    const TensorId bias = importer.declare(step, role, fmt::format("{}.{}", importer.name(id), which), {shape.back()});
    const TensorId sum = importer.declare(step, TensorRole::activation,
                                          fmt::format("{}.{}", importer.name(step.output(0)), which), shape);
    importer.pass(step, elements_of(shape), {{role == TensorRole::state ? "bias" : "add"}}, {x, bias}, {sum});
    return sum;
}

/// ONNX Runtime's MultiHeadAttention: query, key and value as [batch, rows, width].
void multi_head(OnnxImporter& importer, const OnnxStep& step) {
    if (!step.has_input(2) || importer.shape(step, step.input(0)).size() != 3 ||
        importer.shape(step, step.input(1)).size() != 3 || importer.shape(step, step.input(2)).size() != 3) {
        return importer.unrecognised(step, "packed or cached keys and values");
    }
    const Shape q = importer.shape(step, step.input(0));
    const Shape k = importer.shape(step, step.input(1));
    const Shape v = importer.shape(step, step.input(2));
    if (k[1] != v[1] || q[0] != k[0] || q[0] != v[0] || q[2] != k[2]) {
        step.fail("query, key and value do not fit together");
    }
    const std::uint64_t heads = head_count(step, "num_heads", 1);
    const Heads sizes{q[0], heads, heads, q[1], k[1], depth_of(step, q[2], heads), depth_of(step, v[2], heads)};
    const auto operand = [&](std::size_t at, const Shape& shape, const char* which) {
        return with_bias(importer, step, importer.tensor(step, step.input(at)), shape, which);
    };
    const TensorId query = operand(0, q, "query");
    const TensorId key = operand(1, k, "key");
    attend(importer, step, sizes, query, key, operand(2, v, "value"));
}

/// ONNX Runtime's Attention: x [batch, rows, width] is projected by one weight and cut into three.
void projecting(OnnxImporter& importer, const OnnxStep& step) {
    const Shape x = importer.shape(step, step.input(0));
    const Shape w = importer.shape(step, step.input(1));
    const std::uint64_t heads = head_count(step, "num_heads", 1);
    if (w.size() != 2 || w[0] != x[2] || w[1] % 3 != 0 || step.integers("qkv_hidden_sizes") || step.has_input(4)) {
        return importer.unrecognised(step, "query, key and value of different widths, or cached ones");
    }
    const std::uint64_t width = w[1] / 3;
    const TensorId weight = importer.tensor(step, step.input(1));
    importer.use_as_weight(step.input(1), weight);
    const std::string& name = importer.name(step.output(0));
    const TensorId all = importer.declare(step, TensorRole::activation, name + ".projected", {x[0], x[1], w[1]});
    std::vector<VectorStep> epilogue;
    std::vector<TensorId> more;
    if (step.has_input(2)) {
        epilogue.push_back({importer.parameter(step.input(2)) ? "bias" : "add"});
        more.push_back(importer.tensor(step, step.input(2)));
    }
    importer.gemm(step, Phase::forward, Matmul{1, x[0] * x[1], w[1], x[2], false, false},
                  importer.tensor(step, step.input(0)), weight, all, std::move(epilogue), more);
    std::vector<TensorId> parts;
    for (const char* which : {"query", "key", "value"}) {
        parts.push_back(
            importer.declare(step, TensorRole::activation, fmt::format("{}.{}", name, which), {x[0], x[1], width}));
    }
    importer.pass(step, x[0] * x[1] * w[1], {{"copy"}}, {all}, parts);
    const std::uint64_t depth = depth_of(step, width, heads);
    attend(importer, step, {x[0], heads, heads, x[1], x[1], depth, depth}, parts[0], parts[1], parts[2]);
}

/// ONNX, version 23: [batch, heads, rows, depth], or [batch, rows, heads x depth] with the heads as attributes.
void attention(OnnxImporter& importer, const OnnxStep& step) {
    if (!step.has_input(2) || step.node().domain == "com.microsoft") {
        return projecting(importer, step);
    }
    const Shape q = importer.shape(step, step.input(0));
    const Shape k = importer.shape(step, step.input(1));
    const Shape v = importer.shape(step, step.input(2));
    if (step.has_input(4) || step.has_input(5) || q.size() != k.size() || q.size() != v.size()) {
        return importer.unrecognised(step, "cached keys and values");
    }
    Heads sizes;
    sizes.batch = q[0];
    if (q.size() == 4) {
        sizes = {q[0], q[1], k[1], q[2], k[2], q[3], v[3]};
    } else {
        const std::uint64_t heads = head_count(step, "q_num_heads", 1);
        const std::uint64_t shared = head_count(step, "kv_num_heads", heads);
        sizes = {q[0], heads, shared, q[1], k[1], depth_of(step, q[2], heads), depth_of(step, v[2], shared)};
    }
    const auto elements = [&](std::uint64_t depth) {
        return bounded_product({sizes.batch, sizes.shared_heads, sizes.keys, depth}, most_elements);
    };
    if (sizes.shared_heads == 0 || elements_of(k) != elements(sizes.depth) ||
        elements_of(v) != elements(sizes.value_depth)) {
        step.fail("query, key and value do not fit together");
    }
    const TensorId query = importer.tensor(step, step.input(0));
    const TensorId key = importer.tensor(step, step.input(1));
    attend(importer, step, sizes, query, key, importer.tensor(step, step.input(2)));
}

}  // namespace

OnnxImportRule onnx_attention_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules{
        {"MultiHeadAttention", multi_head},
        {"Attention", attention},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
