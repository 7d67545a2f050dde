// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

/// One load and one store engine with these parameters each.
struct DmaParameters {
    std::uint32_t max_request_bytes = 4096;  ///< longest contiguous memory request (4096: the AXI4 burst limit)
    std::uint32_t max_outstanding = 8;       ///< requests in flight in memory
    std::uint32_t lines_per_cycle = 1;       ///< scratchpad lines that the engine moves in a cycle
    bool ideal = false;  ///< a transfer takes as long as its lines: neither engine nor memory is waited for
};

}  // namespace nibble
