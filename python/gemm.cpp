// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "models/numerics/matrix_product.h"
#include "python/arguments.h"
#include "python/definitions.h"

namespace nibble::python {

namespace {

py::array_t<float> gemm(const py::array& a, const py::array& b, const std::string& a_format,
                        const std::string& b_format, py::ssize_t chunk, const std::string& accumulator,
                        py::ssize_t threads) {
    const CodeMatrix left = code_matrix(a, operand_format(a_format, "a_format"), "a");
    const CodeMatrix right = code_matrix(b, operand_format(b_format, "b_format"), "b");
    if (a.shape(1) != b.shape(0)) {
        throw py::value_error("b: expected (k, n) with the k of a " + shape_of(a) + ", found " + shape_of(b));
    }
    const AccumulationRule rule = accumulation_rule(chunk, accumulator);
    const unsigned workers = thread_count(threads);
    py::array_t<float> sums({a.shape(0), b.shape(1)});
    const std::span<float> out(sums.mutable_data(), static_cast<std::size_t>(sums.size()));
    const auto m = static_cast<std::uint64_t>(a.shape(0));
    const auto n = static_cast<std::uint64_t>(b.shape(1));
    const auto k = static_cast<std::uint64_t>(a.shape(1));
    const py::gil_scoped_release release;
    multiply(m, n, k, left, right, rule, workers, out);
    return sums;
}

}  // namespace

void define_gemm(py::module_& module) {
    using namespace pybind11::literals;
    module.def(
        "gemm", &gemm, "a"_a, "b"_a, "a_format"_a, "b_format"_a, "chunk"_a = 64, "accumulator"_a = "fp16",
        "threads"_a = 0,
        "Sums (m, n) of codes a (m, k) times codes b (k, n), in units of the operands' scales, in the arithmetic "
        "of the array: exact within a chunk of four-bit codes, else binary32; the accumulator's format between "
        "chunks. The same for any number of threads.");
    module.def("set_threads", &set_default_threads, "threads"_a,
               "How many threads work where a call does not say; 0: all cores.");
}

}  // namespace nibble::python
