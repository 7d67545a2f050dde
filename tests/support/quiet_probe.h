// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "sim/counters/probe.h"

namespace nibble::test {

/// Watches a machine and makes nothing of it, but for what a test overrides.
class QuietProbe : public Probe {
public:
    void operation_opened(const OpRecord& /*record*/) override {}
    void operation_retired(const OpRecord& /*record*/) override {}
    void counted(Counter /*counter*/, std::uint64_t /*amount*/) override {}
    void issued(MachineUnit /*unit*/, std::optional<MachineUnit> /*waited_for*/) override {}
    void scratchpad_room(const RoomNote& /*room*/) override {}
    void command_done(const CommandNote& /*command*/) override {}
    void lines_served(const LineNote& /*lines*/) override {}
    void memory_moved(Counter /*direction*/, std::uint64_t /*cycle*/, std::uint64_t /*bytes*/) override {}
    [[nodiscard]] std::uint64_t memory_note_due() const override { return UINT64_MAX; }
    void memory_counted(const MemoryNote& /*note*/) override {}
    void cycles_passed(std::uint64_t /*first*/, std::uint64_t /*cycles*/, const UnitActivities& /*activities*/,
                       Cause /*cause*/) override {}
};

}  // namespace nibble::test
