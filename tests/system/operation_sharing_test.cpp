// SPDX-License-Identifier: MIT
// Results of operations are shared between the operations of a step, and between machines: that no total changes by
// it, and that what is left out of an operation's key does not reach it.
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/app/operation_run.h"
#include "sim/mapping/task_prediction.h"
#include "tests/support/evaluate_step.h"
#include "tests/support/random_case.h"
#include "tests/support/simulate.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

std::vector<OperationTask> operations_of(const std::string& trace, const MachineParameters& machine,
                                         const std::string& recipe) {
    const test::TraceFile file(trace);
    LoweringOptions options;
    options.recipe = find_recipe(recipe);
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    std::vector<OperationTask> operations;
    std::set<std::string> keys;
    Lowering::list_operations(file.path(), plan, machine, options, [&](const OperationTask& operation) {
        if (keys.insert(content_key(operation)).second) {
            operations.push_back(operation);
        }
    });
    return operations;
}

std::string measured(const OperationTask& operation, const MachineParameters& machine) {
    return test::simulate([&] {
        const OpRecord record = run_alone(operation, machine);
        return fmt::format("macs {} causes {} counters {}", record.macs, fmt::join(record.causes, " "),
                           fmt::join(record.counters, " "));
    });
}

std::string predicted(const OperationTask& operation, const MachineParameters& machine) {
    return fmt::format("{}", fmt::join(predict(operation, machine).counters, " "));
}

bool uses_log_gradient(const OperationTask& operation) {
    if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
        return gemm->task.code_bits + gemm->task.left.rounded_bits + gemm->task.right.rounded_bits > 0;
    }
    return std::get<VectorTask>(operation).gradients > 0;
}

bool uses_vector_unit(const OperationTask& operation) {
    const auto* gemm = std::get_if<MappedGemm>(&operation);
    return gemm == nullptr || gemm->task.lane_ops > 0;
}

/// Everything that the operation cannot depend on is made another.
MachineParameters otherwise_different(const OperationTask& operation, MachineParameters machine) {
    machine.name = "another";
    machine.description = "of another kind";
    machine.technology = "5nm";
    for (const GradientStorage storage : {GradientStorage::two_codes, GradientStorage::rerounded}) {
        if (machine.gradient_storage != storage) {
            machine.gradient_storage = storage;
            break;
        }
    }
    machine.scratchpad.capacity_bytes *= 2;
    machine.scratchpad.resident_bytes += 4096;
    machine.scratchpad.buffering += 1;
    if (machine.scratchpad.buffers) {
        (*machine.scratchpad.buffers)[0] += machine.scratchpad.capacity_bytes / 2 - 4096;
    }
    MacArrayParameters& array = machine.mac_array;
    array.sharing = array.sharing == ArraySharing::shared ? ArraySharing::dedicated : ArraySharing::shared;
    array.rows += 1;
    array.cols += 3;
    array.pe = {.int4_fp4_4way = 2, .fp8 = 1, .fp16 = 1};
    array.dataflows = {Dataflow::input_stationary, Dataflow::output_stationary};
    array.accumulator_bytes *= 2;
    array.accumulator_banks += 1;
    array.accumulator_line_bytes = 512;
    array.accumulator_ports = BankPorts::two_read_or_write;
    array.accumulation = {.chunk = 32, .format = AccumulatorFormat::dlfloat16};
    const auto* gemm = std::get_if<MappedGemm>(&operation);
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        if (gemm == nullptr || static_cast<std::size_t>(gemm->task.mode) != mode) {
            array.modes[mode] = ArrayGeometry{.rows = 3, .cols = 5};
        }
    }
    if (gemm == nullptr) {
        array.overlap = !array.overlap;
    }
    if (!uses_log_gradient(operation)) {
        machine.log_gradient = {.lanes = 3, .pipeline_depth = 9, .ideal = true};
    }
    if (!uses_vector_unit(operation)) {
        machine.vector_unit = {.lanes = 5, .pipeline_depth = 2, .ideal = true};
    }
    return machine;
}

TEST(OperationSharing, WhatIsLeftOutOfAKeyChangesNothing) {
    std::set<std::pair<bool, bool>> seen;  // with and without the units that may be left out
    for (std::uint64_t seed = 0; seed < 25; ++seed) {
        test::RandomCase random(seed);
        const MachineParameters machine = random.machine();
        const std::string trace = random.trace();
        for (const OperationTask& operation : operations_of(trace, machine, random.one_of(recipe_names()))) {
            SCOPED_TRACE(fmt::format("seed {}, {}", seed, content_key(operation)));
            const MachineParameters other = otherwise_different(operation, machine);
            EXPECT_EQ(operation_key(operation, machine), operation_key(operation, other));
            EXPECT_EQ(measured(operation, machine), measured(operation, other));
            EXPECT_EQ(predicted(operation, machine), predicted(operation, other));
            seen.emplace(uses_log_gradient(operation), uses_vector_unit(operation));
        }
    }
    EXPECT_TRUE(seen.contains({false, false}));
    EXPECT_TRUE(seen.contains({false, true}));
    EXPECT_TRUE(seen.contains({true, true}));
}

// A GEMM with an epilogue whose gradients are converted uses every unit: each of these changes is seen.
TEST(OperationSharing, WhatMayMatterIsInTheKey) {
    using Change = std::function<void(MachineParameters&)>;
    const std::vector<Change> changes{
        [](MachineParameters& m) { m.clock_period_ps += 1; },
        [](MachineParameters& m) { m.ideal_memory = true; },
        [](MachineParameters& m) { m.sequencer.queue_entries += 1; },
        [](MachineParameters& m) { m.dma.max_request_bytes *= 2; },
        [](MachineParameters& m) { m.dma.max_outstanding += 1; },
        [](MachineParameters& m) { m.dma.lines_per_cycle += 1; },
        [](MachineParameters& m) { m.dma.ideal = true; },
        [](MachineParameters& m) { m.dram.standard = "HBM2-2000"; },
        [](MachineParameters& m) { m.dram.channels *= 2; },
        [](MachineParameters& m) { m.dram.ranks *= 2; },
        [](MachineParameters& m) { m.dram.capacity_bytes_per_channel *= 2; },
        [](MachineParameters& m) { m.dram.channel_interleave_bytes *= 2; },
        [](MachineParameters& m) { m.dram.address_mapping = "ro-ra-bg-ba-ch-co"; },
        [](MachineParameters& m) { EXPECT_EQ(set_page_policy(m.dram, "closed"), ""); },
        [](MachineParameters& m) { m.dram.refresh = RefreshMode::per_bank; },
        [](MachineParameters& m) { m.dram.power_down = !m.dram.power_down; },
        [](MachineParameters& m) { m.dram.read_queue_entries += 1; },
        [](MachineParameters& m) { m.dram.write_queue_entries += 1; },
        [](MachineParameters& m) { m.dram.write_high_watermark += 1; },
        [](MachineParameters& m) { m.dram.write_low_watermark += 1; },
        [](MachineParameters& m) { m.dram.age_cap_bursts += 1; },
        [](MachineParameters& m) { m.scratchpad.banks += 1; },
        [](MachineParameters& m) { m.scratchpad.line_bytes *= 2; },
        [](MachineParameters& m) { m.scratchpad.ports = BankPorts::one_read_one_write; },
        [](MachineParameters& m) { m.scratchpad.arbitration = Arbitration::round_robin; },
        [](MachineParameters& m) { m.scratchpad.ideal = true; },
        [](MachineParameters& m) {
            m.scratchpad.buffers = TileBytes{1, 1, 1, 1};
        },
        [](MachineParameters& m) {
            m.scratchpad.buffers = TileBytes{1, 1, 1, 1};
            m.scratchpad.buffer_banks[2] = 3;
        },
        [](MachineParameters& m) { m.mac_array.overlap = !m.mac_array.overlap; },
        [](MachineParameters& m) { m.mac_array.ideal = true; },
        [](MachineParameters& m) { m.mac_array.modes[3]->rows += 1; },
        [](MachineParameters& m) { m.mac_array.modes[3]->cols += 1; },
        [](MachineParameters& m) { m.mac_array.modes[3]->macs_per_pe += 1; },
        [](MachineParameters& m) { m.mac_array.modes[3]->cycles_per_step += 1; },
        [](MachineParameters& m) { m.log_gradient.lanes += 1; },
        [](MachineParameters& m) { m.log_gradient.pipeline_depth += 1; },
        [](MachineParameters& m) { m.log_gradient.ideal = true; },
        [](MachineParameters& m) { m.vector_unit.lanes += 1; },
        [](MachineParameters& m) { m.vector_unit.pipeline_depth += 1; },
        [](MachineParameters& m) { m.vector_unit.ideal = true; },
    };
    Operation product;
    product.phase = Phase::dx;
    product.work = Matmul{1, 8, 8, 8, false, false};
    GemmTask task{.problem = GemmProblem(product, 64, 64), .mode = ArrayMode::fp16};
    task.lane_ops = 2;
    task.code_bits = 8;
    const MachineParameters machine = test::small_machine();
    const OperationTask operation = MappedGemm{task, {.i = 8, .j = 8, .l = 8}};
    std::set<std::string> keys{operation_key(operation, machine)};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        MachineParameters other = machine;
        changes[i](other);
        EXPECT_TRUE(keys.insert(operation_key(operation, other)).second) << "change " << i;
    }
    const OperationTask tiled_otherwise = MappedGemm{task, {.i = 4, .j = 8, .l = 8}};
    const OperationTask flowing_otherwise =
        MappedGemm{task, {.i = 8, .j = 8, .l = 8, .dataflow = Dataflow::weight_stationary}};
    EXPECT_TRUE(keys.insert(operation_key(tiled_otherwise, machine)).second);
    EXPECT_TRUE(keys.insert(operation_key(flowing_otherwise, machine)).second);
}

class Sharing : public testing::TestWithParam<Fidelity> {};

TEST_P(Sharing, ChangesNoTotal) {
    const TraceSource trace = test::step_of("tiny", 4);
    const test::StepOnMachine step(trace.path(), load_machine("edge-int4"));
    const StepEvaluation each = step.evaluate(GetParam(), nullptr, false);
    EXPECT_EQ(each.operations_shared, 0U);
    EXPECT_EQ(each.operations_evaluated, step.tensors().operations());

    std::set<std::string> kinds;
    Lowering::list_operations(trace.path(), step.tensors(), step.machine(), step.options(),
                              [&](const OperationTask& operation) { kinds.insert(content_key(operation)); });
    ASSERT_LT(kinds.size(), step.tensors().operations());
    test::MemoryStore store;
    for (OperationStore* const with : {static_cast<OperationStore*>(nullptr), static_cast<OperationStore*>(&store)}) {
        const StepEvaluation shared = step.evaluate(GetParam(), with);
        EXPECT_EQ(shared.totals, each.totals);
        EXPECT_EQ(shared.operations_evaluated, kinds.size());
        EXPECT_EQ(shared.operations_evaluated + shared.operations_shared, each.operations_evaluated);
    }
    EXPECT_EQ(store.values.size(), kinds.size());
    const StepEvaluation again = step.evaluate(GetParam(), &store);
    EXPECT_EQ(again.totals, each.totals);
    EXPECT_EQ(again.operations_evaluated, 0U);
}

// Another machine takes from the store what its difference cannot reach, and gets what it would get without.
TEST_P(Sharing, BetweenMachines) {
    const TraceSource trace = test::step_of("tiny", 4);
    const MachineParameters machine = load_machine("edge-int4");
    test::MemoryStore store;
    const test::StepOnMachine first(trace.path(), machine);
    const StepEvaluation cold = first.evaluate(GetParam(), &store);
    MachineParameters slower = machine;
    slower.log_gradient.lanes /= 2;
    std::set<std::string> converting;
    Lowering::list_operations(trace.path(), first.tensors(), machine, first.options(),
                              [&](const OperationTask& operation) {
                                  if (uses_log_gradient(operation)) {
                                      converting.insert(content_key(operation));
                                  }
                              });
    ASSERT_FALSE(converting.empty());
    const test::StepOnMachine second(trace.path(), slower);
    const StepEvaluation warm = second.evaluate(GetParam(), &store);
    EXPECT_EQ(warm.operations_evaluated, converting.size());
    EXPECT_LT(warm.operations_evaluated, cold.operations_evaluated);
    EXPECT_EQ(warm.totals, second.evaluate(GetParam(), nullptr, false).totals);
}

TEST_P(Sharing, DamagedResultsAreFoundAnew) {
    const TraceSource trace = test::step_of("tiny", 1);
    const test::StepOnMachine step(trace.path(), load_machine("edge-int4"));
    test::MemoryStore store;
    const StepEvaluation whole = step.evaluate(GetParam(), &store);
    const std::vector<std::string> damages{"",     "{",
                                           "null", "[1]",
                                           "{}",   "{\"macs\":-1,\"causes\":[],\"counters\":[]}",
                                           "\xff", "{\"macs\":1,\"causes\":[0,0,0,0,0,0],\"counters\":{\"cycles\":1}}"};
    std::size_t next = 0;
    for (auto& [key, value] : store.values) {
        value = damages[next++ % damages.size()];
    }
    const StepEvaluation mended = step.evaluate(GetParam(), &store);
    EXPECT_EQ(mended.totals, whole.totals);
    EXPECT_EQ(mended.operations_evaluated, whole.operations_evaluated);
    EXPECT_EQ(step.evaluate(GetParam(), &store).operations_evaluated, 0U);
}

INSTANTIATE_TEST_SUITE_P(Fidelities, Sharing, testing::Values(Fidelity::predicted, Fidelity::composed),
                         [](const auto& each) {
                             return std::string(fidelity_names[static_cast<std::size_t>(each.param)]);
                         });

}  // namespace
}  // namespace nibble
