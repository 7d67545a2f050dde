// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nibble {

/// Largest request that a DramCore accepts.
inline constexpr std::uint32_t max_dram_request_bytes = 4096;

/// One memory system: channels of one standard that share nothing but the address map.
struct DramParameters {
    std::string standard = "LPDDR5-6400";  ///< a name of dram_standard_names()
    std::uint32_t channels = 4;            ///< 1 to 1024; need not be a power of two
    /// Whole rows of every bank; up to the largest density of the standard. Decides tRFC: the smallest density that
    /// holds it counts.
    std::uint64_t capacity_bytes_per_channel = std::uint64_t{2} << 30;
    std::uint64_t channel_interleave_bytes = 256;  ///< consecutive bytes on one channel; power of two, >= 64
    /// Runs that a channel's scheduler holds, reads and writes together. A run is the bursts of one request that lie
    /// in one row of one bank: up to a row long.
    std::uint32_t queue_entries = 64;
    std::uint32_t write_high_watermark = 32;  ///< queued writes (runs) at which a channel turns to writing
    std::uint32_t write_low_watermark = 16;   ///< queued writes at which it turns back, if reads wait
    /// Bursts of younger requests that may overtake a channel's oldest run before nothing else is served.
    std::uint32_t age_cap_bursts = 256;
};

/// What is wrong with `parameters`, one sentence each; empty when a DramCore can be built from them.
[[nodiscard]] std::vector<std::string> dram_parameter_problems(const DramParameters& parameters);

}  // namespace nibble
