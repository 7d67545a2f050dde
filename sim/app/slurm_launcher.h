// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nibble {

/// A job array, each of whose tasks runs one shard of a sweep.
struct SlurmArray {
    std::filesystem::path folder;  ///< for the script and the tasks' output
    std::string name;              ///< of the job
    std::uint64_t tasks = 1;
    std::vector<std::string> options;  ///< for sbatch ("--partition=long")
    std::vector<std::string> command;  ///< of a task; its number and that of all tasks are appended as I/N
};

/// The script that sbatch gets.
[[nodiscard]] std::string slurm_script(const SlurmArray& array);

/// Submits the array and waits until none of its tasks is queued or running any more; cancels it if the user
/// interrupts. Throws InputError if Slurm's programs are missing or refuse.
void run_slurm_array(const SlurmArray& array);

}  // namespace nibble
