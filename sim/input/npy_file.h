// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace nibble {

/// Element types of a .npy file that NpyFile reads, all little-endian.
enum class NpyType : std::uint8_t {
    float32,  ///< <f4
    float16,  ///< <f2
    float64,  ///< <f8
    int8,     ///< |i1
    int32,    ///< <i4
};

/// An array in NumPy's .npy format, versions 1.0, 2.0 and 3.0, in C order.
/// Source: NumPy, numpy/lib/format.py ("Format Version 1.0" to "3.0").
///
/// Strict: the header must be a dictionary of exactly `descr`, `fortran_order` and `shape`, and the file must end with
/// its last element. Everything else (other types, Fortran order, Python objects, structures) is an InputError that
/// names the file and says what was found; sizes are checked before anything is allocated. The file must be a regular
/// one and must not change while it is read.
class NpyFile {
public:
    static constexpr std::uint64_t most_header_bytes = 10000;                ///< NumPy's own limit
    static constexpr std::uint64_t most_dimensions = 64;                     ///< NumPy's own limit
    static constexpr std::uint64_t most_elements = std::uint64_t{1} << 30U;  ///< 4 GiB as binary32

    /// Reads the header and compares it with the size of the file.
    explicit NpyFile(const std::filesystem::path& path);

    [[nodiscard]] NpyType type() const { return type_; }
    [[nodiscard]] const std::vector<std::uint64_t>& shape() const { return shape_; }
    [[nodiscard]] std::uint64_t elements() const { return elements_; }

    /// Throws InputError unless the array has the elements of `shape`, and its dimensions are those of `shape` or come
    /// of them by joining neighbours, cutting them, or dimensions of 1. An array that lies turned is refused.
    void require_shape(std::span<const std::uint64_t> shape) const;
    /// Reads everything and keeps nothing. Throws InputError naming the first element, counted from 0 in the order of
    /// the file, that is not a number, infinite, or beyond the range of binary32.
    void require_finite() const;
    /// The elements in the order of the file, each rounded to the nearest binary32. Throws as require_finite() does.
    [[nodiscard]] std::vector<float> read() const;

private:
    [[noreturn]] void fail(const std::string& what) const;
    void read_header(std::uint64_t file_bytes);
    /// Calls `visit` with one run of elements after the other.
    void scan(const std::function<void(std::span<const float>)>& visit) const;

    std::filesystem::path path_;
    NpyType type_ = NpyType::float32;
    std::vector<std::uint64_t> shape_;
    std::uint64_t elements_ = 1;
    std::uint64_t data_begin_ = 0;  // byte of the file
};

}  // namespace nibble
