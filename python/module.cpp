// SPDX-License-Identifier: MIT
#include "python/definitions.h"

PYBIND11_MODULE(nibblesim, module) {
    module.doc() = "The arithmetic of four-bit training, bit for bit that of the simulated machine.";
    nibble::python::define_array_formats(module);
    nibble::python::define_gemm(module);
    nibble::python::define_convolution(module);
    nibble::python::define_other_formats(module);
}
