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
      entries_for_one_(map_.max_runs_per_channel()),
      shortest_service_(std::min(standard_->read_latency(), standard_->write_latency()) + 1),
      channels_(parameters.channels, DramChannel(*standard_, parameters)),
      room_(true),
      needed_(parameters.channels) {}

void DramCore::split(const DramRequest& request) {
    if (request.bytes == 0 || request.bytes > max_dram_request_bytes || request.address >= map_.capacity_bytes() ||
        request.bytes > map_.capacity_bytes() - request.address) {
        throw ModelError(fmt::format("DRAM: a request for {} bytes at address {} does not fit a memory of {} bytes",
                                     request.bytes, request.address, map_.capacity_bytes()));
    }
    runs_.clear();
    map_.split(request.address, request.bytes, runs_);
}

bool DramCore::room_for_runs(bool write) {
    bool room = true;
    for (const DramRun& run : runs_) {
        room = room && ++needed_[run.channel] <= channels_[run.channel].free_entries(write);
    }
    for (const DramRun& run : runs_) {
        needed_[run.channel] = 0;
    }
    return room;
}

bool DramCore::can_accept(const DramRequest& request) {
    split(request);
    return room_ || room_for_runs(request.write);
}

void DramCore::accept(const DramRequest& request) {
    split(request);
    if (!room_ && !room_for_runs(request.write)) {
        throw ModelError("DRAM: a request was sent without room for it");
    }
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
        DramChannel& channel = channels_[run.channel];
        channel.skip_to(now_);  // it may have stayed behind
        channel.enqueue(run, request.write, slot);
    }
    next_event_ = now_;
    update_room();
}

void DramCore::update_room() {
    room_ = std::ranges::all_of(channels_, [this](const DramChannel& channel) { return has_room(channel); });
}

std::uint64_t DramCore::advance_by_events(std::uint64_t until, Stop stop) {
    const bool stop_at_room = stop == Stop::completion_or_room && !room_;
    while (now_ < until) {
        std::uint64_t horizon = step_horizon(until);
        if (stop_at_room) {
            horizon = run_until_room(horizon);
        }
        run_channels(horizon);
        now_ = horizon;
        const bool completion = complete();
        next_event_ = due_.empty() ? next_event_ : std::min(next_event_, due_.front().cycle);
        if (completion || (stop_at_room && room_)) {
            break;
        }
    }
    return now_;
}

/// How far the channels may run on their own without passing the first completion.
std::uint64_t DramCore::step_horizon(std::uint64_t until) {
    std::uint64_t horizon = due_.empty() ? until : std::min(until, due_.front().cycle + 1);
    if (horizon <= now_ + shortest_service_) {
        return horizon;  // nothing issued from now on can complete before
    }
    for (DramChannel& channel : channels_) {
        if (!channel.empty()) {
            horizon = std::min(horizon, channel.next_data_end() + 1);
        }
    }
    return horizon;
}

/// Simulates the channels without room until each has room or is at `horizon`. Returns the latest of the cycles at
/// which they stopped: none of the cycles before ended with room in all channels.
std::uint64_t DramCore::run_until_room(std::uint64_t horizon) {
    std::uint64_t latest = now_;
    for (DramChannel& channel : channels_) {
        if (!has_room(channel)) {
            latest = std::max(latest, channel.run_until(horizon, done_, entries_for_one_));
        }
    }
    return latest;
}

void DramCore::run_channels(std::uint64_t horizon) {
    next_event_ = DramBankState::never;
    for (DramChannel& channel : channels_) {
        channel.run_until(horizon, done_);
        next_event_ = std::min(next_event_, channel.next_command());
    }
    if (!done_.empty()) {
        collect();
        update_room();
    }
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

std::uint64_t DramCore::activates() const {
    std::uint64_t sum = 0;
    for (const DramChannel& channel : channels_) {
        sum += channel.activates();
    }
    return sum;
}

std::uint64_t DramCore::refreshes() const {
    std::uint64_t sum = 0;
    for (const DramChannel& channel : channels_) {
        sum += channel.refreshes();
    }
    return sum;
}

const DramCounters& DramCore::counters() const {
    if (counters_at_ != now_) {
        counters_at_ = now_;
        counters_ = {};
        for (const DramChannel& channel : channels_) {
            counters_ += channel.counters(now_);
        }
    }
    return counters_;
}

}  // namespace nibble
