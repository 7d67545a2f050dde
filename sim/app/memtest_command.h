// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nibble {

/// What the user asked of `nibblesim memtest`. What is not given is as in a typical system of the standard.
struct MemtestRequest {
    std::string file;      ///< requests: see RequestReader
    std::string standard;  ///< DRAM standard
    std::optional<std::uint32_t> channels;
    std::optional<std::uint32_t> ranks;
    std::optional<std::string> address_mapping;
    std::optional<std::string> page;     ///< open, closed or timeout:N
    std::optional<std::string> refresh;  ///< all-bank or per-bank
    std::optional<std::uint32_t> read_queue;
    std::optional<std::uint32_t> write_queue;     ///< its watermarks keep their share of it
    std::optional<std::string> write_watermarks;  ///< HIGH:LOW
    bool power_down = false;
    bool json = false;
};

/// Runs a request file through a memory system alone and shows time, latency, bandwidth, commands and energy. Throws
/// InputError before anything is shown.
void memtest_command(const MemtestRequest& request);

}  // namespace nibble
