// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "sim/app/trace_source.h"

namespace nibble {

/// What a directory made by `run --out` says of its run: enough to run the machine again and know that it is the same.
struct RecordedRun {
    std::string file;    ///< result.json
    TraceRequest trace;  ///< as the command line had it: files are found from the working directory
    std::string trace_hash;
    std::string phases;
    std::string layers;
    std::string recipe;
    std::filesystem::path machine;   ///< file
    std::filesystem::path mappings;  ///< file
    std::uint64_t cycles = 0;        ///< on the machine
};

/// Reads a directory, or the result.json in it. Throws InputError if it is none, or has not all that is needed.
[[nodiscard]] RecordedRun read_recorded_run(const std::filesystem::path& path);

}  // namespace nibble
