// SPDX-License-Identifier: MIT
#include "sim/counters/ledger.h"

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

OpRecord operation(std::uint64_t index) {
    OpRecord record;
    record.index = index;
    return record;
}

std::uint64_t counted(const OpRecord& record, Counter counter) {
    return record.counters[index_of(counter)];
}

class LedgerTest : public testing::Test {
protected:
    std::vector<OpRecord> retired_;
    Ledger ledger_{[this](const OpRecord& record) { retired_.push_back(record); }};
};

TEST_F(LedgerTest, CountsBelongToTheirOperationWheneverTheyAreMade) {
    ledger_.open(operation(0));
    ledger_.open(operation(1));
    ledger_.add(1, Counter::mac_int4, 7);
    ledger_.add(0, Counter::mac_int4, 3);
    ledger_.add(1, Counter::mac_int4, 5);
    ledger_.retire_oldest();
    ledger_.add(1, Counter::commands, 1);
    ledger_.retire_oldest();
    ASSERT_EQ(retired_.size(), 2U);
    EXPECT_EQ(counted(retired_[0], Counter::mac_int4), 3U);
    EXPECT_EQ(counted(retired_[1], Counter::mac_int4), 12U);
    EXPECT_EQ(counted(retired_[1], Counter::commands), 1U);
}

TEST_F(LedgerTest, CyclesBelongToTheOldestOperation) {
    ledger_.open(operation(0));
    ledger_.pass(Cause::memory, 10);
    ledger_.open(operation(1));
    ledger_.pass(Cause::compute, 5);
    ledger_.add_to_oldest(Counter::dram_refreshes, 2);
    ledger_.retire_oldest();
    ledger_.pass(Cause::compute, 3);
    ledger_.retire_oldest();
    EXPECT_EQ(counted(retired_[0], Counter::cycles), 15U);
    EXPECT_EQ(retired_[0].causes[static_cast<std::size_t>(Cause::memory)], 10U);
    EXPECT_EQ(retired_[0].causes[static_cast<std::size_t>(Cause::compute)], 5U);
    EXPECT_EQ(counted(retired_[0], Counter::dram_refreshes), 2U);
    EXPECT_EQ(counted(retired_[1], Counter::cycles), 3U);
}

TEST_F(LedgerTest, WhatComesBeforeAnyOperationGoesToTheNext) {
    ledger_.pass(Cause::control, 4);
    ledger_.add_to_oldest(Counter::dram_activates, 1);
    ledger_.open(operation(0));
    ledger_.retire_oldest();
    ledger_.pass(Cause::control, 2);
    ledger_.open(operation(1));
    ledger_.open(operation(2));
    ledger_.retire_oldest();
    ledger_.retire_oldest();
    EXPECT_EQ(counted(retired_[0], Counter::cycles), 4U);
    EXPECT_EQ(counted(retired_[0], Counter::dram_activates), 1U);
    EXPECT_EQ(counted(retired_[1], Counter::cycles), 2U);
    EXPECT_EQ(retired_[1].causes[static_cast<std::size_t>(Cause::control)], 2U);
    EXPECT_EQ(counted(retired_[2], Counter::cycles), 0U);
}

// A unit that counts by itself, 10 between any two looks: the oldest operation gets what came since the one before it.
TEST_F(LedgerTest, UnitsSettleBeforeEachRetirement) {
    std::uint64_t settled = 0;
    ledger_.call_before_retirement([&] {
        ledger_.add_to_oldest(Counter::dram_activates, 10);
        ++settled;
    });
    ledger_.open(operation(0));
    ledger_.open(operation(1));
    EXPECT_EQ(settled, 0U);
    ledger_.retire_oldest();
    EXPECT_EQ(settled, 1U);
    EXPECT_EQ(counted(retired_[0], Counter::dram_activates), 10U);
    ledger_.retire_oldest();
    EXPECT_EQ(counted(retired_[1], Counter::dram_activates), 10U);
    EXPECT_EQ(ledger_.counters()[index_of(Counter::dram_activates)], 20U);
}

TEST_F(LedgerTest, SumsOverWhatHasRetired) {
    for (std::uint64_t i = 0; i < 5; ++i) {
        ledger_.open(operation(i));
        ledger_.add(i, Counter::dram_bytes_read, 100 + i);
        ledger_.pass(Cause::vector, i);
    }
    EXPECT_EQ(ledger_.counters()[index_of(Counter::dram_bytes_read)], 0U);
    for (std::uint64_t i = 0; i < 4; ++i) {
        ledger_.retire_oldest();
    }
    EXPECT_EQ(ledger_.retired(), 4U);
    EXPECT_EQ(ledger_.counters()[index_of(Counter::dram_bytes_read)], 100U + 101 + 102 + 103);
    // All passed while the first was the oldest.
    EXPECT_EQ(ledger_.causes()[static_cast<std::size_t>(Cause::vector)], 0U + 1 + 2 + 3 + 4);
    EXPECT_EQ(ledger_.counters()[index_of(Counter::cycles)], 10U);
    EXPECT_FALSE(ledger_.empty());
    ledger_.retire_oldest();
    EXPECT_TRUE(ledger_.empty());
}

TEST_F(LedgerTest, KeepsWhatTheRecordCameWith) {
    OpRecord record = operation(0);
    record.layer = "conv1";
    record.macs = 42;
    ledger_.open(record);
    ledger_.retire_oldest();
    EXPECT_EQ(retired_.front().layer, "conv1");
    EXPECT_EQ(retired_.front().macs, 42U);
}

TEST_F(LedgerTest, MisuseIsAModelError) {
    EXPECT_THROW(ledger_.retire_oldest(), ModelError);
    EXPECT_THROW(ledger_.open(operation(1)), ModelError);
    ledger_.open(operation(0));
    EXPECT_THROW(ledger_.open(operation(0)), ModelError);
    EXPECT_THROW(ledger_.add(1, Counter::commands, 1), ModelError);
    ledger_.retire_oldest();
    EXPECT_THROW(ledger_.add(0, Counter::commands, 1), ModelError);
}

TEST(CounterTable, NamesEveryCounterOnce) {
    std::set<std::string_view> names;
    for (const CounterInfo& info : counter_info) {
        EXPECT_FALSE(info.name.empty());
        EXPECT_FALSE(info.component.empty());
        EXPECT_FALSE(info.what.empty());
        names.insert(info.name);
    }
    EXPECT_EQ(names.size(), counter_count);
    EXPECT_EQ(counter_info[index_of(Counter::mac_int4)].name, "mac_int4");
    EXPECT_EQ(counter_info[index_of(Counter::vector_macs)].name, "vector_macs");
    EXPECT_EQ(counter_info[index_of(Counter::dram_bytes_written)].name, "dram_bytes_written");
    EXPECT_EQ(counter_info[index_of(Counter::cycles)].name, "cycles");
}

}  // namespace
}  // namespace nibble
