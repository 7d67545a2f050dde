// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/import/onnx/onnx_model.h"

namespace nibble {

/// Values of a graph are numbered from 0.
using OnnxValueId = std::uint32_t;
/// An input or output that a node leaves out.
inline constexpr OnnxValueId onnx_absent = std::numeric_limits<OnnxValueId>::max();

/// One node of a graph, its values numbered.
class OnnxStep {
public:
    OnnxStep(const OnnxNode& node, std::size_t index, const std::string& file)
        : node_(&node), index_(index), file_(&file) {}

    std::vector<OnnxValueId> inputs;
    std::vector<OnnxValueId> outputs;
    bool backward = false;  ///< of a recorded backward pass

    /// The operator, where it is one of ONNX or of ONNX Runtime; of any other, with its domain.
    [[nodiscard]] std::string op() const;
    [[nodiscard]] const OnnxNode& node() const { return *node_; }
    /// Place of the node in the graph.
    [[nodiscard]] std::size_t index() const { return index_; }
    /// For people: "node 'conv1' (Conv)".
    [[nodiscard]] std::string title() const;

    [[nodiscard]] bool has_input(std::size_t at) const { return at < inputs.size() && inputs[at] != onnx_absent; }
    [[nodiscard]] bool has_output(std::size_t at) const { return at < outputs.size() && outputs[at] != onnx_absent; }

    /// Throws InputError if it is left out.
    [[nodiscard]] OnnxValueId input(std::size_t at) const;
    [[nodiscard]] OnnxValueId output(std::size_t at) const;

    /// The attribute, or null.
    [[nodiscard]] const OnnxAttribute* attribute(const char* name) const;
    [[nodiscard]] std::int64_t integer(const char* name, std::int64_t otherwise) const;
    [[nodiscard]] double real(const char* name, double otherwise) const;
    [[nodiscard]] std::string text(const char* name, const char* otherwise) const;
    [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const char* name) const;
    /// As `integer`, for sizes and counts: throws InputError if it is below `least` or above `most`.
    [[nodiscard]] std::uint64_t count(const char* name, std::uint64_t otherwise, std::uint64_t least,
                                      std::uint64_t most) const;

    /// Throws InputError naming the file and the node.
    [[noreturn]] void fail(const std::string& what) const;

private:
    const OnnxNode* node_;
    std::size_t index_;
    const std::string* file_;
};

/// A graph whose values are numbered and whose nodes are in an order in which everything is made before it is read.
/// Refers to the graph and to the file's name, which must outlive it.
struct OnnxProgram {
    std::vector<std::string> names;                 ///< of the values
    std::vector<const OnnxTensor*> initializers;    ///< by value; null for others
    std::vector<const OnnxStep*> producers;         ///< by value; null for others
    std::vector<OnnxValueId> inputs;                ///< that are no initializers
    std::vector<const OnnxValueInfo*> input_infos;  ///< of these
    std::vector<OnnxValueId> outputs;
    std::vector<const OnnxValueInfo*> infos;  ///< by value; null where the model says nothing
    std::vector<OnnxStep> steps;

    std::unordered_map<std::string, OnnxValueId> numbers;  ///< of the values, by name
};

/// Throws InputError if values are missing or made twice, or if nodes read each other in a circle.
[[nodiscard]] OnnxProgram order_onnx_graph(const OnnxGraph& graph, const std::string& file);

}  // namespace nibble
