// SPDX-License-Identifier: MIT
#include "models/sequencer/sequencer.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

/// In the order of Unit.
constexpr std::array<MachineUnit, unit_count> machine_units{
    MachineUnit::load, MachineUnit::mac_array, MachineUnit::log_gradient, MachineUnit::vector_unit, MachineUnit::store};

}  // namespace

Sequencer::Sequencer(const sc_core::sc_module_name& name, Clock& clock, const SequencerParameters& params,
                     ProgramSource& program, Ledger& ledger)
    : ClockedModule(name, clock), params_(params), program_(program), ledger_(ledger), next_(program.next()) {
    for (std::size_t u = 0; u < unit_count; ++u) {
        const std::string unit(unit_names[u]);
        command_out[u] = std::make_unique<sc_core::sc_port<PushIf<CommandPtr>>>((unit + "_command_out").c_str());
        completion_in[u] = std::make_unique<sc_core::sc_port<PopIf<Completion>>>((unit + "_completion_in").c_str());
    }
}

Activity Sequencer::tick() {
    bool acted = false;
    retiring_ = false;
    // Issue and retire look at what was known at the start of the cycle; completions that arrive now count from the
    // next.
    for (std::size_t u = 0; u < unit_count; ++u) {
        if (can_issue(u)) {
            issue(u);
            acted = true;
        }
    }
    if (can_retire()) {
        trace("retires operation {}", open_.front().index);
        open_.pop_front();
        retiring_ = true;
        acted = true;
        progress();
    }
    for (std::size_t u = 0; u < unit_count; ++u) {
        if ((*completion_in[u])->valid()) {
            const Completion completion = (*completion_in[u])->pop();
            ++completed_[u];
            --operation(completion.operation).outstanding;
            note_completion(u);
            acted = true;
        }
    }
    if (can_fetch()) {
        fetch();
        acted = true;
    }
    note_ended_stays();
    if (std::holds_alternative<ProgramEnd>(next_) && open_.empty()) {
        stop();
    }
    return acted ? Activity::busy : quiet_activity();
}

void Sequencer::issue(std::size_t unit) {
    std::deque<CommandPtr>& queue = queues_[unit];
    trace("issues to {} for operation {}", unit_names[unit], queue.front()->operation);
    if (probe() != nullptr) {
        probe()->issued(machine_units[unit], std::exchange(waited_for_[unit], std::nullopt));
        const ScratchpadRoom& room = queue.front()->room;
        frees_bytes_[unit].push_back(room.frees_bytes);
        if (room.takes_bytes > 0 || room.takes_to_stay_bytes > 0) {
            probe()->scratchpad_room({.tiles_taken = room.takes_bytes, .resident_taken = room.takes_to_stay_bytes});
        }
    }
    (*command_out[unit])->push(std::move(queue.front()));
    queue.pop_front();
}

void Sequencer::note_completion(std::size_t unit) {
    if (probe() == nullptr) {
        return;
    }
    if (const std::uint64_t bytes = frees_bytes_[unit].front(); bytes > 0) {
        probe()->scratchpad_room({.tiles_freed = bytes});
    }
    frees_bytes_[unit].pop_front();
}

void Sequencer::note_ended_stays() {
    if (probe() == nullptr) {
        return;
    }
    for (OpenOperation& open : open_) {
        if (!open.closed || open.outstanding > 0) {
            return;
        }
        if (const std::uint64_t bytes = std::exchange(open.frees_of_stay_bytes, 0); bytes > 0) {
            probe()->scratchpad_room({.resident_freed = bytes});
        }
    }
}

bool Sequencer::can_issue(std::size_t unit) const {
    if (queues_[unit].empty() || !(*command_out[unit])->ready()) {
        return false;
    }
    return first_unmet(queues_[unit].front()->needs) == unit_count;
}

/// Number of the first unit of which completions are missing; unit_count if there is none.
std::size_t Sequencer::first_unmet(const Dependencies& needs) const {
    std::size_t u = 0;
    while (u < unit_count && completed_[u] >= needs[u]) {
        ++u;
    }
    return u;
}

void Sequencer::note_waits() {
    for (std::size_t u = 0; u < unit_count; ++u) {
        if (!queues_[u].empty()) {
            const std::size_t unmet = first_unmet(queues_[u].front()->needs);
            if (unmet < unit_count) {
                waited_for_[u] = machine_units[unmet];
            }
        }
    }
}

bool Sequencer::can_fetch() const {
    if (const auto* command = std::get_if<Command>(&next_)) {
        return queues_[static_cast<std::size_t>(command->unit)].size() < params_.queue_entries;
    }
    if (std::holds_alternative<OperationBegin>(next_)) {
        return open_.size() < params_.queue_entries;
    }
    return std::holds_alternative<OperationEnd>(next_);
}

void Sequencer::fetch() {
    if (auto* begin = std::get_if<OperationBegin>(&next_)) {
        if (!open_.empty() && !open_.back().closed) {
            throw ModelError(fmt::format("operation {} begins inside another", begin->record.index));
        }
        open_.push_back({.index = begin->record.index});
        ledger_.open(std::move(begin->record));
    } else {
        fetch_for_present_operation();
    }
    next_ = program_.next();
}

void Sequencer::fetch_for_present_operation() {
    if (open_.empty() || open_.back().closed) {
        throw ModelError("a command outside of any operation");
    }
    OpenOperation& present = open_.back();
    if (auto* command = std::get_if<Command>(&next_)) {
        if (command->operation != present.index) {
            throw ModelError(
                fmt::format("a command for operation {}, which is not the present one", command->operation));
        }
        ++present.outstanding;
        ledger_.add(command->operation, Counter::commands, 1);
        const auto unit = static_cast<std::size_t>(command->unit);
        queues_[unit].push_back(std::make_shared<const Command>(std::move(*command)));
    } else {
        const auto& end = std::get<OperationEnd>(next_);
        present.closed = true;
        present.frees_of_stay_bytes = end.frees_of_stay_bytes;
        ledger_.state(present.index, end.statement);
    }
}

bool Sequencer::can_retire() const {
    return !open_.empty() && open_.front().closed && open_.front().outstanding == 0;
}

Sequencer::OpenOperation& Sequencer::operation(std::uint64_t index) {
    if (open_.empty() || index < open_.front().index || index > open_.back().index) {
        throw ModelError(fmt::format("a completion for operation {}, which is not open", index));
    }
    return open_[index - open_.front().index];
}

std::uint64_t Sequencer::quiet_until() const {
    bool acts = can_fetch() || can_retire() || (std::holds_alternative<ProgramEnd>(next_) && open_.empty());
    for (std::size_t u = 0; u < unit_count && !acts; ++u) {
        acts = can_issue(u) || (*completion_in[u])->valid();
    }
    return acts ? now() + 1 : never;
}

std::string Sequencer::state() const {
    std::string text = open_.empty() ? "no operation open" : fmt::format("oldest operation {}", open_.front().index);
    for (std::size_t u = 0; u < unit_count; ++u) {
        text += fmt::format(", {} queued for {} ({} completed)", queues_[u].size(), unit_names[u], completed_[u]);
    }
    return text;
}

}  // namespace nibble
