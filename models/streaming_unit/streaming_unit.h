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
/// every line has been read and written, and the pipeline has drained, whichever comes last. Lines are asked for at the
/// pace at which the lanes use and make them, or at which the ports or the scratchpad can move them if that is less:
/// what is read and what is written go on side by side. Those of an ideal unit work in no time: its lines alone take
/// any.
class StreamingUnit : public ClockedModule {
public:
    sc_core::sc_port<PopIf<CommandPtr>> command_in{"command_in"};
    sc_core::sc_port<PushIf<Completion>> completion_out{"completion_out"};
    sc_core::sc_port<PushIf<ScratchpadRequest>> scratchpad_request_out{"scratchpad_request_out"};
    sc_core::sc_port<PopIf<ScratchpadDone>> scratchpad_done_in{"scratchpad_done_in"};

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

protected:
    /// Lines in each part of the scratchpad.
    using PartLines = PartBytes;

    /// What a command asks of the unit.
    struct Work {
        std::uint64_t lane_cycles = 0;  ///< cycles that the lanes work
        PartLines lines_read{};
        PartLines lines_written{};
        std::uint64_t lines_per_cycle = 1;  ///< that the ports can move
        std::uint64_t amount = 0;           ///< as in CommandNote
    };

    StreamingUnit(const sc_core::sc_module_name& name, Clock& clock, std::uint32_t pipeline_depth, bool ideal,
                  const ScratchpadParameters& scratchpad)
        : ClockedModule(name, clock),
          pipeline_depth_(pipeline_depth),
          ideal_(ideal),
          line_bytes_(scratchpad.line_bytes),
          most_lines_per_cycle_(most_lines_per_cycle(scratchpad)) {}

    [[nodiscard]] std::uint64_t lines_of(std::uint64_t bytes) const;

    /// Called once for each command, when it starts: says what it takes, and counts it.
    virtual Work start(const Command& command) = 0;

private:
    [[nodiscard]] ScratchpadRequest request_for(const Work& work, std::uint64_t operation) const;
    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    void tell_done() const;
    [[nodiscard]] bool lanes_done_by(std::uint64_t cycle) const { return cycle >= lanes_done_; }
    [[nodiscard]] bool can_complete() const { return !requesting_ && !transferring_ && completion_out->ready(); }

    std::uint32_t pipeline_depth_;
    bool ideal_;
    std::uint32_t line_bytes_;
    std::uint64_t most_lines_per_cycle_;  // that the scratchpad can serve
    CommandPtr command_;                  // null when idle
    ScratchpadRequest request_;           // of the present command
    bool requesting_ = false;             // request_ has yet to be pushed
    bool transferring_ = false;           // request_ is being served
    std::uint64_t begin_ = 0;             // cycle in which the present command came
    std::uint64_t amount_ = 0;            // of work in it
    std::uint64_t lanes_done_ = 0;        // first cycle in which the pipeline has drained
};

}  // namespace nibble
