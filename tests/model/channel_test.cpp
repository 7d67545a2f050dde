// SPDX-License-Identifier: MIT
#include "sim/kernel/channel.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/bench.h"
#include "tests/support/simulate.h"

namespace nibble {
namespace {

constexpr int beats = 40;

struct Link {
    std::size_t depth = 2;
    test::BenchOptions options{};
};

/// "cycle:value " for each beat that arrives.
std::string run(const Link& link) {
    return test::simulate([&] {
        Clock clock("clock", 1000, link.options.skipping);
        Channel<int> channel("channel", link.depth);
        test::Countdown countdown(beats);
        std::vector<int> values;
        for (int i = 0; i < beats; ++i) {
            values.push_back(i);
        }
        std::unique_ptr<test::Sink<int>> sink;
        const auto make_sink = [&] {
            sink = std::make_unique<test::Sink<int>>("sink", clock, countdown, link.options.sink_stalls);
        };
        if (link.options.stubs_first) {
            make_sink();
        }
        test::Source<int> source("source", clock, test::at_once(values), link.options.source_stalls);
        if (!link.options.stubs_first) {
            make_sink();
        }
        source.out(channel);
        sink->in(channel);
        clock.run();
        std::string text;
        for (const auto& arrival : sink->arrivals) {
            text += fmt::format("{}:{} ", arrival.cycle, arrival.value);
        }
        return text;
    });
}

/// Beat i arrives at cycle 1 + i * interval.
std::string arrivals(std::uint64_t interval) {
    std::string text;
    for (std::uint64_t i = 0; i < beats; ++i) {
        text += fmt::format("{}:{} ", 1 + i * interval, i);
    }
    return text;
}

TEST(Channel, ABeatPushedInOneCycleArrivesInTheNext) {
    EXPECT_EQ(run({.depth = 2}), arrivals(1));
    EXPECT_EQ(run({.depth = 5}), arrivals(1));
}

// ready() is registered, so with one slot a beat moves every second cycle.
TEST(Channel, DepthOneHalvesTheThroughput) {
    EXPECT_EQ(run({.depth = 1}), arrivals(2));
}

TEST(Channel, UnderStallsItKeepsOrderAndLosesNothingInWhateverOrderUnitsAreBuilt) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Link link{.depth = 1 + seed % 4};
        link.options.source_stalls = {seed, 40};
        link.options.sink_stalls = {seed + 1000, 40};
        const std::string every = run(link);
        int expected = 0;
        for (std::size_t at = every.find(':'); at != std::string::npos; at = every.find(':', at + 1)) {
            EXPECT_EQ(std::stoi(every.substr(at + 1)), expected);
            ++expected;
        }
        EXPECT_EQ(expected, beats);
        link.options.stubs_first = true;
        EXPECT_EQ(every, run(link)) << "seed " << seed;
        link.options.skipping = false;
        EXPECT_EQ(every, run(link)) << "seed " << seed;
    }
}

TEST(Channel, MisuseIsAModelError) {
    test::simulate([] {
        Channel<int> channel("channel", 1);
        EXPECT_THROW(channel.pop(), ModelError);
        EXPECT_THROW(static_cast<void>(channel.front()), ModelError);
        channel.push(1);
        try {
            channel.push(2);
            ADD_FAILURE() << "two pushes in a cycle";
        } catch (const ModelError& error) {
            EXPECT_STREQ(error.what(), "channel: second push() in one cycle");
        }
        EXPECT_THROW(Channel<int>("none", 0), ModelError);
        return std::string{};
    });
}

/// Pushes without asking whether there is room.
class Pusher final : public test::Stub {
public:
    sc_core::sc_port<PushIf<int>> out{"out"};
    Pusher(const sc_core::sc_module_name& name, Clock& clock) : Stub(name, clock) {}
    [[nodiscard]] std::uint64_t quiet_until() const override { return now() + 1; }

private:
    Activity tick() override {
        out->push(1);
        return Activity::busy;
    }
};

TEST(Channel, PushingIntoAFullOneEndsTheRunWithATypedError) {
    test::simulate([] {
        Clock clock("clock", 1000, true);
        Channel<int> channel("full_one", 3);
        Pusher pusher("pusher", clock);
        pusher.out(channel);
        try {
            clock.run();
            ADD_FAILURE() << "nobody pops";
        } catch (const ModelError& error) {
            EXPECT_STREQ(error.what(), "full_one: push() while not ready");
        }
        EXPECT_EQ(clock.now(), 3U);  // cycles 0, 1 and 2 fill it
        return std::string{};
    });
}

}  // namespace
}  // namespace nibble
