// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/replay_update.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace nibble {

namespace {

constexpr std::size_t adam_moments = 2;

std::vector<std::vector<const RecordedTensor*>> columns_of(const AtenArguments& arguments) {
    std::vector<std::vector<const RecordedTensor*>> columns;
    for (const RecordedValue& value : arguments.call().inputs) {
        if (const RecordedTensor* tensor = value.tensor()) {
            columns.push_back({tensor});
        } else if (const RecordedValue::List* list = value.list()) {
            std::vector<const RecordedTensor*> column;
            for (const RecordedValue& element : *list) {
                if (const RecordedTensor* one = element.tensor()) {
                    column.push_back(one);
                }
            }
            if (!column.empty()) {
                columns.push_back(std::move(column));
            }
        }
    }
    return columns;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

void ReplayUpdate::add(const AtenArguments& arguments) {
    const std::string& op = arguments.call().op;
    adam_ |= contains(op, "addcdiv") || contains(op, "sqrt") || contains(op, "adam");
    momentum_ |= contains(op, "mul_") || contains(op, "fused_sgd") || contains(op, "clone");
    const auto columns = columns_of(arguments);
    if (columns.empty()) {
        return;
    }
    const bool in_place = arguments.in_place() || arguments.call().outputs.empty();
    for (std::size_t row = 0; row < columns.front().size(); ++row) {
        std::optional<TensorId> gradient;
        for (const auto& column : columns) {
            if (row >= column.size() || gradient) {
                continue;
            }
            const RecordedTensor& tensor = *column[row];
            if (const auto carried = carries_.find({tensor.storage, tensor.offset}); carried != carries_.end()) {
                gradient = carried->second;
            } else if (const auto known = context_.find(tensor, arguments);
                       known && (context_.known(*known).role == TensorRole::weight_gradient ||
                                 context_.known(*known).role == TensorRole::gradient ||
                                 context_.known(*known).role == TensorRole::statistic)) {
                gradient = known;
            }
        }
        const RecordedTensor* target = in_place ? columns.front()[row] : arguments.find_result(row);
        if (!gradient || target == nullptr) {
            continue;
        }
        const auto known = context_.find(*target, arguments);
        const bool parameter = known && (context_.known(*known).role == TensorRole::weight ||
                                         context_.known(*known).role == TensorRole::state);
        if (parameter && in_place) {
            updated_[*known] = *gradient;
        } else {
            carries_[{target->storage, target->offset}] = *gradient;
        }
    }
}

void ReplayUpdate::flush(const AtenArguments& arguments) {
    const std::string function = adam_ ? "adam" : momentum_ ? "sgd_momentum" : "sgd";
    const std::size_t moments = adam_ ? adam_moments : momentum_ ? 1 : 0;
    for (const auto& [parameter, gradient] : updated_) {
        emit(parameter, gradient, function, moments, arguments);
    }
    if (!updated_.empty()) {
        context_.note_once(
            "the optimiser's calls are replayed as one update of each parameter, its 32-bit master and "
            "its low-precision copy: " +
            function);
    }
    updated_.clear();
    carries_.clear();
    momentum_ = adam_ = false;
}

void ReplayUpdate::derive(Optimizer optimizer, const AtenArguments& arguments) {
    const bool adam = optimizer == Optimizer::adam;
    const bool plain = optimizer == Optimizer::sgd;
    for (const auto& [parameter, gradient] : context_.gradient_of) {
        emit(parameter, gradient,
             adam    ? "adam"
             : plain ? "sgd"
                     : "sgd_momentum",
             adam    ? adam_moments
             : plain ? 0
                     : 1,
             arguments);
    }
    context_.gradient_of.clear();
}

void ReplayUpdate::emit(TensorId parameter, TensorId gradient, const std::string& function, std::size_t moments,
                        const AtenArguments& arguments) {
    const ReplayContext::Known known = context_.known(parameter);
    ReplayContext::Trained& trained = context_.trained[parameter];
    const auto state = [&] { return context_.declare({TensorRole::state, {}, {known.elements}}); };
    const bool copied = known.role == TensorRole::weight;
    if (copied && !trained.master) {
        trained.master = state();
    }
    while (trained.moments.size() < moments) {
        trained.moments.push_back(state());
    }
    Operation operation;
    operation.phase = Phase::update;
    operation.work = VectorWork{known.elements, {{function}}};
    operation.layer = context_.layer_of_parameter(parameter, gradient);
    operation.outputs = {copied ? *trained.master : parameter};
    operation.outputs.insert(operation.outputs.end(), trained.moments.begin(), trained.moments.end());
    operation.inputs = operation.outputs;
    operation.inputs.insert(operation.inputs.begin(), gradient);
    if (copied) {
        operation.outputs.push_back(parameter);
    }
    context_.emit(std::move(operation), arguments);
}

}  // namespace nibble
