// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_shapes.h"
#include "sim/input/operation_size.h"

namespace nibble {

const OnnxValue& OnnxShapeStep::in(std::size_t at) const {
    const OnnxValueId id = step_.input(at);
    if (!values_[id].known) {
        const OnnxStep* producer = program_.producers[id];
        fail(
            fmt::format("the shape of its input '{}' is not known{}; run onnx.shape_inference.infer_shapes over the "
                        "model first, or export it with fixed shapes",
                        printable(program_.names[id], 100),
                        producer == nullptr ? "" : fmt::format(": {} is not understood", producer->title())));
    }
    return values_[id];
}

const Shape& OnnxShapeStep::shape_of_rank(std::size_t at, std::size_t rank) const {
    if (shape(at).size() != rank) {
        fail(fmt::format("expected input {} to have {} dimensions, found [{}]", at, rank, fmt::join(shape(at), ",")));
    }
    return shape(at);
}

const Shape& OnnxShapeStep::shape_from_rank(std::size_t at, std::size_t rank) const {
    if (shape(at).size() < rank) {
        fail(fmt::format("expected input {} to have at least {} dimensions, found [{}]", at, rank,
                         fmt::join(shape(at), ",")));
    }
    return shape(at);
}

void OnnxShapeStep::out(std::size_t at, OnnxType type, Shape shape) {
    std::uint64_t elements = 1;
    for (const std::uint64_t size : shape) {
        const auto product = bounded_product({elements, std::max<std::uint64_t>(size, 1)}, most_elements);
        if (!product) {
            fail(fmt::format("its result [{}] has more than {} elements", fmt::join(shape, ","), most_elements));
        }
        elements = *product;
    }
    if (step_.has_output(at)) {
        OnnxValue& value = values_[step_.outputs[at]];
        value.known = true;
        value.type = type;
        value.shape = std::move(shape);
    }
}

void OnnxShapeStep::numbers(std::size_t at, OnnxNumbers numbers) {
    if (step_.has_output(at)) {
        values_[step_.outputs[at]].numbers = std::move(numbers);
    }
}

std::vector<std::int64_t> OnnxShapeStep::integers(std::size_t at) const {
    const OnnxValue& value = in(at);
    if (value.numbers) {
        if (const auto* list = std::get_if<std::vector<std::int64_t>>(&*value.numbers)) {
            return *list;
        }
    }
    fail(
        fmt::format("input {} ('{}') says how large the result is, but is computed from data or not in the file; "
                    "export the model with fixed shapes",
                    at, printable(program_.names[step_.inputs[at]], 100)));
}

std::vector<double> OnnxShapeStep::reals(std::size_t at) const {
    const OnnxValue& value = in(at);
    if (value.numbers) {
        if (const auto* list = std::get_if<std::vector<double>>(&*value.numbers)) {
            return *list;
        }
    }
    fail(
        fmt::format("input {} ('{}') says how large the result is, but is computed from data or not in the file; "
                    "export the model with fixed shapes",
                    at, printable(program_.names[step_.inputs[at]], 100)));
}

std::optional<std::vector<std::int64_t>> OnnxShapeStep::attribute_or_input(const char* name, std::size_t at) const {
    if (const auto list = step_.integers(name)) {
        return list;
    }
    return has(at) ? std::optional(integers(at)) : std::nullopt;
}

std::size_t OnnxShapeStep::axis(std::int64_t axis, std::size_t rank) const {
    const auto count = static_cast<std::int64_t>(rank);
    if (axis < -count || axis >= count) {
        fail(fmt::format("axis {} of {} dimensions", axis, rank));
    }
    return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

std::uint64_t OnnxShapeStep::size(std::int64_t value, const char* what) const {
    if (value < 0) {
        fail(fmt::format("{}: expected a size of 0 or more, found {}", what, value));
    }
    return static_cast<std::uint64_t>(value);
}

Shape OnnxShapeStep::broadcast(const Shape& a, const Shape& b) const {
    Shape result = a.size() >= b.size() ? a : b;
    const Shape& other = a.size() >= b.size() ? b : a;
    const std::size_t skipped = result.size() - other.size();
    for (std::size_t i = 0; i < other.size(); ++i) {
        std::uint64_t& size = result[skipped + i];
        if (size != other[i] && size != 1 && other[i] != 1) {
            fail(fmt::format("the shapes [{}] and [{}] do not fit together", fmt::join(a, ","), fmt::join(b, ",")));
        }
        size = size == 1 ? other[i] : size;
    }
    return result;
}

}  // namespace nibble
