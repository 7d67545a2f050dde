// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sim/config/yaml_reader.h"
#include "sim/input/workload.h"

namespace nibble {

/// Values of a block's parameters where it is used; `$name` stands for them.
struct BlockParameters {
    std::map<std::string, std::uint64_t> values;
    std::map<std::string, bool> used;
};

/// A layer as its line says it: `from` still as words.
struct LayerLine {
    std::string name;
    std::string group;  ///< empty if not given
    std::vector<YamlNode> from;
    std::optional<YamlNode> memory;       ///< of an attention
    std::optional<YamlNode> shared_with;  ///< of a linear layer or an embedding
    decltype(Layer::kind) kind;
};

/// Reads one layer; the caller calls map.finish(). Nothing, with a problem added, if it has no kind.
[[nodiscard]] std::optional<LayerLine> read_layer_line(const YamlNode& node, YamlMap& map, BlockParameters& parameters);

/// A number, or the parameter that it names.
[[nodiscard]] std::uint64_t read_count(const YamlNode& node, UnsignedRange range, BlockParameters& parameters);

}  // namespace nibble
