// SPDX-License-Identifier: MIT
// Shapes of operators that move elements about, and of those that make tensors from nothing.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/onnx_shapes.h"
#include "sim/import/onnx_slice.h"
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

void reshape(Node& node) {
    const Shape& x = node.shape(0);
    const std::vector<std::int64_t> target = node.attribute_or_input("shape", 1).value_or(std::vector<std::int64_t>{});
    const bool zero_is_zero = node.step().integer("allowzero", 0) != 0;
    Shape result;
    std::optional<std::size_t> open;
    std::uint64_t others = 1;
    for (std::size_t i = 0; i < target.size(); ++i) {
        if (target[i] == -1 && !open) {
            open = i;
            result.push_back(1);
            continue;
        }
        if (target[i] == 0 && !zero_is_zero && i >= x.size()) {
            node.fail(fmt::format("a shape [{}] for an input of {} dimensions", fmt::join(target, ","), x.size()));
        }
        result.push_back(target[i] == 0 && !zero_is_zero ? x[i] : node.size(target[i], "shape"));
        const auto product = bounded_product({others, result.back()}, most_elements);
        if (!product) {
            node.fail(fmt::format("a shape [{}] of too many elements", fmt::join(target, ",")));
        }
        others = *product;
    }
    const std::uint64_t elements = elements_of(x);
    if (open && others != 0 && elements % others == 0) {
        result[*open] = elements / others;
        others *= result[*open];
    }
    if (others != elements) {
        node.fail(
            fmt::format("cannot take [{}], {} elements, as [{}]", fmt::join(x, ","), elements, fmt::join(target, ",")));
    }
    node.out(0, result);
}

void flatten(Node& node) {
    const Shape& x = node.shape(0);
    const std::int64_t said = node.step().integer("axis", 1);
    const std::size_t axis = said == static_cast<std::int64_t>(x.size()) ? x.size() : node.axis(said, x.size());
    const auto cut = x.begin() + static_cast<std::ptrdiff_t>(axis);
    node.out(0, Shape{elements_of({x.begin(), cut}), elements_of({cut, x.end()})});
}

void squeeze(Node& node) {
    const Shape& x = node.shape(0);
    const auto axes = node.attribute_or_input("axes", 1);
    std::vector<bool> dropped(x.size(), false);
    for (std::size_t i = 0; !axes && i < x.size(); ++i) {
        dropped[i] = x[i] == 1;
    }
    for (const std::int64_t said : axes.value_or(std::vector<std::int64_t>{})) {
        const std::size_t axis = node.axis(said, x.size());
        if (x[axis] != 1) {
            node.fail(fmt::format("axis {} of [{}] is not 1", said, fmt::join(x, ",")));
        }
        dropped[axis] = true;
    }
    Shape result;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!dropped[i]) {
            result.push_back(x[i]);
        }
    }
    node.out(0, result);
}

void unsqueeze(Node& node) {
    const Shape& x = node.shape(0);
    const auto axes = node.attribute_or_input("axes", 1);
    if (!axes) {
        node.fail("expected axes");
    }
    const std::size_t rank = x.size() + axes->size();
    std::vector<bool> added(rank, false);
    for (const std::int64_t said : *axes) {
        const std::size_t axis = node.axis(said, rank);
        if (added[axis]) {
            node.fail(fmt::format("axis {} twice", said));
        }
        added[axis] = true;
    }
    Shape result;
    auto next = x.begin();
    for (std::size_t i = 0; i < rank; ++i) {
        result.push_back(added[i] ? 1 : *next++);
    }
    node.out(0, result);
}

void transpose(Node& node) {
    const Shape& x = node.shape(0);
    Shape result;
    for (const std::size_t from : onnx_permutation(node.step(), x.size())) {
        result.push_back(x[from]);
    }
    node.out(0, result);
}

void concat(Node& node) {
    Shape result = node.shape_from_rank(0, 1);
    const std::size_t axis = node.axis(node.step().integer("axis", 0), result.size());
    for (std::size_t i = 1; i < node.step().inputs.size(); ++i) {
        Shape next = node.shape_of_rank(i, result.size());
        const std::uint64_t more = next[axis];
        next[axis] = result[axis];
        if (next != result) {
            node.fail(fmt::format("cannot join [{}] and [{}] along axis {}", fmt::join(result, ","),
                                  fmt::join(node.shape(i), ","), axis));
        }
        result[axis] += more;
        node.out(0, result);  // checks its size
    }
    node.out(0, result);
}

void split(Node& node) {
    Shape result = node.shape_from_rank(0, 1);
    const std::size_t axis = node.axis(node.step().integer("axis", 0), result.size());
    const std::uint64_t whole = result[axis];
    const std::size_t parts = node.step().outputs.size();
    const auto said = node.attribute_or_input("split", 1);
    Shape pieces = said ? sizes(node, *said, "split") : Shape{};
    if (!said && parts > 0) {  // equal parts, the last one smaller
        const std::uint64_t piece = (whole + parts - 1) / parts;
        for (std::uint64_t left = whole; pieces.size() < parts;) {
            pieces.push_back(std::min(piece, left));
            left -= pieces.back();
        }
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t piece : pieces) {
        sum += std::min(piece, whole + 1);
    }
    if (pieces.size() != parts || sum != whole) {
        node.fail(fmt::format("cannot split {} into {} part{} of [{}]", whole, parts, parts == 1 ? "" : "s",
                              fmt::join(pieces, ",")));
    }
    for (std::size_t i = 0; i < parts; ++i) {
        result[axis] = pieces[i];
        node.out(i, result);
    }
}

void slice(Node& node) {
    const Shape& x = node.shape(0);
    const auto starts = node.attribute_or_input("starts", 1);
    const auto ends = node.attribute_or_input("ends", 2);
    if (!starts || !ends) {
        node.fail("expected starts and ends");
    }
    Shape result;
    for (const OnnxSliceRange& range :
         onnx_slice_ranges(node.step(), x, *starts, *ends, node.attribute_or_input("axes", 3),
                           node.has(4) ? std::optional(node.integers(4)) : std::nullopt)) {
        result.push_back(range.count);
    }
    node.out(0, result);
}

void gather(Node& node) {
    const Shape& x = node.shape_from_rank(0, 1);
    const Shape& indices = node.shape(1);
    const auto axis = static_cast<std::ptrdiff_t>(node.axis(node.step().integer("axis", 0), x.size()));
    Shape result(x.begin(), x.begin() + axis);
    result.insert(result.end(), indices.begin(), indices.end());
    result.insert(result.end(), x.begin() + axis + 1, x.end());
    node.out(0, result);
}

void gather_elements(Node& node) {
    node.out(0, node.shape(1));
}

void gather_nd(Node& node) {
    const Shape& x = node.shape_from_rank(0, 1);
    const Shape& indices = node.shape_from_rank(1, 1);
    const std::size_t shared = node.step().count("batch_dims", 0, 0, x.size());
    if (indices.back() > x.size() - shared) {
        node.fail(fmt::format("indices of {} dimensions into [{}]", indices.back(), fmt::join(x, ",")));
    }
    Shape result(indices.begin(), indices.end() - 1);
    result.insert(result.end(), x.begin() + static_cast<std::ptrdiff_t>(shared + indices.back()), x.end());
    node.out(0, result);
}

void expand(Node& node) {
    node.out(0, node.broadcast(node.shape(0), sizes(node, node.integers(1), "shape")));
}

void tile(Node& node) {
    Shape result = node.shape(0);
    const std::vector<std::int64_t> repeats = node.integers(1);
    if (repeats.size() != result.size()) {
        node.fail(fmt::format("{} repeats for {} dimensions", repeats.size(), result.size()));
    }
    for (std::size_t i = 0; i < result.size(); ++i) {
        const auto size = bounded_product({result[i], node.size(repeats[i], "repeats")}, most_elements);
        if (!size) {
            node.fail(fmt::format("its result is repeated [{}] times", fmt::join(repeats, ",")));
        }
        result[i] = *size;
    }
    node.out(0, result);
}

void pad(Node& node) {
    Shape result = node.shape(0);
    const auto pads = node.attribute_or_input("pads", 1);
    std::vector<std::size_t> axes(result.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
        axes[i] = i;
    }
    if (node.has(3)) {
        axes.clear();
        for (const std::int64_t axis : node.integers(3)) {
            axes.push_back(node.axis(axis, result.size()));
        }
    }
    if (!pads || pads->size() != 2 * axes.size()) {
        node.fail(fmt::format("expected {} pads", 2 * axes.size()));
    }
    constexpr std::int64_t most = std::int64_t{1} << 48U;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const std::int64_t before = (*pads)[i];
        const std::int64_t behind = (*pads)[axes.size() + i];
        if (std::max(std::abs(before / 2), std::abs(behind / 2)) > most / 2) {
            node.fail(fmt::format("pads of {} and {}", before, behind));
        }
        result[axes[i]] = node.size(static_cast<std::int64_t>(result[axes[i]]) + before + behind, "pads");
    }
    node.out(0, result);
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

void first(Node& node) {
    node.out(0, node.shape(0));
}

const std::unordered_map<std::string_view, OnnxShapeRule>& rules() {
    static const std::unordered_map<std::string_view, OnnxShapeRule> all{
        {"Reshape", reshape},
        {"Flatten", flatten},
        {"Squeeze", squeeze},
        {"Unsqueeze", unsqueeze},
        {"Transpose", transpose},
        {"Concat", concat},
        {"ConcatTraining", concat},
        {"Split", split},
        {"SplitTraining", split},
        {"Slice", slice},
        {"Gather", gather},
        {"GatherElements", gather_elements},
        {"GatherND", gather_nd},
        {"ScatterND", first},
        {"ScatterElements", first},
        {"Expand", expand},
        {"Tile", tile},
        {"Pad", pad},
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
    return all;
}

}  // namespace

OnnxShapeRule onnx_movement_shape(const std::string& op) {
    const auto found = rules().find(op);
    return found == rules().end() ? nullptr : found->second;
}

bool onnx_moves_only(const std::string& op) {
    static constexpr std::string_view moving[] = {
        "Identity",  "Cast",   "CastLike", "Reshape", "Flatten", "Squeeze",        "Unsqueeze",
        "Transpose", "Concat", "Split",    "Slice",   "Gather",  "QuantizeLinear", "DequantizeLinear"};
    return std::find(std::begin(moving), std::end(moving), op) != std::end(moving);
}

}  // namespace nibble
