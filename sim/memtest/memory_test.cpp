// SPDX-License-Identifier: MIT
#include "sim/memtest/memory_test.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace nibble {

namespace {

constexpr std::uint64_t for_ever = std::numeric_limits<std::uint64_t>::max() / 2;

/// The only client of a memory.
class Driver {
public:
    explicit Driver(DramCore& memory) : memory_(memory) {}

    void offer(const TimedRequest& request) {
        advance_to(std::max(request.cycle, free_from_));
        DramRequest accepted{0, request.address, RequestReader::request_bytes, request.write};
        // Room comes with a command, which is no event of the memory's: clock by clock, so as not to miss it.
        while (!memory_.can_accept() && !memory_.can_accept(accepted)) {
            advance_to(memory_.now() + 1);
        }
        accepted.id = take_slot();
        accepted_at_[accepted.id] = memory_.now();
        memory_.accept(accepted);
        free_from_ = memory_.now() + 1;
        ++(request.write ? test_.writes : test_.reads);
    }

    MemoryTest finish() {
        while (!memory_.idle()) {
            memory_.advance_until(for_ever);
            collect();
        }
        test_.counters = memory_.counters();
        return std::move(test_);
    }

private:
    void advance_to(std::uint64_t cycle) {
        while (memory_.now() < cycle) {
            memory_.advance_until(cycle);
            collect();
        }
    }

    void collect() {
        while (memory_.has_completion()) {
            const DramCompletion done = memory_.pop_completion();
            const std::uint64_t end = done.cycle + 1;
            (done.write ? test_.write_latency : test_.read_latency).add(end - accepted_at_[done.id]);
            test_.completion_cycles = std::max(test_.completion_cycles, end);
            free_slots_.push_back(done.id);
        }
    }

    /// A number for a request in flight; used again when it is complete.
    std::uint64_t take_slot() {
        if (free_slots_.empty()) {
            accepted_at_.push_back(0);
            return accepted_at_.size() - 1;
        }
        const std::uint64_t slot = free_slots_.back();
        free_slots_.pop_back();
        return slot;
    }

    DramCore& memory_;
    MemoryTest test_;
    std::uint64_t free_from_ = 0;             // at most one request a clock
    std::vector<std::uint64_t> accepted_at_;  // by slot
    std::vector<std::uint64_t> free_slots_;
};

}  // namespace

MemoryTest run_memory_test(RequestReader& requests, DramCore& memory) {
    Driver driver(memory);
    while (const std::optional<TimedRequest> request = requests.next()) {
        driver.offer(*request);
    }
    return driver.finish();
}

}  // namespace nibble
