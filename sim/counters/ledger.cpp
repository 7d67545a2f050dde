// SPDX-License-Identifier: MIT
#include "sim/counters/ledger.h"

#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

void Ledger::open(OpRecord record) {
    if (record.index != first_ + open_.size()) {
        throw ModelError(fmt::format("operation {} opened out of order", record.index));
    }
    if (open_.empty()) {
        for (std::size_t i = 0; i < counter_count; ++i) {
            record.counters[i] += std::exchange(early_[i], 0);
        }
        for (std::size_t i = 0; i < cause_count; ++i) {
            record.causes[i] += std::exchange(early_causes_[i], 0);
        }
    }
    if (probe_ != nullptr) {
        probe_->operation_opened(record);
    }
    open_.push_back(std::move(record));
}

void Ledger::state(std::uint64_t operation, const OperationStatement& statement) {
    OpRecord& record = at(operation);
    record.macs = statement.macs;
    record.predicted_dram_bytes_read = statement.dram_bytes_read;
    record.predicted_dram_bytes_written = statement.dram_bytes_written;
}

void Ledger::add_to_oldest(Counter counter, std::uint64_t amount) {
    CounterValues& counters = open_.empty() ? early_ : open_.front().counters;
    counters[index_of(counter)] += amount;
}

void Ledger::pass(Cause cause, std::uint64_t cycles) {
    CauseCycles& causes = open_.empty() ? early_causes_ : open_.front().causes;
    causes[static_cast<std::size_t>(cause)] += cycles;
    add_to_oldest(Counter::cycles, cycles);
}

void Ledger::retire_oldest() {
    if (open_.empty()) {
        throw ModelError("no operation to retire");
    }
    for (const std::function<void()>& settle : settle_) {
        settle();
    }
    const OpRecord& record = open_.front();
    for (std::size_t i = 0; i < counter_count; ++i) {
        counters_[i] += record.counters[i];
    }
    for (std::size_t i = 0; i < cause_count; ++i) {
        causes_[i] += record.causes[i];
    }
    if (probe_ != nullptr) {
        probe_->operation_retired(record);
    }
    sink_(record);
    open_.pop_front();
    ++first_;
}

OpRecord& Ledger::at(std::uint64_t operation) {
    if (operation < first_ || operation - first_ >= open_.size()) {
        throw ModelError(fmt::format("operation {} is not open", operation));
    }
    return open_[operation - first_];
}

}  // namespace nibble
