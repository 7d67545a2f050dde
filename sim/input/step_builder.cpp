// SPDX-License-Identifier: MIT
#include "sim/input/step_builder.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace nibble {

namespace {

Operation open_operation(const OperationLabel& label, Phase phase, std::vector<TensorId> inputs) {
    Operation operation;
    operation.layer = label.layer;
    operation.group = label.group;
    operation.phase = phase;
    operation.position = label.position;
    operation.inputs = std::move(inputs);
    return operation;
}

Value pending_value(Operation operation, TensorDraft plan) {
    auto value = std::make_shared<StepValue>();
    value->pending = std::move(operation);
    value->plan = std::move(plan);
    return value;
}

std::vector<VectorStep>& steps_of(Operation& operation) {
    auto* work = std::get_if<VectorWork>(&operation.work);
    return work != nullptr ? work->steps : operation.epilogue;
}

/// Each tensor is read once in a pass, however many steps use it.
void read_also(Operation& operation, const std::vector<TensorId>& tensors) {
    for (const TensorId tensor : tensors) {
        if (std::find(operation.inputs.begin(), operation.inputs.end(), tensor) == operation.inputs.end()) {
            operation.inputs.push_back(tensor);
        }
    }
}

}  // namespace

std::uint64_t elements_of(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

Operation vector_operation(const OperationLabel& label, Phase phase, std::uint64_t elements,
                           std::vector<VectorStep> steps, std::vector<TensorId> inputs, std::vector<TensorId> outputs) {
    Operation operation = open_operation(label, phase, std::move(inputs));
    operation.position = Position::middle;
    operation.work = VectorWork{elements, std::move(steps)};
    operation.outputs = std::move(outputs);
    return operation;
}

TensorId StepBuilder::declare(const TensorDraft& plan) {
    Tensor tensor;
    tensor.id = next_++;
    tensor.name = plan.name;
    tensor.role = plan.role;
    tensor.shape = plan.shape;
    tensor.bits = plan.bits;
    tensor.elements = elements_of(plan.shape);
    sink_(TraceItem(std::move(tensor)));
    return next_ - 1;
}

Value StepBuilder::stored(TensorId tensor, TensorDraft plan) {
    auto value = std::make_shared<StepValue>();
    value->tensor = tensor;
    value->plan = std::move(plan);
    return value;
}

Value StepBuilder::gemm(const OperationLabel& label, Phase phase, const Convolution& work, TensorId left,
                        TensorId right, TensorDraft result) {
    Operation operation = open_operation(label, phase, {left, right});
    operation.work = work;
    return pending_value(std::move(operation), std::move(result));
}

Value StepBuilder::gemm(const OperationLabel& label, Phase phase, const Matmul& work, TensorId left, TensorId right,
                        TensorDraft result) {
    Operation operation = open_operation(label, phase, {left, right});
    operation.work = work;
    return pending_value(std::move(operation), std::move(result));
}

Value StepBuilder::vector(const OperationLabel& label, std::uint64_t elements, std::vector<VectorStep> steps,
                          std::vector<TensorId> inputs, TensorDraft result) {
    return pending_value(vector_operation(label, Phase::vector, elements, std::move(steps), std::move(inputs), {}),
                         std::move(result));
}

Value StepBuilder::apply(const OperationLabel& label, const Value& value, VectorStep step,
                         const std::vector<TensorId>& inputs, const TensorDraft& result) {
    if (value->readers > 1) {
        store(value);
    }
    if (value->tensor) {
        std::vector<TensorId> all{*value->tensor};
        all.insert(all.end(), inputs.begin(), inputs.end());
        return vector(label, elements_of(value->plan.shape), {std::move(step)}, std::move(all), result);
    }
    Value next = pending_value(std::exchange(value->pending, std::nullopt).value(), result);
    next->operands = value->operands;
    if (next->vector_pending() && value->plan.role == TensorRole::gradient) {
        next->pending->layer = label.layer;  // going backward, the layer reached last is the one it is done for
        next->pending->group = label.group;
    }
    read_also(*next->pending, inputs);
    steps_of(*next->pending).push_back(std::move(step));
    return next;
}

TensorId StepBuilder::side_output(const Value& value, const TensorDraft& plan) {
    const TensorId tensor = declare(plan);
    value->pending.value().outputs.push_back(tensor);
    return tensor;
}

TensorId StepBuilder::tap(const OperationLabel& label, const Value& value, const VectorStep& step,
                          const std::vector<TensorId>& inputs, const TensorDraft& result) {
    if (!value->tensor) {
        read_also(*value->pending, inputs);
        steps_of(*value->pending).push_back(step);
        return side_output(value, result);
    }
    const TensorId output = declare(result);
    std::vector<TensorId> all{*value->tensor};
    all.insert(all.end(), inputs.begin(), inputs.end());
    emit(vector_operation(label, Phase::vector, elements_of(value->plan.shape), {step}, std::move(all), {output}));
    return output;
}

Value StepBuilder::add(const OperationLabel& label, Value a, Value b) {
    for (const Value& value : {a, b}) {
        if (value->readers > 1) {
            store(value);
        }
    }
    if (a->vector_pending() && b->vector_pending()) {
        Operation& first = *a->pending;
        Operation& second = *b->pending;
        read_also(first, second.inputs);
        first.outputs.insert(first.outputs.end(), second.outputs.begin(), second.outputs.end());
        std::vector<VectorStep>& steps = steps_of(first);
        steps.insert(steps.end(), steps_of(second).begin(), steps_of(second).end());
        steps.push_back({"add"});
        b->pending.reset();
        a->operands += b->operands;
        return a;
    }
    // One of them stays open for the addition, a GEMM rather than vector work; the other must be a tensor to be read.
    if (b->gemm_pending() || !a->pending) {
        std::swap(a, b);
    }
    const TensorId other = store(b);
    Value sum = apply(label, a, {"add"}, {other}, a->plan);
    sum->operands = a->operands + 1;
    return sum;
}

TensorId StepBuilder::store(const Value& value) {
    if (!value->tensor) {
        store_into(value, declare(value->plan));
    }
    return *value->tensor;
}

void StepBuilder::store_into(const Value& value, TensorId tensor) {
    Operation operation = std::exchange(value->pending, std::nullopt).value();
    operation.outputs.insert(operation.outputs.begin(), tensor);
    value->tensor = tensor;
    emit(std::move(operation));
}

}  // namespace nibble
