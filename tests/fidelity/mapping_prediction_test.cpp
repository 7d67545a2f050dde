// SPDX-License-Identifier: MIT
// What the mapping search expects of a GEMM, against what the machine does with it: each kind of GEMM of some built-in
// networks is mapped, predicted, and simulated alone. Cycles have to be within 5% on nine GEMMs of ten, DRAM traffic
// has to be exact on all.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/app/ideal_unit.h"
#include "sim/app/operation_run.h"
#include "sim/config/machine_config.h"
#include "sim/input/trace_writer.h"
#include "sim/lowering/recipe.h"
#include "sim/mapping/mapping_plan.h"
#include "sim/mapping/task_prediction.h"
#include "tests/support/simulate.h"
#include "tests/support/trace_file.h"
#include "tests/support/training_step.h"

namespace nibble {
namespace {

struct Network {
    std::string name;
    std::uint64_t batch;
};

std::vector<Lowering::ListedGemm> gemms_of(const Network& network, const MachineParameters& machine) {
    std::ostringstream text;
    const Workload workload = built_in(network.name);
    TraceWriter writer(text, {network.name, network.batch});
    expand_training_step(workload, network.batch,
                         [&](const TraceItem& item) { std::visit([&](const auto& one) { writer.write(one); }, item); });
    writer.finish();
    const test::TraceFile trace(text.str());
    LoweringOptions options;
    options.recipe = find_recipe("int4-fp4");
    const TensorPlan plan(trace.path(), machine, *options.recipe, options.selection);
    return Lowering::list_gemms(trace.path(), plan, machine, options);
}

void expect_predicted(const std::string& machine_name, const std::vector<Network>& of) {
    const MachineParameters machine = load_machine(machine_name);
    MappingRequest request;
    request.price = [](const CounterValues&) { return 0.0; };
    request.threads = 2;
    std::vector<double> deviations;
    for (const Network& network : of) {
        for (const PlannedGemm& planned : plan_mappings(gemms_of(network, machine), machine, request)) {
            // What is moved whole is the same for every mapping, and no part of what one is chosen by.
            GemmTask task = planned.gemm.task;
            task.whole_inputs.clear();
            task.whole_outputs.clear();
            const Tiling& tiling = planned.mapped.tiling;
            std::uint64_t cycles = 0;
            std::uint64_t read = 0;
            std::uint64_t written = 0;
            std::istringstream(test::simulate([&] {
                const OpRecord record = run_alone(MappedGemm{task, tiling}, machine);
                return fmt::format("{} {} {}", record.counters[index_of(Counter::cycles)],
                                   record.counters[index_of(Counter::dram_bytes_read)],
                                   record.counters[index_of(Counter::dram_bytes_written)]);
            })) >>
                cycles >> read >> written;
            const TaskTraffic traffic = predict_traffic(task, tiling, machine);
            EXPECT_EQ(traffic.dram_bytes_read, read) << task.key() << ' ' << to_string(tiling, task.problem);
            EXPECT_EQ(traffic.dram_bytes_written, written) << task.key() << ' ' << to_string(tiling, task.problem);
            deviations.push_back(planned.mapped.cycles / static_cast<double>(cycles) - 1);
            if (std::abs(deviations.back()) > 0.05) {
                std::printf("  %+6.1f%%  %s %s %s: predicted %.0f, simulated %llu; %s, %s\n", 100 * deviations.back(),
                            network.name.c_str(), planned.gemm.layer.c_str(), planned.gemm.phase.c_str(),
                            planned.mapped.cycles, static_cast<unsigned long long>(cycles), task.key().c_str(),
                            to_string(tiling, task.problem).c_str());
            }
        }
    }
    const auto close = std::ranges::count_if(deviations, [](double d) { return std::abs(d) <= 0.05; });
    const double share = static_cast<double>(close) / static_cast<double>(deviations.size());
    std::printf("  %s: %zu GEMMs, %.1f%% predicted within 5%%\n", machine_name.c_str(), deviations.size(), 100 * share);
    EXPECT_GE(share, 0.9);
}

const std::vector<Network> networks{{"alexnet", 2},      {"resnet18", 2}, {"resnet50", 1},
                                    {"mobilenet_v2", 1}, {"lstm-ptb", 4}, {"bert-base", 1}};

/// Cycles of a GEMM alone on a machine: predicted, and simulated.
struct Both {
    double predicted = 0;
    double simulated = 0;
};

Both cycles_of(const MappedGemm& gemm, const MachineParameters& machine) {
    Both both{static_cast<double>(predict(gemm, machine).counters[index_of(Counter::cycles)]), 0};
    std::istringstream(test::simulate(
        [&] { return fmt::format("{}", run_alone(gemm, machine).counters[index_of(Counter::cycles)]); })) >>
        both.simulated;
    return both;
}

// What a GEMM gains when the unit that binds it takes no time. The unit is that of the prediction; what it predicts to
// be gained has to be measured, within 5% on nine GEMMs of ten, and no other unit may gain more than that beyond it.
TEST(MappingPrediction, GainOfFreeingTheBindingUnit) {
    const MachineParameters machine = load_machine("edge-int4-2ch");
    MappingRequest request;
    request.price = [](const CounterValues&) { return 0.0; };
    request.threads = 2;
    std::array<std::size_t, ideal_unit_count> bound{};
    std::size_t gemms = 0;
    std::size_t close = 0;
    for (const Network& network : {Network{"resnet18", 2}, Network{"lstm-ptb", 4}}) {
        for (const PlannedGemm& planned : plan_mappings(gemms_of(network, machine), machine, request)) {
            const MappedGemm gemm{planned.gemm.task, planned.mapped.tiling};
            const Both as_it_is = cycles_of(gemm, machine);
            Both binding;  // gains
            double most_measured = 0;
            IdealUnit unit{};
            for (const IdealUnit candidate : units_that_take_time(machine)) {
                const Both freed = cycles_of(gemm, with_ideal(machine, candidate));
                const Both gain{as_it_is.predicted / freed.predicted, as_it_is.simulated / freed.simulated};
                most_measured = std::max(most_measured, gain.simulated);
                if (gain.predicted > binding.predicted) {
                    binding = gain;
                    unit = candidate;
                }
            }
            ++gemms;
            ++bound[static_cast<std::size_t>(unit)];
            const double deviation = binding.predicted / binding.simulated - 1;
            const bool right = std::abs(deviation) <= 0.05 && most_measured <= binding.simulated * 1.05;
            close += right ? 1 : 0;
            if (!right) {
                std::printf("  %s %s %s: without %s predicted %.3f, measured %.3f times faster; most measured %.3f\n",
                            network.name.c_str(), planned.gemm.layer.c_str(), planned.gemm.phase.c_str(),
                            std::string(ideal_unit_names[static_cast<std::size_t>(unit)]).c_str(), binding.predicted,
                            binding.simulated, most_measured);
            }
        }
    }
    for (std::size_t i = 0; i < ideal_unit_count; ++i) {
        std::printf("  %zu GEMMs are bound by %s\n", bound[i], std::string(ideal_unit_names[i]).c_str());
    }
    std::printf("  of %zu, %zu gain what was predicted\n", gemms, close);
    EXPECT_GE(static_cast<double>(close), 0.9 * static_cast<double>(gemms));
}

TEST(MappingPrediction, EdgeWithTwoChannels) {
    expect_predicted("edge-int4-2ch", networks);
}

TEST(MappingPrediction, Server) {
    expect_predicted("server-int4", networks);
}

}  // namespace
}  // namespace nibble
