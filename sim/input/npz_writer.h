// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// Writes an .npz file, an uncompressed zip of .npy files, array by array. Nothing is kept of arrays but their names.
/// The same arrays make the same bytes. Source: NumPy, numpy.savez, and numpy/lib/format.py ("Format Version 1.0").
class NpzWriter {
public:
    /// Throws InputError if the file cannot be made.
    explicit NpzWriter(const std::filesystem::path& path);
    ~NpzWriter();
    NpzWriter(const NpzWriter&) = delete;
    NpzWriter& operator=(const NpzWriter&) = delete;

    /// Fills `bytes` with the next elements, little-endian, in C order.
    using Source = std::function<void(std::span<char> bytes)>;

    /// Adds an array of elements of `type` ("<f2", "|i1", ...), `element_bytes` each. `name` must be valid in a zip and
    /// not have been used; names that end in ".npy" are NumPy's, which takes that off. `source` is asked for 64 Ki
    /// elements at a time. Throws InputError if the file cannot be written.
    void add(const std::string& name, std::string_view type, std::size_t element_bytes,
             std::span<const std::uint64_t> shape, const Source& source);
    /// Completes the file, which is of no use before. Throws InputError if it cannot be written.
    void finish();

private:
    struct Archive;

    [[noreturn]] void fail() const;

    std::filesystem::path path_;
    std::unique_ptr<Archive> archive_;
};

}  // namespace nibble
