// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sim/counters/counter.h"
#include "sim/counters/op_record.h"

namespace nibble {

/// The units of a machine, in the order of RunSummary::units.
enum class MachineUnit : std::uint8_t {
    sequencer,
    load,
    store,
    dram,
    scratchpad,
    mac_array,
    log_gradient,
    vector_unit,
};
inline constexpr std::size_t machine_unit_count = 8;
inline constexpr std::array<std::string_view, machine_unit_count> machine_unit_names{
    "sequencer", "load", "store", "dram", "scratchpad", "mac_array", "log_gradient", "vector_unit"};

[[nodiscard]] constexpr std::size_t index_of(MachineUnit unit) {
    return static_cast<std::size_t>(unit);
}

using UnitActivities = std::array<Activity, machine_unit_count>;

/// A command that a unit has completed. All cycles are of the core clock, counted from 0.
struct CommandNote {
    MachineUnit unit = MachineUnit::load;
    std::uint64_t operation = 0;
    std::uint64_t begin = 0;       ///< first cycle in which the unit had it
    std::uint64_t end = 0;         ///< first cycle after it
    std::uint64_t wait_begin = 0;  ///< from when on it only waited for the scratchpad
    std::uint64_t wait = 0;        ///< cycles that it did so; 0 for transfers, which say nothing of it
    std::string_view what{};       ///< mode of a tile; part of the scratchpad that a transfer goes to or comes from
    std::uint64_t m = 0, n = 0, k = 0;  ///< of a tile's first pass
    std::uint64_t passes = 0;           ///< of a tile
    std::uint64_t amount = 0;  ///< multiply-accumulates of a tile, bytes of a transfer, gradients, lane operations
};

/// Lines that the scratchpad has served for one request.
struct LineNote {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::array<std::array<std::uint64_t, 2>, line_counters.size()> lines{};  ///< indexed as line_counters
};

/// Room in the scratchpad that changes hands: as software keeps its books, see ScratchpadRoom.
struct RoomNote {
    std::uint64_t tiles_taken = 0;  ///< bytes
    std::uint64_t tiles_freed = 0;
    std::uint64_t resident_taken = 0;  ///< for tensors that stay on chip from one operation to a later one
    std::uint64_t resident_freed = 0;
    friend bool operator==(const RoomNote&, const RoomNote&) = default;
};

/// What a memory counts by itself, without knowing for whom.
inline constexpr std::array<Counter, 7> memory_counters{Counter::dram_activates,
                                                        Counter::dram_refreshes,
                                                        Counter::dram_bank_refreshes,
                                                        Counter::dram_active_standby_cycles,
                                                        Counter::dram_precharge_standby_cycles,
                                                        Counter::dram_active_power_down_cycles,
                                                        Counter::dram_precharge_power_down_cycles};

/// What happened in the memory in the memory cycles that ended in these core cycles, all channels together.
struct MemoryNote {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::array<std::uint64_t, memory_counters.size()> counts{};  ///< indexed as memory_counters
    std::uint64_t row_hits = 0;                                  ///< bursts whose row was open
    std::uint64_t row_misses = 0;                                ///< bursts for which a row had to be opened
};

/// Is told what happens in a machine as it happens, command by command and request by request, and cannot change it.
/// What it is told does not depend on how the clock skips. A machine without a probe only asks whether there is one.
class Probe {
public:
    virtual ~Probe() = default;

    virtual void operation_opened(const OpRecord& record) = 0;
    /// Called after the cycle of its retirement has passed.
    virtual void operation_retired(const OpRecord& record) = 0;
    /// Goes to the books in the cycle that passes next. What units count of a command, they count as they begin it.
    virtual void counted(Counter counter, std::uint64_t amount) = 0;

    /// A unit is given its next command, which waited, last of all, for commands of `waited_for`; nothing: for none.
    virtual void issued(MachineUnit unit, std::optional<MachineUnit> waited_for) = 0;
    /// Room in the scratchpad was taken or freed, which counts from the cycle that passes next.
    virtual void scratchpad_room(const RoomNote& room) = 0;
    /// In each unit, in order.
    virtual void command_done(const CommandNote& command) = 0;
    virtual void lines_served(const LineNote& lines) = 0;

    /// The last data of a request were on the memory's bus in `cycle`. These need not come in order.
    virtual void memory_moved(Counter direction, std::uint64_t cycle, std::uint64_t bytes) = 0;
    /// A memory_counted() must end with the cycle before this one, which lies after all that have been told.
    [[nodiscard]] virtual std::uint64_t memory_note_due() const = 0;
    virtual void memory_counted(const MemoryNote& note) = 0;

    /// `cycles` cycles from `first` on have passed, in which all of this stayed as it is.
    virtual void cycles_passed(std::uint64_t first, std::uint64_t cycles, const UnitActivities& activities,
                               Cause cause) = 0;
};

}  // namespace nibble
