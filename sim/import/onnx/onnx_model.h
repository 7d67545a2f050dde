// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nibble {

/// How a value is to be treated, whatever its width.
enum class OnnxKind : std::uint8_t { floating, integer, boolean, other };

/// A data type of ONNX (TensorProto.DataType), by its number. Numbers of later versions of ONNX count as `other`.
struct OnnxType {
    static constexpr std::int64_t float32 = 1, int64 = 7, boolean = 9;

    std::int64_t number = 0;  ///< 0: not said

    [[nodiscard]] OnnxKind kind() const;
    [[nodiscard]] std::uint64_t bits() const;  ///< of an element; 32 where it is not known
    /// Integers of 8 bits and fewer are quantised reals, all others count or number something.
    [[nodiscard]] bool quantized() const { return kind() == OnnxKind::integer && bits() <= 8; }
    friend bool operator==(const OnnxType&, const OnnxType&) = default;
};

/// The numbers of a small tensor, in row-major order: integers and truth values, or reals.
using OnnxNumbers = std::variant<std::vector<std::int64_t>, std::vector<double>>;

/// TensorProto: an initializer or a constant. Weights are not read: only small tensors have `numbers`.
struct OnnxTensor {
    static constexpr std::uint64_t most_numbers = 4096;  ///< of which the numbers are read

    std::string name;
    OnnxType type;
    std::vector<std::int64_t> dims;
    std::optional<OnnxNumbers> numbers;
};

/// A dimension of a declared value: a number, a symbol ("batch"), or nothing at all.
struct OnnxDimension {
    std::optional<std::int64_t> value;
    std::string symbol;
};

/// ValueInfoProto: what a model says about an input, an output or an intermediate value.
struct OnnxValueInfo {
    std::string name;
    bool tensor = false;  ///< neither a sequence nor a map
    OnnxType type;
    std::optional<std::vector<OnnxDimension>> shape;  ///< empty: the rank is not said
};

struct OnnxGraph;

/// AttributeProto. An attribute has one of these; which one follows from the operator.
struct OnnxAttribute {
    std::string name;
    std::string reference;  ///< inside a function: the attribute of the calling node that stands here
    std::optional<std::int64_t> number;
    std::optional<double> real;
    std::optional<std::string> text;
    std::vector<std::int64_t> numbers;
    std::vector<double> reals;
    std::vector<std::string> texts;
    std::optional<OnnxTensor> tensor;
    std::vector<OnnxGraph> graph;  ///< none or one: a body of If, Loop or Scan
};

/// NodeProto: one operator. An input or output without a name is left out.
struct OnnxNode {
    std::string name;
    std::string op;
    std::string domain;  ///< empty: of ONNX itself
    std::string comment;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<OnnxAttribute> attributes;
};

struct OnnxGraph {
    std::vector<OnnxNode> nodes;
    std::vector<OnnxTensor> initializers;
    std::vector<OnnxValueInfo> inputs;
    std::vector<OnnxValueInfo> outputs;
    std::vector<OnnxValueInfo> values;
};

/// FunctionProto: an operator that the model defines by others.
struct OnnxFunction {
    std::string name;
    std::string domain;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<OnnxNode> nodes;
    std::vector<OnnxAttribute> defaults;
};

/// What a .onnx file says, without its weights. Source: onnx/onnx.proto of ONNX, the field numbers.
struct OnnxModel {
    /// Protocol buffers of more bytes cannot be written, so no model is larger.
    static constexpr std::uint64_t most_bytes = std::uint64_t{1} << 31U;

    std::int64_t ir_version = 0;
    std::string producer;                        ///< "pytorch 1.13.0"
    std::map<std::string, std::int64_t> opsets;  ///< version by domain; "" is ONNX itself
    OnnxGraph graph;
    std::vector<OnnxFunction> functions;
};

/// Reads a model from the bytes of a file; `file` names it in messages. Weights are skipped where they lie and files
/// beside the model (external data) are never opened. Throws InputError.
[[nodiscard]] OnnxModel read_onnx_model(std::string_view bytes, const std::string& file);

}  // namespace nibble
