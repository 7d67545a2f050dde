// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nibble {

/// What the user asked of `nibblesim run`.
struct RunRequest {
    std::string program;  ///< name and version, for the result
    std::string trace;    ///< trace file or workload
    std::string machine;  ///< preset or file
    std::string baseline = "iso-mac-area";
    std::optional<std::uint64_t> batch;
    std::string phases = "forward,dx,dw,vector,update";
    std::string layers = "*";
    bool skipping = true;
    bool values = false;
    std::string recipe = "int4-fp4";
    std::string out;  ///< directory for results; empty: none
    bool json = false;
    bool quiet = false;
};

/// Runs a trace on a machine and its baseline, and reports. Throws InputError before anything is written.
void run_command(const RunRequest& request);

}  // namespace nibble
