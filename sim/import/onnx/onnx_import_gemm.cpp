// SPDX-License-Identifier: MIT
// Convolutions and matrix products.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "sim/import/onnx/onnx_convolution.h"
#include "sim/import/onnx/onnx_einsum.h"
#include "sim/import/onnx/onnx_importer.h"
#include "sim/import/onnx/onnx_product.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

/// What ONNX Runtime fuses to a GEMM; others are left out with a note.
std::vector<VectorStep> activation_of(OnnxImporter& importer, const OnnxStep& step) {
    static const std::unordered_map<std::string, const char*> functions{
        {"Relu", "relu"}, {"LeakyRelu", "leaky_relu"}, {"Sigmoid", "sigmoid"},
        {"Tanh", "tanh"}, {"Clip", "clamp"},           {"HardSigmoid", "hard_sigmoid"}};
    const std::string name = step.text("activation", "");
    const auto found = functions.find(name);
    if (!name.empty() && found == functions.end()) {
        importer.note_once(fmt::format("the activation function fused to {} is left out", step.title()));
    }
    return found == functions.end() ? std::vector<VectorStep>{} : std::vector<VectorStep>{{found->second}};
}

void convolution(OnnxImporter& importer, const OnnxStep& step, std::size_t x_at, std::size_t w_at,
                 std::size_t bias_at) {
    const OnnxValueId x = step.input(x_at);
    const OnnxValueId w = step.input(w_at);
    const auto work = onnx_convolution(step, importer.shape(step, x), importer.shape(step, w));
    if (!work) {
        return importer.unrecognised(step, "a convolution of more than two dimensions");
    }
    const TensorId input = importer.tensor(step, x);
    const TensorId weight = importer.tensor(step, w);
    importer.use_as_weight(w, weight);
    std::vector<VectorStep> epilogue;
    std::vector<TensorId> more;
    if (step.has_input(bias_at)) {
        epilogue.push_back({importer.parameter(step.input(bias_at)) ? "bias" : "add"});
        more.push_back(importer.tensor(step, step.input(bias_at)));
    }
    for (const VectorStep& function : activation_of(importer, step)) {
        epilogue.push_back(function);
    }
    importer.gemm(step, Phase::forward, *work, input, weight, importer.result(step, 0), std::move(epilogue), more);
}

void conv(OnnxImporter& importer, const OnnxStep& step) {
    convolution(importer, step, 0, 1, 2);
}

void quantized_conv(OnnxImporter& importer, const OnnxStep& step) {
    convolution(importer, step, 0, 3, 8);
}

void integer_conv(OnnxImporter& importer, const OnnxStep& step) {
    convolution(importer, step, 0, 1, step.inputs.size());
}

void product(OnnxImporter& importer, const OnnxStep& step, std::size_t right_at) {
    onnx_matrix_product(importer, step, step.input(0), step.input(right_at),
                        {step.integer("transA", 0) != 0, step.integer("transB", 0) != 0, {}, {}});
}

void matmul(OnnxImporter& importer, const OnnxStep& step) {
    product(importer, step, 1);
}

void quantized_matmul(OnnxImporter& importer, const OnnxStep& step) {
    product(importer, step, 3);
}

void gemm(OnnxImporter& importer, const OnnxStep& step) {
    OnnxProductForm form{step.integer("transA", 0) != 0, step.integer("transB", 0) != 0, {}, {}};
    if (step.has_input(2) && step.real("beta", 1) != 0) {
        const OnnxValueId addend = step.input(2);
        const Shape& shape = importer.shape(step, addend);
        const bool bias = importer.parameter(addend) && (shape.size() < 2 || shape[0] == 1);
        if (importer.immediate(addend)) {
            form.epilogue.push_back({"add"});
        } else {
            form.epilogue.push_back({bias ? "bias" : "add"});
            form.more.push_back(importer.tensor(step, addend));
        }
    }
    for (const VectorStep& function : activation_of(importer, step)) {
        form.epilogue.push_back(function);
    }
    onnx_matrix_product(importer, step, step.input(0), step.input(1), form);
}

void einsum(OnnxImporter& importer, const OnnxStep& step) {
    std::vector<Shape> shapes;
    for (const OnnxValueId id : step.inputs) {
        shapes.push_back(importer.shape(step, id));
    }
    const OnnxEinsum equation(step, shapes);
    if (!equation.is_product()) {
        return importer.unrecognised(step, "no product of two operands");
    }
    const OnnxEinsum::Product product = equation.product();
    const auto operand = [&](std::size_t at, bool moved) {
        const OnnxValueId id = step.input(at);
        const TensorId tensor = importer.tensor(step, id);
        importer.use_as_weight(id, tensor);
        if (!moved) {
            return tensor;
        }
        const TensorId copy = importer.declare(step, TensorRole::activation, importer.name(id) + " moved", shapes[at]);
        importer.pass(step, elements_of(shapes[at]), {{"copy"}}, {tensor}, {copy});
        return copy;
    };
    const TensorId left = operand(0, product.left_moved);
    const TensorId right = operand(1, product.right_moved);
    const Matmul work{product.batch,           product.m, product.n, product.k, product.left_transposed,
                      product.right_transposed};
    if (!product.result_moved) {
        return importer.gemm(step, Phase::forward, work, left, right, importer.result(step, 0));
    }
    const Shape& shape = importer.shape(step, step.output(0));
    const TensorId raw =
        importer.declare(step, TensorRole::activation, importer.name(step.output(0)) + " unmoved", shape);
    importer.gemm(step, Phase::forward, work, left, right, raw);
    importer.pass(step, elements_of(shape), {{"copy"}}, {raw}, {importer.result(step, 0)});
}

}  // namespace

void onnx_matrix_product(OnnxImporter& importer, const OnnxStep& step, OnnxValueId left_id, OnnxValueId right_id,
                         const OnnxProductForm& form) {
    OnnxImporter::Operand left = importer.operand(step, left_id);
    OnnxImporter::Operand right = importer.operand(step, right_id);
    Shape left_shape = importer.shape(step, left_id);
    Shape right_shape = importer.shape(step, right_id);
    if (left_shape.size() == 1) {
        left_shape.insert(left_shape.begin(), 1);
    }
    if (right_shape.size() == 1) {
        right_shape.push_back(1);
    }
    const auto rows = [](const Shape& shape, bool transposed) { return shape[shape.size() - (transposed ? 1 : 2)]; };
    const auto columns = [](const Shape& shape, bool transposed) { return shape[shape.size() - (transposed ? 2 : 1)]; };
    Matmul work;
    work.m = rows(left_shape, form.left_transposed);
    work.k = columns(left_shape, form.left_transposed);
    work.n = columns(right_shape, form.right_transposed);
    work.left_transposed = form.left_transposed != left.swapped;
    work.right_transposed = form.right_transposed != right.swapped;

    const Shape left_stack(left_shape.begin(), left_shape.end() - 2);
    const Shape right_stack(right_shape.begin(), right_shape.end() - 2);
    const std::uint64_t left_count = elements_of(left_stack);
    const std::uint64_t right_count = elements_of(right_stack);
    if (right_count == 1 && !work.left_transposed) {
        work.m *= left_count;  // one matrix for all: a single product, below 2^48 rows
    } else {
        std::uint64_t stack = std::max(left_count, right_count);
        const bool shared = left_count == 1 || right_count == 1 || left_stack == right_stack;
        if (!shared) {  // each operand has dimensions of 1 or is repeated along others: written out
            Shape full = left_stack.size() >= right_stack.size() ? left_stack : right_stack;
            const Shape& other = left_stack.size() >= right_stack.size() ? right_stack : left_stack;
            for (std::size_t i = 0; i < other.size(); ++i) {
                std::uint64_t& size = full[full.size() - other.size() + i];
                size = std::max(size, other[i]);
            }
            stack = elements_of(full);
            const auto repeat = [&](TensorId tensor, std::uint64_t count, const Shape& matrix, OnnxValueId id) {
                if (count == stack) {
                    return tensor;
                }
                Shape shape = full;
                shape.insert(shape.end(), matrix.end() - 2, matrix.end());
                const TensorId copy =
                    importer.declare(step, TensorRole::activation, importer.name(id) + " repeated", shape);
                importer.pass(step, elements_of(shape), {{"copy"}}, {tensor}, {copy});
                return copy;
            };
            left.tensor = repeat(left.tensor, left_count, left_shape, left_id);
            right.tensor = repeat(right.tensor, right_count, right_shape, right_id);
        }
        work.batch = stack;
    }
    importer.use_as_weight(right_id, right.tensor);
    importer.use_as_weight(left_id, left.tensor);
    std::vector<VectorStep> epilogue = form.epilogue;
    if (step.real("alpha", 1) != 1) {
        epilogue.insert(epilogue.begin(), {"mul"});
    }
    const Phase phase = onnx_product_phase(importer, step, left, right);
    const TensorId out = importer.result(step, 0);
    if (phase == Phase::dw && (work.batch == 1) && onnx_gradient_of_parameter(importer, step.output(0))) {
        importer.set_role(out, TensorRole::weight_gradient);
    }
    importer.gemm(step, phase, work, left.tensor, right.tensor, out, std::move(epilogue), form.more);
}

OnnxImportRule onnx_gemm_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules{
        {"Conv", conv},
        {"FusedConv", conv},
        {"ConvTranspose", conv},
        {"QLinearConv", quantized_conv},
        {"ConvInteger", integer_conv},
        {"MatMul", matmul},
        {"FusedMatMul", matmul},
        {"TransposeMatMul", matmul},
        {"MatMulInteger", matmul},
        {"QLinearMatMul", quantized_matmul},
        {"Gemm", gemm},
        {"FusedGemm", gemm},
        {"Einsum", einsum},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
