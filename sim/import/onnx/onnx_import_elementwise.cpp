// SPDX-License-Identifier: MIT
// Operators that compute element by element.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sim/import/onnx/onnx_importer.h"

namespace nibble {

namespace {

struct Function {
    std::string_view op;
    std::vector<VectorStep> steps;
};

/// One operand.
const std::vector<Function>& unary() {
    static const std::vector<Function> all{
        {"Abs", {{"abs"}}},
        {"BitwiseNot", {{"compare"}}},
        {"Ceil", {{"copy"}}},  // one conversion
        {"Celu", {{"elu"}}},
        {"Cos", {{"sine"}}},
        {"CumSum", {{"scan"}}},
        {"Elu", {{"elu"}}},
        {"Erf", {{"erf"}}},
        {"Exp", {{"exp"}}},
        {"FastGelu", {{"gelu"}}},
        {"Floor", {{"copy"}}},
        {"Gelu", {{"gelu"}}},
        {"HardSigmoid", {{"hard_sigmoid"}}},
        {"HardSwish", {{"hard_swish"}}},
        {"IsInf", {{"compare"}}},
        {"IsNaN", {{"compare"}}},
        {"LeakyRelu", {{"leaky_relu"}}},
        {"Log", {{"log"}}},
        {"Neg", {{"negate"}}},
        {"Not", {{"compare"}}},
        {"QuickGelu", {{"silu"}}},  // x sigmoid(1.702 x)
        {"Reciprocal", {{"reciprocal"}}},
        {"Relu", {{"relu"}}},
        {"Round", {{"copy"}}},
        {"Selu", {{"elu"}}},
        {"Sigmoid", {{"sigmoid"}}},
        {"Sign", {{"compare"}}},
        {"Sin", {{"sine"}}},
        {"Softplus", {{"softplus"}}},
        {"Sqrt", {{"sqrt"}}},
        {"Swish", {{"silu"}}},
        {"Tanh", {{"tanh"}}},
        {"ThresholdedRelu", {{"leaky_relu"}}},
        {"Trilu", {{"mul"}}},  // by a constant mask
    };
    return all;
}

void unary_pass(OnnxImporter& importer, const OnnxStep& step) {
    const auto found = std::find_if(unary().begin(), unary().end(), [&](const auto& f) { return f.op == step.op(); });
    importer.pass(step, importer.elements(step, step.output(0)), found->steps, {0});
}

/// x tanh(log(1 + exp(x)))
void mish(OnnxImporter& importer, const OnnxStep& step) {
    const std::uint64_t elements = importer.elements(step, step.output(0));
    const TensorId x = importer.tensor(step, step.input(0));
    const TensorId inner = importer.declare(step, TensorRole::activation, importer.name(step.output(0)) + " inner",
                                            importer.shape(step, step.output(0)));
    importer.pass(step, elements, {{"softplus"}, {"tanh"}}, {x}, {inner});
    importer.pass(step, elements, {{"mul"}}, {x, inner}, {importer.result(step, 0)});
}

void clip(OnnxImporter& importer, const OnnxStep& step) {
    const auto bound = [&](std::size_t input, const char* name) -> std::optional<double> {
        if (step.attribute(name) != nullptr) {
            return step.real(name, 0);
        }
        return importer.constant_number(step, input);
    };
    const std::optional<double> least = bound(1, "min");
    const std::optional<double> most = bound(2, "max");
    const bool open_below = !least && !step.has_input(1);
    const bool open_above = !most && !step.has_input(2);
    const char* function = "clamp";
    constexpr double six = 6;
    if (least == 0.0 && most == six) {
        function = "relu6";
    } else if (least == 0.0 && open_above) {
        function = "relu";
    } else if (open_below) {
        function = "min";
    } else if (open_above) {
        function = "max";
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{function}}, {0});
}

// ---- Two operands and more

/// A parameter of few dimensions that is added to something larger: a bias.
bool is_bias(const OnnxImporter& importer, const OnnxStep& step, std::size_t input) {
    const OnnxValueId id = step.input(input);
    const OnnxValueId other = step.input(1 - input);
    if (!importer.parameter(id) || importer.parameter(other)) {
        return false;
    }
    const Shape& shape = importer.shape(step, id);
    const auto extents = std::count_if(shape.begin(), shape.end(), [](std::uint64_t size) { return size > 1; });
    return extents <= 1 && elements_of(shape) < importer.elements(step, other);
}

void add(OnnxImporter& importer, const OnnxStep& step) {
    const std::uint64_t elements = importer.elements(step, step.output(0));
    for (const std::size_t at : {std::size_t{1}, std::size_t{0}}) {
        if (step.inputs.size() == 2 && is_bias(importer, step, at)) {
            return importer.pass(step, elements, {{"bias"}}, {1 - at, at});
        }
    }
    importer.pass(step, elements, {{"add"}}, {0, 1});
}

void subtract(OnnxImporter& importer, const OnnxStep& step) {
    const bool from_constant = importer.immediate(step.input(0));
    importer.pass(step, importer.elements(step, step.output(0)), {{from_constant ? "negate" : "add"}}, {0, 1});
}

void divide(OnnxImporter& importer, const OnnxStep& step) {
    const char* function = "div";
    if (importer.immediate(step.input(1))) {
        function = "mul";
    } else if (importer.immediate(step.input(0))) {
        function = "reciprocal";
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{function}}, {0, 1});
}

void power(OnnxImporter& importer, const OnnxStep& step) {
    const std::uint64_t elements = importer.elements(step, step.output(0));
    const double exponent = importer.constant_number(step, 1).value_or(0);
    if (exponent == 2) {
        return importer.pass(step, elements, {{"mul"}}, {0, 0});
    }
    if (exponent == 3) {
        return importer.pass(step, elements, {{"mul", 2}}, {0, 0, 0});
    }
    if (exponent == 1) {
        return importer.alias(step, 0, step.input(0));
    }
    const char* function = exponent == 0.5 ? "sqrt" : exponent == -0.5 ? "rsqrt" : "power";
    importer.pass(step, elements, {{exponent == -1 ? "reciprocal" : function}}, {0, 1});
}

/// The same function between the first operand and each of the others.
constexpr std::pair<std::string_view, const char*> combining[] = {{"Mul", "mul"},
                                                                  {"Mod", "div"},
                                                                  {"Max", "max"},
                                                                  {"Min", "min"},
                                                                  {"Sum", "add"},
                                                                  {"Mean", "add"},
                                                                  {"Equal", "compare"},
                                                                  {"Less", "compare"},
                                                                  {"Greater", "compare"},
                                                                  {"LessOrEqual", "compare"},
                                                                  {"GreaterOrEqual", "compare"},
                                                                  {"And", "compare"},
                                                                  {"Or", "compare"},
                                                                  {"Xor", "compare"},
                                                                  {"BitwiseAnd", "compare"},
                                                                  {"BitwiseOr", "compare"},
                                                                  {"BitwiseXor", "compare"},
                                                                  {"BitShift", "mul"}};

void combine(OnnxImporter& importer, const OnnxStep& step) {
    const std::string op = step.op();
    const auto* found =
        std::find_if(std::begin(combining), std::end(combining), [&](const auto& entry) { return entry.first == op; });
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        all.push_back(i);
    }
    if (all.size() == 1) {
        return importer.alias(step, 0, step.input(0));
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{found->second, all.size() - 1}}, all);
}

void where(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"select"}}, {0, 1, 2});
}

void leaky_by_parameter(OnnxImporter& importer, const OnnxStep& step) {
    importer.pass(step, importer.elements(step, step.output(0)), {{"leaky_relu"}}, {0, 1});
}

void biased_gelu(OnnxImporter& importer, const OnnxStep& step) {
    const bool bias = step.has_input(1);
    importer.pass(step, importer.elements(step, step.output(0)),
                  bias ? std::vector<VectorStep>{{"bias"}, {"gelu"}} : std::vector<VectorStep>{{"gelu"}}, {0, 1});
}

void dropout(OnnxImporter& importer, const OnnxStep& step) {
    const bool bias = step.op() == "BiasDropout";
    const std::optional<double> ratio = importer.constant_number(step, bias ? 3 : 1);
    const std::optional<double> said = importer.constant_number(step, bias ? 4 : 2);
    if (!bias && (ratio == 0.0 || !importer.in_training(said.value_or(0) != 0))) {
        return importer.alias(step, 0, step.input(0));
    }
    std::vector<VectorStep> steps;
    std::vector<TensorId> read{importer.tensor(step, step.input(0))};
    if (bias) {
        steps.push_back({"bias"});
        read.push_back(importer.tensor(step, step.input(1)));
        if (step.has_input(2)) {
            steps.push_back({"add"});
            read.push_back(importer.tensor(step, step.input(2)));
        }
    }
    steps.push_back({"dropout"});
    std::vector<TensorId> written{importer.result(step, 0)};
    if (importer.wanted(step, 1)) {
        written.push_back(importer.result(step, 1));
    }
    importer.pass(step, importer.elements(step, step.output(0)), steps, read, written);
}

void cast(OnnxImporter& importer, const OnnxStep& step) {
    const auto count_like = [](OnnxType type) { return type.kind() == OnnxKind::integer && !type.quantized(); };
    const OnnxType from = importer.value(step.input(0)).type;
    const OnnxType to = importer.value(step.output(0)).type;
    const bool truth = from.kind() == OnnxKind::boolean || to.kind() == OnnxKind::boolean;
    if (count_like(from) == count_like(to) && !truth) {
        return importer.alias(step, 0, step.input(0));
    }
    importer.pass(step, importer.elements(step, step.output(0)), {{"copy"}}, {0});
}

}  // namespace

OnnxImportRule onnx_elementwise_import(const std::string& op) {
    static const std::unordered_map<std::string_view, OnnxImportRule> rules = [] {
        std::unordered_map<std::string_view, OnnxImportRule> all{
            {"Mish", mish},
            {"Clip", clip},
            {"Add", add},
            {"Sub", subtract},
            {"Div", divide},
            {"Pow", power},
            {"Where", where},
            {"PRelu", leaky_by_parameter},
            {"BiasGelu", biased_gelu},
            {"Dropout", dropout},
            {"BiasDropout", dropout},
            {"Cast", cast},
            {"CastLike", cast},
        };
        for (const Function& function : unary()) {
            all.emplace(function.op, unary_pass);
        }
        all.insert_or_assign("FastGelu", biased_gelu);
        for (const auto& [name, function] : combining) {
            all.emplace(name, combine);
        }
        return all;
    }();
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace nibble
