// SPDX-License-Identifier: MIT
#include "sim/input/trace_writer.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/input/trace_reader.h"
#include "sim/input/training_step.h"
#include "sim/input/workload_reader.h"

namespace nibble {
namespace {

const std::filesystem::path source = NIBBLE_SOURCE_DIR;

std::string expanded(const std::string& workload, std::uint64_t batch) {
    const Workload network = read_workload(source / "workloads" / (workload + ".yaml"));
    std::ostringstream stream;
    TraceWriter writer(stream, {network.name, batch});
    expand_training_step(network, batch, [&](const TraceItem& item) { writer.write(item); });
    writer.finish();
    return stream.str();
}

std::string rewritten(const std::string& trace) {
    std::istringstream in(trace);
    std::ostringstream out;
    TraceReader reader(in, "trace");
    TraceWriter writer(out, reader.header());
    while (const std::optional<TraceItem> item = reader.next()) {
        writer.write(*item);
    }
    writer.finish();
    return out.str();
}

// 0.1 + 0.2 has no shorter name than 17 digits.
TEST(TraceWriter, KeepsRangesAndResults) {
    const std::string trace =
        "{\"nibblesim_trace\":1,\"name\":\"net\",\"batch\":1}\n"
        "{\"tensor\":0,\"role\":\"activation\",\"shape\":[2,3],\"values\":\"x.npy\","
        "\"quantized\":{\"clip\":0.30000000000000004,\"signed\":false}}\n"
        "{\"tensor\":1,\"role\":\"weight\",\"shape\":[3,2],\"values\":\"w.npy\","
        "\"quantized\":{\"clip\":1.25,\"fp4_scale_log2\":17,\"fp8_scale_log2\":-3}}\n"
        "{\"tensor\":2,\"role\":\"activation\",\"shape\":[2,2]}\n"
        "{\"op\":\"matmul\",\"phase\":\"forward\",\"layer\":\"fc\",\"batch\":1,\"m\":2,\"n\":2,\"k\":3,\"left\":\"mk\","
        "\"right\":\"kn\",\"result\":\"y.npy\",\"in\":[0,1],\"out\":[2]}\n"
        "{\"end\":{\"tensors\":3,\"operations\":1}}\n";
    EXPECT_EQ(rewritten(trace), trace);
}

TEST(TraceWriter, WritesTheDocumentedForm) {
    std::ostringstream stream;
    TraceWriter writer(stream, {"net \"1\"\n", 16});
    Tensor tensor;
    tensor.role = TensorRole::mask;
    tensor.shape = {2, 3};
    tensor.bits = 4;
    tensor.values = "m.npy";
    writer.write(tensor);
    tensor = {};
    tensor.id = 1;
    tensor.name = "w";
    tensor.role = TensorRole::weight_gradient;
    tensor.shape = {7};
    writer.write(tensor);
    Operation operation;
    operation.layer = "a";
    operation.phase = Phase::dw;
    operation.position = Position::last;
    Convolution conv;
    conv.n = 2;
    conv.pad_left = 3;
    conv.transposed = true;
    operation.work = conv;
    operation.inputs = {0, 1};
    operation.outputs = {1};
    writer.write(operation);
    operation.group = "g";
    operation.position = Position::middle;
    operation.work = Matmul{2, 3, 4, 5, true, false};
    operation.epilogue = {{"bias"}, {"max_pool", 9}};
    operation.operand_bits = OperandBits{4, 8, 32};
    writer.write(operation);
    operation.epilogue.clear();
    operation.operand_bits.reset();
    operation.phase = Phase::update;
    operation.work = VectorWork{7, {{"sgd"}}};
    writer.write(operation);
    writer.finish();
    EXPECT_EQ(
        stream.str(),
        "{\"nibblesim_trace\":1,\"name\":\"net \\\"1\\\"\\u000a\",\"batch\":16}\n"
        "{\"tensor\":0,\"role\":\"mask\",\"shape\":[2,3],\"bits\":4,\"values\":\"m.npy\"}\n"
        "{\"tensor\":1,\"name\":\"w\",\"role\":\"weight_gradient\",\"shape\":[7]}\n"
        "{\"op\":\"conv\",\"phase\":\"dw\",\"layer\":\"a\",\"position\":\"last\",\"n\":2,\"c\":1,\"h\":1,\"w\":1,\"k\":"
        "1,"
        "\"r\":1,\"s\":1,\"stride\":[1,1],\"pad\":[0,0,3,0],\"dilation\":[1,1],\"groups\":1,\"transposed\":true,"
        "\"in\":[0,1],\"out\":[1]}\n"
        "{\"op\":\"matmul\",\"phase\":\"dw\",\"layer\":\"a\",\"group\":\"g\",\"batch\":2,\"m\":3,\"n\":4,\"k\":5,"
        "\"left\":\"km\",\"right\":\"kn\",\"epilogue\":[\"bias\",[\"max_pool\",9]],\"operand_bits\":[4,8,32],"
        "\"in\":[0,1],\"out\":[1]}\n"
        "{\"op\":\"vector\",\"phase\":\"update\",\"layer\":\"a\",\"group\":\"g\",\"steps\":[\"sgd\"],\"elements\":7,"
        "\"in\":[0,1],\"out\":[1]}\n"
        "{\"end\":{\"tensors\":2,\"operations\":3}}\n");
}

TEST(TraceWriter, WritesNamesFromElsewhereSoThatTheyCanBeRead) {
    // A stray byte, a character cut in two, an encoded surrogate, control characters; and what is fine.
    std::istringstream trace([] {
        std::ostringstream stream;
        TraceWriter writer(stream, {"a\xaa"
                                    "b\xe2\x82"
                                    "c\xed\xa0\x80"
                                    "\x7f\x01",
                                    1});
        Tensor tensor;
        tensor.name = "\xe2\x82\xac \xf0\x9f\x98\x80";
        tensor.shape = {1};
        writer.write(tensor);
        writer.finish();
        return stream.str();
    }());
    TraceReader reader(trace, "trace");
    const std::string replaced = "\xef\xbf\xbd";
    EXPECT_EQ(reader.header().name,
              "a" + replaced + "b" + replaced + replaced + "c" + replaced + replaced + replaced + "\x7f\x01");
    EXPECT_EQ(std::get<Tensor>(reader.next().value()).name, "\xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_FALSE(reader.next());
}

TEST(TraceWriter, RefusesLinesThatNoReaderTakes) {
    std::ostringstream stream;
    TraceWriter writer(stream, {"net", 1});
    Operation operation;
    operation.layer = "long";
    operation.work = VectorWork{.elements = 1, .steps = {{"copy"}}};
    operation.outputs = {0};
    operation.inputs.assign(600'000, 0);  // "0," each
    EXPECT_THROW(writer.write(operation), InputError);
}

TEST(TraceWriter, WhatIsReadIsWrittenAgainToTheByte) {
    for (const std::string workload : {"tiny", "vgg16", "mobilenet_v2", "lstm-ptb", "bert-base"}) {
        const std::string trace = expanded(workload, 3);
        EXPECT_EQ(rewritten(trace), trace) << workload;
    }
}

TEST(TraceWriter, TheTracesOfTheRepositoryAreCanonical) {
    int traces = 0;
    for (const auto& entry : std::filesystem::directory_iterator(source / "traces")) {
        if (entry.path().extension() == ".jsonl") {
            std::ifstream file(entry.path());
            const std::string trace{std::istreambuf_iterator<char>(file), {}};
            EXPECT_EQ(rewritten(trace), trace) << entry.path();
            ++traces;
        }
    }
    EXPECT_EQ(traces, 2);
}

TEST(TraceWriter, TheTraceOfTheTinyNetworkIsUpToDate) {
    std::ifstream file(source / "traces/tiny.jsonl");
    const std::string trace{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(expanded("tiny", 2), trace) << "write it again: nibblesim workload tiny --batch 2 -o traces/tiny.jsonl";
}

TEST(TraceWriter, ExpansionIsDeterministic) {
    EXPECT_EQ(expanded("resnet18", 16), expanded("resnet18", 16));
}

}  // namespace
}  // namespace nibble
