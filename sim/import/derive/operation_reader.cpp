// SPDX-License-Identifier: MIT
#include "sim/import/derive/operation_reader.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace nibble {

namespace {

/// Reads the value and leaves it as it is; what it gathers belongs to another step.
bool only_gathers(const VectorStep& step) {
    return step.function == "batch_stats" || step.function == "sawb_stats";
}

/// No gradient passes: the result does not change smoothly with the operands, or does not depend on them.
bool stops_gradient(const TapeNode& node) {
    return !node.gemm() && (node.form == nullptr || node.form->form == OperandForm::source ||
                            node.function == "compare" || node.function == "arg_max");
}

bool is_data(TensorRole role) {
    return role == TensorRole::activation || role == TensorRole::weight || role == TensorRole::state;
}

}  // namespace

OperationReader::OperationReader(GradientTape& tape, std::size_t operation)
    : tape_(tape),
      at_(operation),
      operation_(tape.graph_.operations[operation]),
      inputs_(operation_.inputs.begin(), operation_.inputs.end()) {
    for (std::size_t i = 1; i < operation_.outputs.size(); ++i) {
        const TensorId id = operation_.outputs[i];
        switch (role(id)) {
            case TensorRole::mask:
                masks_.push_back(id);
                break;
            case TensorRole::statistic:
                statistics_.push_back(id);
                break;
            default:
                activations_.push_back(id);
                break;
        }
    }
}

void OperationReader::read() {
    const auto* work = std::get_if<VectorWork>(&operation_.work);
    elements_ = work != nullptr ? work->elements : result_elements();
    for (const VectorStep& step : work != nullptr ? work->steps : operation_.epilogue) {
        if (!only_gathers(step)) {
            steps_.push_back(step);
        } else if (work == nullptr && !statistics_.empty()) {
            statistics_.pop_front();
        }
    }
    if (work == nullptr) {
        TapeNode node;
        node.elements = elements_;
        node.inputs = {take_input(), take_input()};
        node.results = {steps_.empty() ? ValueId{operation_.outputs.front()} : between_steps("product", elements_)};
        push(std::move(node));
    }
    const bool gathers_only = work != nullptr && steps_.empty();
    while (!steps_.empty()) {
        const VectorStep step = steps_.front();
        steps_.pop_front();
        read_step(step);
    }
    const bool reached = std::ranges::any_of(inputs_, [&](ValueId id) { return tape_.values_[id].needs_gradient; });
    if (reached && !gathers_only) {
        tape_.unexplained_.push_back(operation_.layer);
    }
}

void OperationReader::read_step(const VectorStep& step) {
    TapeNode node;
    node.function = step.function;
    node.form = find_vector_form(step.function);
    node.repeat = step.repeat;
    take_operands(node);
    const bool shrinks =
        node.form != nullptr && (node.form->form == OperandForm::reduction || node.form->form == OperandForm::window);
    node.elements = elements_;
    if (shrinks) {
        elements_ = result_elements();
    }
    if (steps_.empty()) {
        node.results.insert(node.results.begin(), operation_.outputs.front());
    } else {
        node.results.insert(node.results.begin(), between_steps(step.function, elements_));
    }
    claim_side_results(node);
    push(std::move(node));
}

// ---- Operands

void OperationReader::take_operands(TapeNode& node) {
    switch (node.form == nullptr ? OperandForm::whole : node.form->form) {
        case OperandForm::unary:
        case OperandForm::reduction:
        case OperandForm::window:
            node.inputs.push_back(take());
            break;
        case OperandForm::parameters:
            take_parameters(node);
            break;
        case OperandForm::binary:
            take_sides(node);
            break;
        case OperandForm::indexed:
            take_table(node);
            break;
        case OperandForm::part:
            take_part(node);
            break;
        case OperandForm::whole:
            take_everything(node);
            break;
        case OperandForm::source:
            break;
    }
}

void OperationReader::take_sides(TapeNode& node) {
    if (stack_.size() > 1) {
        node.inputs = {stack_[stack_.size() - 2], stack_.back()};
        stack_.resize(stack_.size() - 2);
        return;
    }
    node.inputs.push_back(take());
    const std::size_t reserved = wanted_later();
    for (std::uint64_t i = 0; i < node.repeat && inputs_.size() > reserved; ++i) {
        node.inputs.push_back(take_input());
    }
}

/// Inputs that steps to come cannot do without.
std::size_t OperationReader::wanted_later() const {
    return static_cast<std::size_t>(std::ranges::count_if(steps_, [](const VectorStep& step) {
        const VectorForm* form = find_vector_form(step.function);
        return form != nullptr && (form->form == OperandForm::parameters || form->form == OperandForm::indexed);
    }));
}

void OperationReader::take_parameters(TapeNode& node) {
    const bool another = !inputs_.empty() && role(inputs_.front()) == TensorRole::activation &&
                         node.form->saved != Saved::nothing && !stack_.empty() && inputs_.size() > 1 &&
                         !is_data(role(inputs_[1]));
    node.inputs.push_back(another ? take_input() : take());
    const std::size_t most = node.function == "bias" ? 1 : inputs_.size();
    while (!inputs_.empty() && node.inputs.size() <= most &&
           (role(inputs_.front()) == TensorRole::statistic || role(inputs_.front()) == TensorRole::state ||
            role(inputs_.front()) == TensorRole::weight)) {
        node.inputs.push_back(take_input());
    }
}

void OperationReader::take_table(TapeNode& node) {
    const bool from_inputs = stack_.empty() || (node.function == "gather" && !next_is_index());
    node.inputs.push_back(from_inputs ? take_input() : take());
    if (next_is_index()) {
        node.inputs.push_back(take_input());
    }
    if (node.function == "scatter_add" && !inputs_.empty()) {
        node.inputs.push_back(take_input());  // what it is added to
    }
}

void OperationReader::take_part(TapeNode& node) {
    const auto larger =
        std::ranges::find_if(inputs_, [&](ValueId id) { return tape_.values_[id].elements > elements_; });
    if (node.function == "slice" && larger != inputs_.end()) {
        node.inputs.push_back(*larger);
        inputs_.erase(larger);
    } else {
        node.inputs.push_back(take());
    }
}

void OperationReader::take_everything(TapeNode& node) {
    node.inputs = std::exchange(stack_, {});
    node.inputs.insert(node.inputs.end(), inputs_.begin(), inputs_.end());
    inputs_.clear();
    if (node.form != nullptr && node.form->saved == Saved::cell) {
        // After the state: the cell's content, of the same size, and the gates, which are larger.
        while (!activations_.empty()) {
            const TensorId id = activations_.front();
            activations_.pop_front();
            if (tape_.values_[id].elements == elements_) {
                node.results.push_back(id);
            } else {
                node.side = id;
            }
        }
    } else {
        node.results.assign(activations_.begin(), activations_.end());
        activations_.clear();
    }
}

ValueId OperationReader::take() {
    if (stack_.empty()) {
        return take_input();
    }
    const ValueId id = stack_.back();
    stack_.pop_back();
    return id;
}

ValueId OperationReader::take_input() {
    if (inputs_.empty()) {  // every step of an operation on one tensor reads it anew
        return operation_.inputs.front();
    }
    const ValueId id = inputs_.front();
    inputs_.pop_front();
    return id;
}

bool OperationReader::next_is_index() const {
    return !inputs_.empty() && role(inputs_.front()) == TensorRole::index;
}

// ---- Results

std::uint64_t OperationReader::result_elements() const {
    return tape_.values_[operation_.outputs.front()].elements;
}

ValueId OperationReader::between_steps(const std::string& function, std::uint64_t elements) {
    const TapeValue& result = tape_.values_[operation_.outputs.front()];
    TapeValue value;
    value.draft = {TensorRole::activation, result.draft.name.empty() ? "" : result.draft.name + "." + function,
                   elements == result.elements ? result.draft.shape : Shape{elements}};
    value.elements = elements;
    tape_.values_.push_back(std::move(value));
    return tape_.values_.size() - 1;
}

void OperationReader::claim_side_results(TapeNode& node) {
    const auto claim = [&](std::deque<TensorId>& from) {
        if (!from.empty()) {
            node.side = from.front();
            from.pop_front();
        }
    };
    switch (node.form == nullptr ? Saved::nothing : node.form->saved) {
        case Saved::mask:
            claim(masks_);
            break;
        case Saved::statistics:
            claim_value(node.inputs.front());
            claim(statistics_);
            break;
        case Saved::operand:
            claim_value(node.inputs.front());
            break;
        case Saved::result:
        case Saved::either:
            claim_value(node.results.front());
            break;
        case Saved::nothing:
        case Saved::both_sides:
        case Saved::cell:
            break;
    }
}

void OperationReader::claim_value(ValueId id) {
    TapeValue& value = tape_.values_[id];
    if (!value.tensor && !activations_.empty() && tape_.values_[activations_.front()].elements == value.elements) {
        value.tensor = activations_.front();
        activations_.pop_front();
    }
}

void OperationReader::push(TapeNode node) {
    node.operation = at_;
    const NodeId id = tape_.nodes_.size();
    bool reached = false;
    for (const ValueId input : node.inputs) {
        TapeValue& value = tape_.values_[input];
        reached = reached || value.needs_gradient;
        ++value.readers;
        value.first_reader = value.first_reader.value_or(id);
        if (node.function == "slice") {
            ++value.part_readers;
            value.part_elements += node.elements;
        }
    }
    for (const ValueId result : node.results) {
        TapeValue& value = tape_.values_[result];
        value.made_by = id;
        value.needs_gradient = value.needs_gradient || (reached && is_data(value.draft.role) && !stops_gradient(node));
    }
    if (!node.results.empty()) {
        stack_.push_back(node.results.front());
    }
    tape_.nodes_.push_back(std::move(node));
}

}  // namespace nibble
