// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/execution_trace_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/call_recording.h"

namespace nibble {
namespace {

using test::Recording;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Values, shapes and types of a node's inputs or outputs, as JSON lists without their brackets.
struct Lists {
    std::string values, shapes, types, strides;
};

Lists tensors(const std::string& storages) {
    Lists lists;
    for (const char storage : storages) {
        const std::string comma = lists.values.empty() ? "" : ",";
        lists.values += comma + "[9," + storage + R"(,0,6,4,"cuda:0"])";
        lists.shapes += comma + "[2,3]";
        lists.types += comma + R"-("Tensor(float)")-";
        lists.strides += comma + "[3,1]";
    }
    return lists;
}

/// A node in the layout of 1.0.2-chakra to 1.1.0-chakra; with strides, of 1.1.1-chakra.
std::string node(int id, int parent, const std::string& name, const Lists& in = {}, const Lists& out = {}, int seq = -1,
                 bool strides = false) {
    const auto lists = [&](const Lists& l) {
        return R"({"values":[)" + l.values + R"(],"shapes":[)" + l.shapes + R"(],"types":[)" + l.types + "]" +
               (strides ? R"(,"strides":[)" + l.strides + "]" : "") + "}";
    };
    return R"({"id":)" + std::to_string(id) + R"(,"name":")" + name + R"(","ctrl_deps":)" + std::to_string(parent) +
           R"(,"inputs":)" + lists(in) + R"(,"outputs":)" + lists(out) +
           R"(,"attrs":[{"name":"rf_id","type":"uint64","value":3},{"name":"seq_id","type":"int64","value":)" +
           std::to_string(seq) + R"(},{"name":"op_schema","type":"string","value":""}]})";
}

std::string trace(const std::vector<std::string>& nodes, const std::string& schema = "1.0.3-chakra.0.0.4") {
    std::string text = R"({"schema":")" + schema + R"(","pid":1,"nodes":[)";
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        text += (i == 0 ? "" : ",\n") + nodes[i];
    }
    return text + R"(],"finish_ts":2})";
}

Recording read_text(const std::string& text) {
    return test::read_recording_text(open_execution_trace, text);
}

Recording read(const std::vector<std::string>& nodes) {
    return read_text(trace(nodes));
}

const Lists some = tensors("78");
const std::string root = node(1, 1, "[pytorch|profiler|execution_trace|process]");

TEST(ExecutionTraceReader, ReadsArgumentsOfEveryKind) {
    const Lists in{
        R"([3,4,10,6,2,"cuda:0"],"<None>",[5,0,0,0,0,""],true,-7,0.5,"mean",[[6,7,0,1,8,"cpu"]],[1,2],[true],"inf")",
        "[2,3],[],[],[],[],[],[],[[]],[[],[]],[[]],[]",
        R"-("Tensor(c10::Half)","None","Tensor(nullptr (uninitialized))","Bool","Int","Double","String",)-"
        R"-("GenericList[Tensor(long int)]","GenericList[Int,Int]","Tuple[Bool]","Double")-",
        "[1,2],[]"};
    const Lists out{R"([8,0,0,0,0,""],[9,10,0,4,16,"cpu"])", "[],[4]",
                    R"-("Tensor(nullptr (uninitialized))","Tensor(c10::complex<double>)")-", "[],[1]"};
    const Recording recording = read({node(5, 1, "aten::addmm", in, out, 12, true), root});
    EXPECT_THAT(recording.problem, IsEmpty());
    ASSERT_EQ(recording.calls.size(), 1U);
    const RecordedCall& call = recording.calls[0];
    EXPECT_EQ(call.op, "aten::addmm");
    EXPECT_EQ(call.where, "node 5");
    EXPECT_EQ(call.sequence, 12);
    ASSERT_EQ(call.inputs.size(), 11U);
    const RecordedTensor* tensor = call.inputs[0].tensor();
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->storage, 4U);
    EXPECT_EQ(tensor->offset, 10U);
    EXPECT_THAT(tensor->shape, ElementsAre(2, 3));
    EXPECT_THAT(tensor->strides, ElementsAre(1, 2));
    EXPECT_EQ(tensor->kind, ElementKind::floating);
    EXPECT_EQ(tensor->bits, 16U);
    EXPECT_EQ(call.inputs[1].value.index(), 0U);  // nothing
    EXPECT_EQ(call.inputs[2].value.index(), 0U);  // a tensor that is not defined is nothing either
    EXPECT_EQ(std::get<bool>(call.inputs[3].value), true);
    EXPECT_EQ(std::get<std::int64_t>(call.inputs[4].value), -7);
    EXPECT_EQ(std::get<double>(call.inputs[5].value), 0.5);
    EXPECT_EQ(std::get<std::string>(call.inputs[6].value), "mean");
    ASSERT_NE(call.inputs[7].list(), nullptr);
    tensor = call.inputs[7].list()->at(0).tensor();
    ASSERT_NE(tensor, nullptr);
    EXPECT_THAT(tensor->shape, IsEmpty());
    EXPECT_EQ(tensor->kind, ElementKind::integer);
    EXPECT_EQ(tensor->bits, 64U);
    EXPECT_EQ(std::get<std::int64_t>(call.inputs[8].list()->at(1).value), 2);
    EXPECT_EQ(std::get<bool>(call.inputs[9].list()->at(0).value), true);
    EXPECT_TRUE(std::isinf(std::get<double>(call.inputs[10].value)));
    ASSERT_EQ(call.outputs.size(), 2U);
    EXPECT_EQ(call.outputs[0].bits, 0U);  // keeps its place
    EXPECT_EQ(call.outputs[1].kind, ElementKind::other);
    EXPECT_EQ(call.outputs[1].bits, 128U);
}

TEST(ExecutionTraceReader, ReadsTheFlatLayout) {
    const Recording recording = read_text(
        R"-({"schema":"1.0.1","nodes":[{"name":"aten::mm","id":3,"rf_id":1,"parent":2,"fw_parent":0,"seq_id":7,"scope":0,
            "tid":1,"fw_tid":0,"op_schema":"","inputs":[[5,6,0,6,4,"cuda:0"],[7,8,0,12,4,"cuda:0"]],
            "input_shapes":[[2,3],[3,4]],"input_types":["Tensor(float)","Tensor(float)"],
            "outputs":[[13,6,0,8,4,"cuda:0"]],"output_shapes":[[2,4]],"output_types":["Tensor(float)"]}]})-");
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_EQ(recording.description, "PyTorch execution trace, schema 1.0.1");
    EXPECT_THAT(recording.notes, IsEmpty());
    ASSERT_EQ(recording.calls.size(), 1U);
    EXPECT_THAT(recording.calls[0].inputs.at(1).tensor()->shape, ElementsAre(3, 4));
    EXPECT_THAT(recording.calls[0].outputs.at(0).shape, ElementsAre(2, 4));
    EXPECT_EQ(recording.calls[0].sequence, 7);
}

TEST(ExecutionTraceReader, ReadsLaterSchemasAndSaysSo) {
    const Recording recording = read_text(trace({node(2, 1, "aten::mm", some, some)}, "2.0.0"));
    EXPECT_EQ(recording.calls.size(), 1U);
    EXPECT_THAT(recording.notes, ElementsAre(HasSubstr("schema '2.0.0'")));
}

/// Nodes come when calls end: callers after what they called.
TEST(ExecutionTraceReader, HandsOnTheOutermostKnownCall) {
    const Recording recording = read({
        node(6, 5, "aten::cudnn_convolution", some, some),
        node(5, 4, "aten::_convolution", some, some),
        node(4, 3, "aten::convolution", some, some),
        node(3, 2, "aten::conv2d", some, some),  // composite
        node(9, 8, "aten::as_strided", some, some),
        node(8, 2, "aten::view", some, some),     // ignored
        node(10, 2, "aten::linear", some, some),  // composite, nothing below it
        node(2, 1, "DistributedDataParallel.forward"),
        root,
    });
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("aten::convolution", "aten::linear"));
}

TEST(ExecutionTraceReader, HandsOnUnknownCallsThatNothingBelowExplains) {
    const Recording recording = read({
        node(3, 2, "mine::inner", some, some),
        node(2, 1, "mine::outer", some, some),  // nothing known below: the outermost
        node(5, 4, "aten::mm", some, some),
        node(4, 1, "mine::explained", some, some),
        node(6, 1, "mine::without_tensors"),
        node(7, 1, "triton_poi_fused_add_0", some),
        node(9, 8, "aten::t", some, some),
        node(8, 1, "TBackward0", some),  // autograd's own
        node(10, 1, "torch::autograd::AccumulateGrad", some),
        node(11, 1, "## forward ##"),
        root,
    });
    EXPECT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("mine::outer", "aten::mm", "triton_poi_fused_add_0"));
}

TEST(ExecutionTraceReader, TellsBackwardAndOptimizerFromForward) {
    const Recording recording = read({
        node(2, 1, "aten::addmm", some, some, 40),
        node(5, 4, "aten::mm", some, some),
        node(4, 3, "AddmmBackward0", some, {}, 40),
        node(6, 3, "aten::sum", some, some),
        node(3, 1, "autograd::engine::evaluate_function: AddmmBackward0"),
        node(7, 1, "aten::threshold_backward", some, some),
        node(9, 8, "aten::_foreach_add_", some, some),
        node(8, 1, "Optimizer.step#SGD.step"),
        node(11, 10, "aten::zero_", some, some),
        node(10, 1, "Optimizer.zero_grad#SGD.zero_grad"),
        root,
    });
    EXPECT_THAT(recording.problem, IsEmpty());
    std::vector<std::string> seen;
    for (const RecordedCall& call : recording.calls) {
        seen.push_back(call.op + (call.backward ? " backward" : "") + (call.optimizer ? " optimizer" : "") + " " +
                       std::to_string(call.sequence));
    }
    // The mm has the number of the addmm whose gradient it computes.
    EXPECT_THAT(seen, ElementsAre("aten::addmm 40", "aten::mm backward 40", "aten::sum backward -1",
                                  "aten::threshold_backward backward -1", "aten::_foreach_add_ optimizer -1",
                                  "aten::zero_ optimizer -1"));
}

std::vector<std::uint64_t> iterations(const std::vector<std::string>& nodes) {
    const Recording recording = read(nodes);
    EXPECT_THAT(recording.problem, IsEmpty());
    std::vector<std::uint64_t> numbers;
    for (const RecordedCall& call : recording.calls) {
        numbers.push_back(call.iteration);
    }
    return numbers;
}

TEST(ExecutionTraceReader, CountsProfilerSteps) {
    // The step's label is on the forward thread only; what autograd's thread does meanwhile belongs to it as well.
    EXPECT_THAT(iterations({
                    node(3, 2, "aten::mm", some, some),
                    node(4, 90, "aten::mm", some, some),
                    node(2, 1, "ProfilerStep#7"),
                    node(5, 1, "ProfilerStep#8"),  // nothing in it
                    node(7, 6, "aten::mm", some, some),
                    node(8, 90, "aten::mm", some, some),
                    node(6, 1, "ProfilerStep#9"),
                    root,
                }),
                ElementsAre(0, 0, 1, 1));
}

TEST(ExecutionTraceReader, FindsStepsWithoutLabels) {
    const std::string mm = "aten::mm";
    // zero_grad, forward, clipping, backward, step; then without zero_grad, an element-wise call first.
    const std::vector<std::string> with_optimizer{node(3, 2, "aten::zero_", some, some),
                                                  node(2, 1, "Optimizer.zero_grad#SGD.zero_grad"),
                                                  node(4, 1, mm, some, some),
                                                  node(6, 5, mm, some, some),
                                                  node(5, 1, "MmBackward0", some),
                                                  node(7, 1, "aten::mul", some, some),
                                                  node(9, 8, "aten::add_", some, some),
                                                  node(8, 1, "Optimizer.step#SGD.step"),
                                                  node(10, 1, "aten::mul", some, some),
                                                  node(11, 1, mm, some, some),
                                                  node(13, 12, mm, some, some),
                                                  node(12, 1, "MmBackward0", some),
                                                  node(15, 14, mm, some, some),
                                                  node(14, 1, "Optimizer.step#Muon.step"),  // GEMMs of the optimiser's
                                                  root};
    EXPECT_THAT(iterations(with_optimizer), ElementsAre(0, 0, 0, 0, 0, 1, 1, 1, 1));
    // Two backward passes before a step are one iteration where the step is labelled, otherwise two.
    const std::vector<std::string> twice{node(2, 1, mm, some, some),      node(4, 3, mm, some, some),
                                         node(3, 1, "MmBackward0", some), node(5, 1, mm, some, some),
                                         node(7, 6, mm, some, some),      node(6, 1, "MmBackward0", some)};
    EXPECT_THAT(iterations(twice), ElementsAre(0, 0, 1, 1));
    std::vector<std::string> stepped = twice;
    stepped.push_back(node(9, 8, "aten::add_", some, some));
    stepped.push_back(node(8, 1, "Optimizer.step#SGD.step"));
    EXPECT_THAT(iterations(stepped), ElementsAre(0, 0, 0, 0, 0));
}

TEST(ExecutionTraceReader, CutsOverloadsOff) {
    EXPECT_THAT(read({node(2, 1, "aten::mm.out", some, some)}).ops(), ElementsAre("aten::mm"));
}

TEST(ExecutionTraceReader, NotesListsThatPyTorchCut) {
    Lists in{"[1", "[[]", "\"GenericList[Int", ""};
    for (int i = 1; i < 4097; ++i) {
        in.values += ",1";
        in.shapes += ",[]";
        in.types += ",Int";
    }
    in = {in.values + "],[1,7,0,1,4,\"cpu\"]", in.shapes + "],[]", in.types + "]\",\"Tensor(float)\"", ""};
    EXPECT_THAT(read({node(2, 1, "aten::mul", in)}).notes, ElementsAre(HasSubstr("lists of more than 4096 items")));
}

std::string problem(const std::vector<std::string>& nodes) {
    return read(nodes).problem;
}

TEST(ExecutionTraceReader, RefusesTreesThatAreNone) {
    EXPECT_THAT(problem({node(2, 1, "a"), node(2, 1, "b")}), HasSubstr("two nodes have the id 2"));
    EXPECT_THAT(problem({node(2, 3, "aten::mm", some), node(3, 2, "b")}),
                HasSubstr("node 2 was called by node 3, which began after it"));
    // Callers that are not in the file, and calls whose beginning PyTorch failed to note, are harmless.
    EXPECT_THAT(read({node(2, 77, "aten::mm", some), node(0, 0, "a"), node(0, 0, "aten::mm", some)}).ops(),
                ElementsAre("aten::mm", "aten::mm"));
    // A chain of 100,000 calls is no problem.
    std::vector<std::string> chain{node(100'001, 100'000, "aten::mm", some)};
    for (int i = 100'000; i > 1; --i) {
        chain.push_back(node(i, i - 1, "f"));
    }
    EXPECT_THAT(read(chain).ops(), ElementsAre("aten::mm"));
}

TEST(ExecutionTraceReader, RefusesWrongSizes) {
    const auto with = [](const std::string& value, const std::string& shape, const std::string& type,
                         const std::string& strides) {
        return problem({node(2, 1, "aten::mm", {value, shape, type, strides}, {}, -1, true)});
    };
    const std::string value = R"([3,4,0,6,4,"cpu"])";
    const std::string type = R"-("Tensor(float)")-";
    EXPECT_THAT(with(value, "[2,3]", type, "[3,1]"), IsEmpty());
    EXPECT_THAT(with(value, "[2,-3]", type, ""), HasSubstr("node 2: aten::mm: input 0: expected a shape"));
    EXPECT_THAT(with(value, "[4611686018427387904,4]", type, ""), HasSubstr("more than 281474976710656 elements"));
    EXPECT_THAT(with(value, "[4611686018427387904,0]", type, ""), HasSubstr("more than 281474976710656 elements"));
    EXPECT_THAT(with(value, "[18446744073709551615]", type, ""), HasSubstr("expected a shape"));
    EXPECT_THAT(with(value, "[2,3.5]", type, ""), HasSubstr("expected a shape"));
    EXPECT_THAT(with(value, "[2,3]", type, "[1]"), HasSubstr("a tensor of 2 dimensions has 1 strides"));
    EXPECT_THAT(with(value, "[2,3]", type, "[-1,1]"), HasSubstr("expected strides"));
    EXPECT_THAT(with(value, "", type, ""), HasSubstr("1 inputs with 0 shapes and 1 types"));
    EXPECT_THAT(with("[3,4]", "[2,3]", type, ""), HasSubstr("expected a tensor: [tensor, storage"));
    EXPECT_THAT(with(R"([3,-4,0,6,4,"cpu"])", "[2,3]", type, ""), HasSubstr("expected the number of a storage"));
    EXPECT_THAT(with(R"([3,4,0,6,999,"cpu"])", "[2,3]", R"-("Tensor(mystery)")-", ""),
                HasSubstr("an element of type 'mystery' has 999 bytes"));
    EXPECT_THAT(with(value, "[2,3]", "7", ""), HasSubstr("expected the name of a type"));
    EXPECT_THAT(with("[1,2]", "[[],[]]", R"("GenericList[Int]")", ""),
                HasSubstr("a list of 2 values whose type names 1"));
    EXPECT_THAT(with("[1]", "[[]]", R"("GenericList[Int,Int]")", ""),
                HasSubstr("a list of 1 values whose type names more"));
    EXPECT_THAT(with("1", "[]", R"("GenericList[Int]")", ""), HasSubstr("the value is none"));
    EXPECT_THAT(with("1", "[]", R"("Int]]")", ""), HasSubstr("a type that cannot be read"));
    EXPECT_THAT(with("{}", "[]", R"("Int")", ""), HasSubstr("expected a value, found an object"));
}

TEST(ExecutionTraceReader, RefusesWhatIsNoNode) {
    const auto one = [](const std::string& text) { return read_text(R"({"nodes":[)" + text + "]}").problem; };
    EXPECT_THAT(one("17"), HasSubstr("byte 10: expected an object: the next node"));
    EXPECT_THAT(one("{}"), HasSubstr("byte 10: expected a node of an execution trace, with an \"id\""));
    EXPECT_THAT(one(R"({"id":"2","name":"a"})"), HasSubstr("node: id: expected a whole number"));
    EXPECT_THAT(one(R"({"id":-2,"name":"a"})"), HasSubstr("node: id: expected a whole number"));
    EXPECT_THAT(one(R"({"id":2,"name":7})"), HasSubstr("a \"name\" that is text"));
    EXPECT_THAT(one(R"({"id":2,"name":"a","inputs":7})"), HasSubstr("node: inputs: expected a list"));
    EXPECT_THAT(one(R"({"id":2,"name":"a","inputs":{"types":{}}})"), HasSubstr("node: types: expected a list"));
    EXPECT_THAT(one(R"({"id":2,"name":"a","attrs":{}})"), HasSubstr("node: attrs: expected a list"));
    EXPECT_THAT(one(R"({"id":2 "name":"a"})"), HasSubstr("the node that begins here is not JSON"));
    EXPECT_THAT(one(R"({"id":99999999999999999999999,"name":"a"})"),
                HasSubstr("the node that begins here is not JSON"));
    EXPECT_THAT(one("{\"id\":2,\"name\":\"\xff\"}"), HasSubstr("the node that begins here is not JSON"));
    EXPECT_THAT(one(R"({"id":2,"name":"a","inputs":)" + std::string(100'000, '[')), HasSubstr("128 deep"));
}

TEST(ExecutionTraceReader, ReadsOrRefusesDamagedTraces) {
    const std::string sound =
        trace({node(4, 3, "aten::convolution", some, some, 5, true), node(3, 2, "aten::conv2d", some, some, 5, true),
               node(6, 5, "aten::cat",
                    {R"([[1,2,0,6,4,"cpu"],[1,3,0,6,4,"cpu"]],0)", "[[2,3],[2,3]],[]",
                     R"-("GenericList[Tensor(float),Tensor(float)]","Int")-", "[[3,1],[3,1]],[]"},
                    some, -1, true),
               node(5, 2, "ConvolutionBackward0", some), node(2, 1, "ProfilerStep#1"), root});
    EXPECT_EQ(read_text(sound).calls.size(), 2U);
    std::mt19937_64 random(1);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        refused += read_text(test::damaged(sound, random)).problem.empty() ? 0 : 1;
    }
    EXPECT_GT(refused, 2000);
}

// Real traces.

std::uint64_t elements(const std::vector<std::uint64_t>& shape) {
    std::uint64_t product = 1;
    for (const std::uint64_t size : shape) {
        product *= size;
    }
    return product;
}

/// Multiply-accumulates of a convolution without groups: each element of the result sums over channels and filter.
double giga_macs(const std::vector<std::uint64_t>& result, const std::vector<std::uint64_t>& filter) {
    return static_cast<double>(elements(result) * filter.at(1) * filter.at(2) * filter.at(3)) * 1e-9;
}

class RealExecutionTrace : public testing::TestWithParam<const char*> {};

/// ResNet-50, batch 32, three steps. The totals are those of the data's description: 392.365 GMAC forward, as much for
/// the weights' gradients, and the first convolution less for the inputs'.
TEST_P(RealExecutionTrace, OfResnet50HasEveryConvolutionOnce) {
    const std::filesystem::path path = test::shared_data(GetParam());
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << path << " is absent";
    }
    const Recording recording = test::read_recording(open_execution_trace, path);
    ASSERT_THAT(recording.problem, IsEmpty());
    std::map<std::string, std::map<std::uint64_t, int>> calls;  // by operator and iteration
    double forward = 0;
    double dx = 0;
    double dw = 0;
    for (const RecordedCall& call : recording.calls) {
        ++calls[call.op][call.iteration];
        if (call.op == "aten::convolution") {
            EXPECT_FALSE(call.backward);
            forward += giga_macs(call.outputs.at(0).shape, call.inputs.at(1).tensor()->shape);
        }
        if (call.op == "aten::convolution_backward") {
            EXPECT_TRUE(call.backward);
            const double macs = giga_macs(call.inputs.at(0).tensor()->shape, call.inputs.at(2).tensor()->shape);
            const RecordedValue::List& wanted = *call.inputs.at(10).list();
            ASSERT_EQ(call.outputs.size(), 3U);
            for (std::size_t i = 0; i < 3; ++i) {
                EXPECT_EQ(std::get<bool>(wanted.at(i).value), call.outputs[i].bits != 0);
            }
            dx += std::get<bool>(wanted.at(0).value) ? macs : 0;
            dw += std::get<bool>(wanted.at(1).value) ? macs : 0;
        }
    }
    EXPECT_NEAR(forward, 392.365, 0.0005);
    EXPECT_NEAR(dx, 381.036, 0.0005);
    EXPECT_NEAR(dw, 392.365, 0.0005);
    // ResNet-50 has 53 convolutions, each with a batch normalisation, 49 ReLUs and a linear layer.
    const std::map<std::uint64_t, int> each53{{0, 53}, {1, 53}, {2, 53}};
    const std::map<std::uint64_t, int> each49{{0, 49}, {1, 49}, {2, 49}};
    const std::map<std::uint64_t, int> each1{{0, 1}, {1, 1}, {2, 1}};
    const std::map<std::uint64_t, int> each2{{0, 2}, {1, 2}, {2, 2}};
    EXPECT_EQ(calls["aten::convolution"], each53);
    EXPECT_EQ(calls["aten::convolution_backward"], each53);
    EXPECT_EQ(calls["aten::cudnn_batch_norm"], each53);
    EXPECT_EQ(calls["aten::cudnn_batch_norm_backward"], each53);
    EXPECT_EQ(calls["aten::relu_"], each49);
    EXPECT_EQ(calls["aten::threshold_backward"], each49);
    EXPECT_EQ(calls["aten::addmm"], each1);
    EXPECT_EQ(calls["aten::mm"], each2);
    EXPECT_FALSE(calls.contains("aten::conv2d"));
    EXPECT_FALSE(calls.contains("aten::view"));
}
INSTANTIATE_TEST_SUITE_P(Resnet, RealExecutionTrace,
                         testing::Values("pytorch-et/resnet_1gpu_et.json.gz", "pytorch-et/resnet_et.json.gz"),
                         [](const auto& name) { return std::string(name.index == 0 ? "of_1_0_3" : "of_1_1_0"); });

/// A convolution and the gradients of the same layer share autograd's number.
TEST(RealExecutionTrace, PairsCallsWithTheirGradients) {
    const std::filesystem::path path = test::shared_data("pytorch-et/resnet_1gpu_et.json.gz");
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << path << " is absent";
    }
    const Recording recording = test::read_recording(open_execution_trace, path);
    std::map<std::pair<std::uint64_t, std::int64_t>, std::vector<std::uint64_t>> filters;
    int pairs = 0;
    for (const RecordedCall& call : recording.calls) {
        if (call.op == "aten::convolution") {
            filters[{call.iteration, call.sequence}] = call.inputs.at(1).tensor()->shape;
        } else if (call.op == "aten::convolution_backward") {
            EXPECT_EQ(filters.at({call.iteration, call.sequence}), call.inputs.at(2).tensor()->shape) << call.where;
            ++pairs;
        }
    }
    EXPECT_EQ(pairs, 3 * 53);
}

/// 20 linear layers of 1024 by 1024 with ReLU and one more, schema 1.0.1: each has one product forward, two backward,
/// but the first none for its input.
TEST(RealExecutionTrace, OfLinearLayersInTheFlatLayout) {
    const std::filesystem::path path = test::shared_data("pytorch-et/linear_et.json.gz");
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << path << " is absent";
    }
    const Recording recording = test::read_recording(open_execution_trace, path);
    ASSERT_THAT(recording.problem, IsEmpty());
    const std::vector<std::string> ops = recording.ops();
    EXPECT_EQ(std::count(ops.begin(), ops.end(), "aten::addmm"), 21);
    EXPECT_EQ(std::count(ops.begin(), ops.end(), "aten::mm"), 2 * 21 - 1);
    EXPECT_THAT(ops, testing::Not(Contains("aten::linear")));
    for (const RecordedCall& call : recording.calls) {
        EXPECT_EQ(call.iteration, 0U);
        EXPECT_EQ(call.backward, call.op == "aten::mm" || call.backward) << call.where;
    }
}

/// Compiled: a product and a fused kernel in each of two steps, with strides, in an archive.
TEST(RealExecutionTrace, OfACompiledModel) {
    const std::filesystem::path path = test::shared_data("pytorch-et/pt2_et.json.tar.gz");
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << path << " is absent";
    }
    const Recording recording = test::read_recording(open_execution_trace, path);
    ASSERT_THAT(recording.problem, IsEmpty());
    EXPECT_THAT(recording.ops(), ElementsAre("aten::mm", "triton_poi_fused_add_cos_neg_sin_0", "aten::mm",
                                             "triton_poi_fused_add_cos_neg_sin_0"));
    EXPECT_THAT(recording.calls[0].inputs.at(1).tensor()->strides, ElementsAre(1, 4));
    EXPECT_EQ(recording.calls[2].iteration, 1U);
}

}  // namespace
}  // namespace nibble
