// SPDX-License-Identifier: MIT
#pragma once

#include "models/mac_array/mac_array_params.h"
#include "models/mac_array/tile_timing.h"
#include "models/scratchpad/scratchpad.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clocked_module.h"
#include "sim/program/completion.h"

namespace nibble {

/// The grid of PEs as one unit: executes a tile in the cycles that tile_timing() states, first fill, then stream, then
/// drain. The lines of both operands and of the results are asked for when the tile starts, each at the slowest pace
/// that keeps up with the stream. A result cannot leave before the last operand has come: where the scratchpad has not
/// served every line by the end of the stream, the array waits for it, then drains. (An operand comes in the cycle
/// after its line was served. The skew of the array hides that one cycle, except in a fold of one PE.) An ideal array
/// takes no time to fill, stream and drain, and asks for all lines at once.
class MacArray final : public ClockedModule {
public:
    sc_core::sc_port<PopIf<CommandPtr>> command_in{"command_in"};
    sc_core::sc_port<PushIf<Completion>> completion_out{"completion_out"};
    sc_core::sc_port<PushIf<ScratchpadRequest>> scratchpad_request_out{"scratchpad_request_out"};
    sc_core::sc_port<PopIf<ScratchpadDone>> scratchpad_done_in{"scratchpad_done_in"};

    MacArray(const sc_core::sc_module_name& name, Clock& clock, const MacArrayParameters& params,
             std::uint32_t line_bytes, Ledger& ledger);

    /// In the last cycle accounted for, were operands streaming (busy and not streaming: filling, draining, or waiting
    /// for lines)?
    [[nodiscard]] bool streaming() const { return streaming_; }

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

private:
    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    void pass(std::uint64_t cycles) override;
    void start();
    void tell_done() const;
    [[nodiscard]] bool can_complete() const { return served_ && completion_out->ready(); }

    MacArrayParameters params_;
    std::uint32_t line_bytes_;  // of the scratchpad
    Ledger& ledger_;
    CommandPtr command_;              // null when idle
    std::uint64_t begin_ = 0;         // cycle in which the present tile came
    std::uint64_t stream_begin_ = 0;  // cycles at which the parts of the present tile begin
    std::uint64_t stream_end_ = 0;
    std::uint64_t drain_ = 0;  // cycles
    std::uint64_t end_ = 0;    // first cycle after the tile, once all lines have been served
    ScratchpadRequest request_;
    bool requesting_ = false;  // request_ has yet to be pushed
    bool served_ = false;      // all of it
    bool streaming_ = false;
};

}  // namespace nibble
