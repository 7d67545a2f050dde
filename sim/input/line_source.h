// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string_view>
#include <vector>

namespace nibble {

/// Cuts a stream into lines, in constant memory. Behind each line lie at least `padding` readable bytes (whatever they
/// hold), as simdjson wants.
class LineSource {
public:
    static constexpr std::size_t longest_line = 1024 * 1024;
    static constexpr std::size_t padding = 64;

    explicit LineSource(std::istream& stream);

    /// The next line without its line feed, valid until the next call; nothing at the end of the stream. A line above
    /// the limit is returned cut, one byte longer than the limit, and must be the last that is asked for.
    [[nodiscard]] std::optional<std::string_view> next();

    /// Number of the line returned last, from 1.
    [[nodiscard]] std::uint64_t number() const { return number_; }

private:
    /// Reads more behind what is left over; false at the end of the stream.
    bool refill();

    std::istream& stream_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;  // of what was read and not yet returned
    std::size_t end_ = 0;
    std::uint64_t number_ = 0;
};

}  // namespace nibble
