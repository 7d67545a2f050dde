// SPDX-License-Identifier: MIT
#include "sim/report/conservation.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/dram/dram_standard.h"
#include "sim/input/gemm_direction.h"
#include "sim/input/operation_size.h"
#include "sim/input/trace_reader.h"
#include "sim/lowering/recipe.h"
#include "tests/support/random_case.h"
#include "tests/support/run_trace.h"

namespace nibble {
namespace {

std::uint64_t counted(const CounterValues& counters, Counter counter) {
    return counters[index_of(counter)];
}

template <class Counts>
std::uint64_t sum(const Counts& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t cause(const RunSummary& summary, Cause which) {
    return summary.causes[static_cast<std::size_t>(which)];
}

std::uint64_t busy(const RunSummary& summary, const std::string& unit) {
    const auto found = std::find_if(summary.units.begin(), summary.units.end(),
                                    [&](const UnitActivity& activity) { return activity.unit == unit; });
    EXPECT_NE(found, summary.units.end()) << unit;
    return found == summary.units.end() ? 0 : found->cycles[static_cast<std::size_t>(Activity::busy)];
}

std::vector<Operation> operations_of(const std::string& trace_path) {
    std::vector<Operation> operations;
    TraceReader reader(trace_path);
    while (const auto item = reader.next()) {
        if (const auto* operation = std::get_if<Operation>(&*item)) {
            operations.push_back(*operation);
        }
    }
    return operations;
}

bool is_input_gradient_of_convolution(const Operation& operation) {
    return computed_as(operation) == Phase::dx && std::holds_alternative<Convolution>(operation.work);
}

// Whatever was counted for an operation is what it asked for and what its tiling had stated.
void check_record(const OpRecord& record, const Operation& operation) {
    try {
        check_conservation(record);
    } catch (const ModelError& error) {
        ADD_FAILURE() << error.what();
    }
    EXPECT_EQ(record.layer, operation.layer);
    if (!is_input_gradient_of_convolution(operation) || record.kind == "depthwise") {
        EXPECT_EQ(record.macs, macs_of(operation))
            << record.kind << ' ' << record.phase << ' ' << to_string(record.mapping);
    }
}

void check_sums(const test::TraceRun& run) {
    CounterValues counters{};
    CauseCycles causes{};
    for (const OpRecord& record : run.records) {
        for (std::size_t c = 0; c < counter_count; ++c) {
            counters[c] += record.counters[c];
        }
        for (std::size_t c = 0; c < cause_count; ++c) {
            causes[c] += record.causes[c];
        }
    }
    const RunSummary& summary = run.summary;
    EXPECT_EQ(counters, summary.counters);
    EXPECT_EQ(causes, summary.causes);
    EXPECT_EQ(summary.operations, run.records.size());
    EXPECT_EQ(counted(summary.counters, Counter::cycles), summary.cycles);
    EXPECT_EQ(sum(summary.causes), summary.cycles);
    EXPECT_EQ(summary.units.size(), 8U);
    for (const UnitActivity& unit : summary.units) {
        EXPECT_EQ(sum(unit.cycles), summary.cycles) << unit.unit;
    }
}

/// No unit does more in a cycle than it can, unless it is ideal.
void check_bounds(const RunSummary& summary, const MachineParameters& machine) {
    const auto at_least = [](bool ideal, std::uint64_t cycles, double bound, const char* what) {
        if (!ideal) {
            EXPECT_GE(static_cast<double>(cycles), bound * (1 - 1e-12)) << what;
        }
    };
    const auto count = [&](Counter counter) { return static_cast<double>(counted(summary.counters, counter)); };
    double mac_cycles = 0;
    for (std::size_t mode = 0; mode < array_mode_count; ++mode) {
        mac_cycles += static_cast<double>(summary.counters[index_of(Counter::mac_int4) + mode]) /
                      peak_macs_per_cycle(*machine.mac_array.modes[mode]);
    }
    at_least(machine.mac_array.ideal, cause(summary, Cause::compute), mac_cycles,
             "cycles of streaming against MACs at peak");
    at_least(machine.vector_unit.ideal, busy(summary, "vector_unit"),
             count(Counter::vector_lane_ops) / machine.vector_unit.lanes, "lanes");
    at_least(machine.log_gradient.ideal, busy(summary, "log_gradient"),
             count(Counter::gradients_converted) / machine.log_gradient.lanes, "gradients");
    double lines = 0;
    for (const auto& [read, written] : line_counters) {
        lines += count(read) + count(written);
    }
    at_least(machine.scratchpad.ideal, busy(summary, "scratchpad"),
             lines / static_cast<double>(most_lines_per_cycle(machine.scratchpad)), "lines");
    // Cycles of the core in which DRAM moves its bytes at its peak rate.
    const DramStandard& standard = *find_dram_standard(machine.dram.standard);
    const double bursts =
        (count(Counter::dram_bytes_read) + count(Counter::dram_bytes_written)) / standard.burst_bytes();
    at_least(machine.dma.ideal, busy(summary, "dram"),
             bursts * standard.burst * standard.clock_period_ps / machine.dram.channels /
                 static_cast<double>(machine.clock_period_ps),
             "bytes");
    // The array comes first among the causes: every cycle in which it is busy is one of its two.
    EXPECT_EQ(cause(summary, Cause::compute) + cause(summary, Cause::fill_drain), busy(summary, "mac_array"));
    EXPECT_LE(cause(summary, Cause::gradient_conversion), busy(summary, "log_gradient"));
    EXPECT_LE(cause(summary, Cause::vector), busy(summary, "vector_unit"));
}

void check(std::uint64_t seed) {
    test::RandomCase random(seed);
    const MachineParameters machine = random.machine();
    const test::TraceFile trace(random.trace());
    LoweringOptions options;
    options.recipe = find_recipe(random.one_of(recipe_names()));
    const std::vector<Operation> operations = operations_of(trace.path());
    test::simulate([&] {
        const test::TraceRun run = test::run_here(trace.path(), machine, options);
        EXPECT_EQ(run.records.size(), operations.size());
        for (std::size_t i = 0; i < std::min(run.records.size(), operations.size()); ++i) {
            EXPECT_EQ(run.records[i].index, i);
            check_record(run.records[i], operations[i]);
        }
        check_sums(run);
        check_bounds(run.summary, machine);
        const std::uint64_t moved = counted(run.summary.counters, Counter::dram_bytes_read) +
                                    counted(run.summary.counters, Counter::dram_bytes_written);
        EXPECT_EQ(moved == 0, machine.ideal_memory) << moved << " bytes";
        if (machine.ideal_memory) {
            EXPECT_EQ(cause(run.summary, Cause::memory), 0U);
        }
        return std::string{};
    });
}

class Conservation : public testing::TestWithParam<std::uint64_t> {};

constexpr std::uint64_t cases_per_test = 50;

TEST_P(Conservation, HoldsOnRandomMachinesAndSteps) {
    for (std::uint64_t seed = GetParam(); seed < GetParam() + cases_per_test; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        check(seed);
    }
}

INSTANTIATE_TEST_SUITE_P(From, Conservation, testing::Range<std::uint64_t>(30000, 30400, cases_per_test));

}  // namespace
}  // namespace nibble
