// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_shapes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

OnnxShapeRule rule_of(const std::string& op) {
    for (const auto find :
         {onnx_gemm_shape, onnx_arithmetic_shape, onnx_movement_shape, onnx_made_shape, onnx_backward_shape}) {
        if (const OnnxShapeRule rule = find(op)) {
            return rule;
        }
    }
    return nullptr;
}

/// Draws numbers, so that nothing is known before the step.
bool random(const std::string& op) {
    return op.starts_with("Random") || op == "Bernoulli" || op == "Multinomial" || op == "Dropout";
}

}  // namespace

OnnxShapes::OnnxShapes(const OnnxProgram& program, std::int64_t opset, const Inputs& inputs)
    : program_(program), inputs_(inputs), values_(program.names.size()) {
    take_initializers();
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        OnnxValue& value = values_[program.inputs[i]];
        value.known = inputs.shapes[i].has_value();
        value.type = program.input_infos[i]->type;
        value.shape = inputs.shapes[i].value_or(Shape{});
        value.origin = inputs.trained[i] ? OnnxOrigin::parameter : OnnxOrigin::data;
    }
    for (const OnnxStep& step : program.steps) {
        infer(step, opset);
        if (choice_) {
            return;
        }
    }
    if (!inputs.replaced) {
        compare_declared();
    }
}

bool OnnxShapes::knows(const std::string& op) {
    return rule_of(op) != nullptr;
}

void OnnxShapes::take_initializers() {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        const OnnxTensor* tensor = program_.initializers[i];
        if (tensor == nullptr) {
            continue;
        }
        OnnxValue& value = values_[i];
        value.known = true;
        value.type = tensor->type;
        std::uint64_t elements = 1;
        for (const std::int64_t dim : tensor->dims) {
            const auto size = static_cast<std::uint64_t>(dim);
            const auto product = bounded_product({elements, std::max<std::uint64_t>(size, 1)}, most_elements);
            if (dim < 0 || !product) {
                throw InputError(
                    {inputs_.file, 0, 0},
                    fmt::format("initializer '{}': expected dimensions of 0 or more and at most {} "
                                "elements, found [{}]",
                                printable(tensor->name, 100), most_elements, fmt::join(tensor->dims, ",")));
            }
            elements = *product;
            value.shape.push_back(size);
        }
        const bool trained = value.type.kind() == OnnxKind::floating || value.type.quantized();
        value.origin = trained && !value.shape.empty() ? OnnxOrigin::parameter : OnnxOrigin::constant;
        value.numbers = tensor->numbers;
    }
}

void OnnxShapes::infer(const OnnxStep& step, std::int64_t opset) {
    const std::string op = step.op();
    if (op == "If" && step.has_input(0) && values_[step.inputs[0]].numbers) {
        const auto* truth = std::get_if<std::vector<std::int64_t>>(&*values_[step.inputs[0]].numbers);
        if (truth != nullptr && truth->size() == 1) {
            choice_ = Choice{step.index(), truth->front() != 0};
            return;
        }
    }
    if (const OnnxShapeRule rule = rule_of(op)) {
        OnnxShapeStep context(program_, step, values_, opset);
        rule(context);
    }
    take_declared(step);
    find_origin(step);
    fold_onnx_numbers(step, values_);
}

std::optional<Shape> OnnxShapes::declared(OnnxValueId value) const {
    const OnnxValueInfo* info = program_.infos[value];
    if (info == nullptr || !info->shape || inputs_.replaced) {
        return std::nullopt;
    }
    Shape shape;
    std::uint64_t elements = 1;
    for (const OnnxDimension& dimension : *info->shape) {
        std::optional<std::uint64_t> size;
        if (dimension.value && *dimension.value >= 0) {
            size = static_cast<std::uint64_t>(*dimension.value);
        } else if (const auto found = inputs_.symbols.find(dimension.symbol); found != inputs_.symbols.end()) {
            size = found->second;
        }
        const auto product =
            size ? bounded_product({elements, std::max<std::uint64_t>(*size, 1)}, most_elements) : std::nullopt;
        if (!product) {
            return std::nullopt;
        }
        elements = *product;
        shape.push_back(*size);
    }
    return shape;
}

void OnnxShapes::take_declared(const OnnxStep& step) {
    for (const OnnxValueId id : step.outputs) {
        if (id == onnx_absent || values_[id].known) {
            continue;
        }
        OnnxValue& value = values_[id];
        if (program_.infos[id] != nullptr) {
            value.type = program_.infos[id]->type;
        }
        if (const std::optional<Shape> shape = declared(id)) {
            value.known = true;
            value.shape = *shape;
            continue;
        }
        // ONNX Runtime names the gradient of a value after it: "x_grad", "x_grad_1".
        const std::string& name = program_.names[id];
        const std::size_t suffix = name.rfind("_grad");
        if (suffix == std::string::npos) {
            continue;
        }
        const auto forward = program_.numbers.find(name.substr(0, suffix));
        if (forward != program_.numbers.end() && values_[forward->second].known) {
            value.known = true;
            value.type = values_[forward->second].type;
            value.shape = values_[forward->second].shape;
        }
    }
}

void OnnxShapes::find_origin(const OnnxStep& step) {
    const std::string op = step.op();
    OnnxOrigin origin = OnnxOrigin::constant;
    for (const OnnxValueId id : step.inputs) {
        if (id != onnx_absent) {
            origin = std::max(origin, values_[id].origin);
        }
    }
    if (op == "Shape" || op == "Size") {
        origin = OnnxOrigin::constant;
    } else if (random(op) || step.backward || (origin == OnnxOrigin::parameter && !onnx_moves_only(op)) ||
               (step.inputs.empty() && !knows(op))) {
        origin = OnnxOrigin::data;
    }
    for (const OnnxValueId id : step.outputs) {
        if (id != onnx_absent) {
            values_[id].origin = origin;
        }
    }
}

void OnnxShapes::compare_declared() {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        const OnnxValueInfo* info = program_.infos[i];
        if (info == nullptr || !info->shape || !values_[i].known) {
            continue;
        }
        const Shape& shape = values_[i].shape;
        bool same = info->shape->size() == shape.size();
        for (std::size_t d = 0; same && d < shape.size(); ++d) {
            const std::optional<std::int64_t> said = (*info->shape)[d].value;
            same = !said || *said <= 0 || static_cast<std::uint64_t>(*said) == shape[d];
        }
        if (!same) {
            disagreements_.push_back(program_.names[i]);
        }
    }
}

}  // namespace nibble
