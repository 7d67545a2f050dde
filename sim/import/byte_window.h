// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/import/byte_source.h"

namespace nibble {

/// The part of a stream that a reader is looking at. It grows at its end by what is read, and shrinks at its front by
/// what is done with, so that a file of any size is read in the memory of its largest piece.
class ByteWindow {
public:
    /// So many bytes behind the window may be read, though they mean nothing: simdjson reads whole vector registers.
    static constexpr std::size_t padding = 64;

    explicit ByteWindow(ByteSource source) : source_(std::move(source)) {}

    /// Valid until the window grows.
    [[nodiscard]] std::string_view bytes() const { return {buffer_.data() + begin_, end_ - begin_}; }
    /// Byte of the file at which the window begins.
    [[nodiscard]] std::uint64_t position() const { return source_.position() - (end_ - begin_); }
    /// Reads on; false at the end of the file. Throws InputError as ByteSource does.
    [[nodiscard]] bool grow();
    /// Forgets bytes at the front, at most as many as there are.
    void drop(std::size_t count) { begin_ += count; }
    [[nodiscard]] const ByteSource& source() const { return source_; }

private:
    ByteSource source_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;  // of the window, in buffer_
    std::size_t end_ = 0;
};

}  // namespace nibble
