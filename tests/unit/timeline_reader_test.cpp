// SPDX-License-Identifier: MIT
#include "sim/timeline/timeline_reader.h"

#include <algorithm>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/timeline/timeline_text.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using testing::HasSubstr;

// A run of 100 cycles of 1 ns (0.1 microseconds). The array works from cycle 10 to 50, of which it waits for 10, and
// has waited from 0 to 10 before.
std::string sample(const std::string& name = "conv1 forward") {
    return R"({"traceEvents":[
{"ph":"M","pid":1,"tid":0,"name":"nibblesim_machine","args":{"role":"machine","machine":"m","clock_period_ps":1000,"cycles":100}},
{"ph":"M","pid":1,"tid":3,"name":"thread_name","args":{"name":"mac_array"}},
{"ph":"X","pid":1,"tid":3,"ts":0,"dur":0.010,"cat":"stall","name":"waits for load","args":{}},
{"ph":"X","pid":1,"tid":3,"ts":0.010,"dur":0.040,"cat":"operation","name":")" +
           name + R"(","args":{"cycles":40}},
{"ph":"X","pid":1,"tid":3,"ts":0.010,"dur":0.040,"cat":"command","name":"8x8x8","args":{"cycles":40,"waiting_for_scratchpad":10}},
{"ph":"X","pid":1,"tid":3,"ts":0.030,"dur":0.010,"cat":"stall","name":"waits for scratchpad","args":{}},
{"ph":"C","pid":1,"ts":0,"name":"power W","args":{"value":1}}
]})";
}

std::vector<MachineTimeline> read(const std::string& text, const TimelineWindow& window) {
    return read_timeline(test::TraceFile(text).path(), window);
}

TEST(TimelineReader, DividesTheWindowIntoColumns) {
    const auto machines = read(sample(), {.from = 0, .to = {}, .columns = 10});
    ASSERT_EQ(machines.size(), 1U);
    EXPECT_EQ(machines[0].cycles, 100U);
    ASSERT_EQ(machines[0].lanes.size(), 1U);
    const TimelineLane& lane = machines[0].lanes[0];
    EXPECT_EQ(lane.name, "mac_array");
    EXPECT_NEAR(lane.busy, 30, 1e-6);     // 40 less 10 of waiting
    EXPECT_NEAR(lane.stalled, 20, 1e-6);  // 10 before and 10 in it: the slice in it says the same again
    EXPECT_NEAR(lane.cells[0].stalled, 10, 1e-6);
    EXPECT_NEAR(lane.cells[2].busy, 7.5, 1e-6);  // 30 of 40, even over its length
    EXPECT_EQ(lane.cells[2].name, "conv1 forward");
    EXPECT_EQ(lane.cells[6].name, "");
}

TEST(TimelineReader, CutsAtTheWindow) {
    const auto machines = read(sample(), {.from = 30, .to = 40, .columns = 2});
    EXPECT_NEAR(machines[0].lanes[0].busy, 7.5, 1e-6);
    EXPECT_NEAR(machines[0].lanes[0].stalled, 2.5, 1e-6);
    EXPECT_THROW(read(sample(), {.from = 100}), InputError);
    EXPECT_THROW(read(sample(), {.from = 5, .to = 5}), InputError);
    EXPECT_EQ(read(sample(), {.from = 0, .to = 1'000'000})[0].to, 100U);
}

TEST(TimelineText, ShowsBarsNamesAndShares) {
    const std::string text = timeline_text(read(sample(), {.from = 0, .to = {}, .columns = 20}), {});
    EXPECT_THAT(text, HasSubstr("machine: m\ncycles 0 to 100 of 100, 1000 ps each; a column is 5 cycles\n"));
    EXPECT_THAT(text, HasSubstr("mac_array     ..########            busy  30%  stalled  20%\n"));
    EXPECT_THAT(text, HasSubstr("                |conv...\n"));
}

TEST(TimelineText, HostileNamesAreShownAsText) {
    const std::string evil = R"(<script>\u001b[31m\u202e\n\")" + std::string(10'000, 'w');
    const std::string text = timeline_text(read(sample(evil), {.from = 0, .to = {}, .columns = 60}), {});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("\u202e"), std::string::npos);
    EXPECT_THAT(text, HasSubstr("|<script>"));
    EXPECT_LT(text.size(), 1000U);
    EXPECT_EQ(std::ranges::count(text, '\n'), 5);
    EXPECT_THAT(timeline_json(read(sample(evil), {})), HasSubstr("<script>"));
}

TEST(TimelineReader, RefusesWhatIsNoTimeline) {
    for (const char* text :
         {"", "{}", "[]", "[1]", R"({"traceEvents":[]})", R"({"traceEvents":[{}]})",
          R"({"traceEvents":[{"ph":"X","pid":1,"tid":1,"ts":0,"dur":1,"cat":"command","name":"x"}]})",
          R"({"traceEvents":[{"ph":"M","pid":1,"name":"nibblesim_machine","args":{"clock_period_ps":0,"cycles":1}}]})",
          R"({"traceEvents":[{"ph":"M","pid":-1,"name":"nibblesim_machine","args":{"clock_period_ps":1,"cycles":1}}]})",
          R"({"traceEvents":[{"ph":"M","pid":1,"name":"nibblesim_machine","args":{"clock_period_ps":1,"cycles":0}}]})",
          "\x1f\x8b\x08", "PK\x03\x04", "\x0a\x05hello"}) {
        EXPECT_THROW(read(text, {}), InputError) << text;
    }
    const auto with = [](const std::string& from, const std::string& to) {
        std::string text = sample();
        return text.replace(text.find(from), from.size(), to);
    };
    EXPECT_THROW(read(with("\"dur\":0.040", "\"dur\":-0.040"), {}), InputError);
    EXPECT_THROW(read(with("\"dur\":0.040", "\"dur\":1e300"), {}), InputError);
    EXPECT_THROW(read(with("\"dur\":0.040,", ""), {}), InputError);
    EXPECT_THROW(read(with("\"tid\":3,\"ts\":0,", "\"tid\":\"x\",\"ts\":0,"), {}), InputError);
}

// Whatever is done to a timeline: it is read or refused.
TEST(TimelineReader, SurvivesDamage) {
    std::mt19937_64 random(3);
    const auto number = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
    for (int round = 0; round < 500; ++round) {
        std::string text = sample();
        for (std::size_t changes = 1 + number(3); changes > 0; --changes) {
            const std::size_t at = number(text.size() - 1);
            switch (number(2)) {
                case 0:
                    text[at] = static_cast<char>(number(255));
                    break;
                case 1:
                    text.erase(at, number(20));
                    break;
                default:
                    text.insert(at, text.substr(number(text.size() - 1), number(200)));
            }
        }
        try {
            static_cast<void>(timeline_text(read(text, {.from = 0, .to = {}, .columns = 7}), {}));
        } catch (const InputError&) {
        }
    }
}

}  // namespace
}  // namespace nibble
