// SPDX-License-Identifier: MIT
#include "sim/mapping/mapping_search.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/lowering/greedy_tiling.h"
#include "sim/mapping/mapping_plan.h"
#include "sim/mapping/task_prediction.h"
#include "tests/support/random_gemm.h"
#include "tests/support/test_machine.h"

namespace nibble {
namespace {

double bytes_and_cycles(const CounterValues& counters) {
    return static_cast<double>(counters[index_of(Counter::dram_bytes_read)] +
                               counters[index_of(Counter::dram_bytes_written)]) *
               10 +
           static_cast<double>(counters[index_of(Counter::cycles)]);
}

GemmTask task_of(const Operation& operation) {
    GemmTask task{.problem = test::problem_of(operation), .mode = ArrayMode::int4};
    task.left.bits = 4;
    task.right.bits = 4;
    task.stored = {{16, ScratchpadPart::output}};
    return task;
}

/// GEMMs whose operands are a few times as large as the small machine's scratchpad.
std::vector<GemmTask> some_tasks() {
    test::RandomCase random(31);
    std::vector<GemmTask> tasks;
    for (int n = 0; n < 12; ++n) {
        const Matmul product{1,
                             random.one_of<std::uint64_t>({48, 200, 320}),
                             random.one_of<std::uint64_t>({32, 96, 160}),
                             random.one_of<std::uint64_t>({64, 288, 480}),
                             random.coin(),
                             random.coin()};
        tasks.push_back(task_of(test::gemm(product, Phase::forward)));
        Convolution c{.n = 2, .c = 64, .h = 14, .w = 14, .k = 64, .r = 3, .s = 3};
        c.c = random.one_of<std::uint64_t>({32, 64});
        c.k = random.one_of<std::uint64_t>({32, 96});
        c.pad_top = c.pad_bottom = c.pad_left = c.pad_right = 1;
        tasks.push_back(task_of(test::gemm(c, random.one_of<Phase>({Phase::forward, Phase::dx, Phase::dw}))));
    }
    return tasks;
}

// Every mapping of the space is put through the command model: what the two-step search finds is near the best of them.
TEST(MappingSearch, ComesNearTheBestOfAllMappings) {
    const MachineParameters machine = test::small_machine();
    const MappingSearch search(machine, MappingObjective::cycles, bytes_and_cycles);
    std::vector<GemmTask> tasks = some_tasks();
    tasks.erase(tasks.begin() + 6, tasks.end());
    double worst = 1;
    double sum = 0;
    std::size_t mappings = 0;
    for (const GemmTask& task : tasks) {
        double best = std::numeric_limits<double>::max();
        for (const Tiling& tiling : search.candidates(task)) {
            best = std::min(best, search.evaluate(task, tiling).cycles);
            ++mappings;
        }
        const double ratio = search.search(task).cycles / best;
        worst = std::max(worst, ratio);
        sum += ratio;
    }
    const double mean = sum / static_cast<double>(tasks.size());
    std::printf("  %zu mappings of %zu GEMMs; the search's are %.2f%% above the best in the mean, %.2f%% at most\n",
                mappings, tasks.size(), 100 * (mean - 1), 100 * (worst - 1));
    EXPECT_LE(mean, 1.02);
    EXPECT_LE(worst, 1.05);
}

TEST(MappingSearch, IsNeverWorseThanGreedyByItsOwnPrediction) {
    const MachineParameters machine = test::small_machine();
    const MappingSearch search(machine, MappingObjective::cycles, bytes_and_cycles);
    for (const GemmTask& task : some_tasks()) {
        const double greedy = search.evaluate(task, greedy_tiling(task, machine)).cycles;
        EXPECT_LE(search.search(task).cycles, 1.005 * greedy) << task.key();
    }
}

TEST(MappingSearch, WhatItFindsFitsTheMachine) {
    test::RandomCase random(32);
    int found = 0;
    for (int n = 0; n < 60; ++n) {
        MachineParameters machine = random.machine();
        const Operation operation = random.coin()
                                        ? test::gemm(test::random_matmul(random), Phase::forward)
                                        : test::gemm(test::random_convolution(random),
                                                     random.one_of<Phase>({Phase::forward, Phase::dx, Phase::dw}));
        const GemmTask task = task_of(operation);
        const MappingSearch search(machine, MappingObjective::cycles, bytes_and_cycles);
        try {
            const MappedTask mapped = search.search(task);
            EXPECT_TRUE(fits(task, mapped.tiling, machine)) << task.key();
            EXPECT_NE(std::ranges::find(machine.mac_array.dataflows, mapped.tiling.dataflow),
                      machine.mac_array.dataflows.end());
            ++found;
        } catch (const InputError&) {
            continue;  // nothing fits
        }
    }
    EXPECT_GT(found, 40);
}

// Energy counts bytes: what is searched for energy moves no more than what is searched for time.
TEST(MappingSearch, TheObjectiveDecides) {
    const MachineParameters machine = test::small_machine();
    const MappingSearch fast(machine, MappingObjective::cycles, bytes_and_cycles);
    const MappingSearch frugal(machine, MappingObjective::energy, bytes_and_cycles);
    for (const GemmTask& task : some_tasks()) {
        EXPECT_LE(frugal.search(task).energy_pj, 1.005 * fast.search(task).energy_pj) << task.key();
    }
}

TEST(PlanMappings, IsTheSameOnAnyNumberOfThreads) {
    const MachineParameters machine = test::small_machine();
    std::vector<Lowering::ListedGemm> gemms;
    for (const GemmTask& task : some_tasks()) {
        gemms.push_back({task, "layer", "forward", 1});
    }
    MappingRequest request;
    request.price = bytes_and_cycles;
    const std::vector<PlannedGemm> one = plan_mappings(gemms, machine, request);
    request.threads = 3;
    std::size_t told = 0;
    request.progress = [&](std::size_t done, std::size_t all) {
        ++told;
        EXPECT_EQ(done, told);
        EXPECT_EQ(all, gemms.size());
    };
    const std::vector<PlannedGemm> three = plan_mappings(gemms, machine, request);
    EXPECT_EQ(told, gemms.size());
    told = 0;
    request.search = false;
    static_cast<void>(plan_mappings(gemms, machine, request));
    EXPECT_EQ(told, gemms.size());
    for (std::size_t i = 0; i < gemms.size(); ++i) {
        EXPECT_EQ(one[i].mapped.tiling, three[i].mapped.tiling);
        EXPECT_EQ(one[i].mapped.cycles, three[i].mapped.cycles);
    }
}

}  // namespace
}  // namespace nibble
