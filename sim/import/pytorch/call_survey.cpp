// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/call_survey.h"

#include <algorithm>
#include <optional>

#include "sim/import/pytorch/aten_arguments.h"
#include "sim/import/pytorch/aten_table.h"
#include "sim/import/pytorch/storage_writes.h"

namespace nibble {

namespace {

/// Argument of a forward GEMM that is its weight, if it is a parameter.
std::optional<std::size_t> weight_argument(const AtenOperator& op, const AtenArguments& arguments) {
    switch (op.rule) {
        case AtenRule::convolution:
        case AtenRule::conv:
        case AtenRule::conv_transpose:
        case AtenRule::cudnn_convolution:
        case AtenRule::cudnn_transpose:
        case AtenRule::slow_convolution:
        case AtenRule::linear:
            return 1;
        case AtenRule::addmm:
            return 2;
        case AtenRule::matrix_product: {
            const RecordedTensor* right = arguments.find_tensor(1);
            // A batched product multiplies activations, unless one matrix serves the whole batch.
            return right != nullptr && right->shape.size() == 2 ? std::optional<std::size_t>(1) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

class Survey {
public:
    explicit Survey(const std::string& file) : file_(file) {}

    void add(const RecordedCall& call) {
        result_.iterations = std::max(result_.iterations, call.iteration + 1);
        result_.backward |= call.backward;
        result_.optimizer |= call.optimizer;
        const AtenArguments arguments(call, file_);
        for (const RecordedTensor* tensor : arguments.tensors()) {
            if (!tensor->values.empty() && lies_in_rows_or_columns(*tensor)) {
                result_.values[{tensor->storage, writes_.of(tensor->storage), tensor->offset}] = tensor->values;
            }
        }
        writes_.add(call);
        const AtenOperator* op = find_aten_operator(call.op);
        if (op == nullptr) {
            return;
        }
        if (!call.backward && !call.optimizer) {
            forward(*op, arguments);
        }
        follow(*op, arguments);
    }

    [[nodiscard]] const CallSurvey& result() const { return result_; }

private:
    void forward(const AtenOperator& op, const AtenArguments& arguments) {
        const std::optional<std::size_t> at = weight_argument(op, arguments);
        if (op.rule == AtenRule::gather && result_.batch == 0) {
            count_batch(arguments.find_tensor(1));  // the tokens
        }
        if (op.rule == AtenRule::recurrent) {
            for (const RecordedTensor* tensor : arguments.tensors()) {
                if (tensor->shape.size() == 2) {  // states have three dimensions, biases one
                    add_weight(*tensor);
                }
            }
        }
        if (!at) {
            return;
        }
        count_batch(arguments.find_tensor(*at - 1));
        if (const RecordedTensor* weight = arguments.find_tensor(*at)) {
            add_weight(*weight);
        }
    }

    void add_weight(const RecordedTensor& tensor) {
        if (tensor.storage == 0) {
            return;
        }
        const auto cast = cast_of_.find(tensor.storage);
        const std::uint64_t storage = cast == cast_of_.end() ? tensor.storage : cast->second;
        if (written_.contains(storage)) {
            return;  // the product of two activations
        }
        result_.weights.insert(storage);
        result_.first_weight = result_.first_weight == 0 ? storage : result_.first_weight;
        result_.last_weight = storage;
    }

    void count_batch(const RecordedTensor* tensor) {
        if (result_.batch == 0 && tensor != nullptr && !tensor->shape.empty()) {
            result_.batch = tensor->shape.front();
        }
    }

    /// Keeps track of which memory was there before the recording, also under the guise of a cast.
    void follow(const AtenOperator& op, const AtenArguments& arguments) {
        const bool casts = op.rule == AtenRule::copy && op.name == "_to_copy";
        const RecordedTensor* from = arguments.find_tensor(op.rule == AtenRule::copy_into ? 1 : 0);
        for (const RecordedTensor& output : arguments.call().outputs) {
            if (output.storage == 0) {
                continue;
            }
            cast_of_.erase(output.storage);
            if ((casts || op.rule == AtenRule::copy_into) && from != nullptr && from->storage != output.storage &&
                !written_.contains(from->storage)) {
                cast_of_.emplace(output.storage, from->storage);
            }
            // An optimiser's parameters are written in place; they were there all the same.
            if (!arguments.call().optimizer) {
                written_.insert(output.storage);
            }
        }
    }

    const std::string& file_;
    CallSurvey result_;
    StorageWrites writes_;
    std::unordered_set<std::uint64_t> written_;
    std::unordered_map<std::uint64_t, std::uint64_t> cast_of_;  // storage to the storage it is a copy of
};

}  // namespace

CallSurvey survey_calls(CallSource& calls, const std::string& file) {
    Survey survey(file);
    while (const RecordedCall* call = calls.next()) {
        survey.add(*call);
    }
    return survey.result();
}

}  // namespace nibble
