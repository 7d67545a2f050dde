// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nibble {

/// A parsed YAML file as plain data. yaml-cpp does the parsing; its own node type is not used because it forgets
/// quotes and lets an alias multiply without bound.
/// Nodes refer to each other by index; an alias refers to the node that it names, so the tree is never copied.
struct YamlTree {
    enum class Kind : std::uint8_t { nothing, text, list, map };
    struct Node {
        Kind kind = Kind::nothing;
        bool quoted = false;                ///< text in quotes or a block: never a number or a truth value
        std::uint64_t line = 0;             ///< counted from 1
        std::uint64_t column = 0;           ///< counted from 1
        std::string text;                   ///< of Kind::text
        std::vector<std::size_t> children;  ///< of a list: its items; of a map: key, value, key, value ...
    };
    std::vector<Node> nodes;
    std::size_t root = 0;

    static constexpr std::size_t most_depth = 64;
    static constexpr std::size_t most_nodes = 100'000;  ///< with every alias written out
};

/// Parses one YAML document. Throws InputError for a syntax error, an empty document, a second document, a tag,
/// an alias inside the node that it names, and anything deeper or larger than the limits of YamlTree.
[[nodiscard]] YamlTree parse_yaml_tree(const std::string& text, const std::string& name);

}  // namespace nibble
