// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/import/byte_source.h"
#include "sim/import/byte_window.h"

namespace nibble {

/// A file of protocol-buffer messages, each behind its length as a varint, one at a time and in flat memory.
/// Source: protobuf.dev, "Streaming Multiple Messages".
class DelimitedMessages {
public:
    static constexpr std::size_t longest_message = std::size_t{4} << 20U;

    explicit DelimitedMessages(ByteSource source) : window_(std::move(source)) {}

    /// Goes to the next message; false at the end. Throws InputError with the byte if the file is cut short or a
    /// message is too long.
    [[nodiscard]] bool next();
    /// Valid until next().
    [[nodiscard]] std::string_view message() const { return message_; }
    /// Byte of the file at which the message begins.
    [[nodiscard]] std::uint64_t position() const { return window_.position(); }

private:
    [[noreturn]] void fail(const std::string& what) const;

    ByteWindow window_;
    std::string_view message_;
};

}  // namespace nibble
