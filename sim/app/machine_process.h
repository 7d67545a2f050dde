// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include "sim/app/record_queue.h"
#include "sim/app/wire.h"
#include "sim/counters/op_record.h"

namespace nibble {

/// A machine that runs in a process of its own, because SystemC allows one elaboration a process. Its records arrive
/// through a pipe. The process ends with its parent, whatever happens to that.
class MachineProcess {
public:
    using RecordSink = std::function<void(const OpRecord&)>;
    /// Runs the machine and tells `sink` each record; called in the new process.
    using Work = std::function<RunSummary(const RecordSink& sink)>;

    /// Must not be called when threads run or SystemC has elaborated anything. `name` is for messages.
    MachineProcess(std::string name, const Work& work);
    /// Ends the process if it still runs.
    ~MachineProcess();
    MachineProcess(const MachineProcess&) = delete;
    MachineProcess& operator=(const MachineProcess&) = delete;

    /// Readable when there is something to receive().
    [[nodiscard]] int descriptor() const { return pipe_; }
    [[nodiscard]] bool finished() const { return summary_.has_value(); }

    /// Takes what the process has to say; blocks until there is something. Throws what went wrong there, with its
    /// type; a process that died without a word is a ModelError, one that was asked to end is Interrupted.
    void receive();

    /// Records received and not yet taken.
    [[nodiscard]] bool has_record() const { return !records_.empty(); }
    [[nodiscard]] OpRecord take_record() { return decode_record(records_.pop()); }

    /// Over everything received so far.
    [[nodiscard]] std::uint64_t operations() const { return operations_; }
    [[nodiscard]] std::uint64_t cycles() const { return cycles_; }

    /// Once finished().
    [[nodiscard]] const RunSummary& summary() const { return *summary_; }

private:
    void accept(Message message);
    [[noreturn]] void explain_death();
    void close_pipe();

    std::string name_;
    pid_t process_ = -1;  // -1 when it has been waited for
    int pipe_ = -1;
    MessageSplitter messages_;
    RecordQueue records_;
    std::uint64_t operations_ = 0;
    std::uint64_t cycles_ = 0;
    std::optional<RunSummary> summary_;
};

}  // namespace nibble
