// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/replay_product.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/gemm_limits.h"
#include "sim/import/pytorch/replay_rules.h"

namespace nibble {

namespace {

/// Rows and columns of an operand as the product sees it, and how often the pair is repeated.
struct Matrix {
    const RecordedTensor* tensor = nullptr;
    std::uint64_t batch = 1, rows = 1, columns = 1;
    bool turned = false;   ///< the recording says that columns lie side by side
    bool ordered = false;  ///< the recording says how it lies
};

Matrix matrix_of(const RecordedTensor& tensor, bool left, const AtenArguments& arguments) {
    Matrix matrix{.tensor = &tensor};
    const std::vector<std::uint64_t>& shape = tensor.shape;
    if (shape.empty()) {
        arguments.fail("expected a matrix or a vector, found a single number");
    }
    (void)elements_of(tensor, arguments);
    if (shape.size() == 1) {
        (left ? matrix.columns : matrix.rows) = shape[0];
        return matrix;
    }
    matrix.rows = shape[shape.size() - 2];
    matrix.columns = shape.back();
    for (std::size_t i = 0; i + 2 < shape.size(); ++i) {
        matrix.batch *= shape[i];
    }
    if (tensor.strides.size() == shape.size()) {
        const std::uint64_t down = tensor.strides[shape.size() - 2];
        const std::uint64_t across = tensor.strides.back();
        matrix.ordered = matrix.rows > 1 && matrix.columns > 1;
        matrix.turned = matrix.ordered && down == 1 && across != 1;
    }
    return matrix;
}

/// Does the operand lie with its rows along the columns of the product's? Where no strides are recorded, the tensor's
/// own last dimension tells; a weight that has never been seen otherwise is a linear layer's, outputs by inputs.
bool lies_turned(const ReplayContext& context, const Matrix& matrix, TensorId id, bool left) {
    if (matrix.ordered) {
        return matrix.turned;
    }
    const ReplayContext::Known& known = context.known(id);
    if (known.role == TensorRole::weight) {
        return !left;
    }
    return matrix.rows != matrix.columns && known.last_extent == matrix.rows && known.last_extent != matrix.columns;
}

/// In the backward pass: is this the gradient of the left operand (dx) or of the right one (dw)? And of which layer?
struct Backward {
    Phase phase = Phase::dx;
    std::uint32_t layer = 0;
    std::optional<TensorId> weight;  ///< whose gradient it is
    Position position = Position::middle;
};

std::optional<Backward> backward_of(ReplayContext& context, TensorId left, TensorId right, bool batched,
                                    const AtenArguments& arguments) {
    for (const TensorId id : {right, left}) {
        if (context.known(id).role == TensorRole::weight) {
            return Backward{Phase::dx, context.layer_of_weight(id, "linear", arguments), std::nullopt,
                            context.position_of(id)};
        }
    }
    const auto from = [&](const auto& uses, Phase phase) -> std::optional<Backward> {
        for (const TensorId id : {right, left}) {
            if (const auto use = uses.find(id); use != uses.end()) {
                const auto& weight = use->second.weight;
                return Backward{phase, use->second.layer, weight,
                                weight ? context.position_of(*weight) : Position::middle};
            }
        }
        return std::nullopt;
    };
    std::optional<Backward> of_weight = from(context.as_input, Phase::dw);
    std::optional<Backward> of_product = from(context.as_right, Phase::dx);
    if (!of_product) {
        of_product = from(context.as_left, Phase::dw);
    }
    // A tensor may have been both; batched products belong to batched products.
    return batched ? (of_product ? of_product : of_weight) : (of_weight ? of_weight : of_product);
}

}  // namespace

void emit_product(ReplayContext& context, Product product, const AtenArguments& arguments) {
    if (const auto problem = problem_of(product.work)) {
        arguments.fail(*problem);
    }
    Operation operation;
    operation.phase = product.phase;
    operation.layer = context.layer_name(product.layer);
    operation.position = product.position;
    operation.work = product.work;
    operation.inputs = {product.left, product.right};
    operation.outputs = {product.out};
    if (product.addend) {
        operation.epilogue = {{product.addend_is_bias ? "bias" : "add"}};
        operation.inputs.push_back(*product.addend);
    }
    context.emit(std::move(operation), arguments);
}

bool replay_product(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments) {
    const bool adds = op.rule == AtenRule::addmm;
    const RecordedTensor& left_tensor = arguments.tensor(adds ? 1 : 0);
    const RecordedTensor& right_tensor = arguments.tensor(adds ? 2 : 1);
    Matrix left = matrix_of(left_tensor, true, arguments);
    Matrix right = matrix_of(right_tensor, false, arguments);
    if (op.rule == AtenRule::linear) {  // the weight is given outputs by inputs
        std::swap(right.rows, right.columns);
        right.turned = !right.turned;
    }
    if (right.batch == 1 && left.batch > 1) {  // one matrix for all: their rows are one long list
        left.rows *= left.batch;
        left.batch = 1;
    }
    if (left.columns != right.rows || (left.batch != right.batch && left.batch != 1)) {
        arguments.fail(fmt::format("matrices of shapes [{}] and [{}] cannot be multiplied",
                                   fmt::join(left_tensor.shape, ","), fmt::join(right_tensor.shape, ",")));
    }
    // Gradients are plain products; one with an addend is the forward pass computed again (checkpointing).
    const bool backward = arguments.call().backward && !adds && op.rule != AtenRule::linear;
    const TensorRole other = backward ? TensorRole::gradient : TensorRole::activation;
    Product product;
    product.work = {right.batch, left.rows, right.columns, left.columns, false, false};
    if (const auto problem = problem_of(product.work)) {
        arguments.fail(*problem);
    }
    product.left = context.operand(left_tensor, other, arguments);
    product.right = context.operand(right_tensor, other, arguments);
    product.work.left_transposed = lies_turned(context, left, product.left, true);
    product.work.right_transposed = lies_turned(context, right, product.right, false);
    TensorRole role = TensorRole::activation;
    if (backward) {
        const std::optional<Backward> found =
            backward_of(context, product.left, product.right, product.work.batch > 1, arguments);
        if (found) {
            product.phase = found->phase;
            product.layer = found->layer;
            product.position = found->position;
        } else {
            // Nothing links the operands to the forward pass. PyTorch computes the left operand's gradient first.
            product.phase = context.toggle_unlinked() ? Phase::dx : Phase::dw;
            product.layer = context.layer_of_product(arguments);
            context.note_once(
                "products of the backward pass that nothing links to the forward pass are taken for dx "
                "and dw in turn");
        }
        const bool of_weight = found && found->phase == Phase::dw && found->weight;
        role = of_weight ? TensorRole::weight_gradient : TensorRole::gradient;
        product.out = context.product_result(arguments, product.work, role);
        if (of_weight) {
            context.gradient_of[*found->weight] = product.out;
        }
    } else {
        const bool weighted = context.known(product.right).role == TensorRole::weight;
        if (weighted) {
            product.layer = context.layer_of_weight(product.right, "linear", arguments);
            product.position = context.position_of(product.right);
            context.as_input[product.left] = {product.layer, product.right};
        } else {
            product.layer = context.layer_of_product(arguments);
            context.as_left[product.left] = {product.layer, std::nullopt};
            context.as_right[product.right] = {product.layer, std::nullopt};
        }
        product.out = context.product_result(arguments, product.work, role);
    }
    const RecordedTensor* addend = arguments.find_tensor(adds ? 0 : 2);
    if (addend != nullptr && (adds || op.rule == AtenRule::linear)) {
        const auto from = context.sources(*addend, addend->shape.size() > 1 ? other : TensorRole::state, arguments);
        if (from.size() == 1 && !from.front().part) {
            product.addend = from.front().tensor;
            product.addend_is_bias = addend->shape.size() <= 1;
        }
    }
    emit_product(context, product, arguments);
    return true;
}

}  // namespace nibble
