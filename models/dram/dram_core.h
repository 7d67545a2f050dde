// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "models/dram/address_map.h"
#include "models/dram/dram_channel.h"
#include "models/dram/dram_counters.h"
#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"

namespace nibble {

/// 1 to max_dram_request_bytes contiguous bytes at any alignment, inside the capacity.
struct DramRequest {
    std::uint64_t id;
    std::uint64_t address;
    std::uint32_t bytes;
    bool write;
};

struct DramCompletion {
    std::uint64_t id;
    bool write;
    std::uint64_t cycle;  ///< DRAM cycle in which the request's last data beat is on the bus
    friend bool operator==(const DramCompletion&, const DramCompletion&) = default;
};

/// The memory behind the memory interface: independent channels (see DramChannel) behind one address map, on the DRAM's
/// own clock. Costs before the controller's queues and after the data bus are the caller's.
///
/// Requests are not ordered with one another: who reads what was written waits for the write's completion.
///
/// What happens, and when, does not depend on how the caller divides time: advancing cycle by cycle or in long jumps
/// gives the same completions and counters, if requests are accepted at the same cycles.
class DramCore {
public:
    /// ModelError if dram_parameter_problems(parameters) finds any: the reader of the user's file asks first.
    explicit DramCore(const DramParameters& parameters);

    [[nodiscard]] const DramStandard& standard() const { return *standard_; }

    /// Room for one more read and one more write, whatever their addresses and sizes: each queue of each channel has
    /// AddressMap::max_runs_per_channel() free entries. An entry is free again in the cycle after its run's last RD or
    /// WR command.
    [[nodiscard]] bool can_accept() const { return room_; }

    /// Room for this request: free entries in the queues that it goes to. ModelError if it lies outside the memory.
    [[nodiscard]] bool can_accept(const DramRequest& request);

    /// Takes a request, visible to the schedulers from cycle now() on. ModelError if !can_accept(request).
    void accept(const DramRequest& request);

    /// Cycles simulated so far: all cycles below now() are final.
    [[nodiscard]] std::uint64_t now() const { return now_; }

    /// What ends an advance before its time.
    enum class Stop : std::uint8_t { completion, completion_or_room };

    /// Simulates on to cycle `until`, or stops right after the first cycle in which a request completes or, if asked,
    /// in which there is room again for a request. Returns now().
    std::uint64_t advance_until(std::uint64_t until, Stop stop = Stop::completion) {
        if (until > next_event_) {
            return advance_by_events(until, stop);
        }
        now_ = std::max(now_, until);
        return now_;
    }

    /// Completions of cycles below now(), by cycle and then in the order of acceptance.
    [[nodiscard]] bool has_completion() const { return !completed_.empty(); }
    DramCompletion pop_completion();

    /// No request is queued or has data to come. Refresh goes on.
    [[nodiscard]] bool idle() const { return in_flight_ == 0; }

    /// Sums over channels, for the cycles below now().
    [[nodiscard]] const DramCounters& counters() const;
    /// Two of the counters, for who asks in every cycle; refreshes are all-bank and per-bank ones.
    [[nodiscard]] std::uint64_t activates() const;
    [[nodiscard]] std::uint64_t refreshes() const;

private:
    /// A request that is not complete.
    struct Pending {
        std::uint64_t id;
        std::uint64_t order;  ///< of acceptance
        std::uint64_t cycle;  ///< latest last beat of its issued runs
        std::uint32_t runs;   ///< not yet issued completely
        bool write;
    };
    /// All of a request's runs are issued: it completes at `cycle`.
    struct Due {
        std::uint64_t cycle;
        std::uint64_t order;
        std::uint32_t request;
    };

    /// Leaves the runs of a request in runs_.
    void split(const DramRequest& request);
    [[nodiscard]] bool room_for_runs(bool write);
    std::uint64_t advance_by_events(std::uint64_t until, Stop stop);
    [[nodiscard]] std::uint64_t step_horizon(std::uint64_t until);
    std::uint64_t run_until_room(std::uint64_t horizon);
    void run_channels(std::uint64_t horizon);
    [[nodiscard]] bool has_room(const DramChannel& channel) const {
        return std::min(channel.free_entries(false), channel.free_entries(true)) >= entries_for_one_;
    }
    void update_room();
    void collect();
    bool complete();

    const DramStandard* standard_;
    AddressMap map_;
    std::uint32_t entries_for_one_;      // free entries of a channel that can_accept() asks for
    std::uint32_t shortest_service_;     // cycles from a RD or WR command to the end of its data
    std::vector<DramChannel> channels_;  // may stay behind now_ while they have nothing to do
    std::uint64_t now_ = 0;
    std::uint64_t next_event_ = 0;  // no command is issued and no request completes in the cycles before
    bool room_;                     // for one more request of each direction
    std::uint64_t accepted_ = 0;
    std::uint64_t in_flight_ = 0;

    std::vector<Pending> pending_;           // slots, reused
    std::vector<std::uint32_t> free_slots_;  // of pending_
    std::vector<Due> due_;                   // heap, earliest on top
    std::deque<DramCompletion> completed_;
    std::vector<DramRun> runs_;            // scratch of accept() and can_accept()
    std::vector<std::uint32_t> needed_;    // scratch of room_for_runs(), one a channel, all 0 between calls
    std::vector<DramChannel::Done> done_;  // scratch of advance_until()
    mutable DramCounters counters_;        // the answer of counters(), if asked at cycle counters_at_
    mutable std::uint64_t counters_at_ = 0;
};

}  // namespace nibble
