// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "sim/counters/op_record.h"
#include "sim/counters/probe.h"

namespace nibble {

/// The books of a run: one open record for each operation that has commands in the machine. Units only ever add to
/// it, so it cannot carry information from one unit to another.
class Ledger {
public:
    using Sink = std::function<void(const OpRecord&)>;

    /// `sink` receives each record when its operation retires, in trace order.
    explicit Ledger(Sink sink) : sink_(std::move(sink)) {}

    /// Is told of operations and of what is added for them; null: nobody is.
    void set_probe(Probe* probe) { probe_ = probe; }

    /// Operations are opened in trace order.
    void open(OpRecord record);
    /// All commands of the operation are known: what they ask for is on record.
    void state(std::uint64_t operation, const OperationStatement& statement);
    void add(std::uint64_t operation, Counter counter, std::uint64_t amount) {
        at(operation).counters[index_of(counter)] += amount;
        if (probe_ != nullptr) {
            probe_->counted(counter, amount);
        }
    }
    /// For what no single operation asked for (refresh, row activations of interleaved streams): the oldest one pays.
    void add_to_oldest(Counter counter, std::uint64_t amount);
    /// `settle` is called before each retirement: for a unit that counts such things by itself, and adds what is new.
    void call_before_retirement(std::function<void()> settle) { settle_.push_back(std::move(settle)); }
    /// `cycles` cycles have passed for this cause: they belong to the oldest open operation.
    void pass(Cause cause, std::uint64_t cycles);
    /// The oldest operation is complete. Its record goes to the sink.
    void retire_oldest();

    [[nodiscard]] bool empty() const { return open_.empty(); }
    [[nodiscard]] std::uint64_t retired() const { return first_; }
    /// Sums over everything retired so far.
    [[nodiscard]] const CounterValues& counters() const { return counters_; }
    [[nodiscard]] const CauseCycles& causes() const { return causes_; }

private:
    [[nodiscard]] OpRecord& at(std::uint64_t operation);

    Sink sink_;
    Probe* probe_ = nullptr;
    std::vector<std::function<void()>> settle_;
    std::deque<OpRecord> open_;
    std::uint64_t first_ = 0;  // index of open_.front()
    CounterValues early_{};    // what fell due before any operation was open; goes to the next one
    CauseCycles early_causes_{};
    CounterValues counters_{};
    CauseCycles causes_{};
};

}  // namespace nibble
