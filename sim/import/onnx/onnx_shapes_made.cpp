// SPDX-License-Identifier: MIT
// Shapes of operators that make tensors from nothing, from shapes or in another resolution.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/onnx/onnx_shapes.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

using Node = OnnxShapeStep;

Shape sizes(Node& node, const std::vector<std::int64_t>& list, const char* what) {
    Shape shape;
    for (const std::int64_t value : list) {
        shape.push_back(node.size(value, what));
    }
    return shape;
}

std::uint64_t scaled(Node& node, std::uint64_t size, double scale) {
    const double result = std::floor(static_cast<double>(size) * scale);
    if (!(result >= 0 && result <= static_cast<double>(most_elements))) {
        node.fail(fmt::format("a size of {} scaled by {}", size, scale));
    }
    return static_cast<std::uint64_t>(result);
}

void resize(Node& node) {
    Shape result = node.shape(0);
    const bool early = node.step().op() == "Upsample" || node.opset() < 11;  // X, scales
    const std::size_t scales_at = early ? 1 : 2;
    std::vector<std::size_t> axes;
    for (const std::int64_t axis : node.step().integers("axes").value_or(std::vector<std::int64_t>{})) {
        axes.push_back(node.axis(axis, result.size()));
    }
    for (std::size_t i = 0; !node.step().integers("axes") && i < result.size(); ++i) {
        axes.push_back(i);
    }
    const bool by_size = !early && node.has(3);
    const std::vector<double> scales = by_size ? std::vector<double>{} : node.reals(scales_at);
    const std::vector<std::int64_t> wanted = by_size ? node.integers(3) : std::vector<std::int64_t>{};
    if ((by_size ? wanted.size() : scales.size()) != axes.size()) {
        node.fail(fmt::format("expected {} {}", axes.size(), by_size ? "sizes" : "scales"));
    }
    if (by_size && node.step().text("keep_aspect_ratio_policy", "stretch") != "stretch") {
        node.fail("keep_aspect_ratio_policy: only stretch is understood");
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        std::uint64_t& size = result[axes[i]];
        size = by_size ? node.size(wanted[i], "sizes") : scaled(node, size, scales[i]);
    }
    node.out(0, result);
}

void depth_to_space(Node& node) {
    const Shape& x = node.shape_of_rank(0, 4);
    const std::uint64_t block = node.step().count("blocksize", 1, 1, 1U << 16U);
    const auto height = bounded_product({x[2], block}, most_elements);
    const auto width = bounded_product({x[3], block}, most_elements);
    if (x[1] % (block * block) != 0 || !height || !width) {
        node.fail(fmt::format("blocks of {0}x{0} in [{1}]", block, fmt::join(x, ",")));
    }
    node.out(0, Shape{x[0], x[1] / (block * block), *height, *width});
}

void space_to_depth(Node& node) {
    const Shape& x = node.shape_of_rank(0, 4);
    const std::uint64_t block = node.step().count("blocksize", 1, 1, 1U << 16U);
    const auto channels = bounded_product({x[1], block, block}, most_elements);
    if (x[2] % block != 0 || x[3] % block != 0 || !channels) {
        node.fail(fmt::format("blocks of {0}x{0} in [{1}]", block, fmt::join(x, ",")));
    }
    node.out(0, Shape{x[0], *channels, x[2] / block, x[3] / block});
}

void grid_sample(Node& node) {
    Shape result = node.shape_from_rank(0, 3);
    const Shape& grid = node.shape_of_rank(1, result.size());
    std::copy(grid.begin() + 1, grid.end() - 1, result.begin() + 2);
    node.out(0, result);
}

void shape_of(Node& node) {
    const Shape& x = node.shape(0);
    const auto rank = static_cast<std::int64_t>(x.size());
    const auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const std::int64_t start = clamp(std::max(node.step().integer("start", 0), -rank));
    const std::int64_t end = clamp(std::max(node.step().integer("end", rank), -rank));
    std::vector<std::int64_t> list;
    for (std::int64_t i = start; i < end; ++i) {
        list.push_back(static_cast<std::int64_t>(x[static_cast<std::size_t>(i)]));
    }
    node.out(0, OnnxType{OnnxType::int64}, Shape{list.size()});
    node.numbers(0, std::move(list));
}

void size_of(Node& node) {
    node.out(0, OnnxType{OnnxType::int64}, Shape{});
    node.numbers(0, std::vector{static_cast<std::int64_t>(elements_of(node.shape(0)))});
}

void constant(Node& node) {
    const OnnxStep& step = node.step();
    if (const OnnxAttribute* value = step.attribute("value"); value != nullptr && value->tensor) {
        node.out(0, value->tensor->type, sizes(node, value->tensor->dims, "value"));
        if (value->tensor->numbers) {
            node.numbers(0, *value->tensor->numbers);
        }
    } else if (const OnnxAttribute* number = step.attribute("value_int"); number != nullptr) {
        node.out(0, OnnxType{OnnxType::int64}, Shape{});
        node.numbers(0, std::vector{number->number.value_or(0)});
    } else if (const OnnxAttribute* real = step.attribute("value_float"); real != nullptr) {
        node.out(0, OnnxType{OnnxType::float32}, Shape{});
        node.numbers(0, std::vector{real->real.value_or(0)});
    } else if (const OnnxAttribute* numbers = step.attribute("value_ints"); numbers != nullptr) {
        node.out(0, OnnxType{OnnxType::int64}, Shape{numbers->numbers.size()});
        node.numbers(0, numbers->numbers);
    } else if (const OnnxAttribute* reals = step.attribute("value_floats"); reals != nullptr) {
        node.out(0, OnnxType{OnnxType::float32}, Shape{reals->reals.size()});
        node.numbers(0, reals->reals);
    } else {
        node.out(0, OnnxType{}, Shape{});  // text, which nobody computes with
    }
}

void filled(Node& node) {
    const OnnxAttribute* value = node.step().attribute("value");
    const bool given = value != nullptr && value->tensor.has_value();
    node.out(0, given ? value->tensor->type : OnnxType{OnnxType::float32}, sizes(node, node.integers(0), "shape"));
}

void range(Node& node) {
    const OnnxType type = node.in(0).type;
    const auto number = [&](std::size_t at) {
        double value = 0;
        if (node.in(at).elements() != 1) {
            node.fail("expected one number each for start, limit and delta");
        }
        if (type.kind() == OnnxKind::floating) {
            value = node.reals(at).front();
        } else {
            value = static_cast<double>(node.integers(at).front());
        }
        return value;
    };
    const double count = std::ceil((number(1) - number(0)) / number(2));
    if (!(count <= static_cast<double>(most_elements))) {
        node.fail("a range without end");
    }
    node.out(0, type, Shape{static_cast<std::uint64_t>(std::max(count, 0.0))});
}

void one_hot(Node& node) {
    Shape result = node.shape(0);
    const std::size_t axis = node.axis(node.step().integer("axis", -1), result.size() + 1);
    const std::vector<std::int64_t> depth = node.integers(1);
    result.insert(result.begin() + static_cast<std::ptrdiff_t>(axis),
                  node.size(depth.empty() ? -1 : depth.front(), "depth"));
    node.out(0, node.in(2).type, result);
}

void like(Node& node) {
    const std::int64_t said = node.step().integer("dtype", 0);
    node.out(0, said == 0 ? node.in(0).type : OnnxType{said}, node.shape(0));
}

void drawn(Node& node) {
    node.out(0, OnnxType{node.step().integer("dtype", 1)},
             sizes(node, node.step().integers("shape").value_or(std::vector<std::int64_t>{}), "shape"));
}

}  // namespace

OnnxShapeRule onnx_made_shape(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxShapeRule> rules{
        {"Resize", resize},
        {"Upsample", resize},
        {"DepthToSpace", depth_to_space},
        {"SpaceToDepth", space_to_depth},
        {"GridSample", grid_sample},
        {"Shape", shape_of},
        {"Size", size_of},
        {"Constant", constant},
        {"ConstantOfShape", filled},
        {"Range", range},
        {"OneHot", one_hot},
        {"EyeLike", like},
        {"Bernoulli", like},
        {"RandomNormalLike", like},
        {"RandomUniformLike", like},
        {"RandomNormal", drawn},
        {"RandomUniform", drawn},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
