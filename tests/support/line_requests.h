// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/scratchpad/line_stream.h"

namespace nibble::test {

/// Cycles that a request takes where no stream waits for another.
inline std::uint64_t line_cycles(const ScratchpadRequest& request) {
    std::uint64_t cycles = 0;
    for (const LineStream& stream : request.streams()) {
        cycles = std::max(cycles, (stream.lines + stream.lines_per_cycle - 1) / stream.lines_per_cycle);
    }
    return cycles;
}

/// Latency of a test::Server that serves requests at their own pace: the cycle in which it takes one is the first.
inline std::uint64_t at_own_pace(const ScratchpadRequest& request) {
    const std::uint64_t cycles = line_cycles(request);
    return cycles == 0 ? 0 : cycles - 1;
}

}  // namespace nibble::test
