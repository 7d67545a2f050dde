// SPDX-License-Identifier: MIT
#include "sim/input/trace_reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string header = "{\"nibblesim_trace\":1,\"name\":\"net\",\"batch\":2}\n";
// Tensors 0 to 3, on lines 2 to 5.
const std::string tensors =
    "{\"tensor\":0,\"name\":\"x\",\"role\":\"activation\",\"shape\":[2,3,8,8]}\n"
    "{\"tensor\":1,\"role\":\"weight\",\"shape\":[4,3,3,3]}\n"
    "{\"tensor\":2,\"role\":\"activation\",\"shape\":[2,4,8,8]}\n"
    "{\"tensor\":3,\"role\":\"mask\",\"shape\":[2,4,8,8],\"bits\":1}\n";
const std::string conv_start = "{\"op\":\"conv\",\"phase\":\"forward\",\"layer\":\"a\",";
const std::string conv_shape = "\"n\":2,\"c\":3,\"h\":8,\"w\":8,\"k\":4,\"r\":3,\"s\":3,";
const std::string operands = "\"in\":[0,1],\"out\":[2]}\n";

/// The items of a trace, or the problems that the user would see.
struct Outcome {
    std::vector<TraceItem> items;
    std::string problems;
};

Outcome read(const std::string& text) {
    Outcome outcome;
    std::istringstream stream(text);
    try {
        TraceReader reader(stream, "t.jsonl");
        while (std::optional<TraceItem> item = reader.next()) {
            outcome.items.push_back(std::move(*item));
        }
    } catch (const InputError& error) {
        outcome.problems = error.what();
    }
    return outcome;
}

/// Line 6 of a trace that is sound otherwise is `line`. Its '^', which is taken out, marks the place where `what` must
/// be found to be wrong.
void expect_problem(std::string line, const std::string& what) {
    const std::size_t caret = line.find('^');
    line.erase(caret, 1);
    const bool operation = line.find("\"op\"") != std::string::npos;
    const std::string declared = line.starts_with("{\"tensor\":4") ? "5" : "4";
    const Outcome outcome = read(header + tensors + line + "{\"end\":{\"tensors\":" + declared +
                                 ",\"operations\":" + (operation ? "1" : "0") + "}}\n");
    EXPECT_EQ(outcome.problems, "t.jsonl:6:" + std::to_string(caret + 1) + ": " + what) << line;
}

std::string conv(const std::string& shape, const std::string& rest = operands) {
    return conv_start + shape + rest;
}

std::string matmul(const std::string& shape) {
    return "{\"op\":\"matmul\",\"phase\":\"dw\",\"layer\":\"a\"," + shape + operands;
}

std::string vector(const std::string& work) {
    return "{\"op\":\"vector\",\"phase\":\"vector\",\"layer\":\"a\"," + work + "\"in\":[0],\"out\":[2,3]}\n";
}

TEST(TraceReader, ReadsEveryKindOfLine) {
    const Outcome outcome = read(
        header + tensors + conv_start + "\"group\":\"g\",\"position\":\"first\"," + conv_shape +
        "\"stride\":[2,1],\"pad\":[1,2,3,4],\"dilation\":[1,2],\"groups\":1,\"transposed\":true," +
        "\"epilogue\":[\"bias\",\"relu\"]," + "\"in\":[0,1,3],\"out\":[2,3]}\n" +
        "{\"op\":\"matmul\",\"phase\":\"dw\",\"layer\":\"b\",\"batch\":5,\"m\":6,\"n\":7,\"k\":8,\"left\":\"km\"," +
        "\"right\":\"nk\",\"in\":[0,1],\"out\":[2]}\n" +
        "{\"op\":\"vector\",\"phase\":\"vector\",\"layer\":\"c\",\"steps\":[\"batch_norm\",[\"max_pool\",9]]," +
        "\"elements\":512,\"in\":[0],\"out\":[2,3]}\n" + "{\"end\":{\"tensors\":4,\"operations\":3}}\n");
    ASSERT_EQ(outcome.problems, "");
    ASSERT_EQ(outcome.items.size(), 7u);
    const auto& image = std::get<Tensor>(outcome.items[0]);
    EXPECT_EQ(image.name, "x");
    EXPECT_EQ(image.elements, 2u * 3 * 8 * 8);
    const auto& mask = std::get<Tensor>(outcome.items[3]);
    EXPECT_EQ(mask.role, TensorRole::mask);
    EXPECT_EQ(mask.bits, 1u);

    const auto& conv = std::get<Operation>(outcome.items[4]);
    EXPECT_EQ(conv.line, 6u);
    EXPECT_EQ(conv.group, "g");
    EXPECT_EQ(conv.position, Position::first);
    Convolution expected;
    expected.n = 2;
    expected.c = 3;
    expected.h = expected.w = 8;
    expected.k = 4;
    expected.r = expected.s = 3;
    expected.stride_h = 2;
    expected.pad_top = 1;
    expected.pad_bottom = 2;
    expected.pad_left = 3;
    expected.pad_right = 4;
    expected.dilation_w = 2;
    expected.transposed = true;
    EXPECT_EQ(std::get<Convolution>(conv.work), expected);
    EXPECT_EQ(conv.epilogue[1].function, "relu");
    EXPECT_THAT(conv.inputs, ElementsAre(0u, 1u, 3u));
    EXPECT_THAT(conv.outputs, ElementsAre(2u, 3u));

    const auto& matmul = std::get<Operation>(outcome.items[5]);
    EXPECT_EQ(matmul.phase, Phase::dw);
    EXPECT_EQ(matmul.position, Position::middle);
    EXPECT_EQ(std::get<Matmul>(matmul.work), (Matmul{5, 6, 7, 8, true, true}));

    const auto& vector = std::get<VectorWork>(std::get<Operation>(outcome.items[6]).work);
    EXPECT_EQ(vector.elements, 512u);
    ASSERT_EQ(vector.steps.size(), 2u);
    EXPECT_EQ(vector.steps[0].repeat, 1u);
    EXPECT_EQ(vector.steps[1].function, "max_pool");
    EXPECT_EQ(vector.steps[1].repeat, 9u);
}

TEST(TraceReader, ReadsTheWidthsOfOperands) {
    const Outcome outcome = read(header + tensors + conv(conv_shape + "\"operand_bits\":[1,8,32],") +
                                 matmul("\"m\":1,\"n\":1,\"k\":1,\"operand_bits\":[4,4,16],") + conv(conv_shape) +
                                 "{\"end\":{\"tensors\":4,\"operations\":3}}\n");
    ASSERT_EQ(outcome.problems, "");
    const auto bits = [&](std::size_t item) { return std::get<Operation>(outcome.items.at(item)).operand_bits; };
    EXPECT_EQ(bits(4), (OperandBits{1, 8, 32}));
    EXPECT_EQ(bits(5), (OperandBits{4, 4, 16}));
    EXPECT_EQ(bits(6), std::nullopt);
}

TEST(TraceReader, RefusesWrongWidthsOfOperands) {
    const auto with = [](const std::string& bits) { return conv(conv_shape + "\"operand_bits\":" + bits + ","); };
    expect_problem(with("^[8,8]"), "operand_bits: expected 3 numbers, found 2");
    expect_problem(with("[8,^0,8]"), "operand_bits: expected a whole number from 1 to 32, found 0");
    expect_problem(with("[8,8,^33]"), "operand_bits: expected a whole number from 1 to 32, found 33");
    expect_problem(with("^8"), "operand_bits: expected a list of whole numbers, found 8");
    expect_problem(vector("\"steps\":[\"relu\"],\"elements\":1,\"operand_bits\":^[8,8,8],"),
                   "operand_bits: not a key of a vector operation");
}

TEST(TraceReader, GivesTheHeader) {
    std::istringstream stream(header);
    const TraceReader reader(stream, "t.jsonl");
    EXPECT_EQ(reader.header().name, "net");
    EXPECT_EQ(reader.header().batch, 2u);
}

TEST(TraceReader, AcceptsCrlfEscapesAndAMissingLastNewline) {
    const Outcome outcome = read(
        "{\"nibblesim_trace\":1,\"name\":\"n\",\"batch\":1}\r\n"
        "{ \"tensor\" : 0, \"name\" : \"a \\\"b\\\" \\u00b5\", \"role\":\"index\",\"shape\":[1]}\r\n"
        "{\"end\":{\"tensors\":1,\"operations\":0}}");
    EXPECT_EQ(outcome.problems, "");
    ASSERT_EQ(outcome.items.size(), 1u);
    EXPECT_EQ(std::get<Tensor>(outcome.items[0]).name, "a \"b\" µ");
}

TEST(TraceReader, RefusesWhatIsNoTrace) {
    const std::string expected =
        "t.jsonl:1:1: expected a trace, whose first line begins with {\"nibblesim_trace\":1, found ";
    EXPECT_EQ(read("").problems, "t.jsonl: the file is empty");
    EXPECT_EQ(read("hello\n").problems, expected + "'hello'");
    EXPECT_EQ(read("\n").problems, expected + "an empty line");
    EXPECT_EQ(
        read(std::string(3 * 1024 * 1024, '\0')).problems, expected + "'" + [] {
            std::string zeros;
            for (int i = 0; i < 20; ++i) {
                zeros += "\\x00";
            }
            return zeros;
        }() + "...'");
    EXPECT_EQ(read("{\"tensor\":0,\"role\":\"index\",\"shape\":[1]}\n").problems,
              "t.jsonl:1:1: missing key 'nibblesim_trace' of the first line\n"
              "t.jsonl:1:1: missing key 'name' of the first line\n"
              "t.jsonl:1:1: missing key 'batch' of the first line\n"
              "t.jsonl:1:11: tensor: not a key of the first line\n"
              "t.jsonl:1:20: role: not a key of the first line\n"
              "t.jsonl:1:36: shape: not a key of the first line");
    EXPECT_EQ(read("{\"nibblesim_trace\":2,\"name\":\"n\",\"batch\":1}\n").problems,
              "t.jsonl:1:20: nibblesim_trace: this program reads version 1 of the format, found version 2");
    EXPECT_EQ(read("{\"nibblesim_trace\":1,\"name\":\"n\",\"batch\":0}\n").problems,
              "t.jsonl:1:41: batch: expected a whole number from 1 to 4294967296, found 0");
}

TEST(TraceReader, NoticesATraceCutShort) {
    EXPECT_EQ(read(header + tensors).problems,
              "t.jsonl:5: the trace is cut short: 4 tensors and 0 operations, but no last line {\"end\":...}");
    EXPECT_THAT(read(header + tensors + conv_start).problems, HasSubstr("t.jsonl:6:"));  // in the middle of a line
    EXPECT_EQ(read(header + "{\"end\":{\"tensors\":0,\"operations\":0}}\n" + tensors).problems,
              "t.jsonl:3:1: nothing may follow the line with 'end'");
    EXPECT_EQ(read(header + "{\"end\":{\"tensors\":1,\"operations\":2}}\n").problems,
              "t.jsonl:2:19: tensors: expected 0, as many as the trace holds, found 1\n"
              "t.jsonl:2:34: operations: expected 0, as many as the trace holds, found 2");
    EXPECT_EQ(read(header + "{\"end\":{\"tensors\":0}}\n").problems,
              "t.jsonl:2:1: missing key 'operations' of the last line");
    EXPECT_EQ(read(header + "{\"end\":{\"tensors\":0,\"operations\":0,\"bytes\":1}}\n").problems,
              "t.jsonl:2:36: unknown key 'bytes'");
    EXPECT_EQ(read(header + "{\"end\":3}\n").problems,
              "t.jsonl:2:8: end: expected {\"tensors\":...,\"operations\":...}, found 3");
}

TEST(TraceReader, RefusesLinesThatAreNoJson) {
    const auto problem = [](const std::string& line) { return read(header + tensors + line).problems; };
    EXPECT_THAT(problem("{\"op\":\"conv\" \"n\":1}\n"), HasSubstr("t.jsonl:6:14: expected one JSON object: "));
    EXPECT_THAT(problem("[1,2]\n"), HasSubstr("t.jsonl:6:1: expected one JSON object: "));
    EXPECT_THAT(problem("{\"op\":\"conv\"} {}\n"), HasSubstr("t.jsonl:6:15: expected one JSON object: "));
    EXPECT_THAT(problem("{\"op\":\"co\n"), HasSubstr("t.jsonl:6:1: expected one JSON object: "));
    EXPECT_EQ(problem("\n"), "t.jsonl:6:1: expected a JSON object, found an empty line");
    EXPECT_EQ(problem("{\"op\":\"\xff\"}\n"), "t.jsonl:6:8: expected text in UTF-8, found byte 0xff");
    EXPECT_EQ(problem("{\"op\":\"" + std::string(1024 * 1024, 'a') + "\"}\n"),
              "t.jsonl:6: the line is longer than 1024 KiB");
    expect_problem("^{}\n", "expected a line with one of the keys 'tensor', 'op' and 'end'");
    expect_problem("{\"nibblesim_trace\":^1,\"name\":\"n\",\"batch\":1}\n",
                   "nibblesim_trace: belongs on the first line only");
}

TEST(TraceReader, RefusesUnknownDuplicateMisplacedAndMissingKeys) {
    expect_problem(conv(conv_shape + "^\"sride\":[2,2],"), "unknown key 'sride' (did you mean 'stride'?)");
    // 43 characters come before the first "n":, which has 4 itself.
    expect_problem(conv(conv_shape + "^\"n\":2,"), "duplicate key 'n', first given in column 48");
    expect_problem(conv(conv_shape + "\"m\":^2,"), "m: not a key of a convolution");
    expect_problem("^" + conv("\"n\":2,\"c\":3,\"h\":8,\"w\":8,\"k\":4,\"s\":3,"), "missing key 'r' of a convolution");
    expect_problem("^" + vector("\"steps\":[\"relu\"],"), "missing key 'elements' of a vector operation");
    expect_problem("^" + matmul("\"n\":2,\"k\":3,"), "missing key 'm' of a matrix product");
    expect_problem(vector("\"steps\":[\"relu\"],\"elements\":1,\"epilogue\":^[\"relu\"],"),
                   "epilogue: not a key of a vector operation");
}

TEST(TraceReader, RefusesWrongTypes) {
    for (const std::string found : {"\"a\"", "-3", "1.5", "null", "99999999999999999999", "true"}) {
        expect_problem(matmul("\"m\":^" + found + ",\"n\":1,\"k\":1,"), "m: expected a whole number, found " + found);
    }
    expect_problem(matmul("\"m\":^[1],\"n\":1,\"k\":1,"), "m: expected a whole number, found a list");
    expect_problem(matmul("\"m\":^{\"a\":1},\"n\":1,\"k\":1,"), "m: expected a whole number, found an object");
    expect_problem(matmul("\"m\":1,\"n\":1,\"k\":1,\"left\":^7,"), "left: expected text in quotes, found 7");
    expect_problem(conv(conv_shape + "\"transposed\":^1,"), "transposed: expected true or false, found 1");
    expect_problem(conv(conv_shape + "\"transposed\":^\"yes\","), "transposed: expected true or false, found \"yes\"");
    expect_problem(conv(conv_shape + "\"pad\":^1,"), "pad: expected a list of whole numbers, found 1");
    expect_problem(conv(conv_shape + "\"pad\":[1,1,^\"x\",1],"), "pad: expected a whole number, found \"x\"");
    expect_problem(vector("\"steps\":^\"relu\",\"elements\":1,"), "steps: expected a list of steps, found \"relu\"");
    const std::string form = "steps: expected a step, \"function\" or [\"function\",repeat], found ";
    expect_problem(vector("\"steps\":[^3],\"elements\":1,"), form + "3");
    expect_problem(vector("\"steps\":[[\"max_pool\",^\"x\"]],\"elements\":1,"), form + "\"x\"");
    expect_problem(vector("\"steps\":[^[\"max_pool\"]],\"elements\":1,"), form + "a list");
    expect_problem(vector("\"steps\":[[\"max_pool\",9,^9]],\"elements\":1,"), form + "9");
}

const std::string quantized_start =
    "{\"tensor\":4,\"role\":\"activation\",\"shape\":[2],\"values\":\"a.npy\",\"quantized\":";

TEST(TraceReader, ReadsHowValuesWereQuantised) {
    const auto given = [](const std::string& quantized) {
        const Outcome outcome = read(header + quantized_start.substr(0, 10) + "0" + quantized_start.substr(11) +
                                     quantized + "}\n{\"end\":{\"tensors\":1,\"operations\":0}}\n");
        EXPECT_EQ(outcome.problems, "");
        return *std::get<Tensor>(outcome.items.at(0)).quantized;
    };
    EXPECT_EQ(given("{\"clip\":1.25}"), (GivenRange{.clip = 1.25}));
    EXPECT_EQ(given("{\"signed\":false,\"clip\":2e-3}"), (GivenRange{.clip = 2e-3, .has_sign = false}));
    EXPECT_EQ(given("{\"fp4_scale_log2\":17,\"fp8_scale_log2\":-3}"),
              (GivenRange{.fp4_scale_log2 = 17, .fp8_scale_log2 = -3}));
}

TEST(TraceReader, RefusesWrongQuantisation) {
    const auto refused = [](const std::string& quantized, const std::string& what) {
        expect_problem(quantized_start + quantized + "}\n", what);
    };
    refused("{\"clip\":^0}", "clip: expected a number above 0 in the range of binary32, found 0");
    refused("{\"clip\":^-1.5}", "clip: expected a number above 0 in the range of binary32, found -1.5");
    refused("{\"clip\":^1e39}", "clip: expected a number above 0 in the range of binary32, found 1e+39");
    refused("{\"clip\":^\"NaN\"}", "clip: expected a number, found \"NaN\"");
    refused("{\"fp4_scale_log2\":^1.5}", "fp4_scale_log2: expected a whole number from -300 to 300, found 1.5");
    refused("{\"fp8_scale_log2\":^301}", "fp8_scale_log2: expected a whole number from -300 to 300, found 301");
    refused("^{}", "quantized: expected a clip, an fp4_scale_log2 or an fp8_scale_log2");
    refused("^3", "quantized: expected an object such as {\"clip\":1.25}, found 3");
    refused("{\"clip\":1,\"signed\":^1}", "signed: expected true or false, found 1");
    refused("{\"fp4_scale_log2\":1,\"signed\":^true}", "signed: is said of a clip, and there is none");
    expect_problem("{\"tensor\":4,\"role\":\"weight\",\"shape\":[2],\"quantized\":^{\"clip\":1}}\n",
                   "quantized: says how values were quantised, but the tensor names none");
    expect_problem("{\"tensor\":4,\"role\":\"weight\",\"shape\":[2],^\"clip\":1}\n",
                   "key 'clip' belongs inside 'quantized'");
}

TEST(TraceReader, RefusesUnknownWords) {
    expect_problem("{\"op\":^\"conf\",\"phase\":\"forward\"}\n",
                   "op: expected one of conv, matmul, vector, found 'conf' (did you mean 'conv'?)");
    expect_problem(
        "{\"op\":\"conv\",\"phase\":^\"forwards\",\"layer\":\"a\"," + conv_shape + operands,
        "phase: expected one of forward, dx, dw, vector, update, found 'forwards' (did you mean 'forward'?)");
    expect_problem(conv("\"position\":^\"start\"," + conv_shape),
                   "position: expected one of first, middle, last, found 'start'");
    expect_problem(matmul("\"m\":1,\"n\":1,\"k\":1,\"left\":^\"x\","), "left: expected one of mk, km, found 'x'");
    expect_problem(matmul("\"m\":1,\"n\":1,\"k\":1,\"right\":^\"x\","), "right: expected one of kn, nk, found 'x'");
    expect_problem(vector("\"steps\":[\"relu\",^\"soft_max\"],\"elements\":1,"),
                   "steps: unknown function 'soft_max' (did you mean 'softmax'?)");
}

TEST(TraceReader, RefusesShapesThatCannotBe) {
    expect_problem(conv("\"n\":^0,\"c\":3,\"h\":8,\"w\":8,\"k\":4,\"r\":3,\"s\":3,"),
                   "n: expected a whole number from 1 to 4294967296, found 0");
    expect_problem(conv("\"n\":2,\"c\":3,\"h\":2,\"w\":8,\"k\":4,\"r\":^3,\"s\":3,"),
                   "r: a window of 3 rows does not fit a padded input of 2");
    // 4 (3 - 1) + 1 = 9 columns
    expect_problem(conv("\"n\":2,\"c\":3,\"h\":8,\"w\":8,\"k\":4,\"r\":3,\"s\":^3,\"dilation\":[1,4],"),
                   "s: a window of 9 columns does not fit a padded input of 8");
    expect_problem(conv(conv_shape + "\"groups\":^2,"), "groups: 2 groups do not divide 3 input and 4 output channels");
    expect_problem(conv(conv_shape + "\"stride\":[^0,1],"),
                   "stride: expected a whole number from 1 to 1048576, found 0");
    expect_problem(conv(conv_shape + "\"stride\":^[1],"), "stride: expected 2 numbers, found 1");
    expect_problem(vector("\"steps\":^[],\"elements\":1,"), "steps: expected at least one step");
    expect_problem(vector("\"steps\":[^[\"relu\",0]],\"elements\":1,"),
                   "steps: expected a whole number from 1 to 9007199254740992, found 0");
    expect_problem(vector("\"steps\":[\"relu\"],\"elements\":^0,"),
                   "elements: expected a whole number from 1 to 281474976710656, found 0");
}

TEST(TraceReader, RefusesProductsThatAreTooLarge) {
    // 2^32 x 2^14 x 8 x 8 = 2^52 elements, above 2^48 = 281474976710656.
    expect_problem(
        conv("\"n\":^4294967296,\"c\":16384,\"h\":8,\"w\":8,\"k\":1,\"r\":8,\"s\":8,\"groups\":1,\"stride\":[8,8],"),
        "n: the input's elements are more than 281474976710656");
    // Operands of 2^48 elements each are allowed, 2^72 multiply-accumulates are not: the limit is 2^53.
    expect_problem(
        "{\"op\":^\"matmul\",\"phase\":\"dw\",\"layer\":\"a\",\"m\":16777216,\"n\":16777216,\"k\":16777216," + operands,
        "op: the multiply-accumulates are more than 9007199254740992");
    expect_problem(matmul("\"m\":^16777217,\"n\":1,\"k\":16777217,"),
                   "m: the left operand's elements are more than 281474976710656");
    expect_problem(vector("\"steps\":^[[\"relu\",9007199254740992]],\"elements\":2,"),
                   "steps: the lane-operations are more than 9007199254740992");
}

TEST(TraceReader, RefusesWrongTensors) {
    // 16777216 = 2^24
    expect_problem("{\"tensor\":4,\"role\":\"weight\",\"shape\":[16777216,^16777217]}\n",
                   "shape: the elements are more than 281474976710656");
    expect_problem("{\"tensor\":4,\"role\":\"weight\",\"shape\":[4,^0]}\n",
                   "shape: expected dimensions of at least 1, found 0");
    expect_problem("{\"tensor\":4,\"role\":\"weight\",\"shape\":^[]}\n", "shape: expected 1 to 8 dimensions, found 0");
    expect_problem("{\"tensor\":4,\"role\":\"weight\",\"shape\":[1],\"bits\":^4}\n",
                   "bits: only masks say how wide they are; other formats follow from the precision recipe");
    expect_problem("{\"tensor\":4,\"role\":^\"mask\",\"shape\":[1]}\n",
                   "role: a mask must say how wide it is, for example \"bits\":1");
    expect_problem("{\"tensor\":4,\"role\":\"mask\",\"shape\":[1],\"bits\":^9}\n",
                   "bits: expected a whole number from 1 to 8, found 9");
    expect_problem(
        "{\"tensor\":4,\"role\":^\"wieghts\",\"shape\":[1]}\n",
        "role: expected one of activation, weight, gradient, weight_gradient, state, statistic, mask, index, found "
        "'wieghts' (did you mean 'weight'?)");
}

TEST(TraceReader, TensorsAreNumberedInOrderAndDeclaredFirst) {
    EXPECT_EQ(read(header + "{\"tensor\":1,\"role\":\"index\",\"shape\":[1]}\n"
                            "{\"tensor\":2,\"role\":\"index\",\"shape\":[1]}\n"
                            "{\"end\":{\"tensors\":3,\"operations\":0}}\n")
                  .problems,
              "t.jsonl:2:11: tensor: tensors are numbered in order: expected 0, found 1");
    expect_problem(conv(conv_shape, "\"in\":[0,^4],\"out\":[2]}\n"), "in: tensor 4 is not declared before this line");
    expect_problem(conv(conv_shape, "\"in\":[0,1],\"out\":[^9]}\n"), "out: tensor 9 is not declared before this line");
    expect_problem(conv(conv_shape, "\"in\":[0,^4294967296],\"out\":[2]}\n"),
                   "in: expected a whole number from 0 to 4294967295, found 4294967296");
}

TEST(TraceReader, ChecksTheNumberOfOperandsAndThePhase) {
    const std::string two = "in: expected exactly 2 tensors (the operation has no epilogue), found ";
    expect_problem(conv(conv_shape, "\"in\":^[0],\"out\":[2]}\n"), two + "1");
    expect_problem(conv(conv_shape, "\"in\":^[0,1,3],\"out\":[2]}\n"), two + "3");
    expect_problem(conv(conv_shape, "\"in\":[0,1],\"out\":^[2,3]}\n"),
                   "out: expected exactly 1 tensor (the operation has no epilogue), found 2");
    const std::string with_epilogue = conv_shape + "\"epilogue\":[\"relu\"],";
    expect_problem(conv(with_epilogue, "\"in\":[0,1],\"out\":^[]}\n"), "out: expected at least 1 tensor, found 0");
    EXPECT_EQ(read(header + tensors + conv(with_epilogue, "\"in\":[0,1,3],\"out\":[2,3]}\n") +
                   "{\"end\":{\"tensors\":4,\"operations\":1}}\n")
                  .problems,
              "");
    expect_problem("{\"op\":\"conv\",\"phase\":^\"vector\",\"layer\":\"a\"," + conv_shape + operands,
                   "phase: expected forward, dx or dw for a GEMM");
    expect_problem(
        "{\"op\":\"vector\",\"phase\":^\"dx\",\"layer\":\"a\",\"steps\":[\"relu\"],\"elements\":1," + operands,
        "phase: expected vector or update for a vector operation");
}

TEST(TraceReader, ReportsTheProblemsOfAllLinesTogether) {
    const Outcome outcome =
        read(header + "{\"tensor\":0,\"role\":\"weigth\",\"shape\":[1]}\n" +
             "{\"tensor\":1,\"role\":\"weight\",\"shape\":[0]}\n" + "{\"end\":{\"tensors\":2,\"operations\":0}}\n");
    EXPECT_THAT(outcome.problems, HasSubstr("t.jsonl:2:20: role: "));
    EXPECT_THAT(outcome.problems, HasSubstr("\nt.jsonl:3:38: shape: "));
}

TEST(TraceReader, StopsAtTheLimitOfProblems) {
    std::string text = header;
    for (int i = 0; i < 1000; ++i) {
        text += "{\"op\":\"none\"}\n";
    }
    const std::string problems = read(text).problems;
    EXPECT_EQ(std::count(problems.begin(), problems.end(), '\n'), 19);  // 20 lines
    EXPECT_THAT(problems, HasSubstr("t.jsonl:21:7: op: "));
}

std::string file_problem(const std::filesystem::path& path) {
    try {
        TraceReader reader(path);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(TraceFile, UnreadableFilesAreRefusedAtOnce) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "nibble_trace_reader_test";
    std::filesystem::create_directories(folder);
    EXPECT_EQ(file_problem(folder), folder.string() + ": expected a file, found a directory");
    EXPECT_EQ(file_problem(folder / "none"),
              (folder / "none").string() + ": cannot be opened: No such file or directory");
    std::ofstream(folder / "empty").close();
    EXPECT_EQ(file_problem(folder / "empty"), (folder / "empty").string() + ": the file is empty");
    std::ofstream(folder / "zeros").close();
    std::filesystem::resize_file(folder / "zeros", std::uintmax_t{4} << 30U);  // 4 GB that take no space
    EXPECT_THAT(file_problem(folder / "zeros"), HasSubstr("zeros:1:1: expected a trace, whose first line begins with"));
    EXPECT_THAT(file_problem("/dev/zero"), HasSubstr("/dev/zero:1:1: expected a trace, whose first line begins with"));
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace nibble
