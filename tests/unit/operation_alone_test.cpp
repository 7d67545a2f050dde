// SPDX-License-Identifier: MIT
#include "sim/lowering/operation_alone.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/lowering/lowering.h"
#include "sim/lowering/recipe.h"
#include "tests/support/random_case.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

/// One command as text, but for its operation and where in DRAM its slice lies.
class CommandText {
public:
    std::string operator()(const TransferCommand& transfer) const {
        std::string text = fmt::format("moves {} part {}", transfer.slice.run_bytes, static_cast<int>(transfer.part));
        for (const Slice::Dimension& dimension : transfer.slice.outer) {
            text += fmt::format(" {} by {}", dimension.count, dimension.stride_bytes);
        }
        return text;
    }
    std::string operator()(const MatmulCommand& tile) const {
        std::string text = fmt::format("multiplies mode {} flow {} bits {} {} parts {} {} {} transposed {} {} {} {}",
                                       static_cast<int>(tile.mode), static_cast<int>(tile.dataflow), tile.left_bits,
                                       tile.right_bits, static_cast<int>(tile.left_part),
                                       static_cast<int>(tile.right_part), static_cast<int>(tile.result_part),
                                       tile.left_transposed, tile.right_transposed, tile.accumulate, tile.finish);
        for (const MatmulPass& pass : tile.passes) {
            text += fmt::format(" {} {} {}", pass.m, pass.n, pass.k);
        }
        return text;
    }
    std::string operator()(const ConvertCommand& convert) const {
        return fmt::format("converts {} to {} parts {} {}", convert.elements, convert.code_bits,
                           static_cast<int>(convert.gradient_part), static_cast<int>(convert.code_part));
    }
    std::string operator()(const VectorCommand& vector) const {
        return fmt::format("lanes {} macs {} read {} write {}", vector.lane_ops, vector.macs,
                           fmt::join(vector.read_bytes, " "), fmt::join(vector.write_bytes, " "));
    }
};

struct Commands {
    std::vector<std::string> work;
    std::vector<Dependencies> needs;
    OperationStatement statement;
};

/// The commands of each operation of a program.
std::vector<Commands> commands_of(ProgramSource& program) {
    std::vector<Commands> operations;
    for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
        if (std::holds_alternative<OperationBegin>(item)) {
            operations.emplace_back();
        } else if (const auto* command = std::get_if<Command>(&item)) {
            operations.back().work.push_back(fmt::format("{} {}", unit_names[static_cast<std::size_t>(command->unit)],
                                                         std::visit(CommandText{}, command->work)));
            operations.back().needs.push_back(command->needs);
        } else {
            operations.back().statement = std::get<OperationEnd>(item).statement;
        }
    }
    return operations;
}

/// Compares the operations of a step with the same ones alone; says how many there were of each kind.
std::array<std::size_t, 2> compare(const std::string& trace, const MachineParameters& machine,
                                   const std::string& recipe) {
    const test::TraceFile file(trace);
    LoweringOptions options;
    options.recipe = find_recipe(recipe);
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    Lowering program(file.path(), plan, machine, options);
    const std::vector<Commands> step = commands_of(program);
    std::array<std::size_t, 2> kinds{};
    std::size_t index = 0;
    Lowering::list_operations(file.path(), plan, machine, options, [&](const OperationTask& operation) {
        ASSERT_LT(index, step.size());
        const Commands& inside = step[index];
        OperationAlone program_alone(operation, machine);
        const Commands alone = commands_of(program_alone).at(0);
        EXPECT_EQ(alone.work, inside.work) << content_key(operation);
        EXPECT_EQ(alone.statement.macs, inside.statement.macs);
        EXPECT_EQ(alone.statement.dram_bytes_read, inside.statement.dram_bytes_read) << content_key(operation);
        EXPECT_EQ(alone.statement.dram_bytes_written, inside.statement.dram_bytes_written);
        if (index == 0) {  // nothing before it that it could wait for
            EXPECT_EQ(alone.needs, inside.needs);
        }
        ++kinds[operation.index()];
        ++index;
    });
    EXPECT_EQ(index, step.size());
    return kinds;
}

// An operation alone gives the machine the same commands as inside its step, but for addresses and for what it waits
// for of the operations before it.
TEST(OperationAlone, EmitsWhatItDoesInsideAStep) {
    std::array<std::size_t, 2> kinds{};
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        SCOPED_TRACE(seed);
        test::RandomCase random(seed);
        const MachineParameters machine = random.machine();
        const std::string trace = random.trace();
        const std::array<std::size_t, 2> more = compare(trace, machine, random.one_of(recipe_names()));
        kinds[0] += more[0];
        kinds[1] += more[1];
        if (testing::Test::HasFailure()) {
            break;
        }
    }
    EXPECT_GT(kinds[0], 300U);  // GEMMs
    EXPECT_GT(kinds[1], 300U);  // of the vector unit
}

// A gradient that the vector unit makes goes through the log-gradient unit; a table is read in part; a bias is loaded
// once; a statistic is stored once.
TEST(OperationAlone, ConversionsTablesAndSmallOperands) {
    const Matmul product{1, 64, 64, 64, false, false};
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 64 * 64);
    const TensorId w = trace.tensor(weight, 64 * 64);
    const TensorId dy = trace.tensor(gradient, 64 * 64);
    const TensorId gx = trace.tensor(gradient, 64 * 64);
    const TensorId gw = trace.tensor(weight_gradient, 64 * 64);
    const TensorId sum = trace.tensor(statistic, 64);
    trace.vector(64 * 64, {x, sum}, {dy});
    trace.add(Phase::dx, "fc", product, {dy, w}, {gx});
    trace.add(Phase::dw, "fc", product, {dy, x}, {gw});
    trace.vector(64 * 64, {dy}, {sum});
    for (const char* recipe : {"int4-fp4", "fp16"}) {
        const auto kinds = compare(trace.finish(), test::small_machine(), recipe);
        EXPECT_EQ(kinds[0], 2U);
        EXPECT_EQ(kinds[1], 2U);
    }
}

VectorTask some_vector_task() {
    VectorTask task;
    task.inputs = {{.bytes = 40000, .part = ScratchpadPart::left}};
    task.results = {{.bytes = 40000, .part = ScratchpadPart::output}};
    task.codes = {{.bytes = 20000, .part = ScratchpadPart::gradient}};
    task.lane_ops = 20000;
    task.gradients = 20000;
    task.code_bits = 8;
    task.chunks = 2;
    return task;
}

// Whatever changes the commands of an operation, or may do so, changes its key.
TEST(VectorTask, KeySaysEverything) {
    using Change = void (*)(VectorTask&);
    const std::vector<Change> changes{
        [](VectorTask& t) { t.inputs[0].bytes = 40002; },
        [](VectorTask& t) { t.inputs[0].moves = false; },
        [](VectorTask& t) { t.inputs[0].stays = true; },
        [](VectorTask& t) { t.inputs[0].part = ScratchpadPart::right; },
        [](VectorTask& t) { t.inputs[0].rows.run_bytes = 100; },
        [](VectorTask& t) {
            t.inputs[0].rows = {.run_bytes = 100, .outer = {{{}, {}, {3, 200}}}};
        },
        [](VectorTask& t) {
            t.inputs[0].rows = {.run_bytes = 100, .outer = {{{}, {}, {3, 300}}}};
        },
        [](VectorTask& t) { t.inputs.push_back(t.inputs[0]); },
        [](VectorTask& t) { t.results.push_back(t.results[0]); },
        [](VectorTask& t) { t.results.clear(); },
        [](VectorTask& t) { t.codes[0].bytes = 10000; },
        [](VectorTask& t) { t.lane_ops = 1; },
        [](VectorTask& t) { t.macs = 1; },
        [](VectorTask& t) { t.gradients = 10000; },
        [](VectorTask& t) { t.passing = 20000; },
        [](VectorTask& t) { t.gradient_part = ScratchpadPart::resident; },
        [](VectorTask& t) { t.code_bits = 5; },
        [](VectorTask& t) { t.buffering = 3; },
        [](VectorTask& t) { t.chunks = 3; },
    };
    std::set<std::string> keys{some_vector_task().key()};
    for (const Change& change : changes) {
        VectorTask task = some_vector_task();
        change(task);
        EXPECT_TRUE(keys.insert(task.key()).second) << task.key();
    }
    EXPECT_EQ(some_vector_task().key(), some_vector_task().key());
}

// 40000 bytes in, 40000 out, 20000 of codes, and 2 x 20000 of gradients on their way: 140000 bytes take two chunks of
// at most 128 KiB. Two buffers of half of each stream, plus 64 bytes to align on: 2 x (20000 + 64) in and out,
// 2 x (10000 + 64) of codes, and 2 x 20000 of gradients beside the results.
TEST(VectorTask, IsCutIntoAsFewChunksAsFit) {
    VectorTask task = some_vector_task();
    task.cut(test::tile_room(1024 * 1024));
    EXPECT_EQ(task.chunks, 2U);
    EXPECT_EQ(task.space(), (TileBytes{40128, 0, 40128 + 40000, 20128}));
    const std::uint64_t all = 40128 + 40128 + 40000 + 20128;
    task.cut(test::tile_room(all));
    EXPECT_EQ(task.chunks, 2U);
    task.cut(test::tile_room(all - 1));
    EXPECT_EQ(task.chunks, 4U);
}

// Rows of a table are not cut: of five rows of 4000 bytes a chunk of two takes three, and there are two chunks at once.
TEST(VectorTask, ChunksOfATableAreWholeRows) {
    VectorTask task;
    task.inputs = {{.bytes = 20000, .rows = {.run_bytes = 4000, .outer = {{{}, {}, {5, 8000}}}}}};
    task.chunks = 2;
    EXPECT_EQ(task.space(), (TileBytes{2 * 3 * 4000, 0, 0, 0}));
}

}  // namespace
}  // namespace nibble
