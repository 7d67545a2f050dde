// SPDX-License-Identifier: MIT
// Operators that move elements about, and those that make tensors from nothing.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sim/import/onnx/onnx_importer.h"
#include "sim/import/onnx/onnx_slice.h"

namespace nibble {

namespace {

/// The same elements in the same order.
void rename(OnnxImporter& importer, const OnnxStep& step) {
    importer.alias(step, 0, step.input(0));
}

void quantize(OnnxImporter& importer, const OnnxStep& step) {
    importer.note_once("QuantizeLinear and DequantizeLinear are left out: formats follow from the precision recipe");
    importer.alias(step, 0, step.input(0));
}

void transpose(OnnxImporter& importer, const OnnxStep& step) {
    const Shape& shape = importer.shape(step, step.input(0));
    std::vector<std::size_t> order = onnx_permutation(step, shape.size());
    std::vector<std::size_t> visible;  // dimensions of 1 do not change the order of elements
    std::copy_if(order.begin(), order.end(), std::back_inserter(visible), [&](std::size_t d) { return shape[d] != 1; });
    if (std::is_sorted(visible.begin(), visible.end())) {
        return importer.alias(step, 0, step.input(0));
    }
    if (shape.size() >= 2) {
        std::swap(order[shape.size() - 1], order[shape.size() - 2]);
        if (std::is_sorted(order.begin(), order.end())) {  // matrix products take it as it lies
            return importer.alias(step, 0, step.input(0), true);
        }
    }
    if (!importer.parameter(step.output(0))) {  // else a parameter of its own
        importer.pass(step, importer.elements(step, step.output(0)), {{"copy"}}, {0});
    }
}

/// A copy of everything, unless nothing changes.
void spread(OnnxImporter& importer, const OnnxStep& step) {
    const std::uint64_t elements = importer.elements(step, step.output(0));
    if (elements == importer.elements(step, step.input(0))) {
        return importer.alias(step, 0, step.input(0));
    }
    importer.pass(step, elements, {{"copy"}}, {0});
}

void rearrange(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"copy"}}, {0});
}

void concat(OnnxImporter& importer, const OnnxStep& step) {
    std::vector<TensorId> pieces;
    OnnxValueId only = onnx_absent;
    for (const OnnxValueId id : step.inputs) {
        if (id != onnx_absent && importer.elements(step, id) > 0) {
            pieces.push_back(importer.tensor(step, id));
            only = id;
        }
    }
    if (pieces.size() == 1) {
        return importer.alias(step, 0, only);
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{"copy"}}, pieces, {importer.result(step, 0)});
}

void split(OnnxImporter& importer, const OnnxStep& step) {
    std::vector<std::size_t> pieces;
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
        if (step.has_output(i) && importer.elements(step, step.output(i)) > 0) {
            pieces.push_back(i);
        }
    }
    if (pieces.size() == 1 && step.outputs.size() == 1) {
        return importer.alias(step, 0, step.input(0));
    }
    const TensorId x = importer.tensor(step, step.input(0));
    std::vector<TensorId> written;
    std::uint64_t elements = 0;
    for (const std::size_t at : pieces) {
        written.push_back(importer.result(step, at));
        elements += importer.elements(step, step.output(at));
    }
    importer.pass(step, elements, {{"copy"}}, {x}, written);
}

void slice(OnnxImporter& importer, const OnnxStep& step) {
    const std::uint64_t elements = importer.elements(step, step.output(0));
    if (elements == importer.elements(step, step.input(0))) {
        return importer.alias(step, 0, step.input(0));
    }
    importer.pass(step, elements, {{"slice"}}, {0});
}

void gather(OnnxImporter& importer, const OnnxStep& step) {
    const OnnxValueId table = step.input(0);
    const OnnxValueId index = step.input(1);
    const std::uint64_t elements = importer.elements(step, step.output(0));
    if (importer.immediate(index)) {
        return slice(importer, step);
    }
    const TensorId rows = importer.tensor(step, table);
    importer.use_as_table(table, rows);
    importer.pass(step, elements, {{"gather"}}, {rows, importer.tensor(step, index)}, {importer.result(step, 0)});
}

void gather_elements(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"gather"}},
                  {importer.tensor(step, step.input(0)), importer.tensor(step, step.input(1))},
                  {importer.result(step, 0)});
}

/// Data, indices, updates. Reads and writes all of the data, of which the updates replace a part.
void scatter(OnnxImporter& importer, const OnnxStep& step) {
    const TensorId data = importer.tensor(step, step.input(0));
    const TensorId index = importer.tensor(step, step.input(1));
    const TensorId updates = importer.tensor(step, step.input(2));
    importer.pass(step, importer.elements(step, step.input(2)), {{"scatter_add"}}, {updates, index, data},
                  {importer.result(step, 0)});
}

void resize(OnnxImporter& importer, const OnnxStep& step) {
    const Shape& from = importer.shape(step, step.input(0));
    const Shape& to = importer.shape(step, step.output(0));
    if (from == to) {
        return importer.alias(step, 0, step.input(0));
    }
    const std::string mode = step.text("mode", "nearest");
    const std::uint64_t along = mode == "nearest" ? 1 : mode == "cubic" ? 4 : 2;  // operands along each dimension
    std::uint64_t operands = 1;
    for (std::size_t i = 0; i < from.size() && operands < 4096; ++i) {
        operands *= from[i] == to[i] ? 1 : along;
    }
    importer.pass(step, elements_of(to), {{"interpolate", operands}}, {0});
}

void grid_sample(OnnxImporter& importer, const OnnxStep& step) {
    constexpr std::uint64_t corners = 4;
    importer.pass(step, importer.elements(step, step.output(0)), {{"interpolate", corners}}, {0, 1});
}

void one_hot(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"compare"}}, {0});
}

void draw(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"random"}}, {}, {importer.result(step, 0)});
}

}  // namespace

OnnxImportRule onnx_movement_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules{
        {"Identity", rename},
        {"Reshape", rename},
        {"Flatten", rename},
        {"Squeeze", rename},
        {"Unsqueeze", rename},
        {"QuantizeLinear", quantize},
        {"DequantizeLinear", quantize},
        {"DynamicQuantizeLinear", quantize},
        {"Transpose", transpose},
        {"Expand", spread},
        {"Tile", spread},
        {"Pad", spread},
        {"DepthToSpace", rearrange},
        {"SpaceToDepth", rearrange},
        {"Concat", concat},
        {"ConcatTraining", concat},
        {"Split", split},
        {"SplitTraining", split},
        {"Slice", slice},
        {"Gather", gather},
        {"GatherElements", gather_elements},
        {"GatherND", gather_elements},
        {"ScatterND", scatter},
        {"ScatterElements", scatter},
        {"Resize", resize},
        {"Upsample", resize},
        {"GridSample", grid_sample},
        {"OneHot", one_hot},
        {"Bernoulli", draw},
        {"RandomNormalLike", draw},
        {"RandomUniformLike", draw},
        {"RandomNormal", draw},
        {"RandomUniform", draw},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
