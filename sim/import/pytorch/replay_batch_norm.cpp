// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/replay_rules.h"

namespace nibble {

namespace {

using Pass = ReplayContext::Pass;

/// The recorded result, or one of the shape of x where results are not recorded.
RecordedTensor result_like(const RecordedTensor& x, const AtenArguments& arguments) {
    if (const RecordedTensor* recorded = arguments.find_result(0)) {
        return *recorded;
    }
    RecordedTensor like;
    like.shape = x.shape;
    return like;
}

std::uint64_t channels_of(const RecordedTensor& x) {
    return x.shape.size() > 1 ? x.shape[1] : 1;
}

/// Two passes: the statistics of the batch, then the normalisation. With given statistics, the second alone.
void forward(ReplayContext& context, const AtenArguments& arguments) {
    const RecordedTensor& x = arguments.tensor(0);
    Pass normalise{.function = "batch_norm", .elements = elements_of(x, arguments)};
    context.read(normalise, x, TensorRole::activation, arguments);
    if (arguments.flag(5, true)) {
        Pass gather = normalise;
        gather.function = "batch_stats";
        const TensorId statistics = context.declare({TensorRole::statistic, {}, {2, channels_of(x)}});
        gather.outputs = {statistics};
        context.emit(gather, arguments);
        normalise.inputs.push_back(statistics);
        for (const std::size_t saved : {std::size_t{1}, std::size_t{2}}) {
            if (const RecordedTensor* tensor = arguments.find_result(saved)) {
                context.alias(*tensor, statistics, arguments);
            }
        }
    } else {
        for (const std::size_t running : {std::size_t{3}, std::size_t{4}}) {
            if (const RecordedTensor* tensor = arguments.find_tensor(running)) {
                context.read(normalise, *tensor, TensorRole::statistic, arguments);
            }
        }
    }
    for (const std::size_t parameter : {std::size_t{1}, std::size_t{2}}) {
        if (const RecordedTensor* tensor = arguments.find_tensor(parameter)) {
            context.read(normalise, *tensor, TensorRole::state, arguments);
        }
    }
    context.write(normalise, result_like(x, arguments), TensorRole::activation, arguments);
    context.emit(normalise, arguments);
}

/// Two passes: the sums that are the gradients of scale and shift, then the gradient of x.
void backward(ReplayContext& context, const RecordedTensor& dy, const RecordedTensor& x,
              const AtenArguments& arguments) {
    Pass reduce{.function = "bn_grad_reduce", .elements = elements_of(x, arguments)};
    context.read(reduce, dy, TensorRole::activation, arguments);
    context.read(reduce, x, TensorRole::activation, arguments);
    if (const RecordedTensor* saved = arguments.find_tensor(5)) {
        context.read(reduce, *saved, TensorRole::statistic, arguments);
    }
    const TensorId sums = context.declare({TensorRole::statistic, {}, {2, channels_of(x)}});
    Pass apply = reduce;
    apply.function = "bn_grad_apply";
    apply.inputs.push_back(sums);
    reduce.outputs = {sums};
    context.emit(reduce, arguments);
    if (const RecordedTensor* scale = arguments.find_tensor(2)) {
        context.read(apply, *scale, TensorRole::state, arguments);
    }
    for (const std::size_t parameter : {std::size_t{1}, std::size_t{2}}) {
        if (const RecordedTensor* gradient = arguments.find_result(parameter)) {
            context.alias(*gradient, sums, arguments);
        }
    }
    context.write(apply, result_like(x, arguments), TensorRole::gradient, arguments);
    context.emit(apply, arguments);
}

}  // namespace

bool replay_batch_norm(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    switch (op.rule) {
        case AtenRule::cudnn_norm_backward:
            backward(context, arguments.tensor(1), arguments.tensor(0), arguments);
            return true;
        case AtenRule::batch_norm_backward:
            backward(context, arguments.tensor(0), arguments.tensor(1), arguments);
            return true;
        default:
            forward(context, arguments);
            return true;
    }
}

}  // namespace nibble
