// SPDX-License-Identifier: MIT
// Where the values of a graph lie.
#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_importer.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

constexpr std::size_t longest_name = 200;

/// As a trace has shapes: one to eight dimensions.
Shape trace_shape(const Shape& shape) {
    constexpr std::size_t most_dimensions = 8;
    Shape result = shape.empty() ? Shape{1} : shape;
    while (result.size() > most_dimensions) {
        result[1] *= result[0];
        result.erase(result.begin());
    }
    return result;
}

/// Of a stack of matrices.
Shape without_leading_ones(Shape shape) {
    while (shape.size() > 2 && shape.front() == 1) {
        shape.erase(shape.begin());
    }
    return shape;
}

}  // namespace

// ---- Values

const std::string& OnnxImporter::name(OnnxValueId id) const {
    while (parameter(id) && program_.producers[id] != nullptr) {
        const std::vector<OnnxValueId>& inputs = program_.producers[id]->inputs;
        const auto from = std::find_if(inputs.begin(), inputs.end(),
                                       [&](OnnxValueId input) { return input != onnx_absent && parameter(input); });
        if (from == inputs.end()) {
            break;
        }
        id = *from;
    }
    return program_.names[id];
}

const Shape& OnnxImporter::shape(const OnnxStep& step, OnnxValueId id) const {
    if (!value(id).known) {
        const OnnxStep* producer = program_.producers[id];
        step.fail(
            fmt::format("the shape of '{}' is not known{}; run onnx.shape_inference.infer_shapes over the model "
                        "first, or export it with fixed shapes",
                        printable(name(id), 100),
                        producer == nullptr ? "" : fmt::format(": {} is not understood", producer->title())));
    }
    return value(id).shape;
}

bool OnnxImporter::wanted(const OnnxStep& step, std::size_t output) const {
    return step.has_output(output) && readers_[step.outputs[output]] > 0;
}

bool OnnxImporter::immediate(OnnxValueId id) const {
    return value(id).origin == OnnxOrigin::constant && value(id).known && value(id).elements() == 1;
}

std::optional<double> OnnxImporter::constant_number(const OnnxStep& step, std::size_t input) const {
    if (!step.has_input(input) || !value(step.inputs[input]).numbers) {
        return std::nullopt;
    }
    return std::visit(
        [](const auto& list) {
            return list.size() == 1 ? std::optional(static_cast<double>(list.front())) : std::nullopt;
        },
        *value(step.inputs[input]).numbers);
}

// ---- Tensors

TensorRole OnnxImporter::role_of(OnnxValueId id, bool backward) const {
    switch (value(id).type.kind()) {
        case OnnxKind::boolean:
            return TensorRole::mask;
        case OnnxKind::integer:
            if (!value(id).type.quantized()) {
                return TensorRole::index;
            }
            break;
        default:
            break;
    }
    if (parameter(id)) {
        return TensorRole::state;
    }
    return backward ? TensorRole::gradient : TensorRole::activation;
}

TensorId OnnxImporter::tensor(const OnnxStep& step, OnnxValueId id) {
    Place& place = places_[id];
    if (place.tensor) {
        return *place.tensor;
    }
    if (place.source != onnx_absent) {
        const TensorId from = tensor(step, place.source);
        if (!place.swapped) {
            places_[id].tensor = from;
            return from;
        }
        const TensorId moved =
            declare(step, role_of(id, role(from) == TensorRole::gradient), name(id), shape(step, id));
        pass(step, graph_.tensors[from].elements, {{"copy"}}, {from}, {moved});
        if (role(moved) == TensorRole::state) {  // computed in the step, so that it is not what is trained
            set_role(moved, TensorRole::activation);
        }
        places_[id].tensor = moved;
        return moved;
    }
    place.tensor = declare(step, role_of(id, false), name(id), shape(step, id));
    return *places_[id].tensor;
}

OnnxImporter::Operand OnnxImporter::operand(const OnnxStep& step, OnnxValueId id) {
    bool swapped = false;
    OnnxValueId at = id;
    while (!places_[at].tensor && places_[at].source != onnx_absent) {
        const OnnxValueId source = places_[at].source;
        if (!places_[at].swapped &&
            without_leading_ones(shape(step, source)) != without_leading_ones(shape(step, at))) {
            break;  // another shape: its last two dimensions are others
        }
        swapped = swapped != places_[at].swapped;
        at = source;
    }
    return {tensor(step, at), swapped};
}

void OnnxImporter::use_as_weight(OnnxValueId id, TensorId tensor) {
    use_as_table(id, tensor);
    if (parameter(id)) {
        weighted_.insert(step_);
    }
}

void OnnxImporter::use_as_table(OnnxValueId id, TensorId tensor) {
    if (parameter(id) && role(tensor) == TensorRole::state) {
        set_role(tensor, TensorRole::weight);
    }
}

TensorId OnnxImporter::result(const OnnxStep& step, std::size_t output) {
    const OnnxValueId id = step.output(output);
    const TensorId made = declare(step, role_of(id, step.backward), name(id), shape(step, id));
    if (role(made) == TensorRole::state) {
        set_role(made, TensorRole::activation);
    }
    places_[id].tensor = made;
    return made;
}

TensorId OnnxImporter::declare(const OnnxStep& step, TensorRole role, const std::string& name, const Shape& shape) {
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) {
        const auto product = bounded_product({elements, size}, most_elements);
        if (!product || *product == 0) {
            step.fail(fmt::format("'{}': expected a tensor of 1 to 2^48 elements", printable(name, 100)));
        }
        elements = *product;
    }
    TensorDraft draft{role, printable(name, longest_name), trace_shape(shape)};
    draft.bits = role == TensorRole::mask ? 1 : 0;
    groups_.emplace_back();
    return graph_.declare(draft);
}

void OnnxImporter::set_role(TensorId tensor, TensorRole role) {
    graph_.tensors[tensor].role = role;
    graph_.tensors[tensor].bits = role == TensorRole::mask ? std::max(graph_.tensors[tensor].bits, 1U) : 0;
}

void OnnxImporter::alias(const OnnxStep& step, std::size_t output, OnnxValueId input, bool swapped) {
    if (!step.has_output(output)) {
        return;
    }
    if (value(step.outputs[output]).known && elements(step, input) != elements(step, step.outputs[output])) {
        step.fail(fmt::format("'{}' and its result do not have the same number of elements", printable(name(input))));
    }
    places_[step.outputs[output]] = {std::nullopt, input, swapped};
}

void OnnxImporter::bind(const OnnxStep& step, std::size_t output, TensorId tensor) {
    if (step.has_output(output)) {
        places_[step.outputs[output]].tensor = tensor;
    }
}

}  // namespace nibble
