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
/// drain. Its lines of the scratchpad are served at top priority, so it need not wait to hear of them; where the
/// scratchpad cannot deliver a tile's lines within its streaming time, streaming takes as long as the delivery.
class MacArray final : public ClockedModule {
public:
    sc_core::sc_port<PopIf<CommandPtr>> command_in{"command_in"};
    sc_core::sc_port<PushIf<Completion>> completion_out{"completion_out"};
    sc_core::sc_port<PushIf<ScratchpadRequest>> scratchpad_request_out{"scratchpad_request_out"};
    sc_core::sc_port<PopIf<ScratchpadDone>> scratchpad_done_in{"scratchpad_done_in"};

    MacArray(const sc_core::sc_module_name& name, Clock& clock, const MacArrayParameters& params,
             const ScratchpadParameters& scratchpad, Ledger& ledger);

    /// In the last cycle accounted for, were operands streaming (busy and not streaming: filling or draining)?
    [[nodiscard]] bool streaming() const { return streaming_; }

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

private:
    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    void pass(std::uint64_t cycles) override;
    void start();
    [[nodiscard]] bool can_complete() const { return !requesting_ && completion_out->ready(); }

    MacArrayParameters params_;
    ScratchpadParameters scratchpad_;
    Ledger& ledger_;
    CommandPtr command_;              // null when idle
    std::uint64_t stream_begin_ = 0;  // cycles at which the parts of the present tile begin
    std::uint64_t drain_begin_ = 0;
    std::uint64_t end_ = 0;  // first cycle after the tile
    ScratchpadRequest request_;
    bool requesting_ = false;
    bool streaming_ = false;
};

}  // namespace nibble
