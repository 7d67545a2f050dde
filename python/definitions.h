// SPDX-License-Identifier: MIT
#pragma once

#include <pybind11/pybind11.h>

/// The parts of the module; each adds its functions.
namespace nibble::python {

void define_array_formats(pybind11::module_& module);
void define_gemm(pybind11::module_& module);
void define_convolution(pybind11::module_& module);
void define_other_formats(pybind11::module_& module);

}  // namespace nibble::python
