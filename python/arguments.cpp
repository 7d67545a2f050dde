// SPDX-License-Identifier: MIT
#include "python/arguments.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <string_view>
#include <thread>

namespace nibble::python {

namespace {

constexpr std::array<std::string_view, 3> accumulator_names{"fp16", "dlfloat16", "fp32"};

/// 0: all cores.
std::atomic<unsigned> default_threads = 0;

CodePointer pointer_to(const py::array& codes, OperandFormat format) {
    if (code_bits(format) == 16) {
        return static_cast<const std::uint16_t*>(codes.data());
    }
    return static_cast<const std::uint8_t*>(codes.data());
}

unsigned checked_threads(py::ssize_t threads) {
    constexpr py::ssize_t most = 1024;
    if (threads < 0 || threads > most) {
        throw py::value_error("threads: expected 0 (all cores) to " + std::to_string(most) + ", found " +
                              std::to_string(threads));
    }
    return static_cast<unsigned>(threads);
}

}  // namespace

std::string shape_of(const py::array& array) {
    std::string text = "(";
    for (const py::ssize_t size : sizes_of(array)) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    }
    return text + (array.ndim() == 1 ? ",)" : ")");
}

std::vector<py::ssize_t> sizes_of(const py::array& array) {
    return {array.shape(), array.shape() + array.ndim()};
}

std::size_t choice(const std::string& text, std::span<const std::string_view> names, const char* what) {
    const auto found = std::ranges::find(names, text);
    if (found != names.end()) {
        return static_cast<std::size_t>(found - names.begin());
    }
    std::string message = std::string(what) + ": expected one of ";
    for (const std::string_view name : names) {
        message += "'" + std::string(name) + "', ";
    }
    throw py::value_error(message + "found '" + text + "'");
}

OperandFormat operand_format(const std::string& text, const char* what) {
    return static_cast<OperandFormat>(choice(text, operand_format_names, what));
}

AccumulationRule accumulation_rule(py::ssize_t chunk, const std::string& accumulator) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    if (chunk < 1 || chunk > static_cast<py::ssize_t>(most)) {
        throw py::value_error("chunk: expected 1 to " + std::to_string(most) + ", found " + std::to_string(chunk));
    }
    return {static_cast<std::uint32_t>(chunk),
            static_cast<AccumulatorFormat>(choice(accumulator, accumulator_names, "accumulator"))};
}

void require_codes(const py::array& codes, OperandFormat format, py::ssize_t dimensions, const char* what) {
    const bool wide = code_bits(format) == 16;
    const bool fits =
        wide ? py::isinstance<py::array_t<std::uint16_t>>(codes) : py::isinstance<py::array_t<std::uint8_t>>(codes);
    if (!fits) {
        throw py::value_error(std::string(what) + ": expected codes of " +
                              std::string(operand_format_names[static_cast<std::size_t>(format)]) + " as " +
                              (wide ? "uint16" : "uint8") + ", found " + py::str(codes.dtype()).cast<std::string>());
    }
    if (codes.ndim() != dimensions) {
        throw py::value_error(std::string(what) + ": expected " + std::to_string(dimensions) +
                              " dimensions, found shape " + shape_of(codes));
    }
}

std::array<std::ptrdiff_t, 2> whole_strides(const py::array& matrix, const char* what) {
    const py::ssize_t size = matrix.itemsize();
    if (matrix.strides(0) % size != 0 || matrix.strides(1) % size != 0) {
        throw py::value_error(std::string(what) + ": expected strides of whole elements");
    }
    return {matrix.strides(0) / size, matrix.strides(1) / size};
}

CodeMatrix code_matrix(const py::array& codes, OperandFormat format, const char* what) {
    require_codes(codes, format, 2, what);
    const auto [rows, columns] = whole_strides(codes, what);
    return {format, pointer_to(codes, format), rows, columns};
}

CodeArray code_array(const py::array& codes, OperandFormat format) {
    return {format, pointer_to(codes, format)};
}

unsigned thread_count(py::ssize_t threads) {
    unsigned count = checked_threads(threads);
    if (count == 0) {
        count = default_threads;
    }
    return count > 0 ? count : std::max(1U, std::thread::hardware_concurrency());
}

void set_default_threads(py::ssize_t threads) {
    default_threads = checked_threads(threads);
}

}  // namespace nibble::python
