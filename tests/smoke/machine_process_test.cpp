// SPDX-License-Identifier: MIT
#include "sim/app/machine_process.h"

#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/app/interrupt.h"
#include "sim/base/error.h"

namespace nibble {
namespace {

using testing::HasSubstr;

void receive_all(MachineProcess& process) {
    while (!process.finished()) {
        process.receive();
    }
}

/// What the parent is told when the process does `work`.
template <class Error>
std::string told_of(const MachineProcess::Work& work) {
    MachineProcess process("edge", work);
    try {
        receive_all(process);
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing";
}

OpRecord record(std::uint64_t index) {
    OpRecord record;
    record.index = index;
    record.layer = std::string(index % 100, 'x') + "\n\0\xff";
    record.mode = "int4";
    record.mapping = {.batch = {1, 2, 2},
                      .i = {3, 9, 3},
                      .j = {4, 4, 1},
                      .l = {5, 6, 2},
                      .order = "jil",
                      .left_buffers = 1,
                      .right_buffers = 2,
                      .output_buffers = 3};
    record.m = index * 3;
    record.peak_macs_per_cycle = 0.5;
    record.causes[2] = index;
    record.counters[index_of(Counter::cycles)] = 2;
    if (index % 3 != 0) {
        ValueRecord values;
        values.operands[0] = {"x", true, "int4_unsigned", {}};
        values.operands[1] = {"w", false, "int4_signed", QuantizationRecord{}};
        values.operands[1].recorded->sqnr_db = static_cast<double>(index);
        if (index % 3 == 2) {
            values.output = OutputRecord{};
            values.output->relative_error = 0.5;
        }
        record.values = std::make_shared<const ValueRecord>(values);
    }
    return record;
}

void expect_same_values(const ValueRecord* arrived, const ValueRecord* sent) {
    ASSERT_EQ(arrived == nullptr, sent == nullptr);
    if (sent == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < sent->operands.size(); ++i) {
        EXPECT_EQ(arrived->operands[i].name, sent->operands[i].name);
        EXPECT_EQ(arrived->operands[i].on_left, sent->operands[i].on_left);
        EXPECT_EQ(arrived->operands[i].format, sent->operands[i].format);
        ASSERT_EQ(arrived->operands[i].recorded.has_value(), sent->operands[i].recorded.has_value());
    }
    EXPECT_EQ(arrived->operands[1].recorded->sqnr_db, sent->operands[1].recorded->sqnr_db);
    EXPECT_EQ(arrived->operands[1].recorded->toggle_rate, std::nullopt);
    ASSERT_EQ(arrived->output.has_value(), sent->output.has_value());
    if (sent->output) {
        EXPECT_EQ(arrived->output->relative_error, 0.5);
        EXPECT_EQ(arrived->output->array_relative_error, std::nullopt);
    }
}

TEST(MachineProcess, RecordsAndSummaryArriveWhole) {
    constexpr std::uint64_t count = 2000;  // more than a pipe holds
    MachineProcess process("edge", [](const MachineProcess::RecordSink& sink) {
        for (std::uint64_t i = 0; i < count; ++i) {
            sink(record(i));
        }
        RunSummary summary;
        summary.operations = count;
        summary.units = {{"dram", {1, 2, 3, 4}}, {"mac_array", {5, 6, 7, 8}}};
        return summary;
    });
    receive_all(process);
    EXPECT_EQ(process.operations(), count);
    EXPECT_EQ(process.cycles(), 2 * count);
    for (std::uint64_t i = 0; i < count; ++i) {
        ASSERT_TRUE(process.has_record());
        const OpRecord arrived = process.take_record();
        const OpRecord sent = record(i);
        EXPECT_EQ(arrived.index, sent.index);
        EXPECT_EQ(arrived.layer, sent.layer);
        EXPECT_EQ(arrived.mode, sent.mode);
        EXPECT_EQ(arrived.mapping, sent.mapping);
        EXPECT_EQ(arrived.m, sent.m);
        EXPECT_EQ(arrived.peak_macs_per_cycle, sent.peak_macs_per_cycle);
        EXPECT_EQ(arrived.causes, sent.causes);
        EXPECT_EQ(arrived.counters, sent.counters);
        expect_same_values(arrived.values.get(), sent.values.get());
    }
    EXPECT_FALSE(process.has_record());
    EXPECT_EQ(process.summary().operations, count);
    ASSERT_EQ(process.summary().units.size(), 2U);
    EXPECT_EQ(process.summary().units[1].unit, "mac_array");
    EXPECT_EQ(process.summary().units[1].cycles, (ActivityCycles{5, 6, 7, 8}));
}

TEST(MachineProcess, ErrorsKeepTheirType) {
    EXPECT_EQ(told_of<InputError>([](const auto&) -> RunSummary {
                  throw InputError(std::vector<Problem>{{{"a.trace", 3, 4}, "wrong"}, {{"a.trace", 5, 0}, "worse"}});
              }),
              "a.trace:3:4: wrong\na.trace:5: worse");
    EXPECT_EQ(told_of<ModelError>([](const auto&) -> RunSummary { throw ModelError("deadlock"); }), "edge: deadlock");
    EXPECT_EQ(told_of<std::runtime_error>([](const auto&) -> RunSummary { throw std::runtime_error("oh"); }),
              "edge: oh");
}

TEST(MachineProcess, DeathIsNoticed) {
    EXPECT_THAT(told_of<ModelError>([](const auto&) -> RunSummary {
                    std::signal(SIGSEGV, SIG_DFL);
                    raise(SIGSEGV);
                    return {};
                }),
                HasSubstr("the process of edge was ended by signal 11 (Segmentation fault)"));
    EXPECT_THAT(told_of<ModelError>([](const auto&) -> RunSummary { _exit(3); }),
                HasSubstr("ended without a result, exit code 3"));
    EXPECT_EQ(told_of<Interrupted>([](const auto&) -> RunSummary {
                  raise(SIGTERM);
                  return {};
              }),
              "interrupted");
}

TEST(MachineProcess, EndsWhenNobodyWantsItAnyMore) {
    auto process = std::make_unique<MachineProcess>("edge", [](const MachineProcess::RecordSink& sink) {
        for (std::uint64_t i = 0;; ++i) {
            sink(record(i));
        }
        return RunSummary{};
    });
    process->receive();
    EXPECT_GT(process->operations(), 0U);
    process.reset();  // must return, and leave no child behind
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(RecordQueue, KeepsOrderThroughItsFile) {
    RecordQueue queue(100);  // bytes: nearly everything goes through the file
    std::uint64_t pushed = 0;
    std::uint64_t popped = 0;
    const auto push = [&] { queue.push(std::to_string(pushed++)); };
    const auto pop = [&] { EXPECT_EQ(queue.pop(), std::to_string(popped++)); };
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 100 + round; ++i) {
            push();
        }
        for (int i = 0; i < 90; ++i) {
            pop();
        }
    }
    while (!queue.empty()) {
        pop();
    }
    EXPECT_EQ(popped, pushed);
    push();  // and it can be used again
    pop();
    EXPECT_THROW((void)queue.pop(), ModelError);
}

TEST(MessageSplitter, PiecesOfAnySize) {
    const std::string stream = framed(MessageKind::record, "one") + framed(MessageKind::model_error, "") +
                               framed(MessageKind::summary, std::string(1000, 'x'));
    for (std::size_t piece = 1; piece < stream.size(); ++piece) {
        MessageSplitter splitter;
        std::vector<std::string> bodies;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            splitter.feed(std::string_view(stream).substr(at, piece));
            for (Message message; splitter.next(message);) {
                bodies.push_back(message.body);
            }
        }
        EXPECT_THAT(bodies, testing::ElementsAre("one", "", std::string(1000, 'x'))) << piece;
    }
}

}  // namespace
}  // namespace nibble
