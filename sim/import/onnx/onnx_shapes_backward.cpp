// SPDX-License-Identifier: MIT
// Shapes of the operators of recorded backward passes and optimisers. Source: ONNX Runtime, the operators that its
// gradient builders emit (orttraining).
#include <string_view>
#include <unordered_map>

#include "sim/import/onnx/onnx_shapes.h"

namespace nibble {

namespace {

using Node = OnnxShapeStep;

void as_first(Node& node) {
    node.out(0, node.shape(0));
}

void as_second(Node& node) {
    node.out(0, node.in(1).type, node.shape(1));
}

void convolution_gradient(Node& node) {  // dY, X, W
    node.out(0, node.in(1).type, node.shape(1));
    node.out(1, node.in(2).type, node.shape_from_rank(2, 3));
    node.out(2, node.in(2).type, Shape{node.shape(2)[0]});
}

void normalization_gradient(Node& node) {  // dY, X, scale, ...
    node.out(0, node.in(1).type, node.shape(1));
    node.out(1, node.in(2).type, node.shape(2));
    node.out(2, node.in(2).type, node.shape(2));
}

void gather_gradient(Node& node) {  // shape, indices, dY
    Shape shape;
    for (const std::int64_t size : node.integers(0)) {
        shape.push_back(node.size(size, "shape"));
    }
    node.out(0, node.in(2).type, shape);
}

void slice_gradient(Node& node) {  // dY, shape, ...
    Shape shape;
    for (const std::int64_t size : node.integers(1)) {
        shape.push_back(node.size(size, "shape"));
    }
    node.out(0, shape);
}

void loss_gradient(Node& node) {  // dY, logarithms of probabilities, labels
    node.out(0, node.in(1).type, node.shape(1));
}

void accumulate(Node& node) {  // sum so far, value
    node.out(0, node.shape(0));
}

void accumulate_v2(Node& node) {  // sum so far, value, whether to overwrite: whether it did, the sum
    node.out(0, OnnxType{OnnxType::boolean}, Shape{1});
    node.out(1, node.in(0).type, node.shape(0));
}

/// Dimensions over which the gradients of two operands that were broadcast must be summed.
void broadcast_axes(Node& node) {
    const std::vector<std::int64_t> shapes[] = {node.integers(0), node.integers(1)};
    const std::size_t rank = std::max(shapes[0].size(), shapes[1].size());
    std::vector<std::int64_t> axes[2];
    for (std::size_t i = 0; i < rank; ++i) {
        const auto size = [&](const std::vector<std::int64_t>& shape) {
            const std::size_t skipped = rank - shape.size();
            return i < skipped ? 1 : shape[i - skipped];
        };
        const std::int64_t left = size(shapes[0]);
        const std::int64_t right = size(shapes[1]);
        const bool missing_left = i < rank - shapes[0].size();
        const bool missing_right = i < rank - shapes[1].size();
        if (missing_left || (left == 1 && right != 1)) {
            axes[0].push_back(static_cast<std::int64_t>(i));
        }
        if (missing_right || (right == 1 && left != 1)) {
            axes[1].push_back(static_cast<std::int64_t>(i));
        }
    }
    for (std::size_t i = 0; i < 2; ++i) {
        node.out(i, OnnxType{OnnxType::int64}, Shape{axes[i].size()});
        node.numbers(i, axes[i]);
    }
}

void yield(Node& node) {  // results of the forward pass: their gradients
    for (std::size_t i = 0; i < node.step().inputs.size() && i < node.step().outputs.size(); ++i) {
        node.out(i, node.in(i).type, node.shape(i));
    }
}

}  // namespace

OnnxShapeRule onnx_backward_shape(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxShapeRule> rules{
        {"ConvGrad", convolution_gradient},
        {"ReluGrad", as_first},
        {"SigmoidGrad", as_first},
        {"TanhGrad", as_first},
        {"LeakyReluGrad", as_first},
        {"GeluGrad", as_first},
        {"FastGeluGrad", as_first},
        {"QuickGeluGrad", as_first},
        {"BiasGeluGrad_dX", as_first},
        {"BiasFastGeluGrad_dX", as_first},
        {"SoftmaxGrad", as_first},
        {"SoftmaxGrad_13", as_first},
        {"LogSoftmaxGrad", as_first},
        {"LogSoftmaxGrad_13", as_first},
        {"DropoutGrad", as_first},
        {"LayerNormalizationGrad", normalization_gradient},
        {"SimplifiedLayerNormalizationGrad", normalization_gradient},
        {"BatchNormalizationGrad", normalization_gradient},
        {"GatherGrad", gather_gradient},
        {"GatherNDGrad", gather_gradient},
        {"GatherElementsGrad", slice_gradient},
        {"SliceGrad", slice_gradient},
        {"SoftmaxCrossEntropyLossGrad", loss_gradient},
        {"SoftmaxCrossEntropyLossInternalGrad", loss_gradient},
        {"InPlaceAccumulator", accumulate},
        {"InPlaceAccumulatorV2", accumulate_v2},
        {"ZeroGradient", as_first},
        {"Scale", as_first},
        {"BroadcastGradientArgs", broadcast_axes},
        {"YieldOp", yield},
        {"SGDOptimizer", as_second},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
