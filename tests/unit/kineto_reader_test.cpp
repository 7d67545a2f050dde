// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/kineto_reader.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/call_recording.h"

namespace nibble {
namespace {

using test::Recording;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string two_tensors =
    R"("Input Dims":[[2,3],[3,4]],"Input type":["float","c10::BFloat16"],"Concrete Inputs":["",""])";

/// An event from `begin` to `end`, in microseconds.
std::string event(const std::string& name, const std::string& begin, double end,
                  const std::string& arguments = two_tensors, int thread = 1, const std::string& category = "cpu_op") {
    return R"({"ph":"X","cat":")" + category + R"(","name":")" + name + R"(","pid":10,"tid":)" +
           std::to_string(thread) + R"(,"ts":)" + begin + R"(,"dur":)" + std::to_string(end - std::stod(begin)) +
           R"(,"args":{"External id":1)" + (arguments.empty() ? "" : ",") + arguments + "}}";
}

std::string label(const std::string& name, const std::string& begin, double end) {
    return event(name, begin, end, "", 1, "user_annotation");
}

std::string trace(const std::vector<std::string>& events) {
    std::string text = R"({"schemaVersion":1,"deviceProperties":[{"id":0}],"traceEvents":[)";
    for (std::size_t i = 0; i < events.size(); ++i) {
        text += (i == 0 ? "" : ",\n") + events[i];
    }
    return text + R"(],"traceName":"x.json"})";
}

Recording read_text(const std::string& text) {
    return test::read_recording_text(open_kineto, text);
}

Recording read(const std::vector<std::string>& events) {
    return read_text(trace(events));
}

TEST(KinetoReader, ReadsArgumentsOfEveryKind) {
    const Recording recording = read({event(
        "aten::everything", "5.125", 6,
        R"("Sequence number":41,"Fwd thread id":0,)"
        R"("Input Dims":[[2,3],[],[],[],[],[],[[4],[5,6]],[],[]],)"
        R"("Input type":["c10::BFloat16","long int","Scalar","Scalar","ScalarList","","TensorList","","Scalar"],)"
        R"("Concrete Inputs":["","","0.5","False","[2, -2]","","","bij,bjk",""],)"
        R"("Input Strides":[[1,2],[],[],[],[],[],[[1],[6,1]],[],[]])")});
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_EQ(recording.description, "PyTorch profiler trace (Kineto)");
    ASSERT_THAT(recording.calls, SizeIs(1));
    const RecordedCall& call = recording.calls[0];
    EXPECT_EQ(call.where, "aten::everything at 5.125 us");
    EXPECT_EQ(call.sequence, 41);
    EXPECT_THAT(call.outputs, IsEmpty());
    ASSERT_THAT(call.inputs, SizeIs(9));
    const RecordedTensor* tensor = call.inputs[0].tensor();
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->storage, 0U);
    EXPECT_THAT(tensor->shape, ElementsAre(2, 3));
    EXPECT_THAT(tensor->strides, ElementsAre(1, 2));
    EXPECT_EQ(tensor->bits, 16U);
    EXPECT_EQ(call.inputs[1].tensor()->kind, ElementKind::integer);
    EXPECT_THAT(call.inputs[1].tensor()->shape, IsEmpty());
    EXPECT_EQ(std::get<double>(call.inputs[2].value), 0.5);
    EXPECT_EQ(std::get<bool>(call.inputs[3].value), false);
    EXPECT_EQ(std::get<std::int64_t>(call.inputs[4].list()->at(1).value), -2);
    EXPECT_EQ(call.inputs[5].value.index(), 0U);
    EXPECT_THAT(call.inputs[6].list()->at(1).tensor()->shape, ElementsAre(5, 6));
    EXPECT_EQ(std::get<std::string>(call.inputs[7].value), "bij,bjk");
    EXPECT_EQ(call.inputs[8].value.index(), 0U);
}

TEST(KinetoReader, NestsCallsByTimeInEachThread) {
    const Recording recording = read({
        event("aten::linear", "10", 20),
        event("aten::t", "11", 12),
        event("aten::addmm", "12", 20),               // ends with its caller
        event("aten::mul", "20", 20.5),               // begins as the other ends
        event("aten::mm", "13", 14, two_tensors, 2),  // at the same time, elsewhere
        R"({"ph":"X","cat":"kernel","name":"sgemm","pid":0,"tid":7,"ts":15,"dur":1,"args":{}})",
        R"({"ph":"f","cat":"ac2g","name":"cpu_op","pid":0,"tid":7,"ts":15,"id":1})",
        R"({"ph":"M","name":"process_name","pid":0,"ts":0,"args":{"name":"python"}})",
    });
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("aten::addmm", "aten::mm", "aten::mul"));
}

TEST(KinetoReader, HandsCallsOnInTheOrderOfTheirBeginning) {
    const Recording recording =
        read({event("aten::mul", "9", 10), event("aten::add", "7", 8),
              event("aten::mm", "1712345678901234.5", 1712345678901236.), event("aten::sum", "0.001", 0.002)});
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("aten::sum", "aten::add", "aten::mul", "aten::mm"));
}

TEST(KinetoReader, TellsBackwardOptimizerAndStepsApart) {
    const Recording recording = read({
        label("ProfilerStep#1", "0", 10),
        event("aten::mm", "1", 2),
        event("autograd::engine::evaluate_function: MmBackward0", "3", 5, "", 2),
        event("MmBackward0", "3", 4, R"("Sequence number":6,"Fwd thread id":1)", 2),
        event("aten::mm", "3.5", 4, two_tensors, 2),
        event("aten::sum", "4", 5, two_tensors, 2),
        event("MineBackward", "5", 6, R"("Fwd thread id":1)", 2),
        event("aten::mul", "5", 6, two_tensors, 2),
        label("Optimizer.step#SGD.step", "7", 8),
        event("aten::add_", "7", 8),
        label("ProfilerStep#2", "10", 20),
        event("aten::mm", "11", 12),
        event("aten::mm", "13", 14, two_tensors, 2),
    });
    EXPECT_THAT(recording.problem, IsEmpty());
    std::vector<std::string> seen;
    for (const RecordedCall& call : recording.calls) {
        seen.push_back(call.op + (call.backward ? " backward" : "") + (call.optimizer ? " optimizer" : "") + " " +
                       std::to_string(call.iteration) + " " + std::to_string(call.sequence));
    }
    EXPECT_THAT(seen,
                ElementsAre("aten::mm 0 -1", "aten::mm backward 0 6", "aten::sum backward 0 -1",
                            "aten::mul backward 0 -1", "aten::add_ optimizer 0 -1", "aten::mm 1 -1", "aten::mm 1 -1"));
}

TEST(KinetoReader, ReadsTheBareListOfOlderVersions) {
    const Recording recording = read_text(
        "[" + event("aten::mm", "1", 2, R"("Input Dims":[[2,3],[3,4]],"Input type":["float","float"])", 1, "Operator") +
        "]");
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("aten::mm"));
    EXPECT_THAT(recording.notes, testing::Contains(HasSubstr("no \"Concrete Inputs\"")));
}

TEST(KinetoReader, AsksForWhatIsMissing) {
    EXPECT_THAT(read({event("aten::mm", "1", 2, "")}).problem, HasSubstr("record again with record_shapes=True"));
    EXPECT_THAT(read({}).problem, HasSubstr("none of its events is an operator"));
}

TEST(KinetoReader, RefusesWrongEvents) {
    const auto problem = [](const std::string& one) { return read_text(R"({"traceEvents":[)" + one + "]}").problem; };
    const std::string begin = R"({"ph":"X","cat":"cpu_op")";
    EXPECT_THAT(problem(begin + "}"), HasSubstr("byte 16: event: name: expected text"));
    EXPECT_THAT(problem(begin + R"(,"name":"a"})"), HasSubstr("event: ts: expected a number of microseconds"));
    EXPECT_THAT(problem(begin + R"(,"name":"a","ts":1e300,"dur":1})"), HasSubstr("event: ts: expected a number"));
    EXPECT_THAT(problem(begin + R"(,"name":"a","ts":"1","dur":1})"), HasSubstr("event: ts: expected a number"));
    EXPECT_THAT(problem(begin + R"(,"name":"a","ts":1,"dur":-1})"),
                HasSubstr("event: dur: expected a number of at least 0"));
    EXPECT_THAT(problem(begin + R"(,"name":"a","ts":1,"dur":1,"args":{"Input Dims":7}})"),
                HasSubstr("event: Input Dims: expected a list"));
    EXPECT_THAT(problem(begin + ","), HasSubstr("byte 41: expected '}'"));
    EXPECT_THAT(problem(begin + ",}"), HasSubstr("the event that begins here is not JSON"));
    EXPECT_THAT(problem("\"cpu_op\""), HasSubstr("expected an object: the next event"));
    const auto arguments = [](const std::string& text) { return read({event("aten::mm", "1", 2, text)}).problem; };
    EXPECT_THAT(arguments(R"("Input Dims":[[2,-3]],"Input type":["float"])"),
                HasSubstr("event at 1.000 us: aten::mm: input 0: expected a shape"));
    EXPECT_THAT(arguments(R"("Input Dims":[[4611686018427387904,4]],"Input type":["float"])"),
                HasSubstr("more than 281474976710656"));
    EXPECT_THAT(arguments(R"("Input Dims":[[2]],"Input type":["float","float"])"), HasSubstr("1 shapes with 2 types"));
    EXPECT_THAT(arguments(R"("Input Dims":[[2]],"Input type":[7])"), HasSubstr("expected the name of a type"));
    EXPECT_THAT(arguments(R"("Input Dims":[[2],[]],"Input type":["float","Scalar"],"Concrete Inputs":["","x"])"),
                HasSubstr("byte 0 of the text"));
    EXPECT_THAT(arguments(R"("Input Dims":[[2]],"Input type":["float"],"Input Strides":[[1,2]])"),
                HasSubstr("a tensor of 1 dimensions has 2 strides"));
}

TEST(KinetoReader, ReadsOrRefusesDamagedTraces) {
    const std::string sound = trace(
        {label("ProfilerStep#1", "0", 10), event("aten::linear", "1", 5), event("aten::addmm", "2", 3),
         event("aten::cat", "6", 7,
               R"("Input Dims":[[[2],[3]],[]],"Input type":["TensorList","Scalar"],"Concrete Inputs":["","0"])")});
    EXPECT_THAT(read_text(sound).ops(), ElementsAre("aten::addmm", "aten::cat"));
    std::mt19937_64 random(1);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        refused += read_text(test::damaged(sound, random)).problem.empty() ? 0 : 1;
    }
    EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace nibble
