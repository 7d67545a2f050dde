// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/chakra_reader.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/import/pytorch/python_literal.h"
#include "tests/support/call_recording.h"

namespace nibble {
namespace {

using test::Recording;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Protocol buffers, written by hand: tag, then a number or a length and bytes.

std::string varint(std::uint64_t number) {
    std::string bytes;
    for (; number >= 0x80U; number >>= 7U) {
        bytes += static_cast<char>((number & 0x7FU) | 0x80U);
    }
    return bytes + static_cast<char>(number);
}

std::string number(unsigned field, std::uint64_t value) {
    return varint(field << 3U) + varint(value);
}

std::string bytes(unsigned field, const std::string& content) {
    return varint((field << 3U) | 2U) + varint(content.size()) + content;
}

std::string delimited(const std::string& message) {
    return varint(message.size()) + message;
}

const std::string metadata =
    delimited(bytes(1, "0.0.4") + bytes(2, bytes(1, "schema") + bytes(29, "1.0.3-chakra.0.0.4")));

struct Node {
    std::uint64_t id = 0;
    std::string name;
    std::uint64_t caller = 0;
    std::uint64_t thread = 1;
    bool on_cpu = true;
    std::string values = "[[1, 7, 0, 6, 4, 'cuda:0'], '<None>', (1, 2), False, 1e-05]";
    std::string shapes = "[[2, 3], [], [[], []], [], []]";
    std::string types = "['Tensor(float)', 'None', 'GenericList[Int,Int]', 'Bool', 'Double']";
};

std::string text(const Node& node) {
    const std::string lists = bytes(1, node.values) + bytes(2, node.shapes) + bytes(3, node.types);
    const std::string none = bytes(1, "[]") + bytes(2, "[]") + bytes(3, "[]");
    return delimited(number(1, node.id) + bytes(2, node.name) + number(3, 4) + bytes(4, varint(node.caller)) +
                     bytes(8, lists) + bytes(9, none) +
                     bytes(10, bytes(1, "is_cpu_op") + number(27, node.on_cpu ? 1 : 0)) +
                     bytes(10, bytes(1, "tid") + number(13, node.thread)) +
                     bytes(10, bytes(1, "seq_id") + number(9, ~std::uint64_t{0})));
}

Recording read(const std::vector<Node>& nodes) {
    std::string all = metadata;
    for (const Node& node : nodes) {
        all += text(node);
    }
    return test::read_recording_text(open_chakra, all);
}

TEST(ChakraReader, ReadsArgumentsAsPythonWritesThem) {
    const Recording recording = read({{5, "aten::mul.Tensor"}});
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_EQ(recording.description, "Chakra execution trace, PyTorch schema 1.0.3-chakra.0.0.4");
    ASSERT_THAT(recording.calls, SizeIs(1));
    const RecordedCall& call = recording.calls[0];
    EXPECT_EQ(call.op, "aten::mul");
    EXPECT_EQ(call.where, "node 5");
    EXPECT_EQ(call.sequence, -1);
    ASSERT_THAT(call.inputs, SizeIs(5));
    EXPECT_EQ(call.inputs[0].tensor()->storage, 7U);
    EXPECT_THAT(call.inputs[0].tensor()->shape, ElementsAre(2, 3));
    EXPECT_EQ(call.inputs[1].value.index(), 0U);
    EXPECT_EQ(std::get<std::int64_t>(call.inputs[2].list()->at(1).value), 2);
    EXPECT_EQ(std::get<bool>(call.inputs[3].value), false);
    EXPECT_EQ(std::get<double>(call.inputs[4].value), 1e-5);
}

TEST(ChakraReader, FollowsTheCallTree) {
    const Recording recording = read({{2, "aten::linear"},
                                      {3, "aten::addmm", 2},
                                      {4, "aten::t", 3},
                                      {5, "sgemm_kernel", 3, 7, false},
                                      {6, "AddmmBackward0"},
                                      {7, "aten::mm", 6},
                                      {8, "aten::mul", 900}});  // waits for something else
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.notes, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("aten::addmm", "aten::mm", "aten::mul"));
    EXPECT_FALSE(recording.calls[0].backward);
    EXPECT_TRUE(recording.calls[1].backward);
}

TEST(ChakraReader, TakesNumberedOperatorsOnce) {
    const Recording recording = read({{2, "aten::conv2d(0)"},
                                      {3, "void kernel(float*)", 2, 7, false},
                                      {4, "aten::conv2d(1)", 2},
                                      {5, "aten::mul", 4},  // depends on it, and is not called by it
                                      {6, "aten::mm(0)", 0, 2},
                                      {7, "aten::convolution_backward(0)", 0, 2},
                                      {8, "aten::_foreach_add_(0)"},
                                      {9, "aten::conv2d(0)"}});
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.notes, ElementsAre(HasSubstr("does not say which calls are autograd's")));
    std::vector<std::string> seen;
    for (const RecordedCall& call : recording.calls) {
        seen.push_back(call.op + (call.backward ? " backward" : "") + (call.optimizer ? " optimizer" : "") + " " +
                       std::to_string(call.iteration));
    }
    EXPECT_THAT(seen, ElementsAre("aten::conv2d 0", "aten::mul 0", "aten::mm backward 0",
                                  "aten::convolution_backward backward 0", "aten::_foreach_add_ optimizer 0",
                                  "aten::conv2d 1"));
}

TEST(ChakraReader, RefusesWhatCannotBeImported) {
    const auto problem = [](const std::string& all) { return test::read_recording_text(open_chakra, all).problem; };
    EXPECT_THAT(problem(""), HasSubstr("found an empty file"));
    EXPECT_THAT(problem(metadata), HasSubstr("none of the trace's 0 calls has tensors"));
    EXPECT_THAT(problem(metadata + text({2, "COMP_NODE", 0, 0, true, "", "", ""})),
                HasSubstr("none of the trace's 1 calls has tensors; synthetic traces"));
    EXPECT_THAT(problem(metadata + text({2, "aten::mm"}) + text({2, "aten::mm"})),
                HasSubstr("two nodes have the id 2"));
    const std::string sound = metadata + text({2, "aten::mm"});
    EXPECT_THAT(problem(sound.substr(0, sound.size() - 1)), HasSubstr("cut short: a message of"));
    EXPECT_THAT(problem(sound + "\x80"), HasSubstr("cut short inside the length"));
    EXPECT_THAT(problem("\xff\xff\xff\xff\xff\xff\x01"), HasSubstr("byte 0: expected the length of a message"));
    EXPECT_THAT(problem("\xff\xff\xff\xff\x0f"), HasSubstr("byte 0: a message of 4294967295 bytes"));
    EXPECT_THAT(problem(metadata + delimited(bytes(1, "id"))), HasSubstr("field 1: expected a number"));
    EXPECT_THAT(problem(R"({"schema": "1.0.1", "nodes": []})"), HasSubstr("byte 1: cut short: a message of 123 bytes"));
}

TEST(ChakraReader, RefusesWrongArguments) {
    const auto problem = [](const std::string& values, const std::string& shapes, const std::string& types) {
        return read({{2, "aten::mm", 0, 1, true, values, shapes, types}}).problem;
    };
    const std::string types = "['Tensor(float)']";
    EXPECT_THAT(problem("[[1, 7, 0, 6, 4, 'cpu']]", "[[2, 3]]", types), IsEmpty());
    EXPECT_THAT(problem("[[1, 7, 0, 6, 4, 'cpu']]", "[[2, -3]]", types),
                HasSubstr("node 2: aten::mm: input 0: expected a shape"));
    EXPECT_THAT(problem("[[1, 7, 0, 6, 4, 'cpu']]", "[[4611686018427387904, 4]]", types),
                HasSubstr("more than 281474976710656"));
    EXPECT_THAT(problem("[[1, 7, 0, 6, 4, 'cpu']]", "[]", types), HasSubstr("1 inputs with 0 shapes and 1 types"));
    EXPECT_THAT(problem("7", "[[]]", types), HasSubstr("expected a list"));
    EXPECT_THAT(problem("[nonsense]", "[[]]", types), HasSubstr("byte 1 of the text: expected a number"));
    EXPECT_THAT(problem(std::string(100'000, '['), "[[]]", types), HasSubstr("more than 64 deep"));
}

TEST(ChakraReader, ReadsOrRefusesDamagedTraces) {
    const std::string sound = metadata + text({2, "aten::conv2d"}) + text({3, "aten::convolution", 2}) +
                              text({4, "aten::mm"}) + text({5, "aten::mul(0)"});
    std::mt19937_64 random(1);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        refused += test::read_recording_text(open_chakra, test::damaged(sound, random)).problem.empty() ? 0 : 1;
    }
    EXPECT_GT(refused, 2500);
}

TEST(PythonLiteral, ReadsWhatReprWrites) {
    const CallPlace place{"file", "node 1", "op"};
    const auto read_text = [&](const std::string& text) { return read_python_literal(text, place).value; };
    EXPECT_EQ(std::get<std::int64_t>(read_text(" -9223372036854775808 ")), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(std::get<double>(read_text("9223372036854775808")), 0x1p63);
    EXPECT_EQ(std::get<double>(read_text("-2.5e-3")), -0.0025);
    EXPECT_EQ(std::get<double>(read_text("-inf")), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(std::get<std::string>(read_text(R"("it's")")), "it's");
    EXPECT_EQ(std::get<std::string>(read_text(R"('\'\\\"\n')")), R"('\"\n)");
    EXPECT_EQ(read_text("None").index(), 0U);
    EXPECT_EQ(std::get<RecordedValue::List>(read_text("(1,)")).size(), 1U);
    EXPECT_EQ(std::get<RecordedValue::List>(read_text("[[], (), [True]]")).size(), 3U);
    for (const char* wrong :
         {"", "[", "[1", "[1 2]", "[,]", "'a", "true", "null", "1x", "1]", "--1", "infinity", "[)", "{}"}) {
        EXPECT_THROW(read_text(wrong), InputError) << wrong;
    }
}

/// ResNet-50, batch 32, one step, by an older converter: 53 convolutions and their gradients, a linear layer.
TEST(RealChakra, OfResnet50HasEveryConvolutionOnce) {
    const std::filesystem::path path = test::shared_data("chakra/feeder_tests_trace.tar.gz");
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << path << " is absent";
    }
    const Recording recording = test::read_recording(open_chakra, path);
    ASSERT_THAT(recording.problem, IsEmpty());
    EXPECT_EQ(recording.description, "Chakra execution trace, PyTorch schema 1.0.1");
    std::map<std::string, int> calls;
    std::uint64_t macs = 0;
    for (const RecordedCall& call : recording.calls) {
        ++calls[call.op + (call.backward ? " backward" : "") + (call.optimizer ? " optimizer" : "")];
        EXPECT_EQ(call.iteration, 0U);
        if (call.op == "aten::conv2d") {
            std::uint64_t product = 1;
            for (const std::uint64_t size : call.outputs.at(0).shape) {
                product *= size;
            }
            const std::vector<std::uint64_t>& filter = call.inputs.at(1).tensor()->shape;
            macs += product * filter.at(1) * filter.at(2) * filter.at(3);
        }
    }
    EXPECT_EQ(calls["aten::conv2d"], 53);
    EXPECT_EQ(calls["aten::convolution_backward backward"], 53);
    EXPECT_EQ(calls["aten::batch_norm"], 53);
    EXPECT_EQ(calls["aten::threshold_backward backward"], 49);
    EXPECT_EQ(calls["aten::linear"], 1);
    EXPECT_EQ(calls["aten::mm backward"], 2);
    EXPECT_EQ(calls["aten::_foreach_add_ optimizer"], 2);
    // ResNet-50 without its linear layer (2048 x 1000): 4,089,184,256 - 2,048,000 an image.
    EXPECT_EQ(macs, std::uint64_t{32} * (4'089'184'256U - 2'048'000U));
}

}  // namespace
}  // namespace nibble
