// SPDX-License-Identifier: MIT
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/energy/dram_energy_table.h"
#include "sim/report/conservation.h"
#include "tests/unit/report_samples.h"

namespace nibble {
namespace {

using testing::HasSubstr;

/// The law that `check` finds broken, or "".
std::string broken_law(const std::function<void()>& check) {
    try {
        check();
    } catch (const ModelError& error) {
        return error.what();
    }
    return "";
}

std::string broken_by(const std::function<void(OpRecord&)>& change) {
    OpRecord record = samples::machine_records()[0];
    change(record);
    return broken_law([&] { check_conservation(record); });
}

TEST(OperationConservation, HoldsForSoundRecords) {
    EXPECT_EQ(broken_by([](OpRecord&) {}), "");
}

TEST(OperationConservation, CausesSumToCycles) {
    EXPECT_THAT(broken_by([](OpRecord& record) { ++record.causes[0]; }),
                HasSubstr("operation 0 (a, forward): causes do not add up to the cycles: 151 instead of 150"));
}

TEST(OperationConservation, ExecutedMacsAreThoseAskedFor) {
    EXPECT_THAT(broken_by([](OpRecord& record) { samples::set(record, Counter::mac_int4, 1599); }),
                HasSubstr("MACs executed: 1599 instead of 1600"));
}

TEST(OperationConservation, DepthwiseMacsCount) {
    EXPECT_EQ(broken_by([](OpRecord& record) {
                  samples::set(record, Counter::mac_int4, 1500);
                  samples::set(record, Counter::vector_macs, 100);
              }),
              "");
}

TEST(OperationConservation, DramBytesAreThosePredicted) {
    EXPECT_THAT(broken_by([](OpRecord& record) { record.predicted_dram_bytes_read = 64; }),
                HasSubstr("bytes read from DRAM: 0 instead of 64"));
    EXPECT_THAT(broken_by([](OpRecord& record) { samples::set(record, Counter::dram_bytes_written, 32); }),
                HasSubstr("bytes written to DRAM: 32 instead of 0"));
}

class RunConservation : public testing::Test {
protected:
    [[nodiscard]] std::string broken_law() const {
        return nibble::broken_law([&] { check_conservation(outcome, subject); });
    }
    Outcome outcome = samples::result().machine;
    Subject subject = samples::setup().machine;
};

TEST_F(RunConservation, HoldsForASoundRun) {
    EXPECT_EQ(broken_law(), "");
}

TEST_F(RunConservation, OperationsAddUp) {
    ++outcome.summary.operations;
    EXPECT_THAT(broken_law(), HasSubstr("operations reported do not add up to the run: 3 instead of 4"));
}

TEST_F(RunConservation, CyclesOfOperationsAddUp) {
    ++outcome.summary.cycles;
    EXPECT_THAT(broken_law(), HasSubstr("cycles of the operations do not add up"));
}

TEST_F(RunConservation, CausesAddUp) {
    ++outcome.summary.causes[static_cast<std::size_t>(Cause::memory)];
    EXPECT_THAT(broken_law(), HasSubstr("cycles of cause memory do not add up over operations"));
}

TEST_F(RunConservation, CausesSumToTheRun) {
    ++outcome.summary.causes[0];
    ++outcome.totals.causes[0];
    EXPECT_THAT(broken_law(), HasSubstr("causes do not add up to the cycles"));
}

TEST_F(RunConservation, CountersAddUp) {
    ++outcome.summary.counters[index_of(Counter::dma_requests)];
    EXPECT_THAT(broken_law(), HasSubstr("counter dma_requests does not add up over operations"));
}

TEST_F(RunConservation, ActivitiesOfEveryUnitSumToTheRun) {
    --outcome.summary.units[1].cycles[3];
    EXPECT_THAT(broken_law(), HasSubstr("activities of unit dram do not add up to the cycles"));
}

// The run computes for 220 cycles; its MACs need 1600 / 16 + 400 / 4 = 200. With 321 more FP16 MACs they need 280.25.
TEST_F(RunConservation, ComputeCyclesAreNoFewerThanMacsNeed) {
    constexpr std::uint64_t more = 321;
    outcome.totals.counters[index_of(Counter::mac_fp16)] += more;
    outcome.summary.counters[index_of(Counter::mac_fp16)] += more;
    EXPECT_THAT(broken_law(),
                HasSubstr("compute cycles against those that the MACs need at peak: 220 is below 280.25"));
    subject.machine.mac_array.ideal = true;
    EXPECT_EQ(broken_law(), "") << "an ideal array computes in no time";
}

TEST_F(RunConservation, MacsBelongToModesThatTheArrayHas) {
    ++outcome.totals.counters[index_of(Counter::mac_fp8)];
    ++outcome.summary.counters[index_of(Counter::mac_fp8)];
    EXPECT_THAT(broken_law(), HasSubstr("MACs counted in a mode that the array does not have: fp8"));
}

// The run takes 310 ns. One channel of LPDDR5-6400 is 16 bits wide: 12.8 GB/s, so 3968 bytes take 310 ns.
TEST_F(RunConservation, RunIsNoShorterThanDramNeeds) {
    subject.machine.ideal_memory = false;
    subject.machine.dram.channels = 1;
    subject.energy = EnergyModel(samples::technology(), load_dram_energy(), subject.machine);
    const auto read = [&](std::uint64_t bytes) {
        outcome.totals.counters[index_of(Counter::dram_bytes_read)] = bytes;
        outcome.summary.counters[index_of(Counter::dram_bytes_read)] = bytes;
    };
    read(3968);
    EXPECT_EQ(broken_law(), "");
    read(3969);
    EXPECT_THAT(broken_law(), HasSubstr("DRAM needs at peak bandwidth"));
    subject.machine.dma.ideal = true;
    EXPECT_EQ(broken_law(), "") << "an ideal engine does not wait for DRAM";
}

TEST(PartitionConservation, PartsCoverTheRun) {
    Result result = samples::result();
    EXPECT_NO_THROW(check_partition(result.phases, result));
    ++result.phases[0].baseline.counters[index_of(Counter::commands)];
    EXPECT_THAT(broken_law([&] { check_partition(result.phases, result); }),
                HasSubstr("sixteen-bit: counts of the parts do not add up"));
    result.phases.pop_back();
    EXPECT_THAT(broken_law([&] { check_partition(result.phases, result); }),
                HasSubstr("four-bit: counts of the parts do not add up"));
}

TEST(CollectorConservation, BothMachinesRunTheSameOperations) {
    ResultCollector collector(samples::setup());
    OpRecord other = samples::baseline_records()[0];
    other.layer = "b";
    EXPECT_THAT(broken_law([&] { collector.add(samples::machine_records()[0], &other); }),
                HasSubstr("operation 0 is not the same on both machines"));
    EXPECT_THAT(broken_law([&] { collector.add(samples::machine_records()[0], nullptr); }),
                HasSubstr("a record of the baseline is missing"));
}

TEST(CollectorConservation, ManyGroupsAreCountedTogether) {
    ResultCollector collector(samples::setup(false));
    std::vector<OpRecord> records;
    constexpr std::uint64_t count = ResultCollector::most_groups + 5;
    for (std::uint64_t i = 0; i < count; ++i) {
        records.push_back(samples::record(i, "layer", "forward", "int4", 16, {1, 0, 0, 0, 0, 0}));
        records.back().group = "group " + std::to_string(i);
        collector.add(records.back(), nullptr);
    }
    RunSummary summary = samples::summary_of(records);
    const Result result = collector.finish(summary, nullptr);
    ASSERT_EQ(result.groups.size(), ResultCollector::most_groups + 1);
    EXPECT_EQ(result.groups.back().group, "(other groups)");
    EXPECT_EQ(result.groups.back().machine.operations, 5U);
}

}  // namespace
}  // namespace nibble
