// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/torch_dump_reader.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string header = R"({"nibblesim_torch":1,"torch":"1.13.1","name":"net"})"
                           "\n";

std::string tensor(int storage, const std::string& shape, const std::string& strides, const std::string& more = "") {
    return R"({"storage":)" + std::to_string(storage) + R"(,"offset":0,"shape":)" + shape + R"(,"strides":)" + strides +
           R"(,"dtype":"float32")" + more + "}";
}

std::string call(int number, const std::string& op, const std::string& phase, const std::string& in,
                 const std::string& out, int step = 0) {
    return R"({"call":)" + std::to_string(number) + R"(,"op":")" + op + R"(","overload":"default","phase":")" + phase +
           R"(","step":)" + std::to_string(step) + R"(,"module":"fc","in":[)" + in + R"(],"out":[)" + out + "]}\n";
}

std::string end(int calls, int steps, int storages, int recomputed = 0, int left_out = 0) {
    return R"({"end":{"calls":)" + std::to_string(calls) + R"(,"steps":)" + std::to_string(steps) + R"(,"storages":)" +
           std::to_string(storages) + R"(,"recomputed":)" + std::to_string(recomputed) + R"(,"values_left_out":)" +
           std::to_string(left_out) + "}}\n";
}

/// A linear layer, 2 samples, 3 inputs, 4 outputs: y = x W^T, dx = dy W.
const std::string x = tensor(1, "[2,3]", "[3,1]");
const std::string weight_transposed = tensor(2, "[3,4]", "[1,3]", R"(,"name":"fc.weight","values":"net.values/0.npy")");
const std::string y = tensor(3, "[2,4]", "[4,1]");
const std::string dy = tensor(4, "[2,4]", "[4,1]");
const std::string weight = tensor(2, "[4,3]", "[3,1]", R"(,"name":"fc.weight")");
const std::string dx = tensor(5, "[2,3]", "[3,1]");
const std::string linear = header + call(0, "aten::mm", "forward", x + "," + weight_transposed, y) +
                           call(1, "aten::mm", "backward", dy + "," + weight, dx) + end(2, 1, 5);

/// The calls of a dump, or what the user would see.
struct Outcome {
    std::vector<RecordedCall> calls;
    std::string description, network, problems;
    std::vector<std::string> notes;
};

Outcome read(const std::string& text) {
    const test::TraceFile file(text);
    Outcome outcome;
    try {
        TorchDumpReader reader(ByteSource(file.path(), [](std::string_view) { return true; }));
        outcome.description = reader.description();
        outcome.network = reader.network();
        while (const RecordedCall* one = reader.next()) {
            outcome.calls.push_back(*one);
        }
        outcome.notes = reader.notes();
    } catch (const InputError& error) {
        outcome.problems = error.what();
        if (const std::size_t at = outcome.problems.find(file.path()); at != std::string::npos) {
            outcome.problems.replace(at, file.path().size(), "DUMP");
        }
    }
    return outcome;
}

std::string problem_of_argument(const std::string& argument) {
    return read(header + call(0, "aten::mm", "forward", argument, "") + end(1, 1, 1)).problems;
}

TEST(TorchDump, HandsOutCallsAsTheyWereRecorded) {
    const Outcome outcome = read(linear);
    ASSERT_EQ(outcome.problems, "");
    EXPECT_THAT(outcome.description, HasSubstr("PyTorch 1.13.1"));
    EXPECT_EQ(outcome.network, "net");
    ASSERT_EQ(outcome.calls.size(), 2U);
    const RecordedCall& forward = outcome.calls[0];
    EXPECT_EQ(forward.op, "aten::mm");
    EXPECT_EQ(forward.layer, "fc");
    EXPECT_EQ(forward.where, "line 2");
    EXPECT_FALSE(forward.backward || forward.optimizer);
    ASSERT_EQ(forward.inputs.size(), 2U);
    const RecordedTensor* operand = forward.inputs[1].tensor();
    ASSERT_NE(operand, nullptr);
    EXPECT_EQ(operand->storage, 2U);
    EXPECT_THAT(operand->shape, ElementsAre(3, 4));
    EXPECT_THAT(operand->strides, ElementsAre(1, 3));
    EXPECT_EQ(operand->kind, ElementKind::floating);
    EXPECT_EQ(operand->bits, 32U);
    EXPECT_EQ(operand->name, "fc.weight");
    EXPECT_EQ(operand->values, "net.values/0.npy");
    ASSERT_EQ(forward.outputs.size(), 1U);
    EXPECT_EQ(forward.outputs[0].storage, 3U);
    EXPECT_TRUE(outcome.calls[1].backward);
    EXPECT_THAT(outcome.notes, IsEmpty());
}

TEST(TorchDump, ArgumentsKeepTheirTypes) {
    const std::string arguments = R"(null,true,-7,0.5,"tanh","inf","-inf","nan",[1,[)" + x + "]]";
    const Outcome sound = read(header + call(0, "aten::add", "optimizer", arguments, "null," + x) + end(1, 1, 1));
    ASSERT_EQ(sound.problems, "");
    const RecordedCall& only = sound.calls.at(0);
    EXPECT_TRUE(only.optimizer);
    ASSERT_EQ(only.inputs.size(), 9U);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(only.inputs[0].value));
    EXPECT_TRUE(std::get<bool>(only.inputs[1].value));
    EXPECT_EQ(std::get<std::int64_t>(only.inputs[2].value), -7);
    EXPECT_EQ(std::get<double>(only.inputs[3].value), 0.5);
    EXPECT_EQ(std::get<std::string>(only.inputs[4].value), "tanh");
    EXPECT_EQ(std::get<double>(only.inputs[5].value), std::numeric_limits<double>::infinity());
    EXPECT_EQ(std::get<double>(only.inputs[6].value), -std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(std::get<double>(only.inputs[7].value)));
    ASSERT_NE(only.inputs[8].list(), nullptr);
    EXPECT_NE(only.inputs[8].list()->at(1).list()->at(0).tensor(), nullptr);
    ASSERT_EQ(only.outputs.size(), 2U);
    EXPECT_EQ(only.outputs[0].bits, 0U);  // a result that was not asked for
    EXPECT_EQ(only.outputs[1].bits, 32U);
}

TEST(TorchDump, ElementTypesFollowFromTheirNames) {
    struct Expected {
        std::string name;
        ElementKind kind;
        std::uint32_t bits;
    };
    const std::vector<Expected> all{
        {"bfloat16", ElementKind::floating, 16}, {"float8_e4m3fn", ElementKind::floating, 8},
        {"int64", ElementKind::integer, 64},     {"uint8", ElementKind::integer, 8},
        {"quint8", ElementKind::integer, 8},     {"bool", ElementKind::boolean, 8},
        {"complex64", ElementKind::other, 64}};
    for (const Expected& one : all) {
        std::string argument = x;
        argument.replace(argument.find("float32"), 7, one.name);
        const Outcome outcome = read(header + call(0, "aten::relu", "forward", argument, "") + end(1, 1, 1));
        ASSERT_EQ(outcome.problems, "") << one.name;
        EXPECT_EQ(outcome.calls.at(0).inputs.at(0).tensor()->kind, one.kind) << one.name;
        EXPECT_EQ(outcome.calls.at(0).inputs.at(0).tensor()->bits, one.bits) << one.name;
    }
    for (const std::string name : {"float", "float0", "float129", "float32x", "bool8", "tensor", ""}) {
        std::string argument = x;
        argument.replace(argument.find("float32"), 7, name);
        EXPECT_THAT(problem_of_argument(argument), HasSubstr("in[0].dtype: expected a type of PyTorch's")) << name;
    }
}

TEST(TorchDump, CallsThatMoveNothingAreLeftOut) {
    const Outcome outcome =
        read(header + call(0, "aten::t", "forward", x, x) + call(1, "aten::mm", "forward", x, x) + end(2, 1, 1));
    ASSERT_EQ(outcome.problems, "");
    ASSERT_EQ(outcome.calls.size(), 1U);
    EXPECT_EQ(outcome.calls[0].op, "aten::mm");
}

TEST(TorchDump, TrainingStepsAreNumbered) {
    const Outcome outcome = read(header + call(0, "aten::mm", "forward", x, "", 0) +
                                 call(1, "aten::mm", "forward", x, "", 1) + end(2, 2, 1));
    ASSERT_EQ(outcome.problems, "");
    EXPECT_EQ(outcome.calls[0].iteration, 0U);
    EXPECT_EQ(outcome.calls[1].iteration, 1U);
    EXPECT_THAT(read(header + call(0, "aten::mm", "forward", x, "", 1)).problems,
                HasSubstr("DUMP:2: step: training steps are numbered in order: expected 0, found 1"));
}

TEST(TorchDump, NotesSayWhatIsUnusual) {
    const Outcome outcome = read(header + call(0, "aten::mm", "backward", x, "") + end(1, 1, 1, 7, 3));
    EXPECT_THAT(outcome.notes, ElementsAre(HasSubstr("7 calls repeat"), HasSubstr("3 operands were not saved")));
}

TEST(TorchDump, MayBeCutAnywhereAndIsNoticed) {
    for (std::size_t length = 0; length + 1 < linear.size(); ++length) {  // the last line feed may be missing
        const Outcome outcome = read(linear.substr(0, length));
        EXPECT_NE(outcome.problems, "") << length;
    }
    EXPECT_THAT(read(linear.substr(0, linear.find(R"({"end")"))).problems,
                HasSubstr("DUMP:3: the dump is cut short: 2 calls, but no last line"));
    EXPECT_EQ(read(linear.substr(0, linear.size() - 1)).problems, "");
}

TEST(TorchDump, ProblemsNameLineAndPlace) {
    EXPECT_EQ(read("[]\n").problems, "DUMP:1: expected an object, found a list");
    EXPECT_THAT(read(R"({"nibblesim_torch":2,"torch":"3","name":"n"})").problems, HasSubstr("expected version 1"));
    EXPECT_THAT(read(header + "\n").problems, HasSubstr("DUMP:2: expected one JSON object"));
    EXPECT_THAT(read(header + "{\"end\":\x80}\n").problems, HasSubstr("DUMP:2:8: expected text in UTF-8"));
    EXPECT_THAT(read(linear + "{}\n").problems, HasSubstr("DUMP:5: nothing may follow"));
    EXPECT_THAT(read(header + end(1, 0, 0)).problems, HasSubstr("DUMP:2: end.calls: expected 0, as many as"));
    EXPECT_THAT(read(header + call(1, "aten::mm", "forward", "", "")).problems, HasSubstr("call: calls are numbered"));
    EXPECT_THAT(read(header + call(0, "mm", "forward", "", "")).problems, HasSubstr("op: expected an operator"));
    EXPECT_THAT(
        read(header + call(0, "aten::mm", "backwards", "", "")).problems,
        HasSubstr("phase: expected forward, backward or optimizer, found 'backwards' (did you mean 'backward'?)"));
    std::string misspelt = linear;
    misspelt.replace(misspelt.find("phase"), 5, "phaes");
    EXPECT_THAT(read(misspelt).problems, HasSubstr("unknown key 'phaes' (did you mean 'phase'?)"));
    std::string twice = linear;
    twice.insert(twice.find(R"("op")"), R"("op":"aten::mm",)");
    EXPECT_THAT(read(twice).problems, HasSubstr("duplicate key 'op'"));
}

TEST(TorchDump, ProblemsOfTensorsNameThePlaceInTheLine) {
    EXPECT_THAT(problem_of_argument(tensor(2, "[2]", "[1]")),
                HasSubstr("DUMP:2: in[0].storage: storages are numbered in the order in which they occur"));
    EXPECT_THAT(problem_of_argument(tensor(1, "[-2]", "[1]")), HasSubstr("in[0].shape[0]: expected a whole number"));
    EXPECT_THAT(problem_of_argument(tensor(1, "[4611686018427387904]", "[1]")), HasSubstr("in[0].shape[0]"));
    // 2^30 x 2^30 elements
    EXPECT_THAT(problem_of_argument(tensor(1, "[1073741824,1073741824]", "[0,0]")),
                HasSubstr("in[0].shape: more than 2^48 elements"));
    EXPECT_THAT(problem_of_argument(tensor(1, "[2,3]", "[1]")), HasSubstr("in[0].strides: expected 2 numbers"));
    // elements 2^48 apart
    EXPECT_THAT(problem_of_argument(tensor(1, "[3]", "[281474976710656]")),
                HasSubstr("in[0]: lies more than 2^48 elements"));
    EXPECT_THAT(problem_of_argument(tensor(1, "[2]", "[1]", R"(,"values":"../secret.npy")")),
                HasSubstr("in[0].values: expected a file below"));
    EXPECT_THAT(problem_of_argument(tensor(1, "[2]", "[1]", R"(,"values":"/etc/secret.npy")")),
                HasSubstr("in[0].values: expected a file below"));
    EXPECT_THAT(problem_of_argument(std::string(200, '[') + std::string(200, ']')), HasSubstr("lists lie more than 8"));
    EXPECT_THAT(problem_of_argument("18446744073709551615"), HasSubstr("in[0]: expected a number of 64 bits"));
}

TEST(TorchDump, EmptyAndScalarTensorsAreSound) {
    const std::string arguments =
        tensor(1, "[]", "[]") + "," + tensor(2, "[0,5]", "[5,1]") + "," + tensor(0, "[2]", "null");
    const Outcome outcome = read(header + call(0, "aten::add", "forward", arguments, "") + end(1, 1, 2));
    ASSERT_EQ(outcome.problems, "");
    EXPECT_THAT(outcome.calls.at(0).inputs.at(0).tensor()->shape, IsEmpty());
    EXPECT_THAT(outcome.calls.at(0).inputs.at(1).tensor()->shape, ElementsAre(0, 5));
    EXPECT_EQ(outcome.calls.at(0).inputs.at(2).tensor()->storage, 0U);
}

TEST(TorchDump, LinesHaveALimit) {
    EXPECT_THAT(read(header + std::string(TorchDumpReader::longest_line + 1, ' ')).problems,
                HasSubstr("DUMP:2: the line is longer than 1024 KiB"));
    // A line of the greatest length is read, wherever it lies in the blocks that the file is read in.
    std::string text = header;
    for (int i = 0; i < 3; ++i) {
        std::string line = call(i, "aten::mm", "forward", "", "");
        line.insert(line.size() - 2, std::string(TorchDumpReader::longest_line + 1 - line.size(), ' '));
        text += line;
    }
    const Outcome outcome = read(text + end(3, 1, 0));
    EXPECT_EQ(outcome.problems, "");
    EXPECT_EQ(outcome.calls.size(), 3U);
}

/// Whatever is wrong, the answer is an InputError or sound calls, never anything else.
TEST(TorchDump, DamagedIsReadOrRefused) {
    static const std::string interesting = "{}[]\",:0123456789-eE.\n\\ ~x\x80\xff";
    std::mt19937_64 random(1);
    const auto below = [&random](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
    int refused = 0;
    for (int i = 0; i < 1500; ++i) {
        std::string text = linear;
        const std::size_t at = below(text.size());
        switch (below(3)) {
            case 0:
                text[at] = interesting[below(interesting.size())];
                break;
            case 1:
                text.erase(at, 1 + below(40));
                break;
            default:
                text.insert(below(text.size()), text.substr(at, 1 + below(40)));
                break;
        }
        const Outcome outcome = read(text);
        refused += outcome.problems.empty() ? 0 : 1;
        for (const RecordedCall& one : outcome.calls) {
            EXPECT_NE(one.op.find("::"), std::string::npos);
        }
    }
    EXPECT_GT(refused, 750);  // most damage shows; a changed name or size may not
}

TEST(TorchDump, OfRandomBytesIsRefused) {
    std::mt19937_64 random(2);
    for (int i = 0; i < 200; ++i) {
        std::string text(1 + random() % 300, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        EXPECT_NE(read(text).problems, "");
    }
}

}  // namespace
}  // namespace nibble
