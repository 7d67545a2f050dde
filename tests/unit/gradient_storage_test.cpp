// SPDX-License-Identifier: MIT
// The three ways of keeping the two phases of a gradient: what each moves, converts and hands to the array.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/lowering/lowering.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using enum TensorRole;

constexpr std::uint64_t side = 32;
constexpr std::uint64_t elements = side * side;  // of every tensor

/// What the commands of one operation ask for.
struct Asked {
    std::uint64_t loaded = 0;
    std::uint64_t stored = 0;
    std::uint64_t converted = 0;            // elements
    std::uint32_t code_bits = 0;            // of each
    std::vector<std::uint32_t> array_bits;  // left, right
};

/// Vector work makes dy; dx = dy w; dw = dy^T x.
std::vector<Asked> asked(GradientStorage storage, std::uint64_t resident_bytes) {
    test::StepTrace trace;
    const TensorId y = trace.tensor(activation, elements);
    const TensorId dy = trace.tensor(gradient, elements);
    const TensorId w = trace.tensor(weight, elements);
    const TensorId dx = trace.tensor(gradient, elements);
    const TensorId x = trace.tensor(activation, elements);
    const TensorId dw = trace.tensor(weight_gradient, elements);
    trace.vector(elements, {y}, {dy});
    trace.add(Phase::dx, "fc", Matmul{1, side, side, side}, {dy, w}, {dx});
    trace.add(Phase::dw, "fc", Matmul{1, side, side, side, true, false}, {dy, x}, {dw});
    const test::TraceFile file(trace.finish());
    MachineParameters machine = test::small_machine();
    machine.gradient_storage = storage;
    machine.scratchpad.resident_bytes = resident_bytes;
    LoweringOptions options;
    options.recipe = find_recipe("int4-fp4");
    const TensorPlan plan(file.path(), machine, *options.recipe, options.selection);
    Lowering program(file.path(), plan, machine, options);
    std::vector<Asked> all;
    for (ProgramItem item = program.next(); !std::holds_alternative<ProgramEnd>(item); item = program.next()) {
        if (std::holds_alternative<OperationBegin>(item)) {
            all.emplace_back();
        } else if (const auto* end = std::get_if<OperationEnd>(&item)) {
            all.back().loaded = end->statement.dram_bytes_read;
            all.back().stored = end->statement.dram_bytes_written;
        } else {
            const auto& work = std::get<Command>(item).work;
            if (const auto* convert = std::get_if<ConvertCommand>(&work)) {
                all.back().converted += convert->elements;
                all.back().code_bits = convert->code_bits;
            } else if (const auto* matmul = std::get_if<MatmulCommand>(&work)) {
                all.back().array_bits = {matmul->left_bits, matmul->right_bits};
            }
        }
    }
    return all;
}

constexpr std::uint64_t bytes(std::uint64_t bits) {
    return elements * bits / 8;
}

const std::vector<std::uint32_t> four_bits{4, 4};

TEST(GradientStorage, TwoCodesAreMadeOnceAndEachReadOnce) {
    const std::vector<Asked> step = asked(GradientStorage::two_codes, 0);
    EXPECT_EQ(step[0].stored, bytes(4) + bytes(4));
    EXPECT_EQ(step[0].converted, elements);
    EXPECT_EQ(step[0].code_bits, 8U);
    for (const std::size_t gemm : {1U, 2U}) {
        EXPECT_EQ(step[gemm].loaded, bytes(4) + bytes(4));  // the other operand is INT4
        EXPECT_EQ(step[gemm].converted, 0U);
        EXPECT_EQ(step[gemm].array_bits, four_bits);
    }
}

TEST(GradientStorage, APackedPairIsMadeOnceAndReadTwice) {
    const std::vector<Asked> step = asked(GradientStorage::packed_pair, 0);
    EXPECT_EQ(step[0].stored, bytes(5));
    EXPECT_EQ(step[0].converted, elements);
    EXPECT_EQ(step[0].code_bits, 5U);
    for (const std::size_t gemm : {1U, 2U}) {
        EXPECT_EQ(step[gemm].loaded, bytes(5) + bytes(4));
        EXPECT_EQ(step[gemm].converted, 0U);
    }
}

// The array still takes codes of four bits; each GEMM makes its own.
TEST(GradientStorage, SixteenBitsAreRoundedByEveryReader) {
    const std::vector<Asked> step = asked(GradientStorage::rerounded, 0);
    EXPECT_EQ(step[0].stored, bytes(16));
    EXPECT_EQ(step[0].converted, 0U);
    for (const std::size_t gemm : {1U, 2U}) {
        EXPECT_EQ(step[gemm].loaded, bytes(16) + bytes(4));
        EXPECT_EQ(step[gemm].converted, elements);
        EXPECT_EQ(step[gemm].code_bits, 4U);
        EXPECT_EQ(step[gemm].array_bits, four_bits);
    }
}

// On chip nothing is moved, and it is rounded for every tile that the array takes.
TEST(GradientStorage, SixteenBitsOnChipAreRoundedByEveryReaderToo) {
    const std::vector<Asked> step = asked(GradientStorage::rerounded, 8192);
    EXPECT_EQ(step[0].stored, 0U);
    for (const std::size_t gemm : {1U, 2U}) {
        EXPECT_EQ(step[gemm].loaded, bytes(4));
        EXPECT_GE(step[gemm].converted, elements);
        EXPECT_EQ(step[gemm].converted % elements, 0U);
        EXPECT_EQ(step[gemm].code_bits, 4U);
        EXPECT_EQ(step[gemm].array_bits, four_bits);
    }
}

}  // namespace
}  // namespace nibble
