// SPDX-License-Identifier: MIT
#include "sim/import/derive/derive_optimizer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace nibble {

namespace {

struct Trained {
    TensorId tensor = 0;
    TensorId gradient = 0;
    std::size_t first_reader = 0;  // operation
};

/// One update: of a weight, or of the states of a layer.
struct Update {
    OperationLabel label;
    std::vector<Trained> trained;
};

std::size_t moments_of(Optimizer optimizer) {
    switch (optimizer) {
        case Optimizer::sgd:
            return 0;
        case Optimizer::sgd_momentum:
            return 1;
        case Optimizer::adam:
            break;
    }
    return 2;
}

void emit(StepGraph& graph, const Update& update, Optimizer optimizer) {
    static constexpr const char* functions[] = {"sgd", "sgd_momentum", "adam"};  // in the order of Optimizer
    static constexpr const char* moment_names[] = {".momentum", ".variance"};
    std::vector<TensorId> inputs;
    std::vector<TensorId> outputs;
    std::vector<TensorId> copies;
    std::uint64_t elements = 0;
    for (const Trained& each : update.trained) {
        const Tensor tensor = graph.tensors[each.tensor];
        elements += tensor.elements;
        if (std::ranges::find(inputs, each.gradient) == inputs.end()) {  // scale and shift have theirs in one tensor
            inputs.push_back(each.gradient);
        }
        const auto declare = [&](const char* suffix) {
            outputs.push_back(graph.declare({TensorRole::state, tensor.name + suffix, tensor.shape}));
        };
        if (tensor.role == TensorRole::weight) {
            copies.push_back(each.tensor);
            declare(".master");
        } else {
            outputs.push_back(each.tensor);
        }
        for (std::size_t moment = 0; moment < moments_of(optimizer); ++moment) {
            declare(moment_names[moment]);
        }
    }
    inputs.insert(inputs.end(), outputs.begin(), outputs.end());
    outputs.insert(outputs.end(), copies.begin(), copies.end());
    graph.operations.push_back(vector_operation(update.label, Phase::update, elements,
                                                {{functions[static_cast<std::size_t>(optimizer)]}}, std::move(inputs),
                                                std::move(outputs)));
}

std::string emit_all(StepGraph& graph, std::vector<Trained> all, Optimizer optimizer) {
    std::ranges::stable_sort(all, {}, &Trained::first_reader);
    std::vector<Update> updates;
    std::map<std::string, std::size_t> states_of_layer;
    for (const Trained& each : all) {
        const Operation& reader = graph.operations[each.first_reader];
        const bool state = graph.tensors[each.tensor].role == TensorRole::state;
        const auto found = states_of_layer.find(reader.layer);
        if (state && found != states_of_layer.end()) {
            updates[found->second].trained.push_back(each);
            continue;
        }
        if (state) {
            states_of_layer.emplace(reader.layer, updates.size());
        }
        updates.push_back({{reader.layer, reader.group}, {each}});
    }
    for (const Update& update : updates) {
        emit(graph, update, optimizer);
    }
    if (all.empty()) {
        return {};
    }
    static constexpr const char* names[] = {"SGD", "SGD with momentum", "Adam"};  // in the order of Optimizer
    return fmt::format("optimiser ({}) for {} trained tensor{}", names[static_cast<std::size_t>(optimizer)], all.size(),
                       all.size() == 1 ? "" : "s");
}

bool is_trained(TensorRole role) {
    return role == TensorRole::weight || role == TensorRole::state;
}

}  // namespace

std::string derive_optimizer(StepGraph& graph, const GradientTape& tape, BackwardPass& pass, Optimizer optimizer) {
    std::vector<Trained> all;
    for (ValueId id = 0; id < tape.value_count(); ++id) {
        if (!tape.trained(id) || !tape.value(id).first_reader) {
            continue;
        }
        if (const std::optional<TensorId> gradient = pass.gradient(id)) {
            all.push_back({*tape.value(id).tensor, *gradient, tape.node(*tape.value(id).first_reader).operation});
        }
    }
    return emit_all(graph, std::move(all), optimizer);
}

std::string derive_optimizer(StepGraph& graph, Optimizer optimizer) {
    std::vector<bool> written(graph.tensors.size());
    std::map<TensorId, std::size_t> first_reader;
    std::map<std::uint64_t, std::vector<TensorId>> gradients;  // by elements, in the order of writing
    for (std::size_t at = 0; at < graph.operations.size(); ++at) {
        const Operation& operation = graph.operations[at];
        for (const TensorId id : operation.inputs) {
            const Tensor& tensor = graph.tensors.at(id);
            if (!written[id] && is_trained(tensor.role)) {
                first_reader.emplace(id, at);
            }
            if (tensor.role == TensorRole::weight_gradient) {  // of a sum of gradients only the result counts
                std::erase(gradients[tensor.elements], id);
            }
        }
        for (const TensorId id : operation.outputs) {
            written.at(id) = true;
            if (graph.tensors[id].role == TensorRole::weight_gradient) {
                std::vector<TensorId>& of_size = gradients[graph.tensors[id].elements];
                std::erase(of_size, id);
                of_size.push_back(id);
            }
        }
    }
    std::vector<Trained> all;
    for (const auto& [id, reader] : first_reader) {
        all.push_back({id, 0, reader});
    }
    std::ranges::stable_sort(all, {}, &Trained::first_reader);
    std::erase_if(all, [&](Trained& each) {
        std::vector<TensorId>& of_size = gradients[graph.tensors[each.tensor].elements];
        if (of_size.empty()) {
            return true;
        }
        each.gradient = of_size.back();
        of_size.pop_back();
        return false;
    });
    return emit_all(graph, std::move(all), optimizer);
}

}  // namespace nibble
