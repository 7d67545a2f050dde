// SPDX-License-Identifier: MIT
#include "sim/import/tables/timeloop_map.h"

#include <algorithm>
#include <cctype>

namespace nibble {

std::string timeloop_key(std::string_view key) {
    std::string plain;
    for (const char c : key) {
        plain.push_back(c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
    return plain;
}

TimeloopMap::TimeloopMap(const std::vector<YamlNode>& maps) : node_(maps.front()) {
    for (const YamlNode& map : maps) {
        add(map, maps.size() > 1);
    }
}

void TimeloopMap::add(const YamlNode& map, bool inner) {
    std::vector<std::pair<std::string, YamlNode>> merged;
    YamlMap entries = map.as_map();
    for (const auto& [key, value] : entries.entries()) {
        if (key == "<<" || key == "<<<") {
            merged.emplace_back(key, value);
            continue;
        }
        const auto known =
            std::find_if(values_.begin(), values_.end(), [&spelt = key](const Value& v) { return v.spelt == spelt; });
        if (known == values_.end()) {
            values_.push_back({key, {value}});
        } else if (inner && value.is_map() && known->node().is_map()) {
            known->nodes.push_back(value);
        }
    }
    for (const auto& [key, value] : merged) {
        for (const YamlNode& base : value.is_list() ? value.as_list() : std::vector{value}) {
            add(base, inner || key == "<<<");
        }
    }
}

const TimeloopMap::Value* TimeloopMap::find(std::string_view key) const {
    for (const Value& value : values_) {
        if (value.spelt == key) {
            return &value;
        }
    }
    const std::string wanted = timeloop_key(key);
    for (const Value& value : values_) {
        if (timeloop_key(value.spelt) == wanted) {
            return &value;
        }
    }
    return nullptr;
}

}  // namespace nibble
