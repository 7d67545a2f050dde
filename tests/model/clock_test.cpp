// SPDX-License-Identifier: MIT
#include "sim/kernel/clock.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/kernel/report_bridge.h"
#include "tests/support/bench.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

using testing::HasSubstr;

/// Takes a beat, works on it for a number of cycles that depends on the beat, passes it on.
class Worker final : public ClockedModule {
public:
    sc_core::sc_port<PopIf<int>> in{"in"};
    sc_core::sc_port<PushIf<int>> out{"out"};
    Worker(const sc_core::sc_module_name& name, Clock& clock, std::vector<std::uint64_t> latency)
        : ClockedModule(name, clock), latency_(std::move(latency)) {}

    [[nodiscard]] std::uint64_t quiet_until() const override {
        if (!holding_) {
            return in->valid() ? now() + 1 : never;
        }
        if (now() + 1 < done_) {
            return done_;
        }
        return out->ready() ? now() + 1 : never;
    }
    [[nodiscard]] std::string state() const override { return holding_ ? fmt::format("holds {}", beat_) : "empty"; }

private:
    Activity tick() override {
        if (!holding_) {
            if (!in->valid()) {
                return Activity::waiting_for_input;
            }
            beat_ = in->pop();
            holding_ = true;
            done_ = now() + latency_[static_cast<std::size_t>(beat_) % latency_.size()];
            return Activity::busy;
        }
        if (now() < done_) {
            return Activity::busy;
        }
        if (!out->ready()) {
            return Activity::waiting_for_output;
        }
        out->push(beat_);
        holding_ = false;
        return Activity::busy;
    }
    [[nodiscard]] Activity quiet_activity() const override {
        if (!holding_) {
            return Activity::waiting_for_input;
        }
        // Asked when now() is already the next edge: all cycles of the spell lie before it.
        return now() <= done_ ? Activity::busy : Activity::waiting_for_output;
    }
    std::vector<std::uint64_t> latency_;
    bool holding_ = false;
    int beat_ = 0;
    std::uint64_t done_ = 0;  // first cycle at which the beat may leave
};

constexpr int beats = 40;

/// A random pipeline. Tells arrivals, activities and kernel time, which must not depend on skipping, and then the
/// edges.
std::string pipeline(std::uint64_t seed, bool skipping) {
    return test::simulate([&] {
        std::mt19937_64 random(seed);
        const auto numbers = [&](std::size_t n, std::uint64_t most) {
            std::vector<std::uint64_t> all(n);
            for (std::uint64_t& x : all) {
                x = 1 + random() % most;
            }
            return all;
        };
        std::vector<test::Source<int>::Beat> feed;
        std::uint64_t at = 0;
        for (const std::uint64_t gap : numbers(beats, 60)) {
            at += gap;
            feed.push_back({at, static_cast<int>(feed.size())});
        }
        constexpr std::uint64_t period_ps = 1429;
        Clock clock("clock", period_ps, skipping);
        const std::size_t stages = 1 + random() % 4;
        std::vector<std::unique_ptr<Channel<int>>> links;
        for (std::size_t i = 0; i <= stages; ++i) {
            links.push_back(std::make_unique<Channel<int>>(fmt::format("link{}", i).c_str(), 1 + random() % 3));
        }
        std::uint64_t watched = 0;
        test::Watch watch([&](std::uint64_t cycles) { watched += cycles; });
        clock.set_observer(watch);
        test::Source<int> source("source", clock, feed);
        std::vector<std::unique_ptr<Worker>> workers;
        for (std::size_t i = 0; i < stages; ++i) {
            workers.push_back(
                std::make_unique<Worker>(fmt::format("worker{}", i).c_str(), clock, numbers(7, 1 + random() % 200)));
            workers[i]->in(*links[i]);
            workers[i]->out(*links[i + 1]);
        }
        test::Countdown countdown(beats);
        test::Sink<int> sink("sink", clock, countdown);
        source.out(*links.front());
        sink.in(*links.back());
        clock.run();

        std::string story;
        for (const auto& arrival : sink.arrivals) {
            story += fmt::format("{}:{} ", arrival.cycle, arrival.value);
        }
        for (const auto& worker : workers) {
            story += '\n' + test::text_of(worker->activity_cycles());
            EXPECT_EQ(test::sum_of(worker->activity_cycles()), clock.now() + 1) << "every cycle belongs to one class";
        }
        EXPECT_EQ(watched, clock.now() + 1) << "every cycle is told of once";
        EXPECT_LE(clock.edges(), clock.now() + 1);
        // The first edge is at time 0, and the run ends when the last one has settled.
        EXPECT_EQ(sc_core::sc_time_stamp().value(), (clock.now() + 1) * period_ps);
        return story + fmt::format("\nedges {}", clock.edges());
    });
}

// The whole contract: with and without skipping the same beats at the same cycles, the same activity, the same time.
TEST(SkippingClock, ChangesNothingAndMakesFewerEdges) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const std::string every = pipeline(seed, false);
        const std::string skipping = pipeline(seed, true);
        const std::size_t mark = every.find("\nedges ");
        ASSERT_NE(mark, std::string::npos);
        EXPECT_EQ(every.substr(0, mark), skipping.substr(0, skipping.find("\nedges "))) << "seed " << seed;
        EXPECT_NE(every.find(":39 "), std::string::npos) << "all beats arrive";
        EXPECT_LT(std::stoull(skipping.substr(skipping.find("edges ") + 6)), std::stoull(every.substr(mark + 7)));
    }
}

/// What a run that fails says; the failure must be a ModelError.
template <class Build>
std::string failure_of(bool skipping, std::uint64_t patience, Build build) {
    return test::simulate([&]() -> std::string {
        Clock clock("clock", 1000, skipping, patience);
        const auto units = build(clock);
        try {
            clock.run();
        } catch (const ModelError& error) {
            return error.what();
        }
        return "no failure";
    });
}

/// Acts in every cycle and gets nothing done.
class Spinner final : public test::Stub {
public:
    Spinner(const sc_core::sc_module_name& name, Clock& clock, std::uint64_t interval)
        : Stub(name, clock), interval_(interval) {}
    [[nodiscard]] std::uint64_t quiet_until() const override { return now() + interval_; }
    [[nodiscard]] std::string state() const override { return "round and round"; }

private:
    Activity tick() override { return Activity::busy; }
    std::uint64_t interval_;
};

TEST(Watchdog, EndsARunWithoutProgressAndShowsEveryUnit) {
    const auto spin = [](Clock& clock) { return std::make_unique<Spinner>("spinner", clock, 1); };
    const std::string expected = "cycle 100: no progress for 100 edges\n  spinner: round and round";
    EXPECT_EQ(failure_of(true, 100, spin), expected);
    EXPECT_EQ(failure_of(false, 100, spin), expected);
}

// Acting now and then without getting anything done is a standstill too.
TEST(Watchdog, SkippingSeesASlowSpinner) {
    const auto spin = [](Clock& clock) { return std::make_unique<Spinner>("spinner", clock, 1'000'000); };
    EXPECT_THAT(failure_of(true, 100, spin), HasSubstr("no progress for 100 edges"));
}

/// Works for a long time, and stops the run when it is done.
class LongWorker final : public test::Stub {
public:
    LongWorker(const sc_core::sc_module_name& name, Clock& clock, std::uint64_t end) : Stub(name, clock), end_(end) {}
    [[nodiscard]] std::uint64_t quiet_until() const override { return end_; }
    [[nodiscard]] std::string state() const override { return "at work"; }

private:
    Activity tick() override {
        if (now() == end_) {
            stop();
        }
        return Activity::busy;
    }
    std::uint64_t end_;
};

TEST(Watchdog, LongWorkWithAKnownEndIsNoStandstill) {
    const auto work = [](Clock& clock) { return std::make_unique<LongWorker>("worker", clock, 100'000); };
    EXPECT_EQ(failure_of(true, 100, work), "no failure");
    EXPECT_EQ(failure_of(false, 100, work), "no failure");
}

/// Waits for ever.
class Sleeper final : public test::Stub {
public:
    Sleeper(const sc_core::sc_module_name& name, Clock& clock) : Stub(name, clock) {}
    [[nodiscard]] std::uint64_t quiet_until() const override { return never; }
    [[nodiscard]] std::string state() const override { return "waits for a beat"; }

private:
    Activity tick() override { return Activity::waiting_for_input; }
};

TEST(Watchdog, SeesADeadlockAtOnce) {
    EXPECT_EQ(failure_of(true, 1'000'000, [](Clock& clock) { return std::make_unique<Sleeper>("sleeper", clock); }),
              "cycle 0: deadlock: no unit will ever act again\n  sleeper: waits for a beat");
}

TEST(Watchdog, WithoutSkippingADeadlockRunsOutOfPatience) {
    EXPECT_THAT(failure_of(false, 1000, [](Clock& clock) { return std::make_unique<Sleeper>("sleeper", clock); }),
                HasSubstr("cycle 1000: deadlock: no unit will ever act again"));
}

/// A failure of a type of its own.
struct Mishap : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Thrower final : public test::Stub {
public:
    Thrower(const sc_core::sc_module_name& name, Clock& clock, std::uint64_t cycle)
        : Stub(name, clock), cycle_(cycle) {}
    [[nodiscard]] std::uint64_t quiet_until() const override { return cycle_; }

private:
    Activity tick() override {
        if (now() == cycle_) {
            throw Mishap("a mishap");
        }
        return Activity::idle;
    }
    std::uint64_t cycle_;
};

TEST(Clock, WhatAUnitThrowsReachesTheCallerWithItsType) {
    test::simulate([] {
        Clock clock("clock", 1000, true);
        Thrower thrower("thrower", clock, 7);
        try {
            clock.run();
            ADD_FAILURE() << "nothing was thrown";
        } catch (const Mishap& mishap) {
            EXPECT_STREQ(mishap.what(), "a mishap");
        }
        EXPECT_TRUE(clock.failed());
        EXPECT_EQ(clock.now(), 7U);
        return std::string{};
    });
}

/// Stops the machine at a cycle.
class Stopper final : public test::Stub {
public:
    Stopper(const sc_core::sc_module_name& name, Clock& clock, std::uint64_t cycle)
        : Stub(name, clock), cycle_(cycle) {}
    [[nodiscard]] std::uint64_t quiet_until() const override { return cycle_; }

private:
    Activity tick() override {
        if (now() == cycle_) {
            stop();
        }
        return Activity::idle;
    }
    std::uint64_t cycle_;
};

TEST(Clock, NoEdgeFollowsTheOneInWhichItIsStopped) {
    for (const bool skipping : {false, true}) {
        const std::string edges = test::simulate([&] {
            Clock clock("clock", 500, skipping);
            Stopper stopper("stopper", clock, 9);
            clock.run();
            EXPECT_EQ(clock.now(), 9U);
            EXPECT_EQ(test::sum_of(stopper.activity_cycles()), 10U);
            return std::to_string(clock.edges());
        });
        EXPECT_EQ(edges, skipping ? "2" : "10");  // the first and the last
    }
}

TEST(ReportBridge, WarningsOfSystemCAreErrors) {
    test::simulate([] {
        Clock clock("same_name", 1000, true);
        try {
            Clock again("same_name", 1000, true);
            ADD_FAILURE() << "two modules of one name";
        } catch (const ModelError& error) {
            EXPECT_THAT(error.what(), HasSubstr("same_name"));
        }
        return std::string{};
    });
}

}  // namespace
}  // namespace nibble
