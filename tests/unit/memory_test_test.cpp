// SPDX-License-Identifier: MIT
#include "sim/memtest/memory_test.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/dram/dram_params.h"
#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "tests/support/memory_file.h"

namespace nibble {
namespace {

MemoryTest run(const std::string& requests, const DramParameters& memory) {
    const test::MemoryFile file(requests);
    RequestReader reader(file.path(), {memory.capacity_bytes_per_channel * memory.channels,
                                       [](std::uint64_t) { return std::string("no room"); }});
    DramCore core(memory);
    return run_memory_test(reader, core);
}

/// One channel of DDR4-2400: 64 bytes are one burst, every command takes one slot.
DramParameters ddr4() {
    DramParameters memory = typical_dram("DDR4-2400");
    memory.channels = 1;
    memory.address_mapping = "ro-ch-ra-ba-bg-co";
    return memory;
}

const DramStandard& ddr4_standard() {
    return *find_dram_standard("DDR4-2400");
}

/// From acceptance to completion with the row closed and nothing in the way.
std::uint64_t unloaded_read() {
    return std::uint64_t{ddr4_standard().t_rcd_read} + ddr4_standard().rl + ddr4_standard().burst;
}

TEST(MemoryTestTest, AReadOfAClosedRowTakesItsTimings) {
    const MemoryTest test = run("5 R 0x1000\n", ddr4());
    EXPECT_EQ(test.reads, 1U);
    EXPECT_EQ(test.writes, 0U);
    EXPECT_EQ(test.read_latency.mean(), static_cast<double>(unloaded_read()));
    EXPECT_EQ(test.completion_cycles, 5 + unloaded_read());
    EXPECT_EQ(test.counters.activates, 1U);
    EXPECT_EQ(test.bytes(), 64U);
    EXPECT_DOUBLE_EQ(test.bytes_per_cycle(), 64.0 / static_cast<double>(5 + unloaded_read()));
}

TEST(MemoryTestTest, AWriteIsCompleteWhenItsDataAreOnTheBus) {
    const DramStandard& standard = ddr4_standard();
    const std::uint64_t latency = std::uint64_t{standard.t_rcd_write} + standard.wl + standard.burst;
    const MemoryTest test = run("0 W 0x0\n", ddr4());
    EXPECT_EQ(test.write_latency.longest(), latency);
    EXPECT_EQ(test.completion_cycles, latency);
    EXPECT_EQ(test.read_latency.count(), 0U);
}

TEST(MemoryTestTest, AnOpenRowSavesTheActivate) {
    const DramStandard& standard = ddr4_standard();
    const MemoryTest test = run("0 R 0x0\n1000 R 0x40\n", ddr4());
    EXPECT_EQ(test.completion_cycles, 1000U + standard.rl + standard.burst);
    EXPECT_EQ(test.counters.activates, 1U);
    EXPECT_EQ(test.counters.row_hits(), 1U);
}

// Two channels, one request each, offered in the same clock: the second is taken one clock later, and served at once.
TEST(MemoryTestTest, AtMostOneRequestAClockIsTaken) {
    DramParameters memory = ddr4();
    memory.channels = 2;
    memory.address_mapping = "ro-ra-ba-bg-co-ch";
    const MemoryTest test = run("0 R 0x0\n0 R 0x40\n", memory);
    EXPECT_EQ(test.read_latency.longest(), unloaded_read());
    EXPECT_EQ(test.completion_cycles, 1 + unloaded_read());
}

// Requests wait outside while the queue is full: a queue of n keeps latency, from acceptance, to about n bursts.
TEST(MemoryTestTest, LatencyCountsFromAcceptance) {
    std::string requests;
    for (std::uint64_t i = 0; i < 2000; ++i) {
        requests += fmt::format("0 R {:#x}\n", 64 * i);
    }
    DramParameters memory = ddr4();
    const MemoryTest deep = run(requests, memory);
    memory.read_queue_entries = 16;
    const MemoryTest shallow = run(requests, memory);
    for (const MemoryTest& test : {deep, shallow}) {
        EXPECT_EQ(test.reads, 2000U);
        EXPECT_EQ(test.read_latency.count(), 2000U);
        EXPECT_EQ(test.counters.reads, 2000U);
        EXPECT_GE(test.completion_cycles, 2000U * ddr4_standard().burst);
    }
    EXPECT_LT(shallow.read_latency.mean(), deep.read_latency.mean() / 2);
    EXPECT_GE(shallow.completion_cycles, deep.completion_cycles);
}

TEST(MemoryTestTest, SilenceTakesNoTime) {
    constexpr std::uint64_t late = 1'000'000'000'000'000'000;
    const MemoryTest test = run(fmt::format("0 R 0x0\n{} R 0x2000\n", late), ddr4());
    EXPECT_EQ(test.reads, 2U);
    EXPECT_GE(test.completion_cycles, late + unloaded_read());
    EXPECT_LE(test.completion_cycles, late + unloaded_read() + ddr4_standard().density(8ULL << 30U).t_rfc);
    // Two ranks are refreshed every tREFI.
    const auto refreshes = static_cast<double>(test.counters.refreshes);
    EXPECT_NEAR(refreshes / (2.0 * static_cast<double>(late) / ddr4_standard().t_refi), 1, 1e-12);
    EXPECT_EQ(test.counters.active_standby_cycles + test.counters.precharge_standby_cycles, 2 * test.completion_cycles);
}

TEST(MemoryTestTest, AWrongFileIsRefusedInTheMiddle) {
    EXPECT_THROW(static_cast<void>(run("0 R 0x0\n0 R 0x41\n", ddr4())), InputError);
}

}  // namespace
}  // namespace nibble
