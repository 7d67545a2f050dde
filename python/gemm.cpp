// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "models/numerics/matrix_product.h"
#include "python/arguments.h"
#include "python/definitions.h"

namespace nibble::python {

namespace {

template <class Matrix>
py::array_t<float> product(const py::array& a, const py::array& b, const Matrix& left, const Matrix& right,
                           py::ssize_t chunk, const std::string& accumulator, py::ssize_t threads) {
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
    {
        const py::gil_scoped_release release;
        multiply(m, n, k, left, right, rule, workers, out);
    }
    return sums;
}

py::array_t<float> gemm(const py::array& a, const py::array& b, const std::string& a_format,
                        const std::string& b_format, py::ssize_t chunk, const std::string& accumulator,
                        py::ssize_t threads) {
    const OperandFormat of_a = operand_format(a_format, "a_format");
    const OperandFormat of_b = operand_format(b_format, "b_format");
    return product(a, b, code_matrix(a, of_a, "a"), code_matrix(b, of_b, "b"), chunk, accumulator, threads);
}

/// float32 as it lies; other numbers converted.
using Numbers = py::array_t<float, py::array::forcecast>;

NumberMatrix number_matrix(const Numbers& numbers, const char* what) {
    if (numbers.ndim() != 2) {
        throw py::value_error(std::string(what) + ": expected 2 dimensions, found shape " + shape_of(numbers));
    }
    const auto [rows, columns] = whole_strides(numbers, what);
    return {numbers.data(), rows, columns};
}

py::array_t<float> matmul_values(const Numbers& a, const Numbers& b, py::ssize_t chunk, const std::string& accumulator,
                                 py::ssize_t threads) {
    return product(a, b, number_matrix(a, "a"), number_matrix(b, "b"), chunk, accumulator, threads);
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
    module.def("matmul_values", &matmul_values, "a"_a, "b"_a, "chunk"_a = 64, "accumulator"_a = "fp16", "threads"_a = 0,
               "The same for numbers, float32: products and the sums of a chunk are rounded to binary32. For formats "
               "that the array does not have.");
    module.def("set_threads", &set_default_threads, "threads"_a,
               "How many threads work where a call does not say; 0: all cores.");
}

}  // namespace nibble::python
