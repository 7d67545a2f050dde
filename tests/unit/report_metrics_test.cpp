// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "sim/report/metrics.h"
#include "tests/unit/report_samples.h"

namespace nibble {
namespace {

// Four banks of 64 bytes, one access each in a cycle of 2 ns: 256 bytes in 2 ns. With two ports, twice that.
TEST(ReportMetrics, PeakOfTheScratchpad) {
    MachineParameters machine = samples::machine("m", 2000);
    machine.scratchpad.banks = 4;
    machine.scratchpad.line_bytes = 64;
    EXPECT_DOUBLE_EQ(scratchpad_bytes_per_second(machine), 128e9);
    machine.scratchpad.ports = BankPorts::one_read_one_write;
    EXPECT_DOUBLE_EQ(scratchpad_bytes_per_second(machine), 256e9);
}

TEST(ReportMetrics, LinesOfAllPartsAreScratchpadBytes) {
    const MachineParameters machine = samples::machine("m", 1000);
    CounterValues counters{};
    EXPECT_EQ(scratchpad_bytes(counters, machine), 0U);
    std::uint64_t lines = 0;
    for (const auto& [read, written] : line_counters) {
        lines += 10 + 3;
        counters[index_of(read)] = 10;
        counters[index_of(written)] = 3;
    }
    counters[index_of(Counter::scratchpad_conflict_cycles)] = 1000;
    EXPECT_EQ(scratchpad_bytes(counters, machine), lines * 64);
}

}  // namespace
}  // namespace nibble
