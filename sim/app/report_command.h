// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace nibble {

struct RunFiles;

/// What the user asked of `nibblesim report`.
struct ReportRequest {
    std::string program;               ///< name and version, for the page
    std::vector<std::string> results;  ///< directories made by `run --out`, files result.json; or one study
    std::string output;                ///< HTML file to write
    bool json = false;                 ///< print what was written
};

/// Writes a page about runs, or about one study (a directory made by `sweep --out`, or its points.json). Throws
/// InputError before anything is written.
void report_command(const ReportRequest& request);

/// Writes a page about runs. Throws InputError if one of them is no result, or damaged.
void write_run_page(std::ostream& out, const std::string& program, const std::vector<RunFiles>& runs);

}  // namespace nibble
