// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/counters/counter.h"
#include "sim/counters/op_record.h"

namespace nibble {

/// What a set of operations took. All whole numbers, so that sums do not depend on their order.
struct Tally {
    std::uint64_t operations = 0;
    std::uint64_t macs = 0;
    CauseCycles causes{};
    CounterValues counters{};

    [[nodiscard]] std::uint64_t cycles() const { return (*this)[Counter::cycles]; }
    [[nodiscard]] std::uint64_t operator[](Counter counter) const { return counters[index_of(counter)]; }
    [[nodiscard]] std::uint64_t operator[](Cause cause) const { return causes[static_cast<std::size_t>(cause)]; }

    Tally& operator+=(const Tally& other) {
        operations += other.operations;
        macs += other.macs;
        for (std::size_t i = 0; i < cause_count; ++i) {
            causes[i] += other.causes[i];
        }
        for (std::size_t i = 0; i < counter_count; ++i) {
            counters[i] += other.counters[i];
        }
        return *this;
    }
    Tally& operator+=(const OpRecord& record) { return *this += Tally{1, record.macs, record.causes, record.counters}; }
    friend bool operator==(const Tally&, const Tally&) = default;
};

}  // namespace nibble
