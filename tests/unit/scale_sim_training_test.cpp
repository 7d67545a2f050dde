// SPDX-License-Identifier: MIT
// Tables of layers, completed to training steps.
#include <array>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "sim/import/byte_source.h"
#include "sim/import/derive/derive_training.h"
#include "sim/import/tables/scale_sim_reader.h"
#include "sim/import/tables/zigzag_reader.h"
#include "sim/input/operation_size.h"
#include "sim/input/trace_reader.h"
#include "sim/input/trace_writer.h"
#include "tests/support/imported_graph.h"

namespace nibble {
namespace {

const std::filesystem::path data = std::filesystem::path(NIBBLE_SOURCE_DIR) / "../shared/data/scale-sim";

struct Step {
    std::array<std::uint64_t, 5> macs{};  ///< by phase
    std::array<std::uint64_t, 5> operations{};
    std::uint64_t first = 0;  ///< MACs of the first forward GEMM
    std::vector<Operation> gemms;
};

/// The step as a trace reader sees it.
Step derived(const StepGraph& graph) {
    std::stringstream text;
    TraceWriter writer(text, graph.header);
    ImportSummary summary;
    derive_training(
        graph, {}, [&](const TraceItem& item) { writer.write(item); }, summary);
    writer.finish();
    TraceReader reader(text, "derived");
    Step step;
    while (const std::optional<TraceItem> item = reader.next()) {
        if (const auto* operation = std::get_if<Operation>(&*item)) {
            const auto phase = static_cast<std::size_t>(operation->phase);
            step.macs.at(phase) += macs_of(*operation);
            step.operations.at(phase) += 1;
            if (!std::holds_alternative<VectorWork>(operation->work)) {
                step.gemms.push_back(*operation);
                step.first = step.first == 0 ? macs_of(*operation) : step.first;
            }
        }
    }
    return step;
}

constexpr auto forward = static_cast<std::size_t>(Phase::forward);
constexpr auto dx = static_cast<std::size_t>(Phase::dx);
constexpr auto dw = static_cast<std::size_t>(Phase::dw);

TEST(LayerTableTraining, EveryGemmHasItsGradients) {
    if (!std::filesystem::exists(data)) {
        GTEST_SKIP() << "no " << data;
    }
    for (const auto& entry : std::filesystem::directory_iterator(data)) {
        if (entry.path().extension() != ".csv") {
            continue;
        }
        SCOPED_TRACE(entry.path().filename());
        ByteSource source(entry.path(), [](std::string_view) { return true; });
        ImportSummary summary;
        const StepGraph graph = read_scale_sim(source, {}, summary);
        const Step step = derived(graph);
        if (graph.backward_recorded) {  // nothing is derived but, perhaps, the optimiser
            EXPECT_EQ(step.gemms.size() * 2, graph.operations.size());  // each gradient is made by an operation
            EXPECT_EQ(step.macs[forward], 0U);
        } else {
            // Each dw multiplies what its forward GEMM does, and each dx; the first layer has none.
            EXPECT_EQ(step.macs[dw], step.macs[forward]);
            EXPECT_EQ(step.macs[dx], step.macs[forward] - step.first);
            EXPECT_EQ(step.operations[dw], graph.operations.size());
        }
    }
}

TEST(LayerTableTraining, BackwardGemmsInheritTheWidths) {
    const test::Folder folder;
    const auto layer = [](const std::string& id, const std::string& input) {
        return "- {id: " + id + ", operator_type: Gemm, equation: 'O[m][n]+=I[m][k]*W[n][k]', loop_dims: [M, N, K], " +
               "loop_sizes: [8, 8, 8], operand_precision: {W: 4, I: 2, O: 16}, operand_source: {I: " + input +
               ", W: " + id + "}}\n";
    };
    ByteSource source(folder.add("net.yaml", layer("0", "0") + layer("1", "0")), [](std::string_view) { return true; });
    ImportSummary summary;
    const Step step = derived(read_zigzag(source, {}, summary));
    ASSERT_EQ(step.gemms.size(), 5U);  // forward and dw of both, dx of the second
    for (const Operation& gemm : step.gemms) {
        EXPECT_EQ(gemm.operand_bits, (OperandBits{2, 4, 16})) << gemm.layer;
    }
}

}  // namespace
}  // namespace nibble
