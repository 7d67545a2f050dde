// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/import/pytorch/import_calls.h"
#include "sim/import/pytorch/recorded_call.h"
#include "sim/input/trace_reader.h"

namespace nibble::test {

/// A contiguous tensor in a storage of its own.
inline RecordedTensor tensor_at(std::uint64_t storage, std::vector<std::uint64_t> shape) {
    RecordedTensor tensor;
    tensor.storage = storage;
    tensor.strides.assign(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) {
        tensor.strides[i - 1] = tensor.strides[i] * shape[i];
    }
    tensor.shape = std::move(shape);
    return tensor;
}

/// The same memory with its last two dimensions swapped.
inline RecordedTensor transposed(RecordedTensor tensor) {
    const std::size_t last = tensor.shape.size() - 1;
    std::swap(tensor.shape[last], tensor.shape[last - 1]);
    std::swap(tensor.strides[last], tensor.strides[last - 1]);
    return tensor;
}

inline RecordedValue value(RecordedTensor tensor) {
    return {std::move(tensor)};
}
inline RecordedValue value(std::int64_t number) {
    return {number};
}
inline RecordedValue value(bool flag) {
    return {flag};
}
inline RecordedValue none() {
    return {};
}
inline RecordedValue numbers(const std::vector<std::int64_t>& all) {
    RecordedValue::List list;
    for (const std::int64_t number : all) {
        list.push_back({number});
    }
    return {list};
}
inline RecordedValue flags(const std::vector<bool>& all) {
    RecordedValue::List list;
    for (const bool flag : all) {
        list.push_back({flag});
    }
    return {list};
}
inline RecordedValue tensors(const std::vector<RecordedTensor>& all) {
    RecordedValue::List list;
    for (const RecordedTensor& tensor : all) {
        list.push_back({tensor});
    }
    return {list};
}

inline RecordedCall call(std::string op, std::vector<RecordedValue> inputs, std::vector<RecordedTensor> outputs) {
    RecordedCall made;
    made.op = "aten::" + std::move(op);
    made.inputs = std::move(inputs);
    made.outputs = std::move(outputs);
    made.where = "a call";
    return made;
}
inline RecordedCall in_backward(RecordedCall made) {
    made.backward = true;
    return made;
}
inline RecordedCall in_optimizer(RecordedCall made) {
    made.optimizer = true;
    return made;
}

class CallList final : public CallSource {
public:
    explicit CallList(const std::vector<RecordedCall>& calls) : calls_(calls) {}
    const RecordedCall* next() override { return next_ < calls_.size() ? &calls_[next_++] : nullptr; }
    [[nodiscard]] std::string description() const override { return "a list of calls"; }

private:
    const std::vector<RecordedCall>& calls_;
    std::size_t next_ = 0;
};

/// The trace that calls become, read back.
struct Imported {
    ImportSummary summary;
    TraceHeader header;
    std::vector<Tensor> tensors;
    std::vector<Operation> operations;

    /// "conv", "matmul", or the functions of vector work, joined by '+'; a GEMM's epilogue behind a colon.
    [[nodiscard]] std::vector<std::string> kinds() const {
        std::vector<std::string> all;
        for (const Operation& operation : operations) {
            const auto* work = std::get_if<VectorWork>(&operation.work);
            std::string kind = std::holds_alternative<Convolution>(operation.work) ? "conv"
                               : work == nullptr                                   ? "matmul"
                                                                                   : "";
            for (const VectorStep& step : work != nullptr ? work->steps : operation.epilogue) {
                kind += (kind.empty() ? "" : kind == "conv" || kind == "matmul" ? ":" : "+") + step.function;
            }
            all.push_back(std::move(kind));
        }
        return all;
    }
    [[nodiscard]] const Tensor& input(std::size_t operation, std::size_t at) const {
        return tensors.at(operations.at(operation).inputs.at(at));
    }
    [[nodiscard]] const Tensor& output(std::size_t operation, std::size_t at = 0) const {
        return tensors.at(operations.at(operation).outputs.at(at));
    }
};

inline Imported read_imported(const std::string& text) {
    Imported imported;
    std::istringstream stream(text);
    TraceReader reader(stream, "imported");
    imported.header = reader.header();
    while (const auto item = reader.next()) {
        if (const auto* tensor = std::get_if<Tensor>(&*item)) {
            imported.tensors.push_back(*tensor);
        } else {
            imported.operations.push_back(std::get<Operation>(*item));
        }
    }
    return imported;
}

inline Imported import(const std::vector<RecordedCall>& calls, const ImportOptions& options = {}) {
    ImportSummary summary;
    std::ostringstream out;
    import_calls([&] { return std::make_unique<CallList>(calls); }, "calls.json", "net", options, out, summary);
    Imported imported = read_imported(out.str());
    imported.summary = std::move(summary);
    return imported;
}

}  // namespace nibble::test
