// SPDX-License-Identifier: MIT
#include <array>

#include <fmt/format.h>

#include "sim/input/step_expander.h"

namespace nibble {

void StepExpander::forward(std::size_t at, const AttentionLayer& attention) {
    require_dimensions(at, 3, "a sequence");
    const std::size_t memory_source = source(at, layer(at).from.size() - 1);
    const Shape shape = input(at).shape;
    const Shape memory_shape = outputs_[memory_source].shape;
    const std::uint64_t width = shape[2];
    if (memory_shape.size() != 3 || memory_shape[2] != width) {
        fail(at, fmt::format("expected a memory of width {}", width));
    }
    if (width % attention.heads != 0) {
        fail(at, fmt::format("{} heads do not divide a width of {}", attention.heads, width));
    }
    const OperationLabel by = label(at);
    const std::string& name = layer(at).name;
    const std::uint64_t products = batch_ * attention.heads;
    const std::uint64_t depth = width / attention.heads;
    const std::uint64_t queries = shape[1];
    const std::uint64_t keys = memory_shape[1];
    const Shape scores_shape{batch_, attention.heads, queries, keys};
    require_size(at, scores_shape);
    require_work(at, {elements_of(scores_shape), depth});
    require_work(at, {elements_of(shape), width});
    require_work(at, {elements_of(memory_shape), width});

    const auto projection = [&](const std::string& which, TensorId x, std::uint64_t rows) {
        Dense dense{by, name + "." + which, rows, width, width, 0, std::nullopt, x};
        dense.weight = add_weight(at, dense.name + ".weight", {width, width});
        dense.bias = add_parameters(at, dense.name + ".bias", {width});
        return dense;
    };
    const TensorId x = builder_.store(input(at).value);
    const TensorId memory = builder_.store(outputs_[memory_source].value);
    const Dense to_query = projection("query", x, batch_ * queries);
    const Dense to_key = projection("key", memory, batch_ * keys);
    const Dense to_value = projection("value", memory, batch_ * keys);
    const TensorId q = builder_.store(dense_forward(to_query, shape));
    const TensorId k = builder_.store(dense_forward(to_key, memory_shape));
    const TensorId v = builder_.store(dense_forward(to_value, memory_shape));

    const TensorId scores =
        builder_.store(StepBuilder::gemm(by, Phase::forward, Matmul{products, queries, keys, depth, false, true}, q, k,
                                         {TensorRole::activation, name + ".scores", scores_shape}));
    Value softmax = StepBuilder::vector(by, elements_of(scores_shape), {{"softmax"}}, {scores},
                                        {TensorRole::activation, name + ".probabilities", scores_shape});
    std::optional<TensorId> mask;
    TensorId probabilities = 0;  // before dropout: what softmax's gradient needs
    TensorId dropped = 0;        // after it: what is multiplied with the values
    if (attention.dropout) {
        probabilities = builder_.side_output(softmax, softmax->plan);
        TensorId bits = 0;
        dropped = builder_.store(drop(by, softmax, name, bits));
        mask = bits;
    } else {
        probabilities = dropped = builder_.store(softmax);
    }
    const TensorId context =
        builder_.store(StepBuilder::gemm(by, Phase::forward, Matmul{products, queries, depth, keys, false, false},
                                         dropped, v, {TensorRole::activation, name + ".context", shape}));
    const Dense to_output = projection("output", context, batch_ * queries);
    set_output(at, dense_forward(to_output, shape), shape);

    on_backward([=, this] {
        const auto gradient = [&](const char* which, const Shape& of) {
            return TensorDraft{TensorRole::gradient, name + "." + which + "_gradient", of};
        };
        const TensorId d_context = builder_.store(dense_backward(to_output, gradient_of(at), shape, true));
        // context = probabilities x v
        const TensorId d_dropped =
            builder_.store(StepBuilder::gemm(by, Phase::dx, Matmul{products, queries, keys, depth, false, true},
                                             d_context, v, gradient("probabilities", scores_shape)));
        const Value d_v = StepBuilder::gemm(by, Phase::dw, Matmul{products, keys, depth, queries, true, false}, dropped,
                                            d_context, gradient("value", memory_shape));
        std::vector<VectorStep> steps{{"softmax_grad"}};
        std::vector<TensorId> read{d_dropped, probabilities};
        if (mask) {
            steps.insert(steps.begin(), {"dropout_grad"});
            read.push_back(*mask);
        }
        const TensorId d_scores = builder_.store(
            StepBuilder::vector(by, elements_of(scores_shape), steps, read, gradient("scores", scores_shape)));
        // scores = q x k^T
        const Value d_q = StepBuilder::gemm(by, Phase::dx, Matmul{products, queries, depth, keys, false, false},
                                            d_scores, k, gradient("query", shape));
        const Value d_k = StepBuilder::gemm(by, Phase::dw, Matmul{products, keys, depth, queries, true, false},
                                            d_scores, q, gradient("key", memory_shape));
        const bool wanted = input(at).needs_gradient;
        const bool memory_wanted = outputs_[memory_source].needs_gradient;
        struct Branch {
            const Dense& dense;
            const Value& gradient;
            std::size_t source;
            bool wanted;
        };
        for (const Branch& branch :
             {Branch{to_value, d_v, memory_source, memory_wanted}, Branch{to_query, d_q, source(at), wanted},
              Branch{to_key, d_k, memory_source, memory_wanted}}) {
            const Value dx =
                dense_backward(branch.dense, branch.gradient, outputs_[branch.source].shape, branch.wanted);
            if (dx) {
                add_gradient(by, branch.source, dx);
            }
        }
    });
}

}  // namespace nibble
