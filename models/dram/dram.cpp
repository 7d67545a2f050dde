// SPDX-License-Identifier: MIT
#include "models/dram/dram.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

constexpr std::array<const char*, Dram::client_count> client_names{"load", "store"};

/// In the order of memory_counters.
constexpr std::array<std::uint64_t DramCounters::*, memory_counters.size()> memory_counts{
    &DramCounters::activates,
    &DramCounters::refreshes,
    &DramCounters::bank_refreshes,
    &DramCounters::active_standby_cycles,
    &DramCounters::precharge_standby_cycles,
    &DramCounters::active_power_down_cycles,
    &DramCounters::precharge_power_down_cycles};

// A core request carries its client in the lowest bit.
std::uint64_t core_id(std::size_t client, std::uint64_t tag) {
    return tag * Dram::client_count + client;
}

}  // namespace

Dram::Dram(const sc_core::sc_module_name& name, Clock& clock, const DramParameters& params,
           std::uint64_t core_period_ps, Ledger& ledger)
    : ClockedModule(name, clock),
      core_(params),
      core_period_ps_(core_period_ps),
      memory_period_ps_(find_dram_standard(params.standard)->clock_period_ps),
      burst_bytes_(find_dram_standard(params.standard)->burst_bytes()),
      ledger_(ledger) {
    for (std::size_t i = 0; i < client_count; ++i) {
        const std::string client(client_names[i]);
        request_in[i] = std::make_unique<sc_core::sc_port<PopIf<MemoryRequest>>>((client + "_request_in").c_str());
        response_out[i] =
            std::make_unique<sc_core::sc_port<PushIf<MemoryResponse>>>((client + "_response_out").c_str());
    }
    clock.set_run_ahead(*this);
    ledger.call_before_retirement([this] { settle(); });
}

Activity Dram::tick() {
    const bool busy = in_flight_ > 0;
    advance_to(memory_cycles_by(now()));
    for (std::size_t i = 0; i < client_count; ++i) {
        if (!done_[i].empty() && (*response_out[i])->ready()) {
            (*response_out[i])->push(done_[i].front());
            done_[i].pop_front();
            --in_flight_;
        }
        if ((*request_in[i])->valid() && core_.can_accept()) {
            const MemoryRequest request = (*request_in[i])->pop();
            requests_[i].resize(std::max<std::size_t>(requests_[i].size(), request.tag + 1));
            requests_[i][request.tag] = request;
            core_.accept(
                {core_id(i, request.tag), request.address, request.bytes, static_cast<Client>(i) == Client::store});
            ++in_flight_;
        }
    }
    return busy || in_flight_ > 0 ? Activity::busy : Activity::idle;
}

void Dram::settle() {
    const DramCounters& counters = core_.counters();
    for (std::size_t i = 0; i < memory_counters.size(); ++i) {
        ledger_.add_to_oldest(memory_counters[i], counters.*memory_counts[i] - settled_.*memory_counts[i]);
    }
    settled_ = counters;
}

std::uint64_t Dram::undivided(std::uint64_t memory_cycles) const {
    return probe() == nullptr ? memory_cycles
                              : std::min(memory_cycles, memory_cycles_by(probe()->memory_note_due() - 1));
}

void Dram::tell_probe() {
    if (probe() == nullptr) {
        return;
    }
    for (std::uint64_t due = probe()->memory_note_due(); memory_cycles_by(due - 1) <= core_.now();
         due = probe()->memory_note_due()) {
        tell_up_to(due);
    }
}

void Dram::tell_up_to(std::uint64_t core_cycle) {
    const DramCounters& counters = core_.counters();
    MemoryNote note{.begin = told_up_to_, .end = core_cycle};
    for (std::size_t i = 0; i < memory_counters.size(); ++i) {
        note.counts[i] = counters.*memory_counts[i] - told_.*memory_counts[i];
    }
    note.row_hits = counters.row_hits() - told_.row_hits();
    note.row_misses = counters.row_misses + counters.row_conflicts - told_.row_misses - told_.row_conflicts;
    told_ = counters;
    told_up_to_ = core_cycle;
    probe()->memory_counted(note);
}

void Dram::tell_rest(std::uint64_t cycle) {
    if (probe() != nullptr && told_up_to_ < cycle) {
        tell_up_to(cycle);
    }
}

void Dram::advance_to(std::uint64_t memory_cycles) {
    while (core_.now() < memory_cycles) {
        core_.advance_until(undivided(memory_cycles));
        collect_completions();
        tell_probe();
    }
}

void Dram::collect_completions() {
    while (core_.has_completion()) {
        const DramCompletion completion = core_.pop_completion();
        const std::uint64_t id = completion.id;
        const std::size_t client = id % client_count;
        const MemoryRequest& request = requests_[client][id / client_count];
        const Counter direction =
            static_cast<Client>(client) == Client::load ? Counter::dram_bytes_read : Counter::dram_bytes_written;
        const std::uint64_t bytes = bytes_in_bursts(request.address, request.bytes, burst_bytes_);
        ledger_.add(request.operation, direction, bytes);
        if (probe() != nullptr) {
            probe()->memory_moved(direction, core_cycle_of(completion.cycle + 1), bytes);
        }
        done_[client].push_back({request.tag});
    }
}

std::uint64_t Dram::memory_cycles_by(std::uint64_t core_cycle) const {
    return core_cycle == never ? never : scaled(core_cycle + 1, core_period_ps_, memory_period_ps_);
}

std::uint64_t Dram::core_cycle_of(std::uint64_t memory_cycles) const {
    return ceil_div(memory_cycles * memory_period_ps_, core_period_ps_) - 1;
}

bool Dram::request_waiting() const {
    return (*request_in[0])->valid() || (*request_in[1])->valid();
}

std::uint64_t Dram::quiet_until() const {
    for (std::size_t i = 0; i < client_count; ++i) {
        if (!done_[i].empty() && (*response_out[i])->ready()) {
            return now() + 1;
        }
    }
    return request_waiting() && core_.can_accept() ? now() + 1 : never;
}

std::uint64_t Dram::run_ahead(std::uint64_t horizon) {
    const bool waiting = request_waiting();
    if (waiting && (core_.can_accept() || !done_[0].empty() || !done_[1].empty())) {
        return std::min(horizon, now() + 1);
    }
    // A full controller takes the waiting request in the first core cycle in which it has room again.
    const std::uint64_t until = memory_cycles_by(horizon);
    bool stopped = false;
    do {
        core_.advance_until(undivided(until),
                            waiting ? DramCore::Stop::completion_or_room : DramCore::Stop::completion);
        stopped = core_.has_completion() || (waiting && core_.can_accept());
        tell_probe();
    } while (!stopped && core_.now() < until);
    collect_completions();
    return stopped ? std::min(horizon, std::max(now() + 1, core_cycle_of(core_.now()))) : horizon;
}

Activity Dram::quiet_activity() const {
    return in_flight_ > 0 ? Activity::busy : Activity::idle;
}

std::string Dram::state() const {
    return fmt::format("{} requests in flight, memory cycle {}, {} reads and {} writes done and not yet told",
                       in_flight_, core_.now(), done_[0].size(), done_[1].size());
}

}  // namespace nibble
