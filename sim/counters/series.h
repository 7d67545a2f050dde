// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/counters/counter.h"

namespace nibble {

/// What happened in some consecutive cycles.
struct SeriesBucket {
    CounterValues counters{};
    CauseCycles causes{};
    std::array<std::uint64_t, 8> busy{};  ///< cycles in which each unit was busy, in the order of RunSummary::units
    std::uint64_t row_hits = 0;           ///< DRAM bursts whose row was open
    std::uint64_t row_misses = 0;         ///< DRAM bursts for which a row had to be opened

    std::uint64_t tile_byte_cycles = 0;      ///< bytes of tiles in the scratchpad, added up over the cycles
    std::uint64_t resident_byte_cycles = 0;  ///< bytes of tensors that stay there, added up over the cycles

    SeriesBucket& operator+=(const SeriesBucket& other);
    friend bool operator==(const SeriesBucket&, const SeriesBucket&) = default;
};

/// A run over time: its cycles in buckets of one width, of which the last may reach beyond the end. Sums over buckets
/// are what was counted in the whole run.
struct Series {
    std::uint64_t bucket_cycles = 1;
    std::vector<SeriesBucket> buckets;
    friend bool operator==(const Series&, const Series&) = default;
};

/// Makes a series of a run of unknown length: whenever cycles lie beyond the last of `most_buckets` buckets, two become
/// one. What is spread over several cycles goes to each bucket in proportion, rounded so that nothing is lost. The
/// result depends on what was added and not on the order.
class SeriesRecorder {
public:
    static constexpr std::uint64_t most_buckets = 1024;

    [[nodiscard]] std::uint64_t bucket_cycles() const { return series_.bucket_cycles; }

    /// Adds `amount` to what `field` (SeriesBucket& -> std::uint64_t&) is of the cycles from `begin` up to `end`.
    template <class Field>
    void add(Field field, std::uint64_t begin, std::uint64_t end, std::uint64_t amount) {
        if (amount == 0) {
            return;
        }
        make_room(end);
        const std::uint64_t width = series_.bucket_cycles;
        std::uint64_t given = 0;
        for (std::uint64_t bucket = begin / width; given < amount; ++bucket) {
            const std::uint64_t up_to = (bucket + 1) * width;
            const std::uint64_t due = up_to >= end ? amount : share(amount, up_to - begin, end - begin);
            field(series_.buckets[bucket]) += due - given;
            given = due;
        }
    }
    void add(Counter counter, std::uint64_t begin, std::uint64_t end, std::uint64_t amount) {
        add([counter](SeriesBucket& bucket) -> std::uint64_t& { return bucket.counters[index_of(counter)]; }, begin,
            end, amount);
    }

    [[nodiscard]] const Series& series() const { return series_; }

private:
    [[nodiscard]] static std::uint64_t share(std::uint64_t amount, std::uint64_t cycles, std::uint64_t of);
    void make_room(std::uint64_t end);

    Series series_;
};

}  // namespace nibble
