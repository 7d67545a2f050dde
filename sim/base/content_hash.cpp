// SPDX-License-Identifier: MIT
#include "sim/base/content_hash.h"

#include <array>
#include <fstream>

#include <fmt/format.h>

namespace nibble {

ContentHash& ContentHash::bytes(std::string_view text) {
    constexpr Word prime = word(0x1000000U, 0x13bU);
    for (const char c : text) {
        hash_ = (hash_ ^ static_cast<unsigned char>(c)) * prime;
    }
    return *this;
}

ContentHash& ContentHash::field(std::string_view text) {
    return bytes(fmt::format("{}:", text.size())).bytes(text);
}

std::string ContentHash::text() const {
    return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash_ >> 64U), static_cast<std::uint64_t>(hash_));
}

std::string hash_of_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return {};
    }
    ContentHash hash;
    std::array<char, 64 * 1024> piece{};
    while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
        hash.bytes({piece.data(), static_cast<std::size_t>(file.gcount())});
    }
    return hash.text();
}

const std::string& program_hash() {
    static const std::string hash = hash_of_file("/proc/self/exe");
    return hash;
}

}  // namespace nibble
