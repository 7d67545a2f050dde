// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "sim/program/command.h"

namespace nibble {

/// A contiguous piece of DRAM.
struct Extent {
    std::uint64_t address = 0;
    std::uint32_t bytes = 0;
    friend bool operator==(const Extent&, const Extent&) = default;
};

/// Walks a slice as the address generator of a DMA engine does: run after run, each cut into requests of at most
/// `max_request_bytes` that do not cross a multiple of it.
class SliceWalker {
public:
    SliceWalker() = default;
    SliceWalker(const Slice& slice, std::uint32_t max_request_bytes);

    [[nodiscard]] bool done() const { return runs_left_ == 0; }
    /// The next request; must not be done.
    Extent next();

private:
    Slice slice_;
    std::uint64_t max_request_bytes_ = 0;
    std::array<std::uint64_t, 3> at_{};  // index in each outer dimension
    std::uint64_t offset_ = 0;           // inside the present run
    std::uint64_t runs_left_ = 0;
};

}  // namespace nibble
