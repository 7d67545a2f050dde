// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>
#include <string_view>

#include "sim/import/pytorch/replay_rules.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

using Pass = ReplayContext::Pass;

std::uint64_t largest(const std::vector<const RecordedTensor*>& tensors, const AtenArguments& arguments) {
    std::uint64_t most = 0;
    for (const RecordedTensor* tensor : tensors) {
        most = std::max(most, elements_of(*tensor, arguments));
    }
    return most;
}

/// Parameters and constants have at most one dimension; what is larger and was there before is data.
TensorRole existing_role(const RecordedTensor& tensor) {
    return tensor.shape.size() > 1 ? TensorRole::activation : TensorRole::state;
}

/// What a pass over these tensors makes: gradients of gradients and in the backward pass, data of data, statistics of
/// statistics.
TensorRole result_role(const ReplayContext& context, const Pass& pass, bool backward) {
    bool data = pass.inputs.empty();
    bool of_weight = false;
    bool gradient = backward;
    for (const TensorId input : pass.inputs) {
        const TensorRole role = context.known(input).role;
        if (role == TensorRole::weight_gradient) {
            of_weight = true;
        } else if (role == TensorRole::activation || role == TensorRole::gradient || role == TensorRole::weight) {
            data = true;
            gradient |= role == TensorRole::gradient;
        }
    }
    if (of_weight) {
        return TensorRole::weight_gradient;
    }
    return !data ? TensorRole::statistic : gradient ? TensorRole::gradient : TensorRole::activation;
}

/// Where a call leaves its first result: what is recorded, or the tensor that it works on, or one like the largest.
RecordedTensor target_of(const AtenArguments& arguments, const std::vector<const RecordedTensor*>& inputs) {
    if (const RecordedTensor* result = arguments.find_result(0)) {
        return *result;
    }
    if (arguments.in_place() && !inputs.empty()) {
        return *inputs.front();
    }
    RecordedTensor like;
    std::uint64_t most = 0;
    for (const RecordedTensor* input : inputs) {
        if (const std::uint64_t elements = elements_of(*input, arguments); elements > most) {
            most = elements;
            like.shape = input->shape;
        }
    }
    return like;
}

/// Declares all results; those after the first are statistics if they are smaller.
void write_results(ReplayContext& context, Pass& pass, const RecordedTensor& first, TensorRole role,
                   const AtenArguments& arguments) {
    context.write(pass, first, role, arguments);
    const std::uint64_t elements = elements_of(first, arguments);
    for (std::size_t i = 1; i < arguments.call().outputs.size(); ++i) {
        if (const RecordedTensor* other = arguments.find_result(i); other != nullptr && !other->shape.empty()) {
            const bool smaller = elements_of(*other, arguments) < elements;
            context.write(pass, *other, smaller ? TensorRole::statistic : role, arguments);
        }
    }
}

/// Functions of which the machine keeps a mask of 1 bit, where PyTorch keeps the result or the argument.
bool keeps_mask(std::string_view function) {
    return function == "relu" || function == "relu6";
}

bool elementwise(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const std::vector<const RecordedTensor*> inputs = arguments.tensors();
    const RecordedTensor target = target_of(arguments, inputs);
    Pass pass{.function = std::string(op.function), .elements = elements_of(target, arguments)};
    pass.elements = std::max(pass.elements, op.name.ends_with("backward") ? largest(inputs, arguments) : 0);
    for (const RecordedTensor* input : inputs) {
        context.read(pass, *input, existing_role(*input), arguments);
    }
    if (op.function == "relu_grad" || op.function == "relu6_grad") {
        for (TensorId& input : pass.inputs) {
            if (const auto mask = context.mask_of.find(input); mask != context.mask_of.end()) {
                input = mask->second;
            }
        }
    }
    const bool saves = keeps_mask(op.function) && context.survey().backward && !arguments.call().backward;
    const TensorId argument = pass.inputs.empty() ? 0 : pass.inputs.front();
    write_results(context, pass, target, result_role(context, pass, arguments.call().backward), arguments);
    if (saves && !pass.writes_part && !pass.inputs.empty()) {
        const TensorId result = pass.outputs.front();
        const TensorId mask = context.declare({TensorRole::mask, {}, {context.known(result).elements}, 1});
        pass.outputs.push_back(mask);
        context.mask_of[result] = mask;
        context.mask_of[argument] = mask;
        context.note_once("of a ReLU the machine keeps a mask of 1 bit for the backward pass, of a maximum its place");
    }
    context.emit(pass, arguments);
    return true;
}

bool reduction(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const std::vector<const RecordedTensor*> inputs = arguments.tensors();
    RecordedTensor target;
    if (const RecordedTensor* result = arguments.find_result(0)) {
        target = *result;
    }
    Pass pass{.function = std::string(op.function), .elements = largest(inputs, arguments)};
    for (const RecordedTensor* input : inputs) {
        context.read(pass, *input, existing_role(*input), arguments);
    }
    const TensorRole made = result_role(context, pass, arguments.call().backward);
    const bool few = target.shape.size() <= 1 || op.function == "batch_stats";
    write_results(context, pass, target, few && made != TensorRole::weight_gradient ? TensorRole::statistic : made,
                  arguments);
    context.emit(pass, arguments);
    return true;
}

bool write_only(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const RecordedTensor target = target_of(arguments, arguments.tensors());
    Pass pass{.function = std::string(op.function), .elements = elements_of(target, arguments)};
    context.write(pass, target, arguments.call().backward ? TensorRole::gradient : TensorRole::activation, arguments);
    context.emit(pass, arguments);
    return true;
}

/// Copies all of `from` to `to`. A parameter's copy in another number format is the parameter.
bool copy(ReplayContext& context, const std::vector<const RecordedTensor*>& from, const RecordedTensor& to,
          const AtenArguments& arguments) {
    Pass pass{.function = "copy", .elements = elements_of(to, arguments)};
    for (const RecordedTensor* input : from) {
        context.read(pass, *input, existing_role(*input), arguments);
    }
    if (pass.inputs.size() == 1 && !pass.reads_part && context.known(pass.inputs.front()).role == TensorRole::weight) {
        context.alias(to, pass.inputs.front(), arguments);
        return true;
    }
    context.write(pass, to, result_role(context, pass, arguments.call().backward), arguments);
    context.emit(pass, arguments);
    return true;
}

bool gather(ReplayContext& context, const AtenArguments& arguments) {
    const std::vector<const RecordedTensor*> inputs = arguments.tensors();
    const RecordedTensor target = target_of(arguments, inputs);
    const bool embedding = arguments.call().op == "aten::embedding";
    Pass pass{.function = "gather", .elements = elements_of(target, arguments)};
    for (const RecordedTensor* input : inputs) {
        const bool table = input == inputs.front() && embedding;
        context.read(pass, *input, table ? TensorRole::weight : existing_role(*input), arguments);
    }
    context.write(pass, target, arguments.call().backward ? TensorRole::gradient : TensorRole::activation, arguments);
    if (embedding && pass.inputs.size() == 2) {
        const std::uint32_t layer = context.layer_of_weight(pass.inputs[0], "embedding", arguments);
        context.as_input[pass.inputs[1]] = {layer, pass.inputs[0]};
    }
    context.emit(pass, arguments);
    return true;
}

bool scatter(ReplayContext& context, const AtenArguments& arguments) {
    const std::vector<const RecordedTensor*> inputs = arguments.tensors();
    Pass pass{.function = "scatter_add", .elements = inputs.empty() ? 0 : elements_of(*inputs.front(), arguments)};
    for (const RecordedTensor* input : inputs) {
        context.read(pass, *input, existing_role(*input), arguments);
    }
    const bool table = arguments.call().op == "aten::embedding_dense_backward";
    context.write(pass, target_of(arguments, inputs), table ? TensorRole::weight_gradient : TensorRole::gradient,
                  arguments);
    for (const TensorId input : pass.inputs) {
        const auto use = context.as_input.find(input);
        if (table && use != context.as_input.end() && use->second.weight) {
            context.gradient_of[*use->second.weight] = pass.outputs.front();
        }
    }
    context.emit(pass, arguments);
    return true;
}

bool scatter_into(ReplayContext& context, const AtenArguments& arguments) {
    const std::vector<const RecordedTensor*> inputs = arguments.tensors();
    if (inputs.size() < 2) {
        return false;
    }
    // The rows are the largest tensor behind the one that is changed.
    std::uint64_t rows = 0;
    Pass pass{.function = "scatter_add"};
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        rows = std::max(rows, elements_of(*inputs[i], arguments));
        context.read(pass, *inputs[i], existing_role(*inputs[i]), arguments);
    }
    pass.elements = rows;
    const auto changed = context.sources(*inputs.front(), existing_role(*inputs.front()), arguments);
    if (changed.empty()) {
        return true;
    }
    const TensorId table = changed.front().tensor;
    pass.inputs.push_back(table);
    pass.outputs.push_back(table);
    if (const RecordedTensor* result = arguments.find_result(0)) {
        context.alias(*result, table, arguments);
    }
    context.emit(pass, arguments);
    return true;
}

std::uint64_t window_of(const AtenArguments& arguments, std::size_t at) {
    const std::size_t dimensions = arguments.call().op.find("1d") == std::string::npos ? 2 : 1;
    std::uint64_t window = 1;
    for (const std::uint64_t size : arguments.sizes(at, dimensions, 1)) {
        const auto product = bounded_product({window, size}, std::uint64_t{1} << 40U);
        if (!product || size == 0) {
            arguments.fail("a pooling window without elements, or of more than 2^40");
        }
        window = *product;
    }
    return window;
}

bool pool(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const RecordedTensor* y = arguments.find_result(0);
    if (y == nullptr || elements_of(*y, arguments) == 0) {
        return false;
    }
    Pass pass{.function = std::string(op.function),
              .repeat = window_of(arguments, 1),
              .elements = elements_of(*y, arguments)};
    context.read(pass, arguments.tensor(0), TensorRole::activation, arguments);
    context.write(pass, *y, TensorRole::activation, arguments);
    if (const RecordedTensor* winner = arguments.find_result(1)) {
        // The machine keeps the winner's number within its window.
        const auto bits = std::clamp(static_cast<unsigned>(std::bit_width(pass.repeat - 1)), 1U, 8U);
        const TensorId mask = context.declare({TensorRole::mask, {}, y->shape, bits});
        context.alias(*winner, mask, arguments);
        pass.outputs.push_back(mask);
    }
    context.emit(pass, arguments);
    return true;
}

bool pool_backward(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const RecordedTensor& dy = arguments.tensor(0);
    const RecordedTensor& x = arguments.tensor(1);
    const bool winners = op.function == "max_pool_grad";
    Pass pass{.function = std::string(op.function),
              .repeat = winners ? window_of(arguments, 2) : 1,
              .elements = elements_of(winners ? dy : x, arguments)};
    context.read(pass, dy, TensorRole::activation, arguments);
    if (const RecordedTensor* winner = arguments.find_tensor(7); winners && winner != nullptr) {
        context.read(pass, *winner, TensorRole::index, arguments);
    }
    RecordedTensor like;
    like.shape = x.shape;
    const RecordedTensor* dx = arguments.find_result(0);
    context.write(pass, dx != nullptr ? *dx : like, TensorRole::gradient, arguments);
    context.emit(pass, arguments);
    return true;
}

bool global_pool(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const RecordedTensor* y = arguments.find_result(0);
    const RecordedTensor& x = arguments.tensor(0);
    if (y == nullptr || elements_of(*y, arguments) == 0) {
        return false;
    }
    Pass pass{.function = std::string(op.function), .elements = elements_of(*y, arguments)};
    pass.repeat = std::max<std::uint64_t>(1, elements_of(x, arguments) / pass.elements);
    context.read(pass, x, TensorRole::activation, arguments);
    context.write(pass, *y, TensorRole::activation, arguments);
    context.emit(pass, arguments);
    return true;
}

/// A recurrent cell reads several gates for each element of its result.
bool cell(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const bool backward = op.function.ends_with("_grad");
    const RecordedTensor* target = arguments.find_result(0);
    if (target == nullptr) {
        return false;
    }
    const std::uint64_t gates = op.function.starts_with("lstm") ? 4 : 3;
    Pass pass{.function = std::string(op.function)};
    pass.elements = elements_of(*target, arguments) / (backward ? gates : 1);
    for (const RecordedTensor* input : arguments.tensors()) {
        context.read(pass, *input, existing_role(*input), arguments);
    }
    const TensorRole role = backward ? TensorRole::gradient : TensorRole::activation;
    for (std::size_t i = 0; i < arguments.call().outputs.size(); ++i) {
        if (const RecordedTensor* output = arguments.find_result(i)) {
            context.write(pass, *output, output->shape.size() > 1 ? role : TensorRole::statistic, arguments);
        }
    }
    context.emit(pass, arguments);
    return true;
}

}  // namespace

bool replay_pass(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    if (const auto inputs = arguments.tensors(); op.rule != AtenRule::write && largest(inputs, arguments) == 0) {
        return !inputs.empty();  // tensors without elements are no work; without tensors, nobody knows what it is
    }
    switch (op.rule) {
        case AtenRule::elementwise:
            return elementwise(context, op, arguments);
        case AtenRule::reduction:
            return reduction(context, op, arguments);
        case AtenRule::write:
            return write_only(context, op, arguments);
        case AtenRule::copy:
            return copy(context, arguments.tensors(), target_of(arguments, arguments.tensors()), arguments);
        case AtenRule::copy_into: {
            const RecordedTensor* result = arguments.find_result(0);
            return copy(context, {&arguments.tensor(1)}, result != nullptr ? *result : arguments.tensor(0), arguments);
        }
        case AtenRule::gather:
            return gather(context, arguments);
        case AtenRule::scatter:
            return scatter(context, arguments);
        case AtenRule::scatter_into:
            return scatter_into(context, arguments);
        case AtenRule::pool:
            return pool(context, op, arguments);
        case AtenRule::pool_backward:
            return pool_backward(context, op, arguments);
        case AtenRule::global_pool:
            return global_pool(context, op, arguments);
        case AtenRule::cell:
            return cell(context, op, arguments);
        default:
            return false;
    }
}

}  // namespace nibble
