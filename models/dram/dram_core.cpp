// SPDX-License-Identifier: MIT
#include "models/dram/dram_core.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

const DramStandard& standard_of(const DramParameters& parameters) {
    const std::vector<std::string> problems = dram_parameter_problems(parameters);
    if (!problems.empty()) {
        throw ModelError(fmt::format("DRAM parameters: {}", fmt::join(problems, "; ")));
    }
    return *find_dram_standard(parameters.standard);
}

/// Heap order: the earliest on top.
constexpr auto later = [](const auto& a, const auto& b) {
    return a.cycle != b.cycle ? a.cycle > b.cycle : a.order > b.order;
};

}  // namespace

DramCore::DramCore(const DramParameters& parameters)
    : standard_(&standard_of(parameters)),
      map_(*standard_, parameters),
      entries_for_one_(AddressMap::max_runs_per_channel(*standard_)),
      shortest_service_(std::min(standard_->rl, standard_->wl) + standard_->burst),
      channels_(parameters.channels, DramChannel(*standard_, parameters)) {}

bool DramCore::can_accept() const {
    return std::ranges::all_of(
        channels_, [this](const DramChannel& channel) { return channel.free_entries() >= entries_for_one_; });
}

void DramCore::accept(const DramRequest& request) {
    if (!can_accept()) {
        throw ModelError("DRAM: a request was sent without room for it");
    }
    if (request.bytes == 0 || request.bytes > max_dram_request_bytes || request.address >= map_.capacity_bytes() ||
        request.bytes > map_.capacity_bytes() - request.address) {
        throw ModelError(fmt::format("DRAM: a request for {} bytes at address {} does not fit a memory of {} bytes",
                                     request.bytes, request.address, map_.capacity_bytes()));
    }
    runs_.clear();
    map_.split(request.address, request.bytes, runs_);

    if (free_slots_.empty()) {
        free_slots_.push_back(static_cast<std::uint32_t>(pending_.size()));
        pending_.emplace_back();
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    pending_[slot] = {.id = request.id,
                      .order = accepted_++,
                      .cycle = 0,
                      .runs = static_cast<std::uint32_t>(runs_.size()),
                      .write = request.write};
    ++in_flight_;
    for (const DramRun& run : runs_) {
        channels_[run.channel].enqueue(run, request.write, slot);
    }
}

std::uint64_t DramCore::advance_until(std::uint64_t until) {
    while (now_ < until) {
        const std::uint64_t horizon = step_horizon(until);
        for (DramChannel& channel : channels_) {
            channel.run_until(horizon, done_);
        }
        collect();
        now_ = horizon;
        if (complete()) {
            break;
        }
    }
    return now_;
}

/// How far the channels may run on their own without passing the first completion: data of a command yet to be issued
/// ends shortest_service_ cycles after it at the earliest.
std::uint64_t DramCore::step_horizon(std::uint64_t until) {
    std::uint64_t horizon = due_.empty() ? until : std::min(until, due_.front().cycle + 1);
    std::uint64_t next_service = DramBankState::never;
    for (DramChannel& channel : channels_) {
        next_service = std::min(next_service, channel.next_service());
    }
    if (next_service < horizon) {
        horizon = std::min(horizon, next_service + shortest_service_);
    }
    return horizon;
}

void DramCore::collect() {
    for (const DramChannel::Done& done : done_) {
        Pending& request = pending_[done.request];
        request.cycle = std::max(request.cycle, done.cycle);
        if (--request.runs == 0) {
            due_.push_back({request.cycle, request.order, done.request});
            std::ranges::push_heap(due_, later);
        }
    }
    done_.clear();
}

/// Moves the requests whose last beat lies before now_ to the completed ones; says whether there were any.
bool DramCore::complete() {
    bool any = false;
    while (!due_.empty() && due_.front().cycle < now_) {
        const Due due = due_.front();
        std::ranges::pop_heap(due_, later);
        due_.pop_back();
        const Pending& request = pending_[due.request];
        completed_.push_back({request.id, request.write, due.cycle});
        free_slots_.push_back(due.request);
        --in_flight_;
        any = true;
    }
    return any;
}

DramCompletion DramCore::pop_completion() {
    if (completed_.empty()) {
        throw ModelError("DRAM: a completion was taken when there was none");
    }
    const DramCompletion completion = completed_.front();
    completed_.pop_front();
    return completion;
}

const DramCounters& DramCore::counters() const {
    if (counters_at_ != now_) {
        counters_at_ = now_;
        counters_ = {};
        for (const DramChannel& channel : channels_) {
            counters_ += channel.counters();
        }
    }
    return counters_;
}

}  // namespace nibble
