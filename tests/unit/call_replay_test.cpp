// SPDX-License-Identifier: MIT
// What the calls of a PyTorch recording become. Sizes and counts follow from the shapes that each test states.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"
#include "tests/support/recorded_calls.h"

namespace nibble::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t x_at = 1, w_at = 2, y_at = 3, dy_at = 4, dx_at = 5, dw_at = 6, b_at = 7, db_at = 8;

RecordedCall convolution(const RecordedTensor& x, const RecordedTensor& w, const RecordedTensor& y) {
    return call("convolution",
                {value(x), value(w), none(), numbers({2, 2}), numbers({1, 1}), numbers({1, 1}), value(false),
                 numbers({0, 0}), value(std::int64_t{1})},
                {y});
}

RecordedCall convolution_backward(const RecordedTensor& dy, const RecordedTensor& x, const RecordedTensor& w,
                                  const std::vector<bool>& wanted, std::vector<RecordedTensor> results) {
    return in_backward(call("convolution_backward",
                            {value(dy), value(x), value(w), none(), numbers({2, 2}), numbers({1, 1}), numbers({1, 1}),
                             value(false), numbers({0, 0}), value(std::int64_t{1}), flags(wanted)},
                            std::move(results)));
}

RecordedTensor undefined() {
    RecordedTensor tensor;
    tensor.bits = 0;
    return tensor;
}

/// y = x w^T, then its gradients and the update of w, as PyTorch records a linear layer of 5 inputs and 7 outputs.
std::vector<RecordedCall> linear_step(bool optimizer) {
    const RecordedTensor x = tensor_at(x_at, {3, 5});
    const RecordedTensor w = tensor_at(w_at, {7, 5});
    const RecordedTensor dy = tensor_at(dy_at, {3, 7});
    std::vector<RecordedCall> calls{
        call("mm", {value(x), value(transposed(w))}, {tensor_at(y_at, {3, 7})}),
        in_backward(call("mul", {value(tensor_at(y_at, {3, 7}))}, {dy})),
        in_backward(call("mm", {value(dy), value(w)}, {tensor_at(dx_at, {3, 5})})),
        in_backward(call("mm", {value(transposed(dy)), value(x)}, {tensor_at(dw_at, {7, 5})})),
    };
    if (optimizer) {
        calls.push_back(in_optimizer(call("add_", {value(w), value(tensor_at(dw_at, {7, 5}))}, {w})));
    }
    return calls;
}

TEST(CallReplay, ConvolutionAndItsGradients) {
    const RecordedTensor x = tensor_at(x_at, {4, 6, 9, 9});
    const RecordedTensor w = tensor_at(w_at, {8, 6, 3, 3});
    const RecordedTensor y = tensor_at(y_at, {4, 8, 5, 5});  // (9 + 2 - 3) / 2 + 1
    const RecordedTensor dy = tensor_at(dy_at, {4, 8, 5, 5});
    const Imported trace =
        import({convolution(x, w, y), in_backward(call("mul", {value(y)}, {dy})),
                convolution_backward(dy, x, w, {true, true, false},
                                     {tensor_at(dx_at, {4, 6, 9, 9}), tensor_at(dw_at, {8, 6, 3, 3}), undefined()})},
               {.training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("conv", "mul", "conv", "conv"));
    EXPECT_EQ(trace.operations[0].phase, Phase::forward);
    EXPECT_EQ(trace.operations[2].phase, Phase::dx);
    EXPECT_EQ(trace.operations[3].phase, Phase::dw);
    constexpr std::uint64_t macs = 4 * 8 * 5 * 5 * 6 * 3 * 3;
    for (const std::size_t gemm : {0U, 2U, 3U}) {
        EXPECT_EQ(macs_of(trace.operations[gemm]), macs);
        EXPECT_EQ(trace.operations[gemm].layer, "conv1");
        EXPECT_EQ(trace.operations[gemm].position, Position::first);
    }
    EXPECT_EQ(trace.input(0, 1).role, TensorRole::weight);
    EXPECT_EQ(trace.input(2, 1).id, trace.input(0, 1).id) << "dx reads the weight that the forward pass read";
    EXPECT_EQ(trace.input(3, 0).id, trace.input(0, 0).id) << "dw reads the layer's input";
    EXPECT_EQ(trace.output(3).role, TensorRole::weight_gradient);
    EXPECT_EQ(trace.header.batch, 4U);
}

TEST(CallReplay, InputLayerHasNoInputGradient) {
    const RecordedTensor x = tensor_at(x_at, {4, 6, 9, 9});
    const RecordedTensor w = tensor_at(w_at, {8, 6, 3, 3});
    const RecordedTensor dy = tensor_at(dy_at, {4, 8, 5, 5});
    const Imported trace =
        import({convolution(x, w, tensor_at(y_at, {4, 8, 5, 5})),
                in_backward(call("ones_like", {value(tensor_at(y_at, {4, 8, 5, 5}))}, {dy})),
                convolution_backward(dy, x, w, {false, true, true},
                                     {undefined(), tensor_at(dw_at, {8, 6, 3, 3}), tensor_at(db_at, {8})})},
               {.training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("conv", "fill", "conv", "bias_grad"));
    EXPECT_EQ(trace.operations[2].phase, Phase::dw);
}

TEST(CallReplay, ProductsOfTheBackwardPassAreToldByWhatTheyRead) {
    const Imported trace = import(linear_step(false), {.training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("matmul", "mul", "matmul", "matmul"));
    const auto work = [&](std::size_t at) { return std::get<Matmul>(trace.operations[at].work); };
    EXPECT_EQ(work(0), (Matmul{1, 3, 7, 5, false, true}));  // w lies outputs by inputs
    EXPECT_EQ(trace.operations[2].phase, Phase::dx);
    EXPECT_EQ(work(2), (Matmul{1, 3, 5, 7, false, false}));
    EXPECT_EQ(trace.operations[3].phase, Phase::dw);
    EXPECT_EQ(work(3), (Matmul{1, 7, 5, 3, true, false}));  // dy^T
    EXPECT_EQ(trace.operations[3].layer, trace.operations[0].layer);
    EXPECT_EQ(trace.output(3).role, TensorRole::weight_gradient);
}

TEST(CallReplay, OptimiserBecomesOneUpdateOfMasterAndCopy) {
    const Imported trace = import(linear_step(true));
    ASSERT_THAT(trace.kinds(), ElementsAre("matmul", "mul", "matmul", "matmul", "sgd"));
    EXPECT_EQ(trace.operations[4].phase, Phase::update);
    EXPECT_EQ(trace.input(4, 0).id, trace.output(3).id) << "the weight gradient";
    EXPECT_EQ(trace.output(4, 0).role, TensorRole::state) << "the 32-bit master";
    EXPECT_EQ(trace.output(4, 1).id, trace.input(0, 1).id) << "the copy that the GEMM reads";
}

TEST(CallReplay, OptimiserIsFollowedThroughItsListsAndBuffers) {
    std::vector<RecordedCall> calls = linear_step(false);
    const std::vector<RecordedTensor> weights{tensor_at(w_at, {7, 5})};
    const std::vector<RecordedTensor> gradients{tensor_at(dw_at, {7, 5})};
    const std::vector<RecordedTensor> moments{tensor_at(90, {7, 5})};
    calls.push_back(in_optimizer(call("_foreach_mul_", {tensors(moments)}, {})));
    calls.push_back(in_optimizer(call("_foreach_add_", {tensors(moments), tensors(gradients)}, {})));
    calls.push_back(in_optimizer(call("_foreach_add_", {tensors(weights), tensors(moments)}, {})));
    const Imported trace = import(calls);
    ASSERT_EQ(trace.kinds().back(), "sgd_momentum");
    EXPECT_EQ(trace.input(4, 0).id, trace.output(3).id);
    EXPECT_EQ(trace.operations[4].outputs.size(), 3U) << "master, momentum, copy";
}

TEST(CallReplay, MissingOptimiserIsDerivedOnlyIfAskedFor) {
    EXPECT_THAT(import(linear_step(false)).kinds(), testing::Contains("sgd_momentum"));
    EXPECT_THAT(import(linear_step(false)).summary.derived, ElementsAre(HasSubstr("optimiser")));
    EXPECT_THAT(import(linear_step(false), {.training = Training::as_recorded}).kinds(),
                testing::Not(testing::Contains("sgd_momentum")));
}

TEST(CallReplay, ForwardOnlyLeavesTheRestOut) {
    EXPECT_THAT(import(linear_step(true), {.training = Training::forward_only}).kinds(), ElementsAre("matmul"));
}

TEST(CallReplay, BatchedProductsOfActivations) {
    // scores = q k^T for 6 heads of 4 rows and depth 8; dq = ds k, dk = ds^T q.
    const RecordedTensor q = tensor_at(20, {6, 4, 8});
    const RecordedTensor k = tensor_at(21, {6, 4, 8});
    const RecordedTensor ds = tensor_at(23, {6, 4, 4});
    const RecordedTensor image = tensor_at(10, {2, 4, 8});
    const Imported trace =
        import({call("copy_", {value(q), value(image)}, {q}), call("copy_", {value(k), value(image)}, {k}),
                call("bmm", {value(q), value(transposed(k))}, {tensor_at(22, {6, 4, 4})}),
                in_backward(call("mul", {value(tensor_at(22, {6, 4, 4}))}, {ds})),
                in_backward(call("bmm", {value(transposed(ds)), value(q)}, {tensor_at(24, {6, 4, 8})})),
                in_backward(call("bmm", {value(ds), value(k)}, {tensor_at(25, {6, 4, 8})}))},
               {.batch = 2, .training = Training::as_recorded});
    EXPECT_EQ(std::get<Matmul>(trace.operations[2].work), (Matmul{6, 4, 4, 8, false, true}));
    EXPECT_EQ(trace.operations[4].phase, Phase::dw) << "reads the left operand: gradient of the right one";
    EXPECT_EQ(std::get<Matmul>(trace.operations[4].work), (Matmul{6, 4, 8, 4, true, false}));
    EXPECT_EQ(trace.operations[5].phase, Phase::dx);
    EXPECT_EQ(trace.output(4).role, TensorRole::gradient);
}

TEST(CallReplay, FusedAttentionIsItsProducts) {
    const RecordedTensor q = tensor_at(20, {2, 3, 4, 8});
    const RecordedTensor k = tensor_at(21, {2, 3, 5, 8});
    const RecordedTensor v = tensor_at(22, {2, 3, 5, 8});
    const RecordedTensor out = tensor_at(23, {2, 3, 4, 8});
    const RecordedTensor d_out = tensor_at(24, {2, 3, 4, 8});
    const Imported trace = import(
        {call("_scaled_dot_product_flash_attention", {value(q), value(k), value(v)}, {out}),
         in_backward(call("mul", {value(out)}, {d_out})),
         in_backward(call("_scaled_dot_product_flash_attention_backward",
                          {value(d_out), value(q), value(k), value(v), value(out)},
                          {tensor_at(25, {2, 3, 4, 8}), tensor_at(26, {2, 3, 5, 8}), tensor_at(27, {2, 3, 5, 8})}))},
        {.batch = 2, .training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("matmul", "softmax", "matmul", "mul", "matmul", "matmul", "softmax_grad",
                                           "matmul", "matmul"));
    std::uint64_t macs = 0;
    for (const Operation& operation : trace.operations) {
        macs += macs_of(operation);
    }
    EXPECT_EQ(macs, 6U * (2 * 3 * 4 * 5 * 8)) << "two products forward, four backward, all of one size";
}

TEST(CallReplay, FusedRecurrentLayersAreTheirSteps) {
    // Two layers of an LSTM with 6 units over 5 steps of 3 sequences of width 4.
    constexpr std::uint64_t steps = 5, batch = 3, width = 4, hidden = 6, gates = 4 * hidden;
    const std::vector<RecordedTensor> weights{
        tensor_at(40, {gates, width}),  tensor_at(41, {gates, hidden}), tensor_at(42, {gates}), tensor_at(43, {gates}),
        tensor_at(44, {gates, hidden}), tensor_at(45, {gates, hidden}), tensor_at(46, {gates}), tensor_at(47, {gates})};
    const RecordedTensor x = tensor_at(x_at, {steps, batch, width});
    const RecordedTensor y = tensor_at(y_at, {steps, batch, hidden});
    const RecordedTensor dy = tensor_at(dy_at, {steps, batch, hidden});
    const std::vector<RecordedValue> options{value(std::int64_t{2}),
                                             value(std::int64_t{hidden}),
                                             value(std::int64_t{0}),
                                             value(std::int64_t{2}),
                                             value(false),
                                             none(),
                                             value(true),
                                             value(false),
                                             numbers({}),
                                             none()};
    std::vector<RecordedValue> forward{value(x), tensors(weights), value(std::int64_t{4}), none(), none(), none()};
    forward.insert(forward.end(), options.begin(), options.end());
    std::vector<RecordedValue> backward{
        value(x), tensors(weights), value(std::int64_t{4}), none(), none(), none(), value(y), value(dy), none(),
        none()};
    backward.insert(backward.end(), options.begin(), options.end());
    const Imported trace = import({call("_cudnn_rnn", forward, {y}), in_backward(call("mul", {value(y)}, {dy})),
                                   in_backward(call("_cudnn_rnn_backward", backward,
                                                    {tensor_at(dx_at, {steps, batch, width}), undefined(), undefined(),
                                                     tensor_at(50, {gates, width}), tensor_at(51, {gates, hidden})}))},
                                  {.batch = batch, .training = Training::as_recorded});
    std::map<Phase, std::uint64_t> macs;
    for (const Operation& operation : trace.operations) {
        macs[operation.phase] += macs_of(operation);
    }
    // Inputs of all steps; states of all steps but the first, which is zero. Back the same, twice.
    constexpr std::uint64_t inputs = steps * batch * gates * (width + hidden);
    constexpr std::uint64_t states = 2 * (steps - 1) * batch * gates * hidden;
    EXPECT_EQ(macs[Phase::forward], inputs + states);
    EXPECT_EQ(macs[Phase::dx], inputs + states);
    EXPECT_EQ(macs[Phase::dw], inputs + states);
    EXPECT_EQ(std::ranges::count(trace.kinds(), "slice+lstm_cell"), 2 * steps);
    EXPECT_EQ(std::ranges::count(trace.kinds(), "slice+lstm_cell_grad"), 2 * steps);
    EXPECT_TRUE(trace.summary.unrecognised.empty());
}

TEST(CallReplay, BatchNormalisationIsTwoPassesEachWay) {
    const RecordedTensor x = tensor_at(x_at, {4, 8, 5, 5});
    const RecordedTensor y = tensor_at(y_at, {4, 8, 5, 5});
    const RecordedTensor scale = tensor_at(30, {8});
    const RecordedTensor shift = tensor_at(31, {8});
    const RecordedTensor mean = tensor_at(34, {8});
    const RecordedTensor deviation = tensor_at(35, {8});
    const Imported trace = import(
        {call("native_batch_norm",
              {value(x), value(scale), value(shift), value(tensor_at(32, {8})), value(tensor_at(33, {8})), value(true)},
              {y, mean, deviation}),
         in_backward(call("mul", {value(y)}, {tensor_at(dy_at, {4, 8, 5, 5})})),
         in_backward(call("native_batch_norm_backward",
                          {value(tensor_at(dy_at, {4, 8, 5, 5})), value(x), value(scale), none(), none(), value(mean),
                           value(deviation), value(true)},
                          {tensor_at(dx_at, {4, 8, 5, 5}), tensor_at(36, {8}), tensor_at(37, {8})}))},
        {.batch = 4, .training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("batch_stats", "batch_norm", "mul", "bn_grad_reduce", "bn_grad_apply"));
    EXPECT_EQ(trace.output(0).role, TensorRole::statistic);
    EXPECT_EQ(trace.input(3, 2).id, trace.output(0).id) << "the statistics of the forward pass are read again";
}

TEST(CallReplay, ReluKeepsAMaskAndItsGradientReadsIt) {
    const RecordedTensor y = tensor_at(y_at, {4, 8});
    const Imported trace = import({call("relu", {value(tensor_at(x_at, {4, 8}))}, {y}),
                                   in_backward(call("threshold_backward", {value(tensor_at(dy_at, {4, 8})), value(y)},
                                                    {tensor_at(dx_at, {4, 8})}))},
                                  {.batch = 4, .training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("relu", "relu_grad"));
    EXPECT_EQ(trace.output(0, 1).role, TensorRole::mask);
    EXPECT_EQ(trace.input(1, 1).id, trace.output(0, 1).id);
}

TEST(CallReplay, PartsOfATensorAreReadAsSlices) {
    // One projection of 3 x 8 columns is cut into query, key and value, which are views.
    RecordedTensor part = tensor_at(y_at, {4, 8});
    part.offset = 8;
    part.strides = {24, 1};
    const Imported trace = import({call("sigmoid", {value(tensor_at(x_at, {4, 24}))}, {tensor_at(y_at, {4, 24})}),
                                   call("tanh", {value(part)}, {tensor_at(40, {4, 8})}),
                                   call("mm", {value(part), value(tensor_at(w_at, {8, 2}))}, {tensor_at(41, {4, 2})})},
                                  {.training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("sigmoid", "slice+tanh", "slice", "matmul"));
    EXPECT_EQ(trace.input(1, 0).id, trace.output(0).id);
    EXPECT_EQ(trace.input(3, 0).elements, 32U);
}

TEST(CallReplay, MemoryIsReusedWithoutConfusion) {
    const RecordedTensor first = tensor_at(50, {4, 8});
    const RecordedTensor second = tensor_at(50, {4, 8});  // the same memory after it was freed
    const Imported trace = import({call("relu", {value(tensor_at(x_at, {4, 8}))}, {first}),
                                   call("tanh", {value(tensor_at(x_at, {4, 8}))}, {second}),
                                   call("exp", {value(second)}, {tensor_at(51, {4, 8})})},
                                  {.batch = 4, .training = Training::as_recorded});
    EXPECT_EQ(trace.input(2, 0).id, trace.output(1).id);
}

TEST(CallReplay, AParametersCopyInHalfPrecisionIsTheParameter) {
    RecordedTensor half = tensor_at(60, {7, 5});
    half.bits = 16;
    const Imported trace =
        import({call("_to_copy", {value(tensor_at(w_at, {7, 5}))}, {half}),
                call("mm", {value(tensor_at(x_at, {3, 5})), value(transposed(half))}, {tensor_at(y_at, {3, 7})})},
               {.training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("matmul"));
    EXPECT_EQ(trace.input(0, 1).role, TensorRole::weight);
}

TEST(CallReplay, UnknownCallsAreCountedWithTheirBytes) {
    const Imported trace = import({call("relu", {value(tensor_at(x_at, {4, 8}))}, {tensor_at(y_at, {4, 8})}),
                                   call("no_such_thing", {value(tensor_at(y_at, {4, 8}))}, {tensor_at(9, {4, 8})})},
                                  {.batch = 4, .training = Training::as_recorded});
    ASSERT_TRUE(trace.summary.unrecognised.contains("aten::no_such_thing"));
    EXPECT_EQ(trace.summary.unrecognised.at("aten::no_such_thing").bytes, 2U * 4 * 8 * 4);
    EXPECT_EQ(trace.summary.bytes, 4U * 4 * 8 * 4);
}

TEST(CallReplay, CallsWithoutTensorsOrElementsAreNoWork) {
    const Imported trace =
        import({call("relu", {value(tensor_at(x_at, {4, 8}))}, {tensor_at(y_at, {4, 8})}),
                call("relu", {value(tensor_at(10, {0, 8}))}, {tensor_at(11, {0, 8})}),
                call("sum", {none()}, {tensor_at(12, {3})}),
                call("max_pool2d_with_indices", {value(tensor_at(y_at, {4, 8, 1, 1})), numbers({2, 2})},
                     {tensor_at(13, {4, 0, 1, 1}), tensor_at(14, {4, 0, 1, 1})})},
               {.batch = 4, .training = Training::as_recorded});
    EXPECT_THAT(trace.kinds(), ElementsAre("relu"));
    EXPECT_EQ(trace.summary.unrecognised.size(), 2U);
    EXPECT_EQ(trace.summary.unrecognised.at("aten::sum").calls, 1U);
}

TEST(CallReplay, IterationsAreAddedUpOrTakenOneByOne) {
    std::vector<RecordedCall> calls = linear_step(true);
    const std::size_t one = calls.size();
    for (std::size_t i = 0; i < one; ++i) {
        calls.push_back(calls[i]);
        calls.back().iteration = 1;
    }
    EXPECT_EQ(import(calls).operations.size(), 10U);
    EXPECT_EQ(import(calls).header.batch, 6U) << "3 samples in each of 2 steps";
    const Imported second = import(calls, {.iteration = 2});
    EXPECT_EQ(second.operations.size(), 5U);
    EXPECT_EQ(second.header.batch, 3U);
    EXPECT_THROW((void)import(calls, {.iteration = 3}), InputError);
}

TEST(CallReplay, ExpandedOperandsAreMadeWhole) {
    // The gradient of a sum: one number, repeated by strides of 0.
    std::vector<RecordedCall> calls = linear_step(true);
    RecordedTensor dy = tensor_at(dy_at, {3, 7});
    dy.strides = {0, 0};
    calls[1] = in_backward(call("ones_like", {value(tensor_at(y_at, {}))}, {tensor_at(dy_at, {})}));
    calls[2].inputs[0] = value(dy);
    calls[3].inputs[0] = value(transposed(dy));
    const Imported trace = import(calls);
    EXPECT_THAT(trace.kinds(), ElementsAre("matmul", "fill", "copy", "matmul", "matmul", "sgd"));
    EXPECT_EQ(trace.input(3, 0).elements, 3U * 7);
    // One matrix for a batch needs no copy.
    RecordedTensor shared = tensor_at(x_at, {4, 2, 3});
    shared.strides = {0, 3, 1};
    const Imported batched = import(
        {call("bmm", {value(shared), value(tensor_at(y_at, {4, 3, 5}))}, {tensor_at(dy_at, {4, 2, 5})})}, {.batch = 4});
    EXPECT_EQ(batched.kinds().front(), "matmul");
    EXPECT_EQ(batched.input(0, 0).elements, 2U * 3);
}

TEST(CallReplay, ImpossibleShapesNameTheCall) {
    const RecordedTensor x = tensor_at(x_at, {4, 6, 9, 9});
    const auto message = [](const std::vector<RecordedCall>& calls) {
        try {
            (void)import(calls, {.batch = 1});
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_THAT(message({convolution(x, tensor_at(w_at, {8, 5, 3, 3}), tensor_at(y_at, {4, 8, 5, 5}))}),
                testing::AllOf(HasSubstr("a call (aten::convolution)"), HasSubstr("do not fit")));
    EXPECT_THAT(message({call("mm", {value(tensor_at(x_at, {3, 5})), value(tensor_at(w_at, {4, 5}))}, {})}),
                HasSubstr("cannot be multiplied"));
    EXPECT_THAT(message({convolution(x, tensor_at(w_at, {8, 6, 3, 3}), tensor_at(y_at, {4, 8, 5}))}),
                HasSubstr("its result should have 800 elements, and has 160"));
    EXPECT_THAT(
        message({call("mm", {value(tensor_at(x_at, {3, 5})), value(tensor_at(w_at, {5, 4}))}, {}),
                 call("native_batch_norm", {value(tensor_at(9, {0, 6, 9, 9})), value(tensor_at(30, {6}))}, {})}),
        HasSubstr("a call (aten::native_batch_norm): expected a tensor to work on"));
    constexpr std::uint64_t huge = std::uint64_t{1} << 62U;
    RecordedTensor large = tensor_at(x_at, {2, 3});
    large.shape = {huge, huge};
    EXPECT_THAT(message({call("relu", {value(large)}, {tensor_at(y_at, {2, 3})})}), HasSubstr("more than 2^48"));
    EXPECT_THAT(message({call("mm", {none()}, {})}), HasSubstr("expected a tensor as argument 1"));
    EXPECT_THAT(message({}), HasSubstr("no call that is an operation"));
}

}  // namespace
}  // namespace nibble::test
