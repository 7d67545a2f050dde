// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "models/sequencer/sequencer_params.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clocked_module.h"
#include "sim/program/completion.h"
#include "sim/program/program_source.h"

namespace nibble {

/// Fetches the program, one item a cycle, into a queue for each unit; issues the head of a queue when the completions
/// that it waits for have arrived; retires operations in order, one a cycle. Stops the machine when all are retired.
///
/// In-order fetch cannot deadlock: the oldest command that has not completed is at the head of its queue or in its
/// unit, and everything that it waits for is older.
class Sequencer final : public ClockedModule {
public:
    std::array<std::unique_ptr<sc_core::sc_port<PushIf<CommandPtr>>>, unit_count> command_out;
    std::array<std::unique_ptr<sc_core::sc_port<PopIf<Completion>>>, unit_count> completion_in;

    Sequencer(const sc_core::sc_module_name& name, Clock& clock, const SequencerParameters& params,
              ProgramSource& program, Ledger& ledger);

    /// An operation became complete in the last cycle: its books can be closed once the cycle is over.
    [[nodiscard]] bool retiring() const { return retiring_; }

    /// Takes note, between two edges, of which unit each queue's head waits for: the probe is told when it is issued.
    void note_waits();

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

private:
    /// An operation with commands that have not completed, or that may still get some.
    struct OpenOperation {
        std::uint64_t index = 0;
        std::uint64_t outstanding = 0;
        bool closed = false;  // no more commands will come
        std::uint64_t frees_of_stay_bytes = 0;
    };

    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override { return Activity::waiting_for_input; }
    [[nodiscard]] bool can_issue(std::size_t unit) const;
    [[nodiscard]] std::size_t first_unmet(const Dependencies& needs) const;
    [[nodiscard]] bool can_fetch() const;
    [[nodiscard]] bool can_retire() const;
    void issue(std::size_t unit);
    void note_completion(std::size_t unit);
    /// Tells the probe of room that operations free of which everything, and of all before them, has completed.
    void note_ended_stays();
    void fetch();
    void fetch_for_present_operation();
    OpenOperation& operation(std::uint64_t index);

    SequencerParameters params_;
    ProgramSource& program_;
    Ledger& ledger_;
    std::array<std::deque<CommandPtr>, unit_count> queues_;
    Dependencies completed_{};  // by unit, since the start
    std::deque<OpenOperation> open_;
    ProgramItem next_;  // fetched, not yet in a queue
    bool retiring_ = false;
    std::array<std::optional<MachineUnit>, unit_count> waited_for_{};  // by the head of each queue, as last noted
    std::array<std::deque<std::uint64_t>, unit_count> frees_bytes_;    // of commands issued; only if there is a probe
};

}  // namespace nibble
