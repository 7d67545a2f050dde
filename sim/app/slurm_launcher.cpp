// SPDX-License-Identifier: MIT
#include "sim/app/slurm_launcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/app/interrupt.h"
#include "sim/app/pending_file.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::chrono::milliseconds between_looks{500};
constexpr std::chrono::seconds between_looks_at_most{15};

struct Answer {
    int code = 0;
    std::string output;  // both streams
};

/// Runs a program of Slurm's. Throws InputError if it is not there.
Answer ask(const std::vector<std::string>& command) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<std::string> texts = command;
    std::vector<char*> arguments;
    for (std::string& text : texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);
    pid_t process = -1;
    const int error = posix_spawnp(&process, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        throw InputError(fmt::format("--launcher slurm: {} cannot be run: {}", command.front(), std::strerror(error)));
    }
    Answer answer;
    std::array<char, 4096> bytes{};
    for (;;) {
        const ssize_t count = read(ends[0], bytes.data(), bytes.size());
        if (count > 0) {
            answer.output.append(bytes.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    close(ends[0]);
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return answer;
}

/// A word of a shell's command line.
std::string shell_word(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

std::string trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \n");
    const std::size_t end = text.find_last_not_of(" \n");
    return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin, end - begin + 1));
}

/// Whether Slurm still has tasks of the array to run, or is running them.
bool is_under_way(const std::string& job) {
    const Answer answer = ask({"squeue", "--noheader", "--jobs", job, "--format", "%T"});
    if (answer.code != 0) {
        // An array that has ended is forgotten after some minutes.
        if (answer.output.find("Invalid job id") != std::string::npos) {
            return false;
        }
        throw InputError(fmt::format("squeue: {}", printable(trimmed(answer.output), 200)));
    }
    return !trimmed(answer.output).empty();
}

}  // namespace

std::string slurm_script(const SlurmArray& array) {
    std::string command;
    for (const std::string& word : array.command) {
        command += shell_word(word) + ' ';
    }
    return fmt::format("#!/bin/sh\nexec {}--shard \"$SLURM_ARRAY_TASK_ID/{}\" --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\"\n",
                       command, array.tasks);
}

void run_slurm_array(const SlurmArray& array) {
    std::filesystem::create_directories(array.folder);
    const std::filesystem::path script = array.folder / "task.sh";
    {
        PendingFile pending(script);
        std::ofstream(pending.temporary()) << slurm_script(array);
        pending.commit();
    }
    std::vector<std::string> submit{"sbatch", "--parsable", "--job-name=nibblesim-" + array.name,
                                    fmt::format("--array=1-{}", array.tasks),
                                    "--output=" + (array.folder / "%A_%a.log").string()};
    submit.insert(submit.end(), array.options.begin(), array.options.end());
    submit.push_back(script.string());
    const Answer answer = ask(submit);
    if (answer.code != 0) {
        throw InputError(fmt::format("sbatch: {}", printable(trimmed(answer.output), 200)));
    }
    // "ID" or "ID;cluster", below whatever warnings there are
    const std::string output = trimmed(answer.output);
    const std::string line = output.substr(output.find_last_of('\n') + 1);
    const std::string job = line.substr(0, line.find(';'));
    try {
        std::chrono::milliseconds pause = between_looks;
        while (is_under_way(job)) {
            std::this_thread::sleep_for(pause);
            throw_if_interrupted();
            pause = std::min<std::chrono::milliseconds>(pause * 2, between_looks_at_most);
        }
    } catch (const Interrupted&) {
        static_cast<void>(ask({"scancel", job}));
        throw;
    }
}

}  // namespace nibble
