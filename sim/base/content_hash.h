// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace nibble {

/// A hash by which contents are told apart: FNV-1a (Fowler, Noll, Vo), 128 bits. Of n different contents two agree with
/// a chance of about n^2 / 2^129. Not for secrets.
class ContentHash {
public:
    /// Adds the bytes of a text.
    ContentHash& bytes(std::string_view text);
    /// Adds a text and its length, so that several in a row are not mistaken for others with the same bytes.
    ContentHash& field(std::string_view text);

    /// 32 hexadecimal digits.
    [[nodiscard]] std::string text() const;

private:
    __extension__ using Word = unsigned __int128;
    static constexpr Word word(std::uint64_t high, std::uint64_t low) { return Word{high} << 64U | low; }

    Word hash_ = word(0x6c62272e07bb0142U, 0x62b821756295c58dU);
};

/// The hash of a file's bytes. Empty if it cannot be read.
[[nodiscard]] std::string hash_of_file(const std::filesystem::path& path);

/// The hash of the running program's file: what it computes depends on nothing else but its input. Empty if the file
/// cannot be read.
[[nodiscard]] const std::string& program_hash();

}  // namespace nibble
