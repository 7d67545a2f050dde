// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/import/onnx/onnx_program.h"
#include "sim/input/step_builder.h"

namespace nibble {

/// What a value is made from: who trains it, and whether it has to be computed in every step.
enum class OnnxOrigin : std::uint8_t {
    constant,   ///< numbers that nobody trains: known before the step
    parameter,  ///< initializers, and what moving their elements about makes of them: trained, known before the step
    data,       ///< everything else
};

/// What is known of a value.
struct OnnxValue {
    bool known = false;  ///< the shape; without it, nothing below is said but the type
    OnnxType type;
    Shape shape;  ///< dimensions may be 0
    OnnxOrigin origin = OnnxOrigin::data;
    std::optional<OnnxNumbers> numbers;  ///< of small tensors that can be computed from constants

    [[nodiscard]] std::uint64_t elements() const { return known ? elements_of(shape) : 0; }
    [[nodiscard]] std::uint64_t bytes() const { return (elements() * type.bits() + 7) / 8; }
};

/// One node as shape inference sees it.
class OnnxShapeStep {
public:
    OnnxShapeStep(const OnnxProgram& program, const OnnxStep& step, std::vector<OnnxValue>& values, std::int64_t opset)
        : program_(program), step_(step), values_(values), opset_(opset) {}

    [[nodiscard]] const OnnxStep& step() const { return step_; }
    [[nodiscard]] std::int64_t opset() const { return opset_; }
    [[nodiscard]] bool has(std::size_t at) const { return step_.has_input(at); }
    /// What the node reads; throws InputError if it is left out, or if its shape is not known.
    [[nodiscard]] const OnnxValue& in(std::size_t at) const;
    [[nodiscard]] const Shape& shape(std::size_t at) const { return in(at).shape; }
    /// As `shape`, but throws InputError unless it has exactly or at least so many dimensions.
    const Shape& shape_of_rank(std::size_t at, std::size_t rank) const;
    const Shape& shape_from_rank(std::size_t at, std::size_t rank) const;

    /// Says what the node makes; nothing if the output is left out.
    void out(std::size_t at, OnnxType type, Shape shape);
    void out(std::size_t at, const Shape& shape) { out(at, in(0).type, shape); }
    /// The numbers of a small output.
    void numbers(std::size_t at, OnnxNumbers numbers);

    /// Numbers that an input must have: throws InputError if the graph computes them from data.
    [[nodiscard]] std::vector<std::int64_t> integers(std::size_t at) const;
    [[nodiscard]] std::vector<double> reals(std::size_t at) const;
    /// Of the attribute, or of the input in versions that have it there; nothing if there is neither.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> attribute_or_input(const char* name, std::size_t at) const;

    /// A dimension counted from the front; negative ones count from the back. Throws InputError.
    [[nodiscard]] std::size_t axis(std::int64_t axis, std::size_t rank) const;
    [[nodiscard]] std::uint64_t size(std::int64_t value, const char* what) const;  ///< of a dimension, 0 or more
    /// Shape of both after broadcasting.
    [[nodiscard]] Shape broadcast(const Shape& a, const Shape& b) const;

    [[noreturn]] void fail(const std::string& what) const { step_.fail(what); }

private:
    const OnnxProgram& program_;
    const OnnxStep& step_;
    std::vector<OnnxValue>& values_;
    std::int64_t opset_;
};

/// Shapes of all values of a graph, with the numbers of small tensors that follow from constants and shapes: exporters
/// compute the targets of Reshape and the like inside the graph.
class OnnxShapes {
public:
    /// Sizes of what the model leaves open or what the user replaces.
    struct Inputs {
        std::string file;                              ///< for messages
        std::vector<std::optional<Shape>> shapes;      ///< of program.inputs; nothing for what is no tensor
        std::vector<bool> trained;                     ///< of program.inputs: parameters that are given as inputs
        std::map<std::string, std::uint64_t> symbols;  ///< sizes that have a name
        bool replaced = false;  ///< the batch is not the model's: its shapes of other values do not hold
    };

    OnnxShapes(const OnnxProgram& program, std::int64_t opset, const Inputs& inputs);

    [[nodiscard]] const OnnxValue& operator[](OnnxValueId value) const { return values_[value]; }
    /// Nodes of this operator are understood.
    [[nodiscard]] static bool knows(const std::string& op);
    /// Values whose shape in the model differs from the one inferred.
    [[nodiscard]] const std::vector<std::string>& disagreements() const { return disagreements_; }
    /// An If whose condition is known, and which branch it takes.
    struct Choice {
        std::size_t node = 0;  ///< place in the graph
        bool then = false;
    };
    [[nodiscard]] const std::optional<Choice>& choice() const { return choice_; }

private:
    void take_initializers();
    void infer(const OnnxStep& step, std::int64_t opset);
    [[nodiscard]] std::optional<Shape> declared(OnnxValueId value) const;
    void take_declared(const OnnxStep& step);
    void find_origin(const OnnxStep& step);
    void compare_declared();

    const OnnxProgram& program_;
    const Inputs& inputs_;
    std::vector<OnnxValue> values_;
    std::vector<std::string> disagreements_;
    std::optional<Choice> choice_;
};

/// Rules by operator; null for one that is not known. Each family of operators has its own table.
using OnnxShapeRule = void (*)(OnnxShapeStep&);
[[nodiscard]] OnnxShapeRule onnx_gemm_shape(const std::string& op);
[[nodiscard]] OnnxShapeRule onnx_arithmetic_shape(const std::string& op);
[[nodiscard]] OnnxShapeRule onnx_movement_shape(const std::string& op);
[[nodiscard]] OnnxShapeRule onnx_made_shape(const std::string& op);
[[nodiscard]] OnnxShapeRule onnx_backward_shape(const std::string& op);

/// Moves elements about and computes nothing: what it makes of parameters are parameters.
[[nodiscard]] bool onnx_moves_only(const std::string& op);

/// Computes the numbers of a node's outputs from those of its inputs, if all are known, small and of an operator that
/// graphs compute shapes with. Shapes of the outputs must be known.
void fold_onnx_numbers(const OnnxStep& step, std::vector<OnnxValue>& values);

}  // namespace nibble
