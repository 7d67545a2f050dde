// SPDX-License-Identifier: MIT
#include "sim/input/step_expander.h"

#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"
#include "sim/input/training_step.h"

namespace nibble {

StepExpander::StepExpander(const Workload& workload, std::uint64_t batch, const TraceSink& sink)
    : workload_(workload), batch_(batch), builder_(sink), outputs_(workload.layers.size()) {
    for (std::size_t at = 0; at < workload.layers.size(); ++at) {
        const Layer& each = workload.layers[at];
        for (const std::size_t from : each.from) {
            ++outputs_.at(from).consumers;
        }
        if (std::holds_alternative<LinearLayer>(each.kind) || std::holds_alternative<ConvolutionLayer>(each.kind)) {
            last_gemm_ = at;
        }
    }
    for (std::size_t at = 0; at < workload.layers.size(); ++at) {
        const bool end = at + 1 == workload.layers.size();
        if (end != std::holds_alternative<LossLayer>(layer(at).kind)) {
            fail(at, end ? "the last layer must be the loss" : "the loss must be the last layer");
        }
        if (!end && outputs_[at].consumers == 0) {
            fail(at, "no layer reads its output");
        }
    }
}

void StepExpander::run() {
    for (std::size_t at = 0; at < workload_.layers.size(); ++at) {
        std::visit([&](const auto& kind) { forward(at, kind); }, layer(at).kind);
    }
    while (!tape_.empty()) {
        tape_.back()();
        tape_.pop_back();
    }
    for (const Trained& trained : trained_) {
        update(trained);
    }
}

std::uint64_t StepExpander::parameters() const {
    std::uint64_t sum = 0;
    for (const Trained& trained : trained_) {
        sum += elements_of(trained.shape);
    }
    return sum;
}

// ---- Layers

OperationLabel StepExpander::label(std::size_t at) const {
    const bool first = !layer(at).from.empty() && std::holds_alternative<ImageLayer>(layer(source(at)).kind);
    const Position position = first ? Position::first : at == last_gemm_ ? Position::last : Position::middle;
    return {layer(at).name, layer(at).group, position};
}

void StepExpander::fail(std::size_t at, const std::string& what) const {
    throw InputError(layer(at).where, layer(at).name + ": " + what);
}

void StepExpander::require_dimensions(std::size_t at, std::size_t count, const std::string& what) {
    if (input(at).shape.size() != count) {
        fail(at, fmt::format("expected {} as input, but '{}' gives {} dimensions", what, layer(source(at)).name,
                             input(at).shape.size()));
    }
}

void StepExpander::require_size(std::size_t at, const Shape& shape) const {
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : shape) {
        const std::optional<std::uint64_t> product = bounded_product({elements, extent}, most_elements);
        if (!product) {
            fail(at, fmt::format("a tensor of [{}] has more than {} elements", fmt::join(shape, ", "), most_elements));
        }
        elements = *product;
    }
}

void StepExpander::require_work(std::size_t at, std::initializer_list<std::uint64_t> factors) const {
    if (!bounded_product(factors, most_work)) {
        fail(at, fmt::format("more than {} multiply-accumulates", most_work));
    }
}

void StepExpander::set_output(std::size_t at, Value value, Shape shape, bool needs_gradient) {
    require_size(at, shape);
    Output& output = outputs_[at];
    output.value = std::move(value);
    output.value->readers = output.consumers;
    output.shape = std::move(shape);
    output.needs_gradient = needs_gradient;
}

void StepExpander::add_gradient(const OperationLabel& by, std::size_t at, const Value& gradient) {
    Output& output = outputs_[at];
    if (!output.needs_gradient) {
        builder_.store(gradient);  // for its side results
        return;
    }
    output.gradient = output.gradient ? builder_.add(by, output.gradient, gradient) : gradient;
}

// ---- Trained tensors

StepExpander::TrainedIndex StepExpander::add_trained(const OperationLabel& by, const std::string& name,
                                                     const Shape& shape, bool has_copy) {
    Trained trained;
    trained.label = by;
    trained.shape = shape;
    if (has_copy) {
        trained.copy = builder_.declare({TensorRole::weight, name, shape});
    }
    trained.master = builder_.declare({TensorRole::state, name + (has_copy ? ".master" : ""), shape});
    static constexpr const char* moment_names[] = {".momentum", ".variance"};
    const std::size_t moments = workload_.optimizer == Optimizer::sgd    ? 0
                                : workload_.optimizer == Optimizer::adam ? 2
                                                                         : 1;
    for (std::size_t i = 0; i < moments; ++i) {
        trained.moments.push_back(builder_.declare({TensorRole::state, name + moment_names[i], shape}));
    }
    trained_.push_back(std::move(trained));
    return trained_.size() - 1;
}

StepExpander::TrainedIndex StepExpander::add_weight(std::size_t at, const std::string& name, const Shape& shape) {
    require_size(at, shape);
    return add_trained(label(at), name, shape, true);
}

StepExpander::TrainedIndex StepExpander::weight_of(std::size_t at, std::optional<std::size_t> shared_with,
                                                   const std::string& name, const Shape& shape) {
    if (!shared_with) {
        return weight_of_layer_[at] = add_weight(at, name, shape);
    }
    const auto shared = weight_of_layer_.find(*shared_with);
    if (shared == weight_of_layer_.end() || trained_[shared->second].shape != shape) {
        fail(at, fmt::format("cannot share the weight of '{}': it is not [{}]", layer(*shared_with).name,
                             fmt::join(shape, ", ")));
    }
    return shared->second;
}

StepExpander::TrainedIndex StepExpander::add_parameters(std::size_t at, const std::string& name, const Shape& shape) {
    require_size(at, shape);
    return add_trained(label(at), name, shape, false);
}

void StepExpander::add_weight_gradient(TrainedIndex index, const Value& gradient) {
    Trained& trained = trained_[index];
    Value sum = gradient;
    if (!trained.gradients.empty()) {
        sum = builder_.apply(trained.label, gradient, {"add"}, trained.gradients, gradient->plan);
    }
    trained.gradients = {builder_.store(sum)};
}

void StepExpander::update(const Trained& trained) {
    static constexpr const char* functions[] = {"sgd", "sgd_momentum", "adam"};  // in the order of Optimizer
    std::vector<TensorId> inputs = trained.gradients;
    std::vector<TensorId> outputs{trained.master};
    outputs.insert(outputs.end(), trained.moments.begin(), trained.moments.end());
    inputs.insert(inputs.end(), outputs.begin(), outputs.end());
    if (trained.copy) {
        outputs.push_back(*trained.copy);
    }
    builder_.emit(vector_operation(trained.label, Phase::update, elements_of(trained.shape),
                                   {{functions[static_cast<std::size_t>(workload_.optimizer)]}}, std::move(inputs),
                                   std::move(outputs)));
}

// ---- Interface

void expand_training_step(const Workload& workload, std::uint64_t batch, const TraceSink& sink) {
    StepExpander(workload, batch, sink).run();
}

std::uint64_t parameter_count(const Workload& workload) {
    StepExpander expander(workload, 1, [](const TraceItem&) {});
    expander.run();
    return expander.parameters();
}

}  // namespace nibble
