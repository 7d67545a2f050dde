// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/gemm_limits.h"
#include "sim/import/pytorch/replay_product.h"
#include "sim/import/pytorch/replay_rules.h"

namespace nibble {

namespace {

struct Heads {
    std::uint64_t products = 1, queries = 1, keys = 1, depth = 1, value_depth = 1;

    [[nodiscard]] std::uint64_t scores() const { return products * queries * keys; }
};

/// Operands are [batch, heads, rows, depth]. Nothing if queries share heads of keys, which no product of a trace does.
std::optional<Heads> heads_of(const RecordedTensor& q, const RecordedTensor& k, const RecordedTensor& v,
                              const AtenArguments& arguments) {
    for (const RecordedTensor* tensor : {&q, &k, &v}) {
        (void)elements_of(*tensor, arguments);
        if (tensor->shape.size() != 4) {
            arguments.fail(
                fmt::format("expected [batch, heads, rows, depth], found [{}]", fmt::join(tensor->shape, ",")));
        }
    }
    if (q.shape[1] != k.shape[1]) {
        return std::nullopt;
    }
    if (q.shape[0] != k.shape[0] || q.shape[3] != k.shape[3] || k.shape[2] != v.shape[2] || k.shape[0] != v.shape[0] ||
        k.shape[1] != v.shape[1]) {
        arguments.fail(fmt::format("query [{}], key [{}] and value [{}] do not fit together", fmt::join(q.shape, ","),
                                   fmt::join(k.shape, ","), fmt::join(v.shape, ",")));
    }
    const Heads heads{q.shape[0] * q.shape[1], q.shape[2], k.shape[2], q.shape[3], v.shape[3]};
    if (const auto problem = problem_of(Matmul{heads.products, heads.queries, heads.keys, heads.depth, false, true})) {
        arguments.fail(*problem);
    }
    return heads;
}

Shape scores_shape(const RecordedTensor& q, const RecordedTensor& k) {
    return {q.shape[0], q.shape[1], q.shape[2], k.shape[2]};
}

}  // namespace

bool replay_attention(ReplayContext& context, const AtenArguments& arguments) {
    const RecordedTensor& q = arguments.tensor(0);
    const RecordedTensor& k = arguments.tensor(1);
    const RecordedTensor& v = arguments.tensor(2);
    const std::optional<Heads> heads = heads_of(q, k, v, arguments);
    if (!heads) {
        return false;
    }
    context.note_once("fused attention is replayed as its products, with the probabilities kept for the backward pass");
    const auto& [products, queries, keys, depth, value_depth] = *heads;
    const TensorId query = context.operand(q, TensorRole::activation, arguments);
    const TensorId key = context.operand(k, TensorRole::activation, arguments);
    const TensorId value = context.operand(v, TensorRole::activation, arguments);
    const std::uint32_t layer = context.layer_of_product(arguments);
    const TensorId scores = context.declare({TensorRole::activation, {}, scores_shape(q, k)});
    emit_product(context,
                 {.work = {products, queries, keys, depth, false, true},
                  .layer = layer,
                  .left = query,
                  .right = key,
                  .out = scores},
                 arguments);
    const TensorId probabilities = context.declare({TensorRole::activation, {}, scores_shape(q, k)});
    context.emit({"softmax", 1, heads->scores(), {scores}, {probabilities}}, arguments);
    RecordedTensor unknown;
    unknown.shape = {q.shape[0], q.shape[1], queries, value_depth};
    const RecordedTensor* recorded = arguments.find_result(0);
    const TensorId out = context.result(recorded != nullptr ? *recorded : unknown, TensorRole::activation, arguments);
    emit_product(context,
                 {.work = {products, queries, value_depth, keys, false, false},
                  .layer = layer,
                  .left = probabilities,
                  .right = value,
                  .out = out},
                 arguments);
    context.probabilities[out] = probabilities;
    return true;
}

bool replay_attention_backward(ReplayContext& context, const AtenArguments& arguments) {
    const RecordedTensor& q = arguments.tensor(1);
    const RecordedTensor& k = arguments.tensor(2);
    const RecordedTensor& v = arguments.tensor(3);
    const std::optional<Heads> heads = heads_of(q, k, v, arguments);
    if (!heads) {
        return false;
    }
    const auto& [products, queries, keys, depth, value_depth] = *heads;
    const TensorId d_out = context.operand(arguments.tensor(0), TensorRole::gradient, arguments);
    const TensorId query = context.operand(q, TensorRole::activation, arguments);
    const TensorId key = context.operand(k, TensorRole::activation, arguments);
    const TensorId value = context.operand(v, TensorRole::activation, arguments);
    std::optional<TensorId> probabilities;
    for (const RecordedTensor* tensor : arguments.tensors()) {  // the forward call's result is among the arguments
        if (tensor->storage == 0) {
            continue;
        }
        for (const auto& source : context.sources(*tensor, TensorRole::activation, arguments)) {
            if (const auto found = context.probabilities.find(source.tensor); found != context.probabilities.end()) {
                probabilities = found->second;
            }
        }
    }
    const std::uint32_t layer =
        probabilities ? context.known(*probabilities).layer : context.layer_of_product(arguments);
    if (!probabilities) {
        const TensorId scores = context.declare({TensorRole::activation, {}, scores_shape(q, k)});
        emit_product(context,
                     {.work = {products, queries, keys, depth, false, true},
                      .layer = layer,
                      .left = query,
                      .right = key,
                      .out = scores},
                     arguments);
        probabilities = context.declare({TensorRole::activation, {}, scores_shape(q, k)});
        context.emit({"softmax", 1, heads->scores(), {scores}, {*probabilities}}, arguments);
    }
    const auto gradient = [&](std::size_t which, const RecordedTensor& like) {
        const RecordedTensor* made = arguments.find_result(which);
        RecordedTensor unknown;
        unknown.shape = like.shape;
        return context.result(made != nullptr ? *made : unknown, TensorRole::gradient, arguments);
    };
    const auto emit = [&](Phase phase, const Matmul& work, TensorId left, TensorId right, TensorId out) {
        emit_product(context, {.work = work, .phase = phase, .layer = layer, .left = left, .right = right, .out = out},
                     arguments);
    };
    emit(Phase::dw, {products, keys, value_depth, queries, true, false}, *probabilities, d_out, gradient(2, v));
    const TensorId d_probabilities = context.declare({TensorRole::gradient, {}, scores_shape(q, k)});
    emit(Phase::dx, {products, queries, keys, value_depth, false, true}, d_out, value, d_probabilities);
    const TensorId d_scores = context.declare({TensorRole::gradient, {}, scores_shape(q, k)});
    context.emit({"softmax_grad", 1, heads->scores(), {d_probabilities, *probabilities}, {d_scores}}, arguments);
    emit(Phase::dx, {products, queries, depth, keys, false, false}, d_scores, key, gradient(0, q));
    emit(Phase::dw, {products, keys, depth, queries, true, false}, d_scores, query, gradient(1, k));
    return true;
}

}  // namespace nibble
