// SPDX-License-Identifier: MIT
#include "models/dma/slice_walker.h"

#include <algorithm>

namespace nibble {

SliceWalker::SliceWalker(const Slice& slice, std::uint32_t max_request_bytes)
    : slice_(slice), max_request_bytes_(max_request_bytes), runs_left_(slice.run_bytes == 0 ? 0 : slice.runs()) {}

Extent SliceWalker::next() {
    std::uint64_t address = slice_.address + offset_;
    for (std::size_t d = 0; d < at_.size(); ++d) {
        address += at_[d] * slice_.outer[d].stride_bytes;
    }
    const std::uint64_t to_boundary = max_request_bytes_ - address % max_request_bytes_;
    const std::uint64_t bytes = std::min(slice_.run_bytes - offset_, to_boundary);
    offset_ += bytes;
    if (offset_ == slice_.run_bytes) {
        offset_ = 0;
        --runs_left_;
        for (std::size_t d = at_.size(); d-- > 0;) {
            if (++at_[d] < slice_.outer[d].count) {
                break;
            }
            at_[d] = 0;
        }
    }
    return {address, static_cast<std::uint32_t>(bytes)};
}

}  // namespace nibble
