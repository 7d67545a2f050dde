// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

/// A contiguous access on its way from a DMA engine to memory.
struct MemoryRequest {
    std::uint64_t operation = 0;  ///< that the bytes are counted for
    std::uint64_t tag = 0;        ///< handed back with the response
    std::uint64_t address = 0;
    std::uint32_t bytes = 0;
};

/// Bytes on the bus of memory for a contiguous access of at least one byte: it moves whole bursts.
[[nodiscard]] constexpr std::uint64_t bytes_in_bursts(std::uint64_t address, std::uint64_t bytes,
                                                      std::uint64_t burst_bytes) {
    return ((address + bytes - 1) / burst_bytes - address / burst_bytes + 1) * burst_bytes;
}

/// The access has been made: a read's data are here, a write's are in the array of cells.
struct MemoryResponse {
    std::uint64_t tag = 0;
};

}  // namespace nibble
