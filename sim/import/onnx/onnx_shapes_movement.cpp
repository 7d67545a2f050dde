// SPDX-License-Identifier: MIT
// Shapes of operators that move elements about.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/onnx/onnx_shapes.h"
#include "sim/import/onnx/onnx_slice.h"
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

void first(Node& node) {
    node.out(0, node.shape(0));
}

const std::unordered_map<std::string_view, OnnxShapeRule>& rules() {
    static const std::unordered_map<std::string_view, OnnxShapeRule> all{
        {"Reshape", reshape},     {"Flatten", flatten}, {"Squeeze", squeeze},       {"Unsqueeze", unsqueeze},
        {"Transpose", transpose}, {"Concat", concat},   {"ConcatTraining", concat}, {"Split", split},
        {"SplitTraining", split}, {"Slice", slice},     {"Gather", gather},         {"GatherElements", gather_elements},
        {"GatherND", gather_nd},  {"ScatterND", first}, {"ScatterElements", first}, {"Expand", expand},
        {"Tile", tile},           {"Pad", pad},
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
