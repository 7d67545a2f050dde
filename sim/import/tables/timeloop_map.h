// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/config/yaml_reader.h"

namespace nibble {

/// A map of a Timeloop file. Entries of the maps under "<<" (YAML merge key) and "<<<" (timeloopfe: inner maps are
/// merged as well) are seen where the map itself has none of their name. Names are found whatever their case and
/// whether their words are joined by hyphens or underscores, for files write both; a name that is spelt exactly comes
/// first.
class TimeloopMap {
public:
    /// One map, or several of which the first counts most.
    explicit TimeloopMap(const std::vector<YamlNode>& maps);

    struct Value {
        std::string spelt;            ///< the key as the file writes it
        std::vector<YamlNode> nodes;  ///< more than one: maps to be merged
        [[nodiscard]] const YamlNode& node() const { return nodes.front(); }
        [[nodiscard]] TimeloopMap as_map() const { return TimeloopMap(nodes); }
    };
    [[nodiscard]] const Value* find(std::string_view key) const;
    [[nodiscard]] const std::vector<Value>& values() const { return values_; }
    /// For messages: where the map stands.
    [[nodiscard]] const YamlNode& node() const { return node_; }

private:
    void add(const YamlNode& map, bool inner);

    YamlNode node_;
    std::vector<Value> values_;
};

/// In lower case, with underscores for hyphens.
[[nodiscard]] std::string timeloop_key(std::string_view key);

}  // namespace nibble
