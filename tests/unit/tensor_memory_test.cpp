// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_memory.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/input/trace_reader.h"
#include "tests/support/random_case.h"
#include "tests/support/step_trace.h"
#include "tests/support/test_machine.h"
#include "tests/support/trace_file.h"

namespace nibble {
namespace {

// ---- addresses in DRAM

TEST(DramAllocator, LiveBlocksNeverOverlapAndFreedOnesComeBack) {
    constexpr std::uint64_t capacity = 1 << 20;
    test::RandomCase random(71);
    for (int i = 0; i < 20; ++i) {
        DramAllocator dram(capacity);
        std::map<std::uint64_t, std::uint64_t> live;  // address to bytes
        for (int n = 0; n < 400; ++n) {
            if (!live.empty() && random.number(0, 2) == 0) {
                const auto victim =
                    std::next(live.begin(), static_cast<std::ptrdiff_t>(random.number(0, live.size() - 1)));
                dram.free(victim->first, victim->second, {});
                live.erase(victim);
                continue;
            }
            const std::uint64_t bytes = random.number(1, 30000);
            std::uint64_t address = 0;
            try {
                address = dram.allocate(bytes).address;
            } catch (const InputError&) {
                continue;
            }
            EXPECT_EQ(address % 4096, 0U);
            EXPECT_LE(address + bytes, capacity);
            const auto above = live.lower_bound(address);
            EXPECT_TRUE(above == live.end() || above->first >= address + bytes);
            EXPECT_TRUE(above == live.begin() || std::prev(above)->first + std::prev(above)->second <= address);
            live.emplace(address, bytes);
        }
        for (const auto& [address, bytes] : live) {
            dram.free(address, bytes, {});
        }
        // Everything has come together again: one block of nearly all (a ninth is kept for padding) fits.
        EXPECT_EQ(dram.allocate(capacity / 9 * 8).address, 0U);
    }
}

TEST(DramAllocator, SaysWhenNothingIsLeft) {
    DramAllocator dram(64 * 1024);
    static_cast<void>(dram.allocate(40 * 1024));
    try {
        static_cast<void>(dram.allocate(30 * 1024));
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "the step does not fit the machine's memory: no 30720 bytes left of 65536");
    }
}

// Units: load, array, log-gradient, vector unit, store. What is reused waits for all of its last users.
TEST(DramAllocator, SaysWhatAReusedAddressWaitsFor) {
    DramAllocator dram(64 * 1024);
    const Dependencies early{5, 0, 0, 0, 1};
    const Dependencies late{4, 0, 0, 0, 7};
    EXPECT_EQ(dram.allocate(3000).release, Dependencies{});
    EXPECT_EQ(dram.allocate(3000).address, 4096U);
    dram.free(0, 3000, early);
    EXPECT_EQ(dram.allocate(2000).release, early);
    dram.free(0, 2000, early);
    dram.free(4096, 3000, late);
    const DramAllocator::Block both = dram.allocate(6000);
    EXPECT_EQ(both.address, 0U);
    EXPECT_EQ(both.release, (Dependencies{5, 0, 0, 0, 7}));
}

// ---- room on chip

TEST(ResidentSpace, TakesWhatWasFreedLongestAgo) {
    ResidentSpace space(100);
    EXPECT_EQ(space.take(60), Dependencies{});
    EXPECT_EQ(space.take(0), Dependencies{});
    const Dependencies first{1, 0, 0, 0, 0};
    const Dependencies second{0, 2, 0, 0, 0};
    space.free(20, first);
    space.free(40, second);
    EXPECT_EQ(space.take(40), Dependencies{}) << "that were never used";
    EXPECT_EQ(space.take(10), first);
    EXPECT_EQ(space.take(30), (Dependencies{1, 2, 0, 0, 0}));
    EXPECT_EQ(space.take(20), second);
    EXPECT_THROW(static_cast<void>(space.take(1)), ModelError);
}

// ---- who waits for whom

// 100 elements of 16 bits; the first four operations of a step, with all commands given to the units at their ends.
class TensorMemoryTest : public testing::Test {
protected:
    /// a is made, read, and made again; room on chip for it or not.
    void begin(std::uint64_t resident_bytes) {
        test::StepTrace trace;
        a_ = trace.tensor(TensorRole::activation, 100);
        const TensorId big = trace.tensor(TensorRole::activation, 1'000'000);
        trace.vector(100, {big}, {a_});      // accesses 0 and 1
        trace.vector(100, {a_}, {big});      // 2 and 3
        trace.vector(100, {big}, {a_});      // 4 and 5
        trace.vector(100, {a_, a_}, {big});  // 6, 7 and 8
        file_.emplace(trace.finish());
        machine_.scratchpad.resident_bytes = resident_bytes;
        plan_.emplace(file_->path(), machine_, *find_recipe("fp16"), Selection{});
        memory_.emplace(machine_, *plan_);
        for (TraceReader reader(file_->path()); const auto item = reader.next();) {
            if (const auto* tensor = std::get_if<Tensor>(&*item)) {
                memory_->declare(*tensor);
            }
        }
    }

    // Load, array, log-gradient, vector unit, store.
    static constexpr Dependencies first{1, 0, 0, 1, 1};
    static constexpr Dependencies second{2, 0, 0, 2, 2};

    MachineParameters machine_ = test::small_machine();
    TensorId a_ = 0;
    std::optional<test::TraceFile> file_;
    std::optional<TensorPlan> plan_;
    std::optional<TensorMemory> memory_;
};

TEST_F(TensorMemoryTest, InDramReadersWaitForTheStoreAndWritersForTheLoads) {
    begin(0);
    EXPECT_EQ(memory_->begin_write(a_, 1).in_dram, Dependencies{});
    memory_->written(a_, {0, 0, 0, 1, 0}, first);
    memory_->end_write(a_, 1, first);
    const TensorMemory::Source source = memory_->begin_read(a_, CopyFormat::fp16, 2);
    EXPECT_FALSE(source.on_chip);
    EXPECT_FALSE(source.stays);
    EXPECT_EQ(source.ready, first);
    memory_->end_read(a_, CopyFormat::fp16, 2, second);
    const TensorMemory::Target target = memory_->begin_write(a_, 5);
    EXPECT_EQ(target.on_chip, Dependencies{});
    EXPECT_EQ(target.in_dram, (Dependencies{2, 0, 0, 0, 2})) << "what moves data to and from DRAM";
}

TEST_F(TensorMemoryTest, OnChipReadersWaitForTheMakerAndWritersForThePlace) {
    begin(200);
    EXPECT_EQ(memory_->begin_write(a_, 1).on_chip, Dependencies{});
    memory_->written(a_, {0, 0, 0, 1, 0}, first);
    memory_->end_write(a_, 1, first);
    const TensorMemory::Source source = memory_->begin_read(a_, CopyFormat::fp16, 2);
    EXPECT_TRUE(source.on_chip);
    EXPECT_EQ(source.ready, (Dependencies{0, 0, 0, 1, 0}));
    memory_->end_read(a_, CopyFormat::fp16, 2, second);
    const TensorMemory::Target target = memory_->begin_write(a_, 5);
    EXPECT_EQ(target.on_chip, second) << "the room is that of the value before";
    EXPECT_EQ(target.in_dram, Dependencies{}) << "it is not stored";
    memory_->end_write(a_, 5, second);
    EXPECT_TRUE(memory_->begin_read(a_, CopyFormat::fp16, 6).on_chip);
    EXPECT_TRUE(memory_->begin_read(a_, CopyFormat::fp16, 7).on_chip);
    memory_->end_read(a_, CopyFormat::fp16, 6, second);
    EXPECT_TRUE(memory_->copy(a_, CopyFormat::fp16).resident) << "the same operation reads it again";
    EXPECT_EQ(memory_->kept_tensors()[static_cast<std::size_t>(TensorRole::activation)], 1U);
    memory_->end_read(a_, CopyFormat::fp16, 7, second);
    EXPECT_THROW(static_cast<void>(memory_->copy(a_, CopyFormat::fp16)), ModelError) << "gone after its last use";
}

}  // namespace
}  // namespace nibble
