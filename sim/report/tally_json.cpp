// SPDX-License-Identifier: MIT
#include "sim/report/tally_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace nibble {

namespace {

using Json = nlohmann::json;

bool has_number(const Json& json, const char* name) {
    return json.contains(name) && json[name].is_number_unsigned();
}

bool has_numbers(const Json& json, const char* name, std::size_t count) {
    return json.contains(name) && json[name].is_array() && json[name].size() == count &&
           std::ranges::all_of(json[name], [](const Json& one) { return one.is_number_unsigned(); });
}

}  // namespace

Json json_of(const Tally& tally) {
    return {
        {"operations", tally.operations}, {"macs", tally.macs}, {"causes", tally.causes}, {"counters", tally.counters}};
}

std::optional<Tally> tally_of(const Json& json) {
    if (!json.is_object() || !has_number(json, "operations") || !has_number(json, "macs") ||
        !has_numbers(json, "causes", cause_count) || !has_numbers(json, "counters", counter_count)) {
        return std::nullopt;
    }
    return Tally{json["operations"].get<std::uint64_t>(), json["macs"].get<std::uint64_t>(),
                 json["causes"].get<CauseCycles>(), json["counters"].get<CounterValues>()};
}

}  // namespace nibble
