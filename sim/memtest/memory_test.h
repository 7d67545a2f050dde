// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "models/dram/dram_core.h"
#include "sim/memtest/latency_tally.h"
#include "sim/memtest/request_reader.h"

namespace nibble {

/// What a memory did with a request file.
struct MemoryTest {
    std::uint64_t reads = 0;   ///< requests
    std::uint64_t writes = 0;  ///< requests
    /// Memory clocks until the last request was complete: its last data beat is in the last of them.
    std::uint64_t completion_cycles = 0;
    /// From acceptance to completion, in memory clocks. A request that finds an idle memory with its row closed takes
    /// tRCD + RL + its bursts. A write is complete when its data are on the bus.
    LatencyTally read_latency;
    LatencyTally write_latency;
    DramCounters counters;  ///< of the clocks up to completion

    [[nodiscard]] std::uint64_t bytes() const { return (reads + writes) * RequestReader::request_bytes; }
    [[nodiscard]] double bytes_per_cycle() const {
        return completion_cycles == 0 ? 0 : static_cast<double>(bytes()) / static_cast<double>(completion_cycles);
    }
};

/// Puts all requests through `memory`, which must be fresh: in their order, each at its cycle or as soon after as the
/// memory has room, at most one a memory clock. Throws InputError when the file turns out to be wrong.
[[nodiscard]] MemoryTest run_memory_test(RequestReader& requests, DramCore& memory);

}  // namespace nibble
