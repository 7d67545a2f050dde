// SPDX-License-Identifier: MIT
#include "sim/lowering/lowering.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/lowering/recipe.h"
#include "tests/support/random_case.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

struct Lowered {
    std::vector<OpRecord> operations;
    std::vector<Command> commands;
};

Lowered lower(const std::string& trace, const MachineParameters& machine, const std::string& recipe) {
    const test::TraceFile file(trace);
    LoweringOptions options;
    options.recipe = find_recipe(recipe);
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    Lowering program(file.path(), plan, machine, options);
    Lowered lowered;
    while (true) {
        ProgramItem item = program.next();
        if (std::holds_alternative<ProgramEnd>(item)) {
            return lowered;
        }
        if (auto* begin = std::get_if<OperationBegin>(&item)) {
            lowered.operations.push_back(begin->record);
        } else if (auto* end = std::get_if<OperationEnd>(&item)) {
            lowered.operations.back().macs = end->statement.macs;
            lowered.operations.back().predicted_dram_bytes_read = end->statement.dram_bytes_read;
            lowered.operations.back().predicted_dram_bytes_written = end->statement.dram_bytes_written;
        } else {
            lowered.commands.push_back(std::get<Command>(item));
            EXPECT_EQ(lowered.commands.back().operation + 1, lowered.operations.size());
        }
    }
}

std::uint64_t commands_for(const Lowered& lowered, Unit unit) {
    return static_cast<std::uint64_t>(std::count_if(lowered.commands.begin(), lowered.commands.end(),
                                                    [&](const Command& command) { return command.unit == unit; }));
}

// What keeps the machine from deadlock: a command waits only for commands before it.
TEST(Lowering, DependenciesReferToEarlierCommands) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        test::RandomCase random(seed);
        const MachineParameters machine = random.machine();
        const std::string trace = random.trace();
        const Lowered lowered = lower(trace, machine, random.one_of(recipe_names()));
        Dependencies issued{};
        for (const Command& command : lowered.commands) {
            for (std::size_t u = 0; u < unit_count; ++u) {
                ASSERT_LE(command.needs[u], issued[u]) << "seed " << seed << ", waits for " << unit_names[u];
            }
            ++issued[static_cast<std::size_t>(command.unit)];
        }
        for (std::size_t i = 0; i < lowered.operations.size(); ++i) {
            EXPECT_EQ(lowered.operations[i].index, i);
        }
    }
}

TEST(Lowering, TransfersStayInsideMemory) {
    for (std::uint64_t seed = 300; seed < 500; ++seed) {
        test::RandomCase random(seed);
        const MachineParameters machine = random.machine();
        const std::string trace = random.trace();
        const std::uint64_t capacity = machine.dram.capacity_bytes_per_channel * machine.dram.channels;
        for (const Command& command : lower(trace, machine, random.one_of(recipe_names())).commands) {
            if (const auto* transfer = std::get_if<TransferCommand>(&command.work)) {
                std::uint64_t end = transfer->slice.address + transfer->slice.run_bytes;
                for (const Slice::Dimension& dimension : transfer->slice.outer) {
                    end += (dimension.count - 1) * dimension.stride_bytes;
                }
                EXPECT_LE(end, capacity);
                EXPECT_GT(transfer->slice.bytes(), 0U);
            }
        }
    }
}

// Two products of one shape, of which the first shares its weight among the batch: the second loads more, and may be
// mapped otherwise.
TEST(Lowering, SharedAndSeparateOperandsAreMappedApart) {
    const Matmul product{8, 4, 8, 16, false, true};
    const MachineParameters machine = test::small_machine();
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 8 * 4 * 16);
    const TensorId shared = trace.tensor(weight, 16 * 8);
    const TensorId own = trace.tensor(activation, 8 * 16 * 8);
    const TensorId y = trace.tensor(activation, 8 * 4 * 8);
    const TensorId z = trace.tensor(activation, 8 * 4 * 8);
    trace.add(Phase::forward, "shared", product, {x, shared}, {y});
    trace.add(Phase::forward, "own", product, {x, own}, {z});
    trace.add(Phase::forward, "again", product, {x, own}, {z});
    const test::TraceFile file(trace.finish());
    LoweringOptions options;
    options.recipe = find_recipe("fp16");
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    const auto gemms = Lowering::list_gemms(file.path(), plan, machine, options);
    std::vector<std::string> layers;
    for (const auto& gemm : gemms) {
        layers.push_back(gemm.layer);
    }
    EXPECT_EQ(layers.front(), "shared");
    EXPECT_NE(std::find(layers.begin(), layers.end(), "own"), layers.end());
}

// A gradient of 64 elements made by the vector unit, read as 16 bits by vector work and as codes by dx and dw. It is
// written to the scratchpad once as 16 bits; the codes are the log-gradient unit's to write.
TEST(Lowering, AGradientIsWrittenInSixteenBitsOnce) {
    test::StepTrace trace;
    const Matmul product{1, 8, 8, 8, false, false};
    const TensorId x = trace.tensor(activation, 64);
    const TensorId w = trace.tensor(weight, 64);
    const TensorId dy = trace.tensor(gradient, 64);
    const TensorId gx = trace.tensor(gradient, 64);
    const TensorId gw = trace.tensor(weight_gradient, 64);
    const TensorId sum = trace.tensor(statistic, 8);
    trace.vector(64, {x}, {dy});
    trace.add(Phase::dx, "fc", product, {dy, w}, {gx});
    trace.add(Phase::dw, "fc", product, {dy, x}, {gw});
    trace.vector(64, {dy}, {sum});
    const Lowered lowered = lower(trace.finish(), test::small_machine(), "int4-fp4");
    const auto first = std::find_if(lowered.commands.begin(), lowered.commands.end(),
                                    [](const Command& command) { return command.unit == Unit::vector_unit; });
    ASSERT_NE(first, lowered.commands.end());
    // It stays on chip from here to its uses: is made, and read by the log-gradient unit, where it stays.
    PartBytes written{};
    written[static_cast<std::size_t>(ScratchpadPart::resident)] = 64 * 2;
    EXPECT_EQ(std::get<VectorCommand>(first->work).write_bytes, written);
    const auto convert = std::find_if(lowered.commands.begin(), lowered.commands.end(),
                                      [](const Command& command) { return command.unit == Unit::log_gradient; });
    ASSERT_NE(convert, lowered.commands.end());
    EXPECT_EQ(std::get<ConvertCommand>(convert->work).elements, 64U);
    EXPECT_EQ(std::get<ConvertCommand>(convert->work).code_bits, 8U);
    EXPECT_EQ(std::get<ConvertCommand>(convert->work).gradient_part, ScratchpadPart::resident);
    EXPECT_EQ(std::get<ConvertCommand>(convert->work).code_part, ScratchpadPart::resident);
}

// x is read by two products, one after the other: it is loaded once, to where it stays, and read there by both.
TEST(Lowering, AnOperandThatStaysIsReadWhereItStays) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 64);
    const TensorId w = trace.tensor(weight, 64);
    const TensorId v = trace.tensor(weight, 64);
    const TensorId y = trace.tensor(activation, 64);
    const TensorId z = trace.tensor(activation, 64);
    const Matmul product{1, 8, 8, 8, false, true};
    trace.add(Phase::forward, "one", product, {x, w}, {y});
    trace.add(Phase::forward, "two", product, {x, v}, {z});
    std::vector<ScratchpadPart> loaded;
    std::vector<ScratchpadPart> read;
    for (const Command& command : lower(trace.finish(), test::small_machine(), "fp16").commands) {
        if (command.unit == Unit::load) {
            loaded.push_back(std::get<TransferCommand>(command.work).part);
        } else if (const auto* tile = std::get_if<MatmulCommand>(&command.work)) {
            read.push_back(tile->left_part);
            read.push_back(tile->right_part);
        }
    }
    using enum ScratchpadPart;
    EXPECT_EQ(loaded, (std::vector<ScratchpadPart>{resident, right, right}));
    EXPECT_EQ(read, (std::vector<ScratchpadPart>{resident, right, resident, right}));
}

// Without room to stay a tensor passes through the buffers of what it is to the operation.
TEST(Lowering, DataPassThroughTheBuffersOfTheirKind) {
    MachineParameters machine = test::small_machine();
    machine.scratchpad.resident_bytes = 0;
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 64);
    const TensorId w = trace.tensor(weight, 64);
    const TensorId dy = trace.tensor(gradient, 64);
    const TensorId gx = trace.tensor(gradient, 64);
    trace.vector(64, {x, x}, {dy});
    trace.add(Phase::dx, "fc", Matmul{1, 8, 8, 8, false, false}, {dy, w}, {gx});
    const Lowered lowered = lower(trace.finish(), machine, "int4-fp4");
    std::vector<ScratchpadPart> loaded;
    std::vector<ScratchpadPart> stored;
    for (const Command& command : lowered.commands) {
        if (const auto* transfer = std::get_if<TransferCommand>(&command.work)) {
            (command.unit == Unit::load ? loaded : stored).push_back(transfer->part);
        } else if (const auto* vector = std::get_if<VectorCommand>(&command.work)) {
            EXPECT_EQ(vector->read_bytes, (PartBytes{64 * 2, 64 * 2, 0, 0, 0})) << "inputs take turns";
            EXPECT_EQ(vector->write_bytes, (PartBytes{0, 0, 64 * 2, 0, 0}));
        } else if (const auto* convert = std::get_if<ConvertCommand>(&command.work)) {
            EXPECT_EQ(convert->gradient_part, ScratchpadPart::output);
            EXPECT_EQ(convert->code_part, ScratchpadPart::gradient);
        } else {
            const auto& tile = std::get<MatmulCommand>(command.work);
            EXPECT_EQ(tile.left_part, ScratchpadPart::left);
            EXPECT_EQ(tile.right_part, ScratchpadPart::right);
            EXPECT_EQ(tile.result_part, ScratchpadPart::output);
        }
    }
    using enum ScratchpadPart;
    EXPECT_EQ(loaded, (std::vector<ScratchpadPart>{left, right, left, right}));
    EXPECT_EQ(stored, (std::vector<ScratchpadPart>{gradient, output}));
}

// x w^T in one tile on a machine with room for everything: two loads, one product, one store, and the bytes of each.
TEST(Lowering, ASmallProductIsFourCommands) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 8 * 8);
    const TensorId w = trace.tensor(weight, 8 * 8);
    const TensorId y = trace.tensor(activation, 8 * 8);
    trace.add(Phase::forward, "fc", Matmul{1, 8, 8, 8, false, true}, {x, w}, {y});
    const Lowered lowered = lower(trace.finish(), test::small_machine(), "fp16");
    EXPECT_EQ(lowered.commands.size(), 4U);
    EXPECT_EQ(commands_for(lowered, Unit::load), 2U);
    EXPECT_EQ(commands_for(lowered, Unit::mac_array), 1U);
    EXPECT_EQ(commands_for(lowered, Unit::store), 1U);
    const OpRecord& record = lowered.operations.front();
    EXPECT_EQ(record.macs, 512U);
    EXPECT_EQ(record.predicted_dram_bytes_read, 2U * 128);
    EXPECT_EQ(record.predicted_dram_bytes_written, 128U);
    EXPECT_EQ(record.kind, "matmul");
    EXPECT_EQ(record.mode, "fp16");
    EXPECT_EQ(lowered.commands.back().needs, (Dependencies{0, 1, 0, 0, 0})) << "the store waits for the product";
}

TEST(Lowering, AnUnknownFunctionIsTheUsersError) {
    test::StepTrace trace;
    const TensorId x = trace.tensor(activation, 8);
    const std::uint64_t line = trace.add(Phase::vector, "act", VectorWork{8, {{"rellu", 1}}}, {x}, {x});
    try {
        static_cast<void>(lower(trace.finish(), test::small_machine(), "fp16"));
        FAIL();
    } catch (const InputError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find(":" + std::to_string(line)), std::string::npos) << text;
        EXPECT_NE(text.find("did you mean 'relu'?"), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace nibble
