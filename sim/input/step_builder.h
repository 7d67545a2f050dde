// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/input/operation.h"
#include "sim/input/trace_item.h"

namespace nibble {

using Shape = std::vector<std::uint64_t>;

[[nodiscard]] std::uint64_t elements_of(const Shape& shape);

/// Where an operation belongs, for reports and for the precision recipe.
struct OperationLabel {
    std::string layer;
    std::string group;
    Position position = Position::middle;
};

/// A tensor to be: what to declare once it is known that it will be written.
struct TensorDraft {
    TensorRole role = TensorRole::activation;
    std::string name;
    Shape shape;
    std::uint32_t bits = 0;
};

/// One value of the training step: a tensor, or an operation that computes it and is still open for more element-wise
/// steps. Leaving operations open is how element-wise work is fused: a bias and an activation function become
/// the epilogue of the GEMM before them, a normalisation and a residual addition one pass over memory.
struct StepValue {
    std::optional<TensorId> tensor;    ///< set once written
    std::optional<Operation> pending;  ///< set until then
    TensorDraft plan;
    unsigned readers = 1;   ///< how many will use it; with more than one, steps of one reader must not reach the others
    unsigned operands = 1;  ///< tensors as large as the value that the open operation reads and adds up
    [[nodiscard]] bool gemm_pending() const { return pending && !std::holds_alternative<VectorWork>(pending->work); }
    [[nodiscard]] bool vector_pending() const { return pending && std::holds_alternative<VectorWork>(pending->work); }
};
using Value = std::shared_ptr<StepValue>;

/// Emits the tensors and operations of a training step in an order in which everything is written before it is read.
class StepBuilder {
public:
    explicit StepBuilder(TraceSink sink) : sink_(std::move(sink)) {}

    /// A tensor that exists before the step, or is written by an operation that names it itself.
    TensorId declare(const TensorDraft& plan);
    [[nodiscard]] static Value stored(TensorId tensor, TensorDraft plan);

    /// Open operations.
    [[nodiscard]] static Value gemm(const OperationLabel& label, Phase phase, const Convolution& work, TensorId left,
                                    TensorId right, TensorDraft result);
    [[nodiscard]] static Value gemm(const OperationLabel& label, Phase phase, const Matmul& work, TensorId left,
                                    TensorId right, TensorDraft result);
    [[nodiscard]] static Value vector(const OperationLabel& label, std::uint64_t elements,
                                      std::vector<VectorStep> steps, std::vector<TensorId> inputs, TensorDraft result);

    /// The value after one more step, which reads `inputs` besides. Stays in the open operation if there is one.
    Value apply(const OperationLabel& label, const Value& value, VectorStep step, const std::vector<TensorId>& inputs,
                const TensorDraft& result);
    /// A side result of the open operation of `value`, such as a mask; the value must be pending.
    TensorId side_output(const Value& value, const TensorDraft& plan);
    /// A step that reads the value and leaves it as it is, such as a reduction. In the open operation if there is one,
    /// else in an operation of its own.
    TensorId tap(const OperationLabel& label, const Value& value, const VectorStep& step,
                 const std::vector<TensorId>& inputs, const TensorDraft& result);
    /// The sum of two values of one shape.
    Value add(const OperationLabel& label, Value a, Value b);

    /// Closes the open operation, if any: the value becomes a tensor.
    TensorId store(const Value& value);

    /// Closes the open operation into a tensor that exists already.
    void store_into(const Value& value, TensorId tensor);

    /// An operation on tensors, as it is.
    void emit(Operation operation) { sink_(TraceItem(std::move(operation))); }

private:
    TraceSink sink_;
    TensorId next_ = 0;
};

/// Element-wise work on tensors, with everything given.
[[nodiscard]] Operation vector_operation(const OperationLabel& label, Phase phase, std::uint64_t elements,
                                         std::vector<VectorStep> steps, std::vector<TensorId> inputs,
                                         std::vector<TensorId> outputs);

}  // namespace nibble
