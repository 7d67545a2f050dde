// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

/// On-chip SRAM shared by all units: `banks` single-ported banks, interleaved by line.
struct ScratchpadParameters {
    std::uint64_t capacity_bytes = 0;
    std::uint64_t resident_bytes = 0;  ///< part of the capacity that holds tensors kept on chip from one operation to a
                                       ///< later one; the rest holds the double-buffered tiles
    std::uint32_t banks = 0;           ///< lines served in a cycle, one a bank
    std::uint32_t line_bytes = 0;      ///< width of a bank
};

}  // namespace nibble
