// SPDX-License-Identifier: MIT
#include "sim/mapping/transfer_model.h"

#include <algorithm>
#include <utility>

#include "models/dram/dram_standard.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

// From an engine to the memory, and from the last byte in memory back to the engine and on to the scratchpad: a channel
// each.
constexpr double to_memory_cycles = 1;
constexpr double hand_over_cycles = 3;

}  // namespace

std::uint64_t cycles_of_lines(const ScratchpadParameters& scratchpad, std::uint64_t lines) {
    return cycles_of_lines(scratchpad, lines, most_lines_per_cycle(scratchpad));
}

std::uint64_t cycles_of_lines(const ScratchpadParameters& scratchpad, std::uint64_t lines,
                              std::uint64_t lines_per_cycle) {
    return scratchpad.ideal ? 1 : ceil_div(lines, std::min(lines_per_cycle, most_lines_per_cycle(scratchpad)));
}

TransferModel::TransferModel(const MachineParameters& machine)
    : machine_(machine),
      core_per_memory_cycle_(static_cast<double>(find_dram_standard(machine.dram.standard)->clock_period_ps) /
                             static_cast<double>(machine.clock_period_ps)),
      memory_(machine.dram) {
    for (Engine& engine : engines_) {
        engine.slots = machine.dma.max_outstanding;
    }
}

void TransferModel::start(bool write, const Slice& slice, double ready) {
    Engine& engine = engines_[write];
    SliceWalker walker(slice, machine_.dma.max_request_bytes);
    if (!machine_.dma.ideal) {
        engine.transfers.push_back({std::move(walker), ready, ready, 0});
        return;
    }
    // Nothing but its lines, one transfer after the other.
    std::uint64_t lines = 0;
    while (!walker.done()) {
        lines += ceil_div(walker.next().bytes, machine_.scratchpad.line_bytes);
    }
    engine.pass_end =
        std::max(engine.pass_end, ready) + static_cast<double>(cycles_of_lines(machine_.scratchpad, lines));
    const double end = engine.pass_end + static_cast<double>(to_the_scratchpad_and_back_cycles);
    engine.transfers.push_back({std::move(walker), ready, end, 0});
}

std::optional<double> TransferModel::Engine::next_at() const {
    return slots > 0 && issuing < transfers.size() ? std::optional(std::max(issue_from, transfers[issuing].ready))
                                                   : std::nullopt;
}

double TransferModel::pass_cycles(std::uint32_t bytes) const {
    if (machine_.scratchpad.ideal) {
        return 1;
    }
    const std::uint64_t lines = ceil_div(bytes, machine_.scratchpad.line_bytes);
    return static_cast<double>(ceil_div(lines, machine_.dma.lines_per_cycle));
}

std::uint64_t TransferModel::memory_cycle(double core_cycle) const {
    return static_cast<std::uint64_t>(core_cycle / core_per_memory_cycle_) + 1;
}

void TransferModel::issue(bool write) {
    Engine& engine = engines_[write];
    Transfer& transfer = engine.transfers[engine.issuing];
    const double at = std::max(engine.issue_from, transfer.ready);
    const Extent extent = transfer.walker.next();
    // A store's lines come out of the scratchpad first; those of the next request behind them.
    engine.issue_from = at + (write ? std::max(1.0, pass_cycles(extent.bytes)) : 1.0);
    --engine.slots;
    ++transfer.under_way;
    if (free_ids_.empty()) {
        free_ids_.push_back(requests_.size());
        requests_.emplace_back();
    }
    const std::uint64_t id = free_ids_.back();
    free_ids_.pop_back();
    requests_[id] = {engine.begun + engine.issuing, extent.bytes, write};
    memory_.accept({id, extent.address, extent.bytes, write});
    if (transfer.walker.done()) {
        ++engine.issuing;
    }
}

void TransferModel::complete(const DramCompletion& completion) {
    const Request request = requests_[completion.id];
    free_ids_.push_back(completion.id);
    Engine& engine = engines_[request.write];
    const double cycle = static_cast<double>(completion.cycle + 1) * core_per_memory_cycle_ + hand_over_cycles;
    engine.pass_end = request.write ? cycle : std::max(engine.pass_end, cycle) + pass_cycles(request.bytes);
    engine.released.push_back(engine.pass_end);
    Transfer& transfer = engine.transfers[request.transfer - engine.begun];
    transfer.last = std::max(transfer.last, engine.pass_end);
    --transfer.under_way;
}

std::optional<TransferModel::Done> TransferModel::take_done() {
    for (const bool write : {false, true}) {
        Engine& engine = engines_[write];
        if (!engine.transfers.empty() && engine.transfers.front().done()) {
            const Done done{write, engine.transfers.front().last};
            engine.transfers.pop_front();
            ++engine.begun;
            engine.issuing -= engine.issuing > 0 ? 1 : 0;
            return done;
        }
    }
    return std::nullopt;
}

std::optional<TransferModel::Done> TransferModel::next() {
    while (true) {
        if (const std::optional<Done> done = take_done()) {
            return done;
        }
        const double now = static_cast<double>(memory_.now()) * core_per_memory_cycle_;
        std::uint64_t until = DramBankState::never;  // when an engine has something to do
        bool waiting = false;                        // for room in the memory
        for (const bool write : {false, true}) {
            Engine& engine = engines_[write];
            for (; !engine.released.empty() && engine.released.front() <= now; engine.released.pop_front()) {
                ++engine.slots;
            }
            const auto arrives = [&] {
                const std::optional<double> at = engine.next_at();
                return at ? std::optional(*at + to_memory_cycles) : std::nullopt;
            };
            while (arrives().value_or(now + 1) <= now && memory_.can_accept()) {
                issue(write);
            }
            const std::optional<double> again = arrives();
            waiting = waiting || (again && *again <= now);
            if (again && *again > now) {
                until = std::min(until, memory_cycle(*again));
            }
            if (!engine.released.empty()) {
                until = std::min(until, memory_cycle(engine.released.front()));
            }
        }
        if (until == DramBankState::never && memory_.idle() && !waiting) {
            return std::nullopt;
        }
        memory_.advance_until(until, DramCore::Stop::completion_or_room);
        while (memory_.has_completion()) {
            complete(memory_.pop_completion());
        }
    }
}

}  // namespace nibble
