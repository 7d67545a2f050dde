// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace nibble {

/// Where a byte lives.
struct DramLocation {
    std::uint32_t channel;
    std::uint32_t bank;  ///< rank * banks of a rank + bank group * banks per group + bank within the group
    std::uint32_t row;
    std::uint32_t column;  ///< byte within the row
    friend bool operator==(const DramLocation&, const DramLocation&) = default;
};

/// The bursts of one request that lie in one row of one bank.
struct DramRun {
    std::uint32_t channel;
    std::uint32_t bank;
    std::uint32_t row;
    std::uint32_t bursts;
};

}  // namespace nibble
