// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_plan.h"

#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

TensorPlan plan_of(const test::TraceFile& file, const std::string& recipe = "int4-fp4", const Selection& selection = {},
                   const MachineParameters& machine = test::small_machine()) {
    return {file.path(), machine, *find_recipe(recipe), selection};
}

/// What the user is told of a trace, without the path.
std::string complaints(test::StepTrace& trace, const std::string& recipe = "int4-fp4",
                       const MachineParameters& machine = test::small_machine()) {
    const test::TraceFile file(trace.finish());
    try {
        static_cast<void>(plan_of(file, recipe, {}, machine));
    } catch (const InputError& error) {
        std::string text = error.what();
        for (std::size_t at = text.find(file.path()); at != std::string::npos; at = text.find(file.path())) {
            text.erase(at, file.path().size());
        }
        return text;
    }
    return "";
}

CopyFormats formats(std::initializer_list<CopyFormat> all) {
    CopyFormats bits = 0;
    for (const CopyFormat format : all) {
        bits = static_cast<CopyFormats>(bits | bit_of(format));
    }
    return bits;
}

// ---- uses

// op 0 reads a (access 0), writes b (1); op 1 reads b (2), writes c (3); op 2 reads b (4) and a (5), writes d (6).
TEST(TensorPlan, KnowsWhichAccessOfATensorIsTheLast) {
    test::StepTrace trace;
    const TensorId a = trace.tensor(activation, 8);
    const TensorId b = trace.tensor(activation, 8);
    const TensorId c = trace.tensor(activation, 8);
    const TensorId d = trace.tensor(activation, 8);
    const TensorId unused = trace.tensor(activation, 8);
    trace.vector(8, {a}, {b});
    trace.vector(8, {b}, {c});
    trace.vector(8, {b, a}, {d});
    const test::TraceFile file(trace.finish());
    const TensorPlan plan = plan_of(file);
    EXPECT_EQ(plan.operations(), 3U);
    EXPECT_EQ(plan.tensors(), 5U);
    EXPECT_EQ(plan.residency().accesses(), 7U);
    EXPECT_FALSE(plan.last_access(a, 0));
    EXPECT_TRUE(plan.last_access(a, 5));
    EXPECT_FALSE(plan.last_access(b, 2));
    EXPECT_TRUE(plan.last_access(b, 4));
    EXPECT_TRUE(plan.last_access(c, 3));
    EXPECT_TRUE(plan.accessed(d));
    EXPECT_FALSE(plan.accessed(unused));
    EXPECT_EQ(plan.header().name, "step");
}

TEST(TensorPlan, CountsSelectedOperationsOnlyButKnowsAllFormats) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 4);
    const TensorId w = trace.tensor(weight, 4);
    const TensorId y = trace.tensor(activation, 4);
    const TensorId z = trace.tensor(activation, 4);
    trace.vector(4, {x}, {z}, "in");
    trace.add(Phase::forward, "skip", Matmul{1, 2, 2, 2, false, true}, {x, w}, {y});
    trace.vector(4, {x}, {z}, "in");
    const test::TraceFile file(trace.finish());
    const TensorPlan plan = plan_of(file, "int4-fp4", {.layers = "in"});
    EXPECT_EQ(plan.operations(), 2U);
    EXPECT_EQ(plan.residency().accesses(), 4U);
    EXPECT_TRUE(plan.last_access(x, 2));
    EXPECT_FALSE(plan.accessed(w));
    EXPECT_EQ(plan.formats(x), formats({CopyFormat::int4, CopyFormat::fp16}));
    EXPECT_EQ(plan.formats(w), formats({CopyFormat::int4}));
}

// ---- formats

struct Layer {
    TensorId x, w, y, dy, gx, gw;
};

/// The three GEMMs of a layer; its output is read and its gradient made by vector work.
Layer layer(test::StepTrace& trace, const Convolution& c, Position position) {
    Layer made{};
    made.x = trace.tensor(activation, c.n * c.c * c.h * c.w);
    made.w = trace.tensor(weight, c.k * (c.c / c.groups) * c.r * c.s);
    const std::uint64_t outputs = c.n * c.k * c.p() * c.q();
    made.y = trace.tensor(activation, outputs);
    made.dy = trace.tensor(gradient, outputs);
    made.gx = trace.tensor(gradient, c.n * c.c * c.h * c.w);
    made.gw = trace.tensor(weight_gradient, c.k * (c.c / c.groups) * c.r * c.s);
    trace.add(Phase::forward, "l", c, {made.x, made.w}, {made.y}, position);
    trace.vector(outputs, {made.y}, {made.dy});
    trace.add(Phase::dx, "l", c, {made.dy, made.w}, {made.gx}, position);
    trace.add(Phase::dw, "l", c, {made.x, made.dy}, {made.gw}, position);
    return made;
}

const Convolution small{.n = 1, .c = 4, .h = 4, .w = 4, .k = 4};

TEST(TensorPlan, TensorsHaveACopyForEachFormatThatIsRead) {
    test::StepTrace trace;
    const Layer middle = layer(trace, small, Position::middle);
    const Layer first = layer(trace, small, Position::first);
    const test::TraceFile file(trace.finish());
    const TensorPlan plan = plan_of(file);
    EXPECT_EQ(plan.formats(middle.x), formats({CopyFormat::int4}));
    EXPECT_EQ(plan.formats(middle.w), formats({CopyFormat::int4}));
    EXPECT_EQ(plan.formats(middle.y), formats({CopyFormat::fp16}));
    EXPECT_EQ(plan.formats(middle.dy), formats({CopyFormat::fp4_even, CopyFormat::fp4_odd}));
    EXPECT_EQ(plan.formats(middle.gx), formats({CopyFormat::fp16})) << "the plain copy if nobody reads any";
    for (const TensorId id : {first.x, first.w, first.y, first.dy}) {
        EXPECT_EQ(plan.formats(id), formats({CopyFormat::fp16}));
    }
}

TEST(TensorPlan, PhasesMayBePackedInOneCopy) {
    test::StepTrace trace;
    const Layer middle = layer(trace, small, Position::middle);
    MachineParameters machine = test::small_machine();
    machine.gradient_storage = GradientStorage::packed_pair;
    const test::TraceFile file(trace.finish());
    EXPECT_EQ(plan_of(file, "int4-fp4", {}, machine).formats(middle.dy), formats({CopyFormat::fp4_pair}));
}

TEST(TensorPlan, FormatsFollowTheRecipe) {
    test::StepTrace trace;
    const Layer middle = layer(trace, small, Position::middle);
    const test::TraceFile file(trace.finish());
    EXPECT_EQ(plan_of(file, "fp16").formats(middle.dy), formats({CopyFormat::fp16}));
    EXPECT_EQ(plan_of(file, "hfp8").formats(middle.x), formats({CopyFormat::fp8}));
    EXPECT_EQ(plan_of(file, "int4-fp4-dw8").formats(middle.dy), formats({CopyFormat::fp4_even, CopyFormat::fp8}));
    // A 1x1 convolution: backward in FP8, the forward operands stay INT4.
    EXPECT_EQ(plan_of(file, "int4-fp4-1x1-fp8").formats(middle.dy), formats({CopyFormat::fp8}));
    EXPECT_EQ(plan_of(file, "int4-fp4-1x1-fp8").formats(middle.x), formats({CopyFormat::int4}));
}

TEST(TensorPlan, VectorWorkReadsSixteenOrThirtyTwoBits) {
    test::StepTrace trace;
    const TensorId out = trace.tensor(activation, 8);
    const TensorId momentum = trace.tensor(state, 8);
    const TensorId mean = trace.tensor(statistic, 8);
    const TensorId tokens = trace.tensor(TensorRole::index, 8);
    const TensorId bits = trace.tensor(mask, 8, 1);
    trace.vector(8, {out}, {bits});
    trace.vector(8, {momentum, mean, tokens, bits, out}, {out});
    const test::TraceFile file(trace.finish());
    const TensorPlan plan = plan_of(file);
    EXPECT_EQ(plan.formats(momentum), formats({CopyFormat::fp32}));
    EXPECT_EQ(plan.formats(mean), formats({CopyFormat::fp32}));
    EXPECT_EQ(plan.formats(tokens), formats({CopyFormat::fp32}));
    EXPECT_EQ(plan.formats(bits), formats({CopyFormat::mask}));
    EXPECT_EQ(plan.formats(out), formats({CopyFormat::fp16}));
}

// ---- errors: the header is line 1, every tensor and operation a line of its own

TEST(TensorPlan, SaysWhichOperandDoesNotFit) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 63);
    const TensorId w = trace.tensor(weight, 16);
    const TensorId y = trace.tensor(activation, 65);
    EXPECT_EQ(trace.add(Phase::forward, "conv1", small, {x, w}, {y}), 5U);
    EXPECT_EQ(complaints(trace),
              ":5:1: conv1: the left operand must have 64 elements, tensor 0 has 63\n"
              ":5:1: conv1: the result must have 64 elements, tensor 2 has 65");
}

TEST(TensorPlan, ABatchMayShareAnOperand) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 3 * 2 * 4);
    const TensorId w = trace.tensor(weight, 4 * 5);
    const TensorId y = trace.tensor(activation, 3 * 2 * 5);
    trace.add(Phase::forward, "fc", Matmul{3, 2, 5, 4, false, true}, {x, w}, {y});
    EXPECT_EQ(complaints(trace), "");
    test::StepTrace wrong;
    const TensorId x2 = wrong.tensor(activation, 3 * 2 * 4);
    const TensorId w2 = wrong.tensor(weight, 21);
    const TensorId y2 = wrong.tensor(activation, 3 * 2 * 5);
    wrong.add(Phase::forward, "fc", Matmul{3, 2, 5, 4, false, true}, {x2, w2}, {y2});
    EXPECT_EQ(complaints(wrong), ":5:1: fc: the right operand must have 60 or 20 elements, tensor 1 has 21");
}

TEST(TensorPlan, OperandsOfAGemmAreActivationsWeightsOrGradients) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 4);
    const TensorId s = trace.tensor(state, 4);
    const TensorId y = trace.tensor(activation, 4);
    trace.add(Phase::forward, "fc", Matmul{1, 2, 2, 2}, {x, s}, {y});
    EXPECT_EQ(complaints(trace),
              ":5:1: fc: the right operand must be an activation, a weight or a gradient, tensor 1 is none");
}

TEST(TensorPlan, SaysOnceWhatIsReadBeforeItIsWritten) {
    test::StepTrace trace;
    const TensorId dy = trace.tensor(gradient, 8);
    const TensorId gw = trace.tensor(weight_gradient, 8);
    const TensorId bits = trace.tensor(mask, 8, 1);
    const TensorId out = trace.tensor(activation, 8);
    trace.vector(8, {dy}, {out}, "first");
    trace.vector(8, {dy, gw}, {out}, "second");
    trace.vector(8, {bits}, {out}, "third");
    EXPECT_EQ(complaints(trace),
              ":6:1: first: tensor 0 is read before any operation has written it\n"
              ":7:1: second: tensor 1 is read before any operation has written it\n"
              ":8:1: third: tensor 2 is read before any operation has written it");
}

TEST(TensorPlan, SaysWhichModeTheMachineLacks) {
    MachineParameters machine = test::small_machine();
    machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::int4)].reset();
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 4);
    const TensorId w = trace.tensor(weight, 4);
    const TensorId y = trace.tensor(activation, 4);
    trace.add(Phase::forward, "fc", Matmul{1, 2, 2, 2}, {x, w}, {y});
    EXPECT_EQ(complaints(trace, "int4-fp4", machine),
              ":5:1: fc: recipe int4-fp4 wants mode int4, which machine small does not have");
    EXPECT_EQ(complaints(trace, "fp16", machine), "");
}

}  // namespace
}  // namespace nibble
