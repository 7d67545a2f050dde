// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_number_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace nibble {

namespace {

std::int64_t divide(std::int64_t a, std::int64_t b) {
    return b == 0 || (b == -1 && a == std::numeric_limits<std::int64_t>::min()) ? 0 : a / b;
}

std::int64_t modulo(std::int64_t a, std::int64_t b) {  // the sign of b, as in Python
    if (b == 0 || b == -1) {
        return 0;
    }
    const std::int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

}  // namespace

template <>
OnnxUnary<double> find_onnx_unary<double>(std::string_view op) {
    static const std::unordered_map<std::string_view, OnnxUnary<double>> functions{
        {"Neg", [](double v) { return -v; }},
        {"Abs", [](double v) { return std::abs(v); }},
        {"Floor", [](double v) { return std::floor(v); }},
        {"Ceil", [](double v) { return std::ceil(v); }},
        {"Round", [](double v) { return std::nearbyint(v); }},
        {"Sqrt", [](double v) { return std::sqrt(v); }},
        {"Reciprocal", [](double v) { return 1 / v; }}};
    const auto found = functions.find(op);
    return found == functions.end() ? nullptr : found->second;
}

template <>
OnnxUnary<std::int64_t> find_onnx_unary<std::int64_t>(std::string_view op) {
    static const std::unordered_map<std::string_view, OnnxUnary<std::int64_t>> functions{
        {"Neg", [](std::int64_t v) { return onnx_wrapped(0 - onnx_bits(v)); }},
        {"Abs", [](std::int64_t v) { return v < 0 ? onnx_wrapped(0 - onnx_bits(v)) : v; }},
        {"Not", [](std::int64_t v) { return std::int64_t{v == 0}; }}};
    const auto found = functions.find(op);
    return found == functions.end() ? nullptr : found->second;
}

template <>
OnnxBinary<std::int64_t> find_onnx_binary<std::int64_t>(std::string_view op) {
    using W = std::int64_t;
    static const std::unordered_map<std::string_view, OnnxBinary<std::int64_t>> functions{
        {"Add", [](W a, W b) { return onnx_wrapped(onnx_bits(a) + onnx_bits(b)); }},
        {"Sub", [](W a, W b) { return onnx_wrapped(onnx_bits(a) - onnx_bits(b)); }},
        {"Mul", [](W a, W b) { return onnx_wrapped(onnx_bits(a) * onnx_bits(b)); }},
        {"Div", divide},
        {"Mod", modulo},
        {"Max", [](W a, W b) { return std::max(a, b); }},
        {"Min", [](W a, W b) { return std::min(a, b); }},
        {"Equal", [](W a, W b) { return W{a == b}; }},
        {"Less", [](W a, W b) { return W{a < b}; }},
        {"LessOrEqual", [](W a, W b) { return W{a <= b}; }},
        {"Greater", [](W a, W b) { return W{a > b}; }},
        {"GreaterOrEqual", [](W a, W b) { return W{a >= b}; }},
        {"And", [](W a, W b) { return W{a != 0 && b != 0}; }},
        {"Or", [](W a, W b) { return W{a != 0 || b != 0}; }},
        {"Xor", [](W a, W b) { return W{(a != 0) != (b != 0)}; }}};
    const auto found = functions.find(op);
    return found == functions.end() ? nullptr : found->second;
}

template <>
OnnxBinary<double> find_onnx_binary<double>(std::string_view op) {
    static const std::unordered_map<std::string_view, OnnxBinary<double>> functions{
        {"Add", [](double a, double b) { return a + b; }},
        {"Sub", [](double a, double b) { return a - b; }},
        {"Mul", [](double a, double b) { return a * b; }},
        {"Div", [](double a, double b) { return a / b; }},
        {"Pow", [](double a, double b) { return std::pow(a, b); }},
        {"Max", [](double a, double b) { return std::max(a, b); }},
        {"Min", [](double a, double b) { return std::min(a, b); }}};
    const auto found = functions.find(op);
    return found == functions.end() ? nullptr : found->second;
}

}  // namespace nibble
