// SPDX-License-Identifier: MIT
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/mac_array/tile_timing.h"

namespace nibble {
namespace {

struct Row {
    std::uint64_t m = 0, n = 0, k = 0;
    std::uint32_t rows = 0, cols = 0;
    Dataflow dataflow = Dataflow::output_stationary;
    std::uint64_t cycles = 0;
};

constexpr Dataflow os = Dataflow::output_stationary;
constexpr Dataflow ws = Dataflow::weight_stationary;
constexpr Dataflow is = Dataflow::input_stationary;

std::uint64_t ours(const Row& row) {
    return scale_sim_cycles(row.rows, row.cols, row.dataflow, {row.m, row.n, row.k});
}

std::string text(const Row& row) {
    std::ostringstream out;
    out << row.m << 'x' << row.n << 'x' << row.k << " on " << row.rows << 'x' << row.cols << ' '
        << dataflow_names[static_cast<std::size_t>(row.dataflow)];
    return out.str();
}

// The form that fits all published rows: output-stationary F (T + R + C - 2) - 1, the others F (T + 2R + C - 2) - 1,
// with F = ceil(Sr/R) ceil(Sc/C) and (Sr, Sc, T) = (M, N, K), (K, N, M), (K, M, N).
TEST(ScaleSim, CountsByThePublishedForm) {
    const std::vector<Row> rows{
        {1, 1, 1, 8, 8, os, 1 * (1 + 8 + 8 - 2) - 1},
        {1, 1, 1, 8, 8, ws, 1 * (1 + 16 + 8 - 2) - 1},
        {1, 1, 1, 8, 8, is, 1 * (1 + 16 + 8 - 2) - 1},
        {100, 64, 200, 16, 16, os, 7 * 4 * (200 + 16 + 16 - 2) - 1},
        {100, 64, 200, 16, 16, ws, 13 * 4 * (100 + 32 + 16 - 2) - 1},
        {100, 64, 200, 16, 16, is, 13 * 7 * (64 + 32 + 16 - 2) - 1},
        {33, 17, 5, 32, 8, os, 2 * 3 * (5 + 32 + 8 - 2) - 1},
        {33, 17, 5, 32, 8, ws, 1 * 3 * (33 + 64 + 8 - 2) - 1},
        {33, 17, 5, 32, 8, is, 1 * 5 * (17 + 64 + 8 - 2) - 1},
        // A 512^3 and a 1024^3 product as other tools count them (facts.md 7.2).
        {512, 512, 512, 32, 32, os, 146'943},
        {512, 512, 512, 128, 128, ws, 14'303},
        {1024, 1024, 1024, 32, 32, ws, 1'144'831},
        {1024, 1024, 1024, 128, 128, os, 81'791},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(ours(row), row.cycles) << text(row);
    }
}

// Our own rule differs by what SCALE-Sim leaves out or charges in full: the drain of the results, partial folds, and a
// cycle for counting from 0; with overlap off, a whole-fold output-stationary product takes F R cycles more, less 1.
TEST(ScaleSim, LeavesTheDrainOut) {
    const MatmulPass product{64, 32, 100};
    const ArrayGeometry array{16, 16, 1, 1};
    const std::uint64_t folds = 4 * 2;
    EXPECT_EQ(tile_timing(array, os, FoldRule{.overlap = false}, {&product, 1}, false).total(),
              scale_sim_cycles(16, 16, os, product) + 1 + folds * 16);
}

TEST(ScaleSim, CountsEveryPublishedRow) {
    const std::filesystem::path path =
        std::filesystem::path(NIBBLE_SOURCE_DIR) / "../shared/data/systolic/scale_sim_cycles.csv";
    std::ifstream file(path);
    if (!file) {
        GTEST_SKIP() << "the published rows are not beside this checkout: " << path;
    }
    std::string line;
    ASSERT_TRUE(std::getline(file, line));
    ASSERT_EQ(line.substr(0, line.find_last_not_of('\r') + 1), "m,n,k,rows,cols,dataflow,cycles");
    std::uint64_t compared = 0;
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        Row row;
        char comma = 0;
        std::string dataflow;
        fields >> row.m >> comma >> row.n >> comma >> row.k >> comma >> row.rows >> comma >> row.cols >> comma;
        std::getline(fields, dataflow, ',');
        fields >> row.cycles;
        ASSERT_TRUE(fields) << line;
        ASSERT_TRUE(dataflow == "os" || dataflow == "ws" || dataflow == "is") << line;
        row.dataflow = dataflow == "os" ? os : dataflow == "ws" ? ws : is;
        ASSERT_EQ(ours(row), row.cycles) << text(row);
        ++compared;
    }
    EXPECT_GT(compared, 1000U);
}

}  // namespace
}  // namespace nibble
