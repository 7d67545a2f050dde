// SPDX-License-Identifier: MIT
#include "sim/counters/series.h"

#include <bit>
#include <cstddef>

#include "sim/base/units.h"

namespace nibble {

namespace {

template <class Values>
void add_to(Values& sums, const Values& values) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += values[i];
    }
}

}  // namespace

SeriesBucket& SeriesBucket::operator+=(const SeriesBucket& other) {
    add_to(counters, other.counters);
    add_to(causes, other.causes);
    add_to(busy, other.busy);
    row_hits += other.row_hits;
    row_misses += other.row_misses;
    tile_byte_cycles += other.tile_byte_cycles;
    resident_byte_cycles += other.resident_byte_cycles;
    return *this;
}

std::uint64_t SeriesRecorder::share(std::uint64_t amount, std::uint64_t cycles, std::uint64_t of) {
    // scaled() needs factors of 32 bits; spans that are longer lose what is below one part in 2^32.
    constexpr int bits_of_factor = 32;
    const int excess = static_cast<int>(std::bit_width(of)) - bits_of_factor;
    const int shift = excess > 0 ? excess : 0;
    return scaled(amount, cycles >> shift, of >> shift);
}

void SeriesRecorder::make_room(std::uint64_t end) {
    while (ceil_div(end, series_.bucket_cycles) > most_buckets) {
        std::vector<SeriesBucket>& buckets = series_.buckets;
        for (std::size_t i = 0; i < buckets.size(); ++i) {
            if (i % 2 == 0) {
                buckets[i / 2] = buckets[i];
            } else {
                buckets[i / 2] += buckets[i];
            }
        }
        buckets.resize(ceil_div(buckets.size(), 2));
        series_.bucket_cycles *= 2;
    }
    const std::uint64_t needed = ceil_div(end, series_.bucket_cycles);
    if (series_.buckets.size() < needed) {
        series_.buckets.resize(needed);
    }
}

}  // namespace nibble
