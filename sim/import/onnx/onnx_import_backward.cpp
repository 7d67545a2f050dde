// SPDX-License-Identifier: MIT
// Operators of backward passes and optimisers that ONNX Runtime recorded. Source: their schemas in ONNX Runtime
// (orttraining/core/graph/training_op_defs.cc), the order of inputs and outputs.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "sim/import/onnx/onnx_convolution.h"
#include "sim/import/onnx/onnx_importer.h"
#include "sim/import/onnx/onnx_product.h"

namespace nibble {

namespace {

/// dY, X, W: dX, dW and the gradient of the bias, those that are asked for.
void convolution(OnnxImporter& importer, const OnnxStep& step) {
    const OnnxValueId w = step.input(2);
    const auto work = onnx_convolution(step, importer.shape(step, step.input(1)), importer.shape(step, w));
    if (!work) {
        return importer.unrecognised(step, "a convolution of more than two dimensions");
    }
    const TensorId dy = importer.tensor(step, step.input(0));
    if (step.has_output(0)) {
        const TensorId weight = importer.tensor(step, w);
        importer.use_as_weight(w, weight);
        importer.gemm(step, Phase::dx, *work, dy, weight, importer.result(step, 0));
    }
    if (step.has_output(1)) {
        const TensorId x = importer.tensor(step, step.input(1));
        const TensorId dw = importer.result(step, 1);
        importer.set_role(dw, TensorRole::weight_gradient);
        importer.gemm(step, Phase::dw, *work, x, dy, dw);
    }
    if (step.has_output(2)) {
        const TensorId db = importer.result(step, 2);
        importer.set_role(db, TensorRole::statistic);
        importer.pass(step, importer.elements(step, step.input(0)), {{"bias_grad"}}, {dy}, {db});
    }
}

struct Function {
    std::string_view op;
    const char* function;
    std::size_t inputs;  ///< that are read, from the first
};
constexpr Function functions[] = {{"ReluGrad", "relu_grad", 2},
                                  {"SigmoidGrad", "sigmoid_grad", 2},
                                  {"TanhGrad", "tanh_grad", 2},
                                  {"LeakyReluGrad", "leaky_relu_grad", 2},
                                  {"GeluGrad", "gelu_grad", 2},
                                  {"FastGeluGrad", "gelu_grad", 2},
                                  {"QuickGeluGrad", "silu_grad", 2},
                                  {"BiasGeluGrad_dX", "gelu_grad", 3},
                                  {"BiasFastGeluGrad_dX", "gelu_grad", 3},
                                  {"SoftmaxGrad", "softmax_grad", 2},
                                  {"SoftmaxGrad_13", "softmax_grad", 2},
                                  {"LogSoftmaxGrad", "log_softmax_grad", 2},
                                  {"LogSoftmaxGrad_13", "log_softmax_grad", 2},
                                  {"DropoutGrad", "dropout_grad", 2},
                                  {"MaxPoolGrad", "max_pool_grad", 2},
                                  {"AveragePoolGrad", "avg_pool_grad", 1},
                                  {"GlobalAveragePoolGrad", "avg_pool_grad", 1},
                                  {"Scale", "mul", 1}};

void elementwise(OnnxImporter& importer, const OnnxStep& step) {
    const auto* found =
        std::find_if(std::begin(functions), std::end(functions), [&](const auto& f) { return f.op == step.op(); });
    std::vector<std::size_t> inputs;
    for (std::size_t i = 0; i < found->inputs; ++i) {
        inputs.push_back(i);
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{found->function}}, inputs);
}

/// dY, X, scale, ...: dX, and the gradients of scale and shift.
void normalisation(OnnxImporter& importer, const OnnxStep& step, std::vector<VectorStep> steps) {
    std::vector<TensorId> read;
    for (const OnnxValueId id : step.inputs) {
        if (id != onnx_absent && !importer.immediate(id)) {
            read.push_back(importer.tensor(step, id));
        }
    }
    std::vector<TensorId> written;
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
        if (step.has_output(i)) {
            written.push_back(importer.result(step, i));
            if (i > 0) {
                importer.set_role(written.back(), TensorRole::statistic);
            }
        }
    }
    importer.pass(step, importer.elements(step, step.input(0)), std::move(steps), read, written);
}

void layer_normalization(OnnxImporter& importer, const OnnxStep& step) {
    normalisation(importer, step, {{"layer_norm_grad"}});
}

void rms_normalization(OnnxImporter& importer, const OnnxStep& step) {
    normalisation(importer, step, {{"rms_norm_grad"}});
}

/// Two passes over the batch: sums, then the gradient.
void batch_normalization(OnnxImporter& importer, const OnnxStep& step) {
    const TensorId dy = importer.tensor(step, step.input(0));
    const TensorId x = importer.tensor(step, step.input(1));
    const TensorId scale = importer.tensor(step, step.input(2));
    std::vector<TensorId> statistics;
    for (const std::size_t at : {std::size_t{3}, std::size_t{4}}) {
        if (step.has_input(at)) {
            const TensorId tensor = importer.tensor(step, step.input(at));
            if (std::find(statistics.begin(), statistics.end(), tensor) == statistics.end()) {
                statistics.push_back(tensor);
            }
        }
    }
    std::vector<TensorId> sums;
    for (const std::size_t at : {std::size_t{1}, std::size_t{2}}) {
        if (step.has_output(at)) {
            sums.push_back(importer.result(step, at));
            importer.set_role(sums.back(), TensorRole::statistic);
        }
    }
    const std::uint64_t elements = importer.elements(step, step.input(0));
    std::vector<TensorId> read{dy, x};
    read.insert(read.end(), statistics.begin(), statistics.end());
    if (sums.empty()) {
        return importer.unrecognised(step, "without the gradients of scale and shift");
    }
    importer.pass(step, elements, {{"bn_grad_reduce"}}, read, sums);
    if (step.has_output(0)) {
        read.insert(read.end(), sums.begin(), sums.end());
        read.push_back(scale);
        importer.pass(step, elements, {{"bn_grad_apply"}}, read, {importer.result(step, 0)});
    }
}

void gather(OnnxImporter& importer, const OnnxStep& step, std::size_t index_at, std::size_t gradient_at) {
    const TensorId dy = importer.tensor(step, step.input(gradient_at));
    const TensorId index = importer.tensor(step, step.input(index_at));
    const TensorId out = importer.result(step, 0);
    if (onnx_gradient_of_parameter(importer, step.output(0))) {
        importer.set_role(out, TensorRole::weight_gradient);
    }
    importer.pass(step, importer.elements(step, step.input(gradient_at)), {{"scatter_add"}}, {dy, index}, {out});
}

void gather_gradient(OnnxImporter& importer, const OnnxStep& step) {  // shape, indices, dY
    gather(importer, step, 1, 2);
}

void gather_elements_gradient(OnnxImporter& importer, const OnnxStep& step) {  // dY, shape, indices
    gather(importer, step, 2, 0);
}

void slice_gradient(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"copy"}}, {0});
}

/// dY, logarithms of probabilities, labels
void loss_gradient(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.input(1)), {{"exp"}, {"cross_entropy_grad"}}, {1, 2});
}

void keep(OnnxImporter& importer, const OnnxStep& step) {
    for (std::size_t i = 0; i < step.inputs.size() && i < step.outputs.size(); ++i) {
        importer.alias(step, i, step.input(i));
    }
}

/// The gradient of this step becomes the sum: a step trains on one batch.
void accumulate(OnnxImporter& importer, const OnnxStep& step) {
    importer.alias(step, step.op() == "InPlaceAccumulatorV2" ? 1 : 0, step.input(1));
}

}  // namespace

bool onnx_gradient_of_parameter(const OnnxImporter& importer, OnnxValueId id) {
    const std::string& name = importer.name(id);
    const std::size_t suffix = name.rfind("_grad");
    if (suffix == std::string::npos) {
        return false;
    }
    const auto forward = importer.program().numbers.find(name.substr(0, suffix));
    return forward != importer.program().numbers.end() && importer.parameter(forward->second);
}

Phase onnx_product_phase(const OnnxImporter& importer, const OnnxStep& step, const OnnxImporter::Operand& left,
                         const OnnxImporter::Operand& right) {
    if (!step.backward) {
        return Phase::forward;
    }
    const auto is = [&](const OnnxImporter::Operand& operand, TensorRole role) {
        return importer.role(operand.tensor) == role;
    };
    if (is(left, TensorRole::weight) || is(right, TensorRole::weight)) {
        return Phase::dx;
    }
    const bool transposed = (step.integer("transA", 0) != 0) != left.swapped;
    return is(left, TensorRole::gradient) && !transposed ? Phase::dx : Phase::dw;
}

OnnxImportRule onnx_backward_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules = [] {
        std::unordered_map<std::string_view, OnnxImportRule> all{
            {"ConvGrad", convolution},
            {"LayerNormalizationGrad", layer_normalization},
            {"SimplifiedLayerNormalizationGrad", rms_normalization},
            {"BatchNormalizationGrad", batch_normalization},
            {"GatherGrad", gather_gradient},
            {"GatherNDGrad", gather_gradient},
            {"GatherElementsGrad", gather_elements_gradient},
            {"SliceGrad", slice_gradient},
            {"SoftmaxCrossEntropyLossGrad", loss_gradient},
            {"SoftmaxCrossEntropyLossInternalGrad", loss_gradient},
            {"ZeroGradient", keep},
            {"YieldOp", keep},
            {"InPlaceAccumulator", accumulate},
            {"InPlaceAccumulatorV2", accumulate},
        };
        for (const Function& function : functions) {
            all.emplace(function.op, elementwise);
        }
        return all;
    }();
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
