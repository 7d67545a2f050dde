// SPDX-License-Identifier: MIT
// Layers that look up rows of a table.
#include <fmt/format.h>

#include "sim/input/step_expander.h"

namespace nibble {

void StepExpander::forward(std::size_t at, const EmbeddingLayer& embedding) {
    const Shape out{batch_, embedding.length, embedding.width};
    const Shape table_shape{embedding.rows, embedding.width};
    const std::string& name = layer(at).name;
    const TensorId tokens = builder_.declare({TensorRole::index, name + ".tokens", {batch_, embedding.length}});
    require_size(at, out);
    require_size(at, table_shape);
    std::optional<TrainedIndex> table;
    if (embedding.trained) {
        table = weight_of(at, embedding.shared_with, name + ".weight", table_shape);
    }
    const TensorId rows =
        table ? weight(*table) : builder_.declare({TensorRole::activation, name + ".table", table_shape});
    set_output(at,
               StepBuilder::vector(label(at), elements_of(out), {{"gather"}}, {rows, tokens},
                                   {TensorRole::activation, name + ".activation", out}),
               out, embedding.trained);
    if (!table) {
        return;
    }
    on_backward([=, this] {
        const Value gradient = gradient_of(at);
        store_gemm(gradient);
        const TensorDraft plan{TensorRole::weight_gradient, name + ".weight_gradient", table_shape};
        std::vector<TensorId>& earlier = trained_[*table].gradients;  // of a layer that shares the table
        std::vector<TensorId> read{tokens};
        read.insert(read.end(), earlier.begin(), earlier.end());
        const Value sum = builder_.apply(label(at), gradient, {"scatter_add"}, read, plan);
        if (earlier.empty()) {
            earlier = {builder_.store(sum)};
        } else {
            builder_.store_into(sum, earlier.front());
        }
    });
}

void StepExpander::forward(std::size_t at, const SelectLayer& select) {
    require_dimensions(at, 3, "a sequence");
    const Shape in = input(at).shape;
    if (select.rows > in[1]) {
        fail(at, fmt::format("cannot pick {} rows of a sequence of {}", select.rows, in[1]));
    }
    const Shape out{in[0], select.rows, in[2]};
    const std::string& name = layer(at).name;
    const TensorId x = builder_.store(input(at).value);
    const TensorId places = builder_.declare({TensorRole::index, name + ".places", {in[0], select.rows}});
    set_output(at,
               StepBuilder::vector(label(at), elements_of(out), {{"gather"}}, {x, places},
                                   {TensorRole::activation, name + ".activation", out}),
               out, input(at).needs_gradient);
    on_backward([=, this] {
        const Value gradient = gradient_of(at);
        store_gemm(gradient);
        const Value dx = builder_.apply(label(at), gradient, {"scatter_add"}, {places},
                                        {TensorRole::gradient, name + ".input_gradient", in});
        builder_.store(dx);  // larger than what it is computed from: no further step can join
        add_gradient(label(at), source(at), dx);
    });
}

}  // namespace nibble
