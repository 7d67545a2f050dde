// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/call_replay.h"

#include <utility>

#include "sim/base/error.h"
#include "sim/import/pytorch/replay_context.h"
#include "sim/import/pytorch/replay_rules.h"
#include "sim/import/pytorch/replay_update.h"

namespace nibble {

namespace {

bool replay(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    switch (op.rule) {
        case AtenRule::nothing:
            return true;
        case AtenRule::convolution:
        case AtenRule::conv:
        case AtenRule::conv_transpose:
        case AtenRule::cudnn_convolution:
        case AtenRule::cudnn_transpose:
        case AtenRule::slow_convolution:
            return replay_convolution(context, op, arguments);
        case AtenRule::convolution_backward:
            return replay_convolution_backward(context, arguments);
        case AtenRule::matrix_product:
        case AtenRule::addmm:
        case AtenRule::linear:
            return replay_product(context, op, arguments);
        case AtenRule::attention:
            return replay_attention(context, arguments);
        case AtenRule::attention_backward:
            return replay_attention_backward(context, arguments);
        case AtenRule::recurrent:
            return replay_recurrent(context, op, arguments);
        case AtenRule::recurrent_backward:
            return replay_recurrent_backward(context, op, arguments);
        case AtenRule::batch_norm:
        case AtenRule::batch_norm_backward:
        case AtenRule::cudnn_norm_backward:
            return replay_batch_norm(context, op, arguments);
        default:
            return replay_pass(context, op, arguments);
    }
}

std::uint64_t bytes_of(const AtenArguments& arguments) {
    std::uint64_t bits = 0;
    for (const RecordedTensor* tensor : arguments.tensors()) {
        bits += elements_of(*tensor, arguments) * tensor->bits;
    }
    for (const RecordedTensor& tensor : arguments.call().outputs) {
        bits += elements_of(tensor, arguments) * tensor.bits;
    }
    return bits / 8;
}

/// Numbers that the host keeps: a count of batches, a loss scale.
bool single_numbers_only(const AtenArguments& arguments) {
    if (arguments.tensors().empty() && arguments.call().outputs.empty()) {
        return false;
    }
    const auto single = [&](const RecordedTensor& tensor) { return elements_of(tensor, arguments) <= 1; };
    for (const RecordedTensor* tensor : arguments.tensors()) {
        if (!single(*tensor)) {
            return false;
        }
    }
    for (const RecordedTensor& tensor : arguments.call().outputs) {
        if (!single(tensor)) {
            return false;
        }
    }
    return true;
}

}  // namespace

CallReplay::CallReplay(const CallSurvey& survey, const ImportOptions& options, const std::string& file, TraceSink sink,
                       ImportSummary& summary)
    : survey_(survey),
      options_(options),
      file_(file),
      summary_(summary),
      context_(std::make_unique<ReplayContext>(survey, std::move(sink), summary)),
      update_(std::make_unique<ReplayUpdate>(*context_)) {}

CallReplay::~CallReplay() = default;

void CallReplay::add(const RecordedCall& call) {
    context_->count_writes(call);
    if (options_.iteration && call.iteration + 1 != *options_.iteration) {
        return;
    }
    if (options_.training == Training::forward_only && (call.backward || call.optimizer)) {
        left_out_backward_ = true;
        return;
    }
    const AtenArguments arguments(call, file_);
    if (call.iteration != last_.iteration) {
        end_iteration();
    }
    if (last_.optimizer && !call.optimizer) {
        update_->flush(AtenArguments(last_, file_));
    }
    last_.iteration = call.iteration;
    last_.optimizer = call.optimizer;
    last_.op = call.op;
    last_.where = call.where;
    const std::uint64_t bytes = bytes_of(arguments);
    const AtenOperator* op = find_aten_operator(call.op);
    summary_.bytes += bytes;
    if (single_numbers_only(arguments)) {
        return context_->note_once("calls on single numbers (counters, scales) are the host's and left out");
    }
    if (call.optimizer && op != nullptr) {
        return update_->add(arguments);
    }
    if (op == nullptr || !replay(*context_, *op, arguments)) {
        ImportSummary::Unrecognised& entry = summary_.unrecognised[printable(call.op)];
        ++entry.calls;
        entry.bytes += bytes;
        if (const char* reason = reason_to_leave_out(call.op)) {
            entry.reason = reason;
        }
    }
}

void CallReplay::end_iteration() {
    const AtenArguments arguments(last_, file_);
    update_->flush(arguments);
    if (!survey_.optimizer && survey_.backward && options_.training == Training::derive &&
        !context_->gradient_of.empty()) {
        last_.optimizer = true;
        update_->derive(options_.optimizer, arguments);
        if (summary_.derived.empty()) {
            summary_.derived.emplace_back("optimiser: one update of each weight");
        }
    }
    context_->begin_iteration();
}

void CallReplay::finish() {
    end_iteration();
    if (left_out_backward_) {
        context_->note_once("the recorded backward pass and optimiser are left out");
    }
}

}  // namespace nibble
