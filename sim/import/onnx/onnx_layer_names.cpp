// SPDX-License-Identifier: MIT
// Which layer a node belongs to.
#include <algorithm>
#include <cctype>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/import/onnx/onnx_importer.h"

namespace nibble {

namespace {

constexpr std::size_t longest_name = 120;

/// "Conv_12", "Conv" or nothing: an exporter's, from which nobody learns anything.
bool meaningless(std::string_view name, std::string_view op) {
    if (!name.starts_with(op)) {
        return name.empty();
    }
    name.remove_prefix(op.size());
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return c == '_' || std::isdigit(static_cast<unsigned char>(c)) != 0; });
}

/// A parameter's layer: "layer1.0.conv1" of "layer1.0.conv1.weight".
std::string_view layer_of_parameter(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos || name.find("::") != std::string_view::npos ? std::string_view{}
                                                                                      : name.substr(0, dot);
}

}  // namespace

std::string OnnxImporter::layer_of(const OnnxStep& step) const {
    std::string_view name = step.node().name;
    if (const std::size_t gradient = name.find("_Grad/"); gradient != std::string_view::npos) {
        name = name.substr(0, gradient);  // ONNX Runtime names backward nodes after the forward node
    }
    if (meaningless(name, step.node().op)) {
        for (const OnnxValueId id : step.inputs) {
            if (id == onnx_absent || !parameter(id)) {
                continue;
            }
            OnnxValueId root = id;
            while (places_[root].source != onnx_absent) {
                root = places_[root].source;
            }
            if (const std::string_view layer = layer_of_parameter(program_.names[root]); !layer.empty()) {
                return printable(layer, longest_name);
            }
        }
        return name.empty() ? fmt::format("{}_{}", printable(step.node().op), step.index())
                            : printable(name, longest_name);
    }
    // "/layer1/layer1.0/conv1/Conv": the last part is the operator.
    while (name.starts_with('/')) {
        name.remove_prefix(1);
    }
    const std::size_t last = name.rfind('/');
    const bool by_class = step.backward && last != std::string_view::npos && last + 1 < name.size() &&
                          std::isupper(static_cast<unsigned char>(name[last + 1])) != 0;  // of the forward node
    if (last != std::string_view::npos && (by_class || meaningless(name.substr(last + 1), step.node().op))) {
        name = name.substr(0, last);
    }
    return printable(name, longest_name);
}

std::string OnnxImporter::group_of(const OnnxStep& step, const std::string& layer) const {
    const bool path = step.node().name.find('/') != std::string::npos;  // else the name of a module: "layer1.0.conv1"
    const std::size_t end = layer.find(path ? '/' : '.');
    if (path || end != std::string::npos || !meaningless(layer.substr(0, layer.rfind('_')), step.node().op)) {
        return layer.substr(0, end);
    }
    for (const OnnxValueId id : step.inputs) {  // that of what it reads
        if (id != onnx_absent && places_[id].tensor && !groups_[*places_[id].tensor].empty()) {
            return groups_[*places_[id].tensor];
        }
    }
    return {};
}

void OnnxImporter::place_first_and_last() {
    if (weighted_.empty()) {
        return;
    }
    const std::size_t first = *weighted_.begin();
    const std::size_t last = *std::find_if(weighted_.rbegin(), weighted_.rend(),
                                           [&](std::size_t at) { return !program_.steps[at].backward || at == first; });
    std::string first_layer;
    std::string last_layer;
    for (std::size_t i = 0; i < graph_.operations.size(); ++i) {
        Operation& operation = graph_.operations[i];
        if (std::holds_alternative<VectorWork>(operation.work)) {
            continue;
        }
        if (made_by_[i] == first) {
            operation.position = Position::first;
            first_layer = operation.layer;
        } else if (made_by_[i] == last) {
            operation.position = Position::last;
            last_layer = operation.layer;
        } else if (operation.phase != Phase::forward && operation.layer == last_layer) {
            operation.position = Position::last;  // of a recorded backward pass
        } else if (operation.phase != Phase::forward && operation.layer == first_layer) {
            operation.position = Position::first;
        }
    }
}

}  // namespace nibble
