// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <systemc>

#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clock.h"
#include "sim/kernel/clocked_module.h"

// Stubs around one unit. They keep the contract of the skipping clock, so a bench runs with and without skipping.
namespace nibble::test {

/// Cycles in which a stub does nothing: a fixed pattern, whoever asks and however often.
class Stalls {
public:
    Stalls() = default;
    Stalls(std::uint64_t seed, unsigned percent) : seed_(seed), percent_(percent) {}

    [[nodiscard]] bool at(std::uint64_t cycle) const {
        std::uint64_t z = (seed_ + cycle) * 0x9e3779b97f4a7c15U;  // SplitMix64
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return (z ^ (z >> 31U)) % 100 < percent_;
    }
    [[nodiscard]] std::uint64_t first_free(std::uint64_t cycle) const {
        while (at(cycle)) {
            ++cycle;
        }
        return cycle;
    }

private:
    std::uint64_t seed_ = 0;
    unsigned percent_ = 0;
};

/// Ends a run when everything that is expected has arrived.
class Countdown {
public:
    explicit Countdown(std::uint64_t expected) : left_(expected) {}
    bool arrived() { return --left_ == 0; }

private:
    std::uint64_t left_;
};

class Stub : public ClockedModule {
public:
    [[nodiscard]] std::string state() const override { return "stub"; }

protected:
    Stub(const sc_core::sc_module_name& name, Clock& clock) : ClockedModule(name, clock) {}
    [[nodiscard]] Activity quiet_activity() const override { return Activity::idle; }
};

/// Pushes each beat at its cycle, or as soon after as it may.
template <class T>
class Source final : public Stub {
public:
    struct Beat {
        std::uint64_t cycle = 0;
        T value{};
    };
    sc_core::sc_port<PushIf<T>> out{"out"};
    std::vector<std::uint64_t> pushed;  ///< cycles

    Source(const sc_core::sc_module_name& name, Clock& clock, std::vector<Beat> beats, Stalls stalls = {})
        : Stub(name, clock), beats_(std::move(beats)), stalls_(stalls) {}

    [[nodiscard]] std::uint64_t quiet_until() const override {
        if (pushed.size() == beats_.size() || !out->ready()) {
            return never;
        }
        return stalls_.first_free(std::max(now() + 1, beats_[pushed.size()].cycle));
    }

private:
    Activity tick() override {
        const std::size_t next = pushed.size();
        if (next == beats_.size() || now() < beats_[next].cycle || stalls_.at(now()) || !out->ready()) {
            return Activity::idle;
        }
        out->push(beats_[next].value);
        pushed.push_back(now());
        progress();
        return Activity::busy;
    }
    std::vector<Beat> beats_;
    Stalls stalls_;
};

/// Beats without a cycle of their own: one after the other.
template <class T>
std::vector<typename Source<T>::Beat> at_once(const std::vector<T>& values) {
    std::vector<typename Source<T>::Beat> beats;
    for (const T& value : values) {
        beats.push_back({0, value});
    }
    return beats;
}

/// Pops whatever comes.
template <class T>
class Sink final : public Stub {
public:
    struct Arrival {
        std::uint64_t cycle = 0;
        T value{};
    };
    sc_core::sc_port<PopIf<T>> in{"in"};
    std::vector<Arrival> arrivals;

    Sink(const sc_core::sc_module_name& name, Clock& clock, Countdown& countdown, Stalls stalls = {})
        : Stub(name, clock), countdown_(countdown), stalls_(stalls) {}

    [[nodiscard]] std::uint64_t quiet_until() const override {
        return in->valid() ? stalls_.first_free(now() + 1) : never;
    }
    [[nodiscard]] std::vector<std::uint64_t> cycles() const {
        std::vector<std::uint64_t> all;
        for (const Arrival& arrival : arrivals) {
            all.push_back(arrival.cycle);
        }
        return all;
    }

private:
    Activity tick() override {
        if (!in->valid() || stalls_.at(now())) {
            return Activity::idle;
        }
        arrivals.push_back({now(), in->pop()});
        progress();
        if (countdown_.arrived()) {
            stop();
        }
        return Activity::busy;
    }
    Countdown& countdown_;
    Stalls stalls_;
};

/// Takes a request a cycle and answers it `latency` cycles later (0: in the cycle in which it was taken), one answer a
/// cycle, the earliest due first.
template <class Request, class Response>
class Server final : public Stub {
public:
    using Latency = std::function<std::uint64_t(const Request&)>;
    struct Taken {
        std::uint64_t cycle = 0;
        Request request{};
    };
    sc_core::sc_port<PopIf<Request>> in{"in"};
    sc_core::sc_port<PushIf<Response>> out{"out"};
    std::vector<Taken> taken;
    std::vector<std::uint64_t> answered;  ///< cycles

    Server(const sc_core::sc_module_name& name, Clock& clock, Latency latency, Stalls stalls = {})
        : Stub(name, clock), latency_(std::move(latency)), stalls_(stalls) {}

    [[nodiscard]] std::uint64_t quiet_until() const override {
        std::uint64_t next = in->valid() ? stalls_.first_free(now() + 1) : never;
        if (!due_.empty() && out->ready()) {
            next = std::min(next, std::max(now() + 1, earliest()->cycle));
        }
        return next;
    }

private:
    struct Due {
        std::uint64_t cycle = 0;
        std::uint64_t tag = 0;
    };
    [[nodiscard]] typename std::vector<Due>::const_iterator earliest() const {
        return std::min_element(due_.begin(), due_.end(), [](const Due& a, const Due& b) { return a.cycle < b.cycle; });
    }
    Activity tick() override {
        if (in->valid() && !stalls_.at(now())) {
            const Request request = in->pop();
            taken.push_back({now(), request});
            due_.push_back({now() + latency_(request), request.tag});
            progress();
        }
        if (!due_.empty() && out->ready() && earliest()->cycle <= now()) {
            const auto first = earliest();
            out->push({first->tag});
            answered.push_back(now());
            due_.erase(first);
        }
        return Activity::idle;
    }
    Latency latency_;
    Stalls stalls_;
    std::vector<Due> due_;
};

/// Calls a function for every cycle, with how many passed.
class Watch final : public CycleObserver {
public:
    explicit Watch(std::function<void(std::uint64_t)> passed) : passed_(std::move(passed)) {}
    void edge_passed() override { passed_(1); }
    void cycles_skipped(std::uint64_t cycles) override { passed_(cycles); }

private:
    std::function<void(std::uint64_t)> passed_;
};

/// A ledger with `operations` open operations, for units that only count.
class Books {
public:
    explicit Books(std::uint64_t operations = 1) : operations_(operations) {
        for (std::uint64_t index = 0; index < operations; ++index) {
            OpRecord record;
            record.index = index;
            ledger.open(record);
        }
    }
    /// What was counted, after the run.
    const std::vector<OpRecord>& close() {
        while (closed_.size() < operations_) {
            ledger.retire_oldest();
        }
        return closed_;
    }
    std::uint64_t counted(Counter counter) {
        close();
        return ledger.counters()[index_of(counter)];
    }

private:
    std::uint64_t operations_;
    std::vector<OpRecord> closed_;

public:
    Ledger ledger{[this](const OpRecord& record) { closed_.push_back(record); }};
};

/// Which clock a bench runs on, in which order it is built, and how its stubs stall.
struct BenchOptions {
    bool skipping = true;
    bool stubs_first = false;
    Stalls source_stalls{};
    Stalls sink_stalls{};
};

inline std::uint64_t sum_of(const ActivityCycles& cycles) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : cycles) {
        sum += count;
    }
    return sum;
}

inline std::string text_of(const ActivityCycles& cycles) {
    return fmt::format("{}", fmt::join(cycles, " "));
}

}  // namespace nibble::test
