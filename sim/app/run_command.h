// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/app/mapping_choice.h"
#include "sim/app/run_watch.h"
#include "sim/app/trace_source.h"

namespace nibble {

/// What the user asked of `nibblesim run`.
struct RunRequest {
    std::string program;  ///< name and version, for the result
    TraceRequest trace;   ///< what is run
    std::string machine;  ///< preset or file
    std::string baseline = "iso-mac-area";
    std::string phases = "forward,dx,dw,vector,update";
    std::string layers = "*";
    bool skipping = true;
    bool values = false;
    std::string recipe = "int4-fp4";
    std::string out;          ///< directory for results; empty: none
    std::string report;       ///< HTML file for a page; empty: none
    MappingOptions mapping;   ///< of the GEMMs of both machines
    std::string mapping_out;  ///< file for the mappings used; empty: none
    std::string dump_codes;   ///< .npz file for the codes of recorded operands on the machine; empty: none
    WatchRequest watch;       ///< of the run as it goes on
    bool json = false;
    bool quiet = false;
};

/// Runs a trace on a machine and its baseline, and reports. Throws InputError before anything is written.
void run_command(const RunRequest& request);

}  // namespace nibble
