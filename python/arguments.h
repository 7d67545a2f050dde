// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <span>
#include <string>
#include <vector>

#include "models/numerics/accumulate.h"
#include "models/numerics/matrix_product.h"
#include "models/numerics/operand.h"

/// What Python hands over, checked, as models/numerics takes it. What does not fit is a ValueError.
namespace nibble::python {

namespace py = pybind11;

/// Numbers of any type, converted; not copied if they are float32 without gaps already.
using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;

[[nodiscard]] inline std::span<const float> span_of(const Floats& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

/// "(2, 3)", as Python writes a shape.
[[nodiscard]] std::string shape_of(const py::array& array);
[[nodiscard]] std::vector<py::ssize_t> sizes_of(const py::array& array);

/// The text of one of `names` as its index. `what` names the argument.
[[nodiscard]] std::size_t choice(const std::string& text, std::span<const std::string_view> names, const char* what);
[[nodiscard]] OperandFormat operand_format(const std::string& text, const char* what);
[[nodiscard]] AccumulationRule accumulation_rule(py::ssize_t chunk, const std::string& accumulator);

/// Refuses codes that are not uint8 or, for 16-bit formats, uint16, and arrays of another number of dimensions.
void require_codes(const py::array& codes, OperandFormat format, py::ssize_t dimensions, const char* what);
/// The strides of a matrix in elements.
[[nodiscard]] std::array<std::ptrdiff_t, 2> whole_strides(const py::array& matrix, const char* what);
/// The codes of a matrix, where they lie. `codes` must outlive it.
[[nodiscard]] CodeMatrix code_matrix(const py::array& codes, OperandFormat format, const char* what);
/// The codes of a tensor without gaps. `codes` must outlive it.
[[nodiscard]] CodeArray code_array(const py::array& codes, OperandFormat format);

/// The number of threads for an argument `threads`: 0 is the default of set_threads().
[[nodiscard]] unsigned thread_count(py::ssize_t threads);
void set_default_threads(py::ssize_t threads);

}  // namespace nibble::python
