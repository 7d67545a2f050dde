// SPDX-License-Identifier: MIT
#include "sim/report/series_json.h"

#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/counters/probe.h"

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;

static_assert(std::tuple_size_v<decltype(SeriesBucket::busy)> == machine_unit_count);

template <class Value>
Json list_of(const Series& series, Value value) {
    Json list = Json::array();
    for (const SeriesBucket& bucket : series.buckets) {
        list.push_back(value(bucket));
    }
    return list;
}

Json json_of(const Outcome& outcome, const Subject& subject) {
    if (outcome.summary.series == nullptr) {
        throw ModelError("a result without a series is asked for it");
    }
    const Series& series = *outcome.summary.series;
    const auto counter = [&](Counter which) {
        return list_of(series, [&](const SeriesBucket& bucket) { return bucket.counters[index_of(which)]; });
    };
    Json units = Json::object();
    for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
        units[std::string(machine_unit_names[unit])] =
            list_of(series, [&](const SeriesBucket& bucket) { return bucket.busy[unit]; });
    }
    Json causes = Json::object();
    for (std::size_t cause = 0; cause < cause_count; ++cause) {
        causes[std::string(cause_names[cause])] =
            list_of(series, [&](const SeriesBucket& bucket) { return bucket.causes[cause]; });
    }
    const ScratchpadParameters& scratchpad = subject.machine.scratchpad;
    Json room = {
        {"capacity_bytes", scratchpad.capacity_bytes},
        {"resident_capacity_bytes", scratchpad.resident_bytes},
        {"tile_byte_cycles", list_of(series, [](const SeriesBucket& bucket) { return bucket.tile_byte_cycles; })},
        {"resident_byte_cycles",
         list_of(series, [](const SeriesBucket& bucket) { return bucket.resident_byte_cycles; })}};
    return {{"bucket_cycles", series.bucket_cycles},
            {"cycles", counter(Counter::cycles)},
            {"units", std::move(units)},
            {"causes", std::move(causes)},
            {"macs", list_of(series,
                             [](const SeriesBucket& bucket) {
                                 std::uint64_t macs = 0;
                                 for (const Counter mode : mac_counters) {
                                     macs += bucket.counters[index_of(mode)];
                                 }
                                 return macs;
                             })},
            {"dram_bytes_read", counter(Counter::dram_bytes_read)},
            {"dram_bytes_written", counter(Counter::dram_bytes_written)},
            {"dram_row_hits", list_of(series, [](const SeriesBucket& bucket) { return bucket.row_hits; })},
            {"dram_row_misses", list_of(series, [](const SeriesBucket& bucket) { return bucket.row_misses; })},
            {"scratchpad", std::move(room)},
            {"energy_pj", list_of(series, [&](const SeriesBucket& bucket) {
                 return subject.energy.price(bucket.counters).total().count();
             })}};
}

}  // namespace

std::string series_json(const Result& result) {
    Json json = {{"machine", json_of(result.machine, result.setup.machine)}, {"baseline", nullptr}};
    if (result.baseline) {
        json["baseline"] = json_of(*result.baseline, *result.setup.baseline);
    }
    return json.dump();
}

}  // namespace nibble
