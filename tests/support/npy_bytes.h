// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace nibble::test {

/// A directory that is gone, with its files, when the object is.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = "/tmp/nibble_test_XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
    /// Writes a file; returns its path.
    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }

private:
    std::string path_;
};

/// `bytes` low bytes of a number, the lowest first.
inline std::string little_endian(std::uint64_t number, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
        text += static_cast<char>((number >> (8 * i)) & 0xffU);
    }
    return text;
}

/// A .npy file with this header text, as it stands, and this data.
inline std::string npy_with_header(const std::string& header, const std::string& data, int major = 1) {
    return std::string("\x93NUMPY") + static_cast<char>(major) + '\0' +
           little_endian(header.size(), major == 1 ? 2 : 4) + header + data;
}

/// The header that NumPy writes. `shape` is a Python tuple.
inline std::string npy_header(const std::string& type, const std::string& shape, const std::string& order = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }    \n";
}

inline std::string npy_of_floats(const std::string& shape, const std::vector<float>& values) {
    std::string data;
    for (const float value : values) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        data += little_endian(bits, sizeof bits);
    }
    return npy_with_header(npy_header("<f4", shape), data);
}

}  // namespace nibble::test
