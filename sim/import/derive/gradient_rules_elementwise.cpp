// SPDX-License-Identifier: MIT
// Functions whose result is as large as their operands, but for operands that are spread over it.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "sim/import/derive/gradient_rules.h"

namespace nibble {

namespace {

/// What one operand's gradient is computed with: dy, and what the forward pass saved.
struct Steps {
    std::string_view function;  // of the forward pass
    std::vector<VectorStep> steps;
};

/// Constant factors and signs are part of a multiplication that is there anyway.
const std::vector<VectorStep>& gradient_steps(std::string_view function) {
    static const std::vector<Steps> table{
        {"negate", {{"negate"}}},
        {"abs", {{"select"}}},
        {"clamp", {{"compare", 2}, {"select"}}},
        {"exp", {{"mul"}}},                       // dy y
        {"log", {{"div"}}},                       // dy / x
        {"sqrt", {{"div"}, {"mul"}}},             // dy / y times 1 / 2
        {"rsqrt", {{"mul", 4}}},                  // -1 / 2 dy y y y
        {"reciprocal", {{"mul", 2}}},             // -dy y y
        {"sine", {{"sine"}, {"mul"}}},            // dy cos(x)
        {"erf", {{"mul"}, {"exp"}, {"mul", 2}}},  // dy 2 / sqrt(pi) exp(-x x)
        {"scan", {{"scan"}}},                     // backwards
        {"dropout", {{"dropout_grad"}}},
        {"relu", {{"relu_grad"}}},
        {"relu6", {{"relu6_grad"}}},
        {"leaky_relu", {{"leaky_relu_grad"}}},
        {"elu", {{"elu_grad"}}},
        {"softplus", {{"softplus_grad"}}},
        {"silu", {{"silu_grad"}}},
        {"hard_sigmoid", {{"hard_sigmoid_grad"}}},
        {"hard_swish", {{"hard_swish_grad"}}},
        {"sigmoid", {{"sigmoid_grad"}}},
        {"tanh", {{"tanh_grad"}}},
        {"gelu", {{"gelu_grad"}}},
        {"softmax", {{"softmax_grad"}}},
        {"log_softmax", {{"log_softmax_grad"}}},
    };
    return std::ranges::find(table, function, &Steps::function)->steps;
}

void unary(BackwardPass& pass, NodeId id, TensorId dy) {
    GradientTape& tape = pass.tape();
    const TapeNode& node = tape.node(id);
    const ValueId operand = node.inputs.front();
    if (!pass.wanted(operand)) {
        return;
    }
    const ValueId result = node.results.front();
    std::vector<TensorId> inputs{dy};
    switch (node.form->saved) {
        case Saved::mask: {
            const TensorDraft& draft = tape.value(result).draft;
            inputs.push_back(tape.side(id, {TensorRole::mask, draft.name + ".mask", draft.shape, 1}));
            break;
        }
        case Saved::operand:
            inputs.push_back(tape.tensor(operand));
            break;
        case Saved::either:  // the one of them that is a tensor anyway
            inputs.push_back(tape.tensor(tape.value(operand).tensor ? operand : result));
            break;
        case Saved::result:
            inputs.push_back(tape.tensor(result));
            break;
        default:
            break;
    }
    pass.give(id, operand,
              pass.compute(id, node.elements, gradient_steps(node.function), std::move(inputs),
                           pass.gradient_draft(operand)));
}

/// The gradient of an operand that may be spread over the result: first as large as the result.
void give_computed(BackwardPass& pass, NodeId id, ValueId operand, std::vector<VectorStep> steps,
                   std::vector<TensorId> inputs) {
    if (!pass.wanted(operand)) {
        return;
    }
    const TapeNode& node = pass.tape().node(id);
    const TapeValue& result = pass.tape().value(node.results.front());
    TensorDraft draft = pass.gradient_draft(operand);
    if (pass.tape().value(operand).elements != result.elements) {
        draft = {TensorRole::gradient, draft.name + ".spread", result.draft.shape};
    }
    pass.give(id, operand, pass.compute(id, node.elements, std::move(steps), std::move(inputs), draft));
}

void addition(BackwardPass& pass, NodeId id, TensorId dy) {
    for (const ValueId operand : pass.tape().node(id).inputs) {
        pass.give(id, operand, dy);
    }
}

/// d(a b ...) by a is dy times all others.
void product(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!pass.wanted(node.inputs[i])) {
            continue;
        }
        std::vector<TensorId> inputs{dy};
        for (std::size_t other = 0; other < node.inputs.size(); ++other) {
            if (other != i) {
                inputs.push_back(pass.tape().tensor(node.inputs[other]));
            }
        }
        const std::uint64_t factors = std::max<std::size_t>(1, inputs.size() - 1);
        give_computed(pass, id, node.inputs[i], {{"mul", factors}}, std::move(inputs));
    }
}

/// y = a / b: dy / b, and -dy y / b.
void quotient(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    if (node.inputs.size() < 2) {  // of or by a constant
        give_computed(pass, id, node.inputs.front(), {{"mul"}}, {dy});
        return;
    }
    if (pass.wanted(node.inputs[0])) {
        give_computed(pass, id, node.inputs[0], {{"div"}}, {dy, pass.tape().tensor(node.inputs[1])});
    }
    if (pass.wanted(node.inputs[1])) {
        give_computed(pass, id, node.inputs[1], {{"mul"}, {"div"}},
                      {dy, pass.tape().tensor(node.results.front()), pass.tape().tensor(node.inputs[1])});
    }
}

/// a b + c, or a constant times a, plus c.
void multiply_add(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    if (node.inputs.size() > 2) {
        for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
            if (pass.wanted(node.inputs[i])) {
                give_computed(pass, id, node.inputs[i], {{"mul"}}, {dy, pass.tape().tensor(node.inputs[1 - i])});
            }
        }
    } else {
        give_computed(pass, id, node.inputs.front(), {{"mul"}}, {dy});
    }
    if (node.inputs.size() > 1) {
        pass.give(id, node.inputs.back(), dy);
    }
}

/// The gradient goes to the operand that was chosen.
void extremum(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    std::vector<TensorId> inputs{dy};
    for (const ValueId operand : node.inputs) {
        inputs.push_back(pass.tape().tensor(operand));
    }
    for (const ValueId operand : node.inputs) {
        give_computed(pass, id, operand, {{"compare"}, {"select"}}, inputs);
    }
}

/// y = x^e: dy e x^(e - 1), and dy y log(x).
void power(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    std::vector<TensorId> inputs{dy, pass.tape().tensor(node.inputs.front())};
    if (node.inputs.size() > 1 && pass.wanted(node.inputs[1])) {
        give_computed(pass, id, node.inputs[1], {{"log"}, {"mul", 2}},
                      {dy, pass.tape().tensor(node.inputs[0]), pass.tape().tensor(node.results.front())});
    }
    if (node.inputs.size() > 1) {
        inputs.push_back(pass.tape().tensor(node.inputs[1]));
    }
    give_computed(pass, id, node.inputs.front(), {{"power"}, {"mul", 2}}, std::move(inputs));
}

/// The operands that are not the condition, each where it was taken.
void selection(BackwardPass& pass, NodeId id, TensorId dy) {
    const TapeNode& node = pass.tape().node(id);
    const auto is_condition = [&](ValueId value) {
        const TensorRole role = pass.tape().value(value).draft.role;
        return role == TensorRole::mask || role == TensorRole::index;
    };
    const auto found = std::ranges::find_if(node.inputs, is_condition);
    const ValueId condition = found == node.inputs.end() ? node.inputs.front() : *found;
    for (const ValueId operand : node.inputs) {
        if (operand != condition || node.inputs.size() == 1) {
            give_computed(pass, id, operand, {{"select"}}, {dy, pass.tape().tensor(condition)});
        }
    }
}

}  // namespace

std::span<const NamedRule> elementwise_rules() {
    static constexpr NamedRule rules[] = {
        {"negate", unary},  {"abs", unary},      {"clamp", unary},      {"exp", unary},          {"log", unary},
        {"sqrt", unary},    {"rsqrt", unary},    {"reciprocal", unary}, {"sine", unary},         {"erf", unary},
        {"scan", unary},    {"dropout", unary},  {"relu", unary},       {"relu6", unary},        {"leaky_relu", unary},
        {"elu", unary},     {"softplus", unary}, {"silu", unary},       {"hard_sigmoid", unary}, {"hard_swish", unary},
        {"sigmoid", unary}, {"tanh", unary},     {"gelu", unary},       {"softmax", unary},      {"log_softmax", unary},
        {"add", addition},  {"bias", addition},  {"mul", product},      {"div", quotient},       {"fma", multiply_add},
        {"min", extremum},  {"max", extremum},   {"power", power},      {"select", selection},
    };
    return rules;
}

}  // namespace nibble
