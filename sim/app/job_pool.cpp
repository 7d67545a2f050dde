// SPDX-License-Identifier: MIT
#include "sim/app/job_pool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <new>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "sim/app/child_process.h"
#include "sim/app/interrupt.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

/// First byte of what a job says.
constexpr char says_result = 'r';
constexpr char says_wrong_input = 'i';
constexpr char says_error = 'e';

void limit_memory(std::uint64_t mib) {
    const rlim_t bytes = static_cast<rlim_t>(mib) * 1024 * 1024;
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_AS, &limit);
}

[[noreturn]] void run_in_process(int pipe, pid_t parent, const JobLimits& limits, const JobPool::Work& work) {
    // A group of its own: a terminal's Ctrl-C reaches the parent alone, and the parent can end the job with all of its
    // processes.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGHUP, SIG_DFL);
    if (limits.memory_mib > 0) {
        limit_memory(limits.memory_mib);
    }
    try {
        write_to_parent(pipe, says_result + work());
    } catch (const InputError& error) {
        write_to_parent(pipe, says_wrong_input + std::string(error.what()));
    } catch (const std::bad_alloc&) {
        write_to_parent(pipe, std::string(1, says_error) + "out of memory");
    } catch (const std::exception& error) {
        write_to_parent(pipe, says_error + std::string(error.what()));
    }
    _exit(0);
}

std::string cause_of_death(int status) {
    if (!WIFSIGNALED(status)) {
        return fmt::format("ended without a result, exit code {}", WEXITSTATUS(status));
    }
    return "ended by " + signal_text(WTERMSIG(status));
}

}  // namespace

JobPool::JobPool(std::size_t processes, JobLimits limits) : processes_(processes), limits_(limits) {}

JobPool::~JobPool() {
    for (const Running& running : running_) {
        end(running);
        while (waitpid(running.process, nullptr, 0) < 0 && errno == EINTR) {
        }
        close(running.pipe);
    }
}

void JobPool::end(const Running& running) const {
    if (kill(-running.process, SIGKILL) != 0) {
        kill(running.process, SIGKILL);  // it has not made its group yet
    }
}

void JobPool::start(std::size_t job, const Work& work) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    const pid_t parent = getpid();
    const pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        for (const Running& other : running_) {
            close(other.pipe);
        }
        run_in_process(ends[1], parent, limits_, work);
    }
    const int error = errno;
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        throw std::system_error(error, std::generic_category(), "fork");
    }
    Running running{job, process, ends[0], {}, Clock::time_point::max()};
    if (limits_.seconds > 0) {
        running.deadline =
            Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limits_.seconds));
    }
    running_.push_back(std::move(running));
}

std::optional<JobPool::Finished> JobPool::wait(std::chrono::milliseconds longest) {
    throw_if_interrupted();
    const auto late = std::ranges::find_if(running_, [](const Running& one) { return Clock::now() >= one.deadline; });
    if (late != running_.end()) {
        end(*late);
        Finished finished = finish(static_cast<std::size_t>(late - running_.begin()));
        finished.result.clear();
        finished.error = fmt::format("took longer than {:g} s", limits_.seconds);
        return finished;
    }
    std::vector<pollfd> waiting;
    for (const Running& running : running_) {
        waiting.push_back({running.pipe, POLLIN, 0});
    }
    if (poll(waiting.data(), waiting.size(), static_cast<int>(longest.count())) < 0 && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "poll");
    }
    throw_if_interrupted();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents == 0) {
            continue;
        }
        std::array<char, 64 * 1024> bytes{};
        const ssize_t count = read(running_[i].pipe, bytes.data(), bytes.size());
        if (count > 0) {
            running_[i].bytes.append(bytes.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            return finish(i);
        }
    }
    return std::nullopt;
}

JobPool::Finished JobPool::finish(std::size_t place) {
    const Running running = std::move(running_[place]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(place));
    close(running.pipe);
    int status = 0;
    while (waitpid(running.process, &status, 0) < 0 && errno == EINTR) {
    }
    Finished finished{running.job, {}, {}, false};
    const bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !running.bytes.empty();
    if (!whole) {
        finished.error = cause_of_death(status);
    } else if (running.bytes.front() == says_result) {
        finished.result = running.bytes.substr(1);
    } else {
        finished.error = running.bytes.substr(1);
        finished.wrong_input = running.bytes.front() == says_wrong_input;
    }
    return finished;
}

}  // namespace nibble
