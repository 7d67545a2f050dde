// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace nibble {

/// What a job may take.
struct JobLimits {
    double seconds = 0;            ///< 0: as long as it likes
    std::uint64_t memory_mib = 0;  ///< of address space; 0: all
};

/// Jobs in processes of their own, some at a time: each may elaborate SystemC in processes of its own again, die, hang
/// or run out of memory without harm to the others. All of them end with the pool, and with this process.
class JobPool {
public:
    /// Called in the new process; what it returns or throws becomes the job's result.
    using Work = std::function<std::string()>;

    struct Finished {
        std::size_t job = 0;
        std::string result;        ///< what Work returned
        std::string error;         ///< why there is none
        bool wrong_input = false;  ///< the error is an InputError
    };

    JobPool(std::size_t processes, JobLimits limits);
    ~JobPool();
    JobPool(const JobPool&) = delete;
    JobPool& operator=(const JobPool&) = delete;

    [[nodiscard]] bool full() const { return running_.size() == processes_; }
    [[nodiscard]] bool idle() const { return running_.empty(); }

    /// Starts a job; there must be room. Must not be called when threads run or SystemC has elaborated anything.
    void start(std::size_t job, const Work& work);
    /// The next job that has finished, waited for at most so long. Throws Interrupted.
    [[nodiscard]] std::optional<Finished> wait(std::chrono::milliseconds longest);

private:
    using Clock = std::chrono::steady_clock;
    struct Running {
        std::size_t job = 0;
        pid_t process = -1;
        int pipe = -1;
        std::string bytes;  // received so far
        Clock::time_point deadline = Clock::time_point::max();
    };

    [[nodiscard]] Finished finish(std::size_t place);
    void end(const Running& running) const;

    std::size_t processes_;
    JobLimits limits_;
    std::vector<Running> running_;
};

}  // namespace nibble
