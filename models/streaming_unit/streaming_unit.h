// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "models/scratchpad/scratchpad.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clocked_module.h"
#include "sim/program/completion.h"

namespace nibble {

/// A unit that streams data from the scratchpad through a pipeline of lanes and back: what the vector unit and the
/// log-gradient unit have in common. A command is done when its lanes have worked for as long as they need, when
/// every line has been read and written, and the pipeline has drained, whichever comes last.
class StreamingUnit : public ClockedModule {
public:
    sc_core::sc_port<PopIf<CommandPtr>> command_in{"command_in"};
    sc_core::sc_port<PushIf<Completion>> completion_out{"completion_out"};
    sc_core::sc_port<PushIf<ScratchpadRequest>> scratchpad_request_out{"scratchpad_request_out"};
    sc_core::sc_port<PopIf<ScratchpadDone>> scratchpad_done_in{"scratchpad_done_in"};

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

protected:
    /// What a command asks of the unit.
    struct Work {
        std::uint64_t lane_cycles = 0;  ///< cycles that the lanes work
        std::uint64_t lines_read = 0;
        std::uint64_t lines_written = 0;
        std::uint64_t lines_per_cycle = 1;  ///< that the ports can move
    };

    StreamingUnit(const sc_core::sc_module_name& name, Clock& clock, std::uint32_t pipeline_depth)
        : ClockedModule(name, clock), pipeline_depth_(pipeline_depth) {}

    /// Called once for each command, when it starts: says what it takes, and counts it.
    virtual Work start(const Command& command) = 0;

private:
    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    [[nodiscard]] bool lanes_done_by(std::uint64_t cycle) const { return cycle >= lanes_done_; }
    [[nodiscard]] bool can_complete() const { return !requesting_ && !transferring_ && completion_out->ready(); }

    std::uint32_t pipeline_depth_;
    CommandPtr command_;            // null when idle
    ScratchpadRequest request_;     // of the present command
    bool requesting_ = false;       // request_ has yet to be pushed
    bool transferring_ = false;     // request_ is being served
    std::uint64_t lanes_done_ = 0;  // first cycle in which the pipeline has drained
};

}  // namespace nibble
