// SPDX-License-Identifier: MIT
#include "sim/import/byte_window.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace nibble {

bool ByteWindow::grow() {
    constexpr std::size_t block_bytes = 256 * 1024;
    const std::size_t kept = end_ - begin_;
    if (kept != 0 && begin_ != 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, kept);
    }
    begin_ = 0;
    end_ = kept;
    // At least doubling, so that a large piece is not moved again and again.
    const std::size_t wanted = kept + std::max(kept, block_bytes);
    if (buffer_.size() < wanted + padding) {
        buffer_.resize(wanted + padding);
    }
    const std::size_t got = source_.read(std::span(buffer_).subspan(end_, buffer_.size() - padding - end_));
    end_ += got;
    return got != 0;
}

}  // namespace nibble
