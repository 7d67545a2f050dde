// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nibble {

/// The i-th of n parts of a sweep's jobs.
struct Shard {
    std::uint64_t index = 1;  ///< from 1
    std::uint64_t count = 1;
};
/// "2/8". Throws InputError.
[[nodiscard]] Shard parse_shard(const std::string& text);

/// What the user asked of `nibblesim sweep`.
struct SweepRequest {
    std::string study;               ///< file
    std::string out;                 ///< folder for results and tables
    std::uint64_t jobs = 0;          ///< at a time; 0: one a core
    std::string shard;               ///< I/N; empty: everything
    std::string launcher = "local";  ///< local or slurm
    std::uint64_t slurm_tasks = 8;   ///< of the job array
    std::vector<std::string> slurm_options;
    std::vector<std::string> reuse;  ///< folders of other studies whose results count
    bool status = false;             ///< say what there is, run nothing
    bool collect = false;            ///< write the tables of what there is, run nothing
    bool retry_failed = false;
    bool sharing = true;  ///< equal operations of composed and predicted steps are evaluated once
    bool json = false;
    bool quiet = false;
};

/// Runs a study, or what is left of it. Throws InputError before anything runs if the study is wrong, Interrupted after
/// results so far are safe.
void sweep_command(const SweepRequest& request);

}  // namespace nibble
