// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// Largest request that a DramCore accepts.
inline constexpr std::uint32_t max_dram_request_bytes = 4096;

/// The address mapping of our own, see AddressMap.
inline constexpr std::string_view permuted_mapping = "permuted";

/// When a row is closed that no queued request wants.
enum class PagePolicy : std::uint8_t {
    open,    ///< for a conflict or a refresh only
    closed,  ///< with its last queued burst (auto-precharge)
    timeout  ///< page_timeout_cycles after its last burst
};

/// How a channel keeps its cells.
enum class RefreshMode : std::uint8_t {
    all_bank,  ///< all banks of a rank at a time
    per_bank   ///< the banks of a rank in turn, while the others work; where the standard has it
};

/// One memory system: channels of one standard that share nothing but the address map.
struct DramParameters {
    std::string standard = "LPDDR5-6400";  ///< a name of dram_standard_names()
    std::uint32_t channels = 4;            ///< pseudo-channels where the standard has them; 1 to 1024
    std::uint32_t ranks = 1;               ///< of a channel: 1, 2 or 4, at most 64 banks in all
    /// Whole rows of every bank of every rank; up to the largest density of the standard for each rank. Decides tRFC:
    /// the smallest density that holds a rank counts.
    std::uint64_t capacity_bytes_per_channel = std::uint64_t{2} << 30;
    /// `permuted`, or the six fields ro ch ra ba bg co in any order, the most significant first: see AddressMap.
    std::string address_mapping{permuted_mapping};
    /// Consecutive bytes on one channel; power of two, >= 64. For the permuted mapping: in the others the place of ch
    /// says it.
    std::uint64_t channel_interleave_bytes = 256;
    PagePolicy page_policy = PagePolicy::open;
    std::uint32_t page_timeout_cycles = 0;  ///< of the timeout policy, at least 1; 0 with the others
    RefreshMode refresh = RefreshMode::all_bank;
    bool power_down = false;  ///< ranks without work go to power-down (CKE low)
    /// Runs of reads that a channel's scheduler holds. A run is the bursts of one request that lie in one row of one
    /// bank: up to a row long.
    std::uint32_t read_queue_entries = 64;
    std::uint32_t write_queue_entries = 64;   ///< the same for writes
    std::uint32_t write_high_watermark = 48;  ///< queued writes (runs) at which a channel turns to writing
    std::uint32_t write_low_watermark = 16;   ///< queued writes at which it turns back, if reads wait
    /// Bursts of younger requests that may overtake a channel's oldest run before nothing else is served.
    std::uint32_t age_cap_bursts = 256;
};

/// What a system with memory of that standard typically has: ranks, capacity, refresh. The standard must be known.
[[nodiscard]] DramParameters typical_dram(std::string_view standard);

/// Sets page_policy and page_timeout_cycles from `open`, `closed` or `timeout:N`. Returns what is wrong with the text,
/// or nothing.
[[nodiscard]] std::string set_page_policy(DramParameters& parameters, std::string_view text);

/// The text that set_page_policy() takes.
[[nodiscard]] std::string page_policy_text(const DramParameters& parameters);

/// What is wrong with `parameters`, one sentence each; empty when a DramCore can be built from them.
[[nodiscard]] std::vector<std::string> dram_parameter_problems(const DramParameters& parameters);

}  // namespace nibble
