// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "models/dma/dma_params.h"
#include "models/dma/memory_request.h"
#include "models/dma/slice_walker.h"
#include "models/scratchpad/scratchpad.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clocked_module.h"
#include "sim/program/completion.h"

namespace nibble {

enum class TransferDirection : std::uint8_t {
    load,   ///< memory, then scratchpad
    store,  ///< scratchpad, then memory
};

/// Moves slices between memory and scratchpad. Each request passes two stages in the order of the direction; up to
/// max_outstanding requests are under way, of one command or of several, so that memory does not run dry between
/// commands. Requests may come back in any order; commands complete in order.
///
/// An ideal engine does without memory: it asks for all lines of a command at once, and counts what it would have asked
/// of memory.
class DmaEngine final : public ClockedModule {
public:
    sc_core::sc_port<PopIf<CommandPtr>> command_in{"command_in"};
    sc_core::sc_port<PushIf<Completion>> completion_out{"completion_out"};
    sc_core::sc_port<PushIf<MemoryRequest>> memory_request_out{"memory_request_out"};
    sc_core::sc_port<PopIf<MemoryResponse>> memory_response_in{"memory_response_in"};
    sc_core::sc_port<PushIf<ScratchpadRequest>> scratchpad_request_out{"scratchpad_request_out"};
    sc_core::sc_port<PopIf<ScratchpadDone>> scratchpad_done_in{"scratchpad_done_in"};

    DmaEngine(const sc_core::sc_module_name& name, Clock& clock, TransferDirection direction,
              const DmaParameters& params, std::uint32_t line_bytes, std::uint32_t burst_bytes, Ledger& ledger);

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

private:
    /// A command of which not every request has come through.
    struct Transfer {
        std::uint64_t operation = 0;
        std::uint64_t sequence = 0;
        std::uint64_t begin = 0;  // cycle in which it came
        std::uint64_t bytes = 0;
        SliceWalker walker;
        ScratchpadPart part = ScratchpadPart::left;
        std::uint64_t next_line = 0;  // that the next request moves, counted from the first one of the command
        std::uint64_t under_way = 0;  // requests issued and not yet through
        [[nodiscard]] bool through() const { return walker.done() && under_way == 0; }
    };
    /// A request under way, by slot; the slot number is its tag.
    struct Request {
        std::uint64_t sequence = 0;  // of its command
        std::uint64_t operation = 0;
        Extent extent;
        LineStream lines;
    };

    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    [[nodiscard]] bool can_start_request() const { return issuing() != nullptr && !free_slots_.empty(); }
    [[nodiscard]] const Transfer* issuing() const;
    [[nodiscard]] bool can_take_command() const;
    std::uint64_t start_request();
    void count_memory(const Transfer& transfer, const Extent& extent);
    void tell_done(const Transfer& transfer) const;
    void finish_request(std::uint64_t slot);
    void push_memory_request(std::uint64_t slot);
    void push_scratchpad_request(std::uint64_t slot);

    TransferDirection direction_;
    DmaParameters params_;
    bool memory_first_;  // or lines
    std::uint32_t line_bytes_;
    std::uint32_t burst_bytes_;  // of memory
    Ledger& ledger_;
    std::deque<Transfer> transfers_;  // in program order
    std::size_t issuing_ = 0;         // the first of transfers_ whose walker is not done, or transfers_.size()
    std::uint64_t next_sequence_ = 0;
    std::vector<Request> slots_;
    std::vector<std::uint64_t> free_slots_;
    std::deque<std::uint64_t> second_stage_;  // slots through the first stage, waiting for the second
};

}  // namespace nibble
