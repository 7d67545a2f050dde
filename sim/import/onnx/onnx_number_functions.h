// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace nibble {

/// ONNX's whole numbers wrap around where C++ leaves open what happens.
[[nodiscard]] constexpr std::int64_t onnx_wrapped(std::uint64_t value) {
    return std::bit_cast<std::int64_t>(value);
}
[[nodiscard]] constexpr std::uint64_t onnx_bits(std::int64_t value) {
    return std::bit_cast<std::uint64_t>(value);
}

/// The function that an element-wise operator computes from one or two numbers; null for operators that no graph
/// computes shapes with.
template <class Number>
using OnnxUnary = Number (*)(Number);
template <class Number>
using OnnxBinary = Number (*)(Number, Number);
template <class Number>
[[nodiscard]] OnnxUnary<Number> find_onnx_unary(std::string_view op);
template <>
OnnxUnary<double> find_onnx_unary<double>(std::string_view op);
template <>
OnnxUnary<std::int64_t> find_onnx_unary<std::int64_t>(std::string_view op);
template <class Number>
[[nodiscard]] OnnxBinary<Number> find_onnx_binary(std::string_view op);
template <>
OnnxBinary<double> find_onnx_binary<double>(std::string_view op);
template <>
OnnxBinary<std::int64_t> find_onnx_binary<std::int64_t>(std::string_view op);

}  // namespace nibble
