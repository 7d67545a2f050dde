// SPDX-License-Identifier: MIT
// What joins what. Each test states the operations of a trace and those that must be left.
#include "sim/input/fusion.h"

#include <fstream>
#include <sstream>
#include <string>
#include <variant>

#include <gmock/gmock.h>

#include "sim/input/trace_writer.h"
#include "tests/support/recorded_calls.h"
#include "tests/support/trace_file.h"
#include "tests/support/training_step.h"

namespace nibble::test {
namespace {

using testing::ElementsAre;

/// A trace in the making: tensors of 4 x 8 elements by role, operations by their lines.
class Trace {
public:
    unsigned tensor(const std::string& role, const std::string& shape = "4,8", const std::string& more = {}) {
        lines_ += "{\"tensor\":" + std::to_string(tensors_) + ",\"role\":\"" + role + "\",\"shape\":[" + shape + "]" +
                  more + "}\n";
        return tensors_++;
    }
    /// x (4 x 16) times w (16 x 8).
    unsigned matmul() {
        const unsigned x = tensor("activation", "4,16");
        const unsigned w = tensor("weight", "16,8");
        const unsigned y = tensor("activation");
        operation(R"("op":"matmul","phase":"forward","m":4,"n":8,"k":16)", {x, w}, {y});
        return y;
    }
    void pass(const std::string& function, const std::vector<unsigned>& in, const std::vector<unsigned>& out,
              const std::string& elements = "32") {
        operation(R"("op":"vector","phase":"vector","steps":[[")" + function + "\",1]],\"elements\":" + elements, in,
                  out);
    }
    [[nodiscard]] Imported fused(FusionCount* count = nullptr) const {
        const TraceFile trace(R"({"nibblesim_trace":1,"name":"net","batch":4})"
                              "\n" +
                              lines_ + R"({"end":{"tensors":)" + std::to_string(tensors_) + R"(,"operations":)" +
                              std::to_string(operations_) + "}}\n");
        std::ostringstream out;
        const FusionCount counted = fuse_trace(trace.path(), out);
        if (count != nullptr) {
            *count = counted;
        }
        return read_imported(out.str());
    }

private:
    static std::string list(const std::vector<unsigned>& numbers) {
        std::string text;
        for (const unsigned number : numbers) {
            text += (text.empty() ? "" : ",") + std::to_string(number);
        }
        return "[" + text + "]";
    }
    void operation(const std::string& what, const std::vector<unsigned>& in, const std::vector<unsigned>& out) {
        lines_ += "{" + what + ",\"layer\":\"l\",\"in\":" + list(in) + ",\"out\":" + list(out) + "}\n";
        ++operations_;
    }

    std::string lines_;
    unsigned tensors_ = 0, operations_ = 0;
};

TEST(Fusion, FunctionsOfAnElementBecomeTheEpilogue) {
    Trace trace;
    const unsigned y = trace.matmul();
    const unsigned bias = trace.tensor("state", "8");
    const unsigned sum = trace.tensor("activation");
    const unsigned z = trace.tensor("activation");
    trace.pass("bias", {y, bias}, {sum});
    trace.pass("gelu", {sum}, {z});
    FusionCount count;
    const Imported fused = trace.fused(&count);
    EXPECT_THAT(fused.kinds(), ElementsAre("matmul:bias+gelu"));
    EXPECT_EQ(count.passes, 2U);
    EXPECT_EQ(count.fused, 2U);
    EXPECT_EQ(fused.operations[0].inputs.size(), 3U);
    EXPECT_EQ(fused.operations[0].outputs.size(), 1U) << "nobody else reads what lies between";
    EXPECT_EQ(fused.tensors.size(), 4U) << "nor is it declared";
}

TEST(Fusion, WhatOthersReadIsStillWritten) {
    Trace trace;
    const unsigned y = trace.matmul();
    const unsigned z = trace.tensor("activation");
    const unsigned later = trace.tensor("activation", "4,4");
    trace.pass("tanh", {y}, {z});
    trace.pass("slice", {y}, {later}, "16");
    const Imported fused = trace.fused();
    EXPECT_THAT(fused.kinds(), ElementsAre("matmul:tanh", "slice"));
    EXPECT_EQ(fused.operations[0].outputs.size(), 2U);
    EXPECT_EQ(fused.operations[0].outputs[0], fused.operations[1].inputs[0]) << "the GEMM's own result stays its first";
}

TEST(Fusion, StatisticsAreGatheredInTheDrainButNeededWhole) {
    Trace trace;
    const unsigned y = trace.matmul();
    const unsigned statistics = trace.tensor("statistic", "2,8");
    const unsigned normal = trace.tensor("activation");
    const unsigned z = trace.tensor("activation");
    trace.pass("batch_stats", {y}, {statistics});
    trace.pass("batch_norm", {y, statistics}, {normal});
    trace.pass("relu", {normal}, {z});
    EXPECT_THAT(trace.fused().kinds(), ElementsAre("matmul:batch_stats", "batch_norm+relu"));
}

// Backward the same: the mask and the sums of normalisation with its statistics of long ago, but not what needs the
// sums.
TEST(Fusion, SumsOfABackwardPassAreGatheredInTheDrain) {
    Trace trace;
    const unsigned x = trace.tensor("activation");
    const unsigned statistics = trace.tensor("statistic", "2,8");
    const unsigned dy = trace.matmul();
    const unsigned masked = trace.tensor("activation");
    const unsigned sums = trace.tensor("statistic", "2,8");
    const unsigned dx = trace.tensor("activation");
    trace.pass("relu_grad", {dy, x}, {masked});
    trace.pass("bn_grad_reduce", {masked, x, statistics}, {sums});
    trace.pass("bn_grad_apply", {masked, x, statistics, sums}, {dx});
    const Imported fused = trace.fused();
    EXPECT_THAT(fused.kinds(), ElementsAre("matmul:relu_grad+bn_grad_reduce", "bn_grad_apply"));
    EXPECT_EQ(fused.operations[0].outputs.size(), 2U) << "the masked gradient and the sums";
}

TEST(Fusion, RowsDoNotFitTheTilesOfAGemm) {
    Trace trace;
    const unsigned y = trace.matmul();
    const unsigned p = trace.tensor("activation");
    const unsigned z = trace.tensor("activation");
    trace.pass("softmax", {y}, {p});
    trace.pass("mul", {p}, {z});
    EXPECT_THAT(trace.fused().kinds(), ElementsAre("matmul", "softmax+mul"));
}

TEST(Fusion, ResidualsAreReadByTheEpilogue) {
    Trace trace;
    const unsigned first = trace.matmul();
    const unsigned second = trace.matmul();
    const unsigned sum = trace.tensor("activation");
    trace.pass("add", {first, second}, {sum});
    const Imported fused = trace.fused();
    EXPECT_THAT(fused.kinds(), ElementsAre("matmul", "matmul:add"));
    EXPECT_EQ(fused.operations[1].inputs[2], fused.operations[0].outputs[0]);
}

TEST(Fusion, AGemmBetweenDoesNotHinder) {
    Trace trace;
    const unsigned y = trace.matmul();
    (void)trace.matmul();
    const unsigned z = trace.tensor("activation");
    trace.pass("relu", {y}, {z});
    EXPECT_THAT(trace.fused().kinds(), ElementsAre("matmul", "matmul:relu"));
}

TEST(Fusion, WorkOfAnotherSizeStaysByItself) {
    Trace trace;
    const unsigned y = trace.matmul();
    const unsigned pooled = trace.tensor("activation", "4,4");
    const unsigned wide = trace.tensor("activation", "8,8");
    const unsigned z = trace.tensor("activation", "8,8");
    trace.pass("max_pool", {y}, {pooled}, "16");
    trace.pass("copy", {y, y}, {wide}, "64");
    trace.pass("relu", {wide}, {z}, "64");
    EXPECT_THAT(trace.fused().kinds(), ElementsAre("matmul", "max_pool", "copy+relu"));
}

TEST(Fusion, WhatWritesInPlaceKeepsItsOrder) {
    Trace trace;
    const unsigned table = trace.tensor("activation", "16,8");
    const unsigned y = trace.matmul();
    const unsigned z = trace.tensor("activation");
    const unsigned read = trace.tensor("activation");
    trace.pass("slice", {table}, {read});
    trace.pass("place", {y, table}, {table});
    trace.pass("relu", {read}, {z});
    // relu would join the slice, but by then the slice must have been written: its table changes.
    EXPECT_THAT(trace.fused().kinds(), ElementsAre("matmul", "slice", "place", "relu"));
}

// The built-in networks come fused: by the rules of this file nothing is left that could join what it works on.
TEST(Fusion, LeavesNothingToDoInBuiltInNetworks) {
    for (const std::string& name : built_in_names()) {
        const std::string path = testing::TempDir() + "/built_in.trace";
        {
            std::ofstream file(path);
            TraceWriter writer(file, {name, 2});
            expand_training_step(built_in(name), 2, [&](const TraceItem& item) {
                std::visit([&](const auto& any) { writer.write(any); }, item);
            });
            writer.finish();
        }
        std::ostringstream out;
        const FusionCount count = fuse_trace(path, out);
        EXPECT_GT(count.passes, 0U) << name;
        EXPECT_EQ(count.fused, 0U) << name;
    }
}

}  // namespace
}  // namespace nibble::test
