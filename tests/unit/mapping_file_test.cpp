// SPDX-License-Identifier: MIT
#include "sim/mapping/mapping_file.h"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/random_gemm.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

GemmTask some_task() {
    return {.problem = test::problem_of(test::gemm(Matmul{1, 64, 96, 128, false, true}, Phase::forward))};
}

PlannedGemm planned(const Tiling& tiling) {
    return {{some_task(), "fc \"1\"\n", "forward", 3}, {tiling, 1234, 5678}, MappingOrigin::searched};
}

std::string text_with(const Tiling& tiling) {
    std::ostringstream out;
    write_mappings(out, "small", {planned(tiling)});
    return out.str();
}

std::vector<std::string> problems_with(const Tiling& tiling) {
    const test::TraceFile text(text_with(tiling));
    const MappingFile file = MappingFile::load(text.path());
    std::vector<std::string> problems;
    for (const Problem& problem : problems_of(file.section("small")->entries[0], some_task(), test::small_machine())) {
        problems.push_back(problem.what);
    }
    return problems;
}

TEST(MappingFile, ReadsWhatItWrote) {
    const Tiling tiling{1, 32, 32, 64, LoopOrder::jli, Dataflow::weight_stationary, 1, 2, 1};
    const test::TraceFile text(text_with(tiling));
    const MappingFile file = MappingFile::load(text.path());
    ASSERT_NE(file.section("small"), nullptr);
    EXPECT_EQ(file.section("large"), nullptr);
    ASSERT_EQ(file.section("small")->entries.size(), 1U);
    const MappingFile::Entry& entry = file.section("small")->entries[0];
    EXPECT_EQ(entry.gemm, some_task().key());
    EXPECT_EQ(entry.mapped.tiling, tiling);
    EXPECT_EQ(entry.mapped.cycles, 1234);
    EXPECT_TRUE(problems_of(entry, some_task(), test::small_machine()).empty());
}

TEST(MappingFile, AKindOfGemmIsWrittenOnce) {
    std::ostringstream out;
    write_mappings(out, "small", {planned({1, 32, 32, 64}), planned({1, 64, 96, 128})});
    const test::TraceFile text(out.str());
    const MappingFile file = MappingFile::load(text.path());
    ASSERT_EQ(file.section("small")->entries.size(), 1U);
    EXPECT_EQ(file.section("small")->entries[0].mapped.tiling.i, 32U);
}

TEST(MappingFile, SaysWhereItIsWrong) {
    const test::TraceFile text(
        "small:\n"
        "  - gemm: x\n"
        "    tile: {i: 0, j: 1, l: 1}\n"
        "    order: ilk\n"
        "    dataflow: output\n"
        "    bufers: {left: 1, right: 1, output: 1}\n");
    try {
        static_cast<void>(MappingFile::load(text.path()));
        FAIL() << "four mistakes";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr(":3:15: "));
        EXPECT_THAT(error.what(), HasSubstr(":4:12: "));
        EXPECT_THAT(error.what(), HasSubstr("did you mean 'buffers'?"));
    }
}

TEST(MappingFile, MappingsThatTheMachineCannotRunAreRefused) {
    EXPECT_THAT(problems_with({1, 65, 96, 128}), ElementsAre("tile.i: the GEMM has only 64, found 65"));
    EXPECT_THAT(problems_with({1, 64, 50, 128}),
                ElementsAre("tile.j: expected a multiple of 32, the block that lies together in memory, found 50"));
    EXPECT_THAT(problems_with({2, 64, 96, 128}), ElementsAre("tile.batch: the GEMM has only 1 products, found 2"));
    EXPECT_THAT(problems_with({1, 64, 96, 128, LoopOrder::ijl, Dataflow::output_stationary, 3, 2, 2}),
                ElementsAre("buffers: the machine has 2 of each (scratchpad.buffering), found 3"));
    // Left 64 x 128, right 96 x 128, out 64 x 96 elements of 2 bytes: one tile of each.
    EXPECT_THAT(problems_with({1, 64, 96, 128}),
                ElementsAre("tile: takes 53248 bytes of scratchpad and 0 of accumulators; there are 49152 bytes and "
                            "16384 bytes"));
}

}  // namespace
}  // namespace nibble
