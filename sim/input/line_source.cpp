// SPDX-License-Identifier: MIT
#include "sim/input/line_source.h"

#include <algorithm>
#include <cstring>

namespace nibble {

namespace {

constexpr std::size_t block = 256 * 1024;

}  // namespace

LineSource::LineSource(std::istream& stream) : stream_(stream), buffer_(longest_line + block + padding) {}

std::optional<std::string_view> LineSource::next() {
    std::size_t searched = begin_;
    while (true) {
        const char* newline = static_cast<const char*>(std::memchr(&buffer_[searched], '\n', end_ - searched));
        const bool too_long = newline == nullptr && end_ - begin_ > longest_line;
        if (newline != nullptr || too_long) {
            const char* start = &buffer_[begin_];
            const std::size_t length =
                newline != nullptr ? static_cast<std::size_t>(newline - start) : longest_line + 1;
            begin_ += length + (newline != nullptr ? 1 : 0);
            ++number_;
            return std::string_view(start, std::min(length, longest_line + 1));
        }
        const std::size_t unsearched = end_ - begin_;
        if (!refill()) {
            break;
        }
        searched = begin_ + unsearched;
    }
    if (begin_ == end_) {
        return std::nullopt;
    }
    const std::string_view last(&buffer_[begin_], end_ - begin_);
    begin_ = end_;
    ++number_;
    return last;
}

bool LineSource::refill() {
    std::memmove(buffer_.data(), &buffer_[begin_], end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    stream_.read(&buffer_[end_], static_cast<std::streamsize>(std::min(block, buffer_.size() - padding - end_)));
    const auto got = static_cast<std::size_t>(stream_.gcount());
    end_ += got;
    return got > 0;
}

}  // namespace nibble
