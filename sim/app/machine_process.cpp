// SPDX-License-Identifier: MIT
#include "sim/app/machine_process.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string_view>
#include <sys/prctl.h>
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

/// The process's end of the pipe. Small messages travel together, but none waits for long.
class PipeWriter {
public:
    explicit PipeWriter(int pipe) : pipe_(pipe) {}

    void send(MessageKind kind, std::string_view body) {
        constexpr std::size_t most_bytes = 32 * 1024;
        constexpr std::chrono::milliseconds longest_wait{50};
        buffer_ += framed(kind, body);
        if (buffer_.size() >= most_bytes || std::chrono::steady_clock::now() - flushed_ >= longest_wait) {
            flush();
        }
    }

    void flush() {
        write_to_parent(pipe_, buffer_);
        buffer_.clear();
        flushed_ = std::chrono::steady_clock::now();
    }

private:
    int pipe_;
    std::string buffer_;
    std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
};

[[noreturn]] void run_in_process(int pipe, pid_t parent, const MachineProcess::Work& work) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    std::signal(SIGINT, SIG_IGN);  // a terminal sends it to parent and child: the parent decides
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGHUP, SIG_DFL);
    PipeWriter writer(pipe);
    try {
        const RunSummary summary =
            work([&](const OpRecord& record) { writer.send(MessageKind::record, encode(record)); });
        writer.send(MessageKind::summary, encode(summary));
    } catch (const InputError& error) {
        writer.send(MessageKind::input_error, encode(error.problems()));
    } catch (const ModelError& error) {
        writer.send(MessageKind::model_error, error.what());
    } catch (const std::exception& error) {
        writer.send(MessageKind::other_error, error.what());
    }
    writer.flush();
    _exit(0);
}

}  // namespace

MachineProcess::MachineProcess(std::string name, const Work& work) : name_(std::move(name)) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ == 0) {
        close(ends[0]);
        run_in_process(ends[1], parent, work);
    }
    close(ends[1]);
    pipe_ = ends[0];
    if (process_ < 0) {
        const int error = errno;
        close_pipe();
        throw std::system_error(error, std::generic_category(), "fork");
    }
}

MachineProcess::~MachineProcess() {
    if (process_ > 0) {
        kill(process_, SIGKILL);
        while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    close_pipe();
}

void MachineProcess::close_pipe() {
    if (pipe_ >= 0) {
        close(pipe_);
        pipe_ = -1;
    }
}

void MachineProcess::receive() {
    std::array<char, 64 * 1024> bytes{};
    const ssize_t count = read(pipe_, bytes.data(), bytes.size());
    if (count < 0) {
        if (errno == EINTR) {
            return;
        }
        throw std::system_error(errno, std::generic_category(), "reading from the process of " + name_);
    }
    if (count == 0) {
        explain_death();
    }
    messages_.feed({bytes.data(), static_cast<std::size_t>(count)});
    for (Message message; messages_.next(message);) {
        accept(std::move(message));
    }
}

void MachineProcess::accept(Message message) {
    switch (message.kind) {
        case MessageKind::record:
            ++operations_;
            cycles_ += decode_record(message.body).counters[index_of(Counter::cycles)];
            records_.push(std::move(message.body));
            break;
        case MessageKind::summary:
            summary_ = decode_summary(message.body);
            break;
        case MessageKind::input_error:
            throw InputError(decode_problems(message.body));
        case MessageKind::model_error:
            throw ModelError(name_ + ": " + message.body);
        case MessageKind::other_error:
            throw std::runtime_error(name_ + ": " + message.body);
    }
}

void MachineProcess::explain_death() {
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    close_pipe();
    throw_if_interrupted();
    if (!WIFSIGNALED(status)) {
        throw ModelError(
            fmt::format("the process of {} ended without a result, exit code {}", name_, WEXITSTATUS(status)));
    }
    const int signal = WTERMSIG(status);
    if (signal == SIGTERM || signal == SIGHUP) {
        throw Interrupted();
    }
    throw ModelError(fmt::format("the process of {} was ended by {}", name_, signal_text(signal)));
}

}  // namespace nibble
