// SPDX-License-Identifier: MIT
// Figure 6c of Sun et al. 2020, "Estimated training performance vs. FP16": compute density alone, which is what the
// preset ideal-memory models. The simulator runs the GEMMs cycle by cycle; fill, drain and partial tiles are in the
// result, which is why the GEMMs are large.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/config/machine_config.h"
#include "sim/energy/baseline.h"
#include "sim/energy/technology.h"
#include "sim/lowering/recipe.h"
#include "tests/support/run_trace.h"
#include "tests/support/searched_mappings.h"
#include "tests/support/trace_text.h"

namespace nibble {
namespace {

constexpr double tolerance = 0.03;

Convolution convolution(std::uint64_t batch, std::uint64_t channels, std::uint64_t size, std::uint64_t outputs,
                        std::uint64_t taps, std::uint64_t stride) {
    Convolution c;
    c.n = batch;
    c.c = channels;
    c.h = c.w = size;
    c.k = outputs;
    c.r = c.s = taps;
    c.stride_h = c.stride_w = stride;
    c.pad_top = c.pad_bottom = c.pad_left = c.pad_right = taps / 2;
    return c;
}

void add_layer(test::GemmTrace& trace, const std::string& name, const Convolution& shape) {
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw}) {
        trace.add(name, phase, shape);
    }
}

/// Cycles of the GEMMs of each layer.
std::map<std::string, double> gemm_cycles(const std::string& trace_path, const MachineParameters& machine,
                                          const std::string& recipe) {
    const std::string text = test::simulate([&] {
        LoweringOptions options;
        options.recipe = find_recipe(recipe);
        options.selection.phases = parse_phases("forward,dx,dw");
        const MappingTable mappings = test::searched_mappings(trace_path, machine, options);
        options.mappings = &mappings;
        std::string lines;
        for (const OpRecord& record : test::run_here(trace_path, machine, options).records) {
            lines += fmt::format("{} {}\n", record.layer, record.counters[index_of(Counter::cycles)]);
        }
        return lines;
    });
    std::map<std::string, double> cycles;
    std::istringstream lines(text);
    std::string layer;
    for (std::uint64_t count = 0; lines >> layer >> count;) {
        cycles[layer] += static_cast<double>(count);
    }
    EXPECT_FALSE(cycles.empty());
    return cycles;
}

double sum(const std::map<std::string, double>& cycles) {
    double total = 0;
    for (const auto& [layer, count] : cycles) {
        total += count;
    }
    return total;
}

class PaperTable : public testing::Test {
protected:
    PaperTable()
        : machine_(load_machine("ideal-memory")),
          baseline_(make_baseline(machine_, BaselineRule::iso_mac_area, load_technology("7nm").area).machine) {}

    MachineParameters machine_;
    MachineParameters baseline_;
};

// A convolution of 256 channels of 56x56 pixels in 128 columns and more rows than any mode has.
TEST_F(PaperTable, RecipesOnALargeConvolution) {
    test::GemmTrace text("large");
    add_layer(text, "conv", convolution(2, 256, 56, 256, 3, 1));
    const test::TraceFile trace(text.finish());
    const double fp16 = sum(gemm_cycles(trace.path(), baseline_, "fp16"));
    const std::vector<std::pair<std::string, double>> published{
        {"fp16", 1.0}, {"hfp8", 2.0}, {"int4-fp16", 1.4}, {"int4-fp8", 2.7}, {"int4-fp4", 7.3}, {"int4-fp4-dw8", 3.9},
    };
    for (const auto& [recipe, expected] : published) {
        const double measured = fp16 / sum(gemm_cycles(trace.path(), machine_, recipe));
        RecordProperty(recipe, std::to_string(measured));
        std::printf("  %-14s published %.1f  measured %.3f  deviation %+.1f%%\n", recipe.c_str(), expected, measured,
                    100 * (measured / expected - 1));
        EXPECT_NEAR(measured / expected, 1.0, tolerance) << recipe;
    }
}

// ResNet-50 as first published (He et al. 2016; the stride of a block is in its first 1x1 convolution), 224x224: its
// 1x1 convolutions hold 0.489 of the MACs, the first ones of each block 0.183 and the shortcuts 0.093.
TEST_F(PaperTable, PointwiseConvolutionsOfResNet50InFp8) {
    constexpr std::uint64_t batch = 8;
    test::GemmTrace text("resnet50-v1");
    std::vector<std::string> bottom;
    add_layer(text, "conv1", convolution(batch, 3, 224, 64, 7, 2));
    std::uint64_t channels = 64;
    std::uint64_t size = 56;
    for (const auto& [stage, blocks, width] :
         std::vector<std::tuple<int, int, std::uint64_t>>{{1, 3, 64}, {2, 4, 128}, {3, 6, 256}, {4, 3, 512}}) {
        for (int block = 0; block < blocks; ++block) {
            const std::string name = fmt::format("layer{}.{}", stage, block);
            const std::uint64_t stride = block == 0 && stage > 1 ? 2 : 1;
            add_layer(text, name + ".reduce", convolution(batch, channels, size, width, 1, stride));
            if (block == 0) {
                add_layer(text, name + ".shortcut", convolution(batch, channels, size, 4 * width, 1, stride));
            }
            size /= stride;
            add_layer(text, name + ".conv3x3", convolution(batch, width, size, width, 3, 1));
            add_layer(text, name + ".expand", convolution(batch, width, size, 4 * width, 1, 1));
            bottom.push_back(name + ".reduce");
            channels = 4 * width;
        }
    }
    const test::TraceFile trace(text.finish());
    const double fp16 = sum(gemm_cycles(trace.path(), baseline_, "fp16"));
    const auto fp4 = gemm_cycles(trace.path(), machine_, "int4-fp4");
    const auto fp8 = gemm_cycles(trace.path(), machine_, "int4-fp4-1x1-fp8");

    const double all = fp16 / sum(fp8);
    std::printf("  all 1x1 in FP8     published 4.0  measured %.3f\n", all);
    EXPECT_NEAR(all / 4.0, 1.0, tolerance);

    // "Bottom 1x1 in each block": with memory free, layers do not affect one another, so a mixed network's time is the
    // sum of its layers'. The paper does not say which 1x1 is the bottom one. The first of a block, where a network
    // drawn from the bottom up begins, gives 5.5 by density alone and less with the partial tiles of its short
    // reductions.
    double mixed = sum(fp4);
    for (const std::string& layer : bottom) {
        mixed += fp8.at(layer) - fp4.at(layer);
    }
    std::printf("  bottom 1x1 in FP8  published 5.2  measured %.3f\n", fp16 / mixed);
    EXPECT_NEAR(fp16 / mixed / 5.2, 1.0, tolerance);
}

}  // namespace
}  // namespace nibble
