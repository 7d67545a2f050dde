// SPDX-License-Identifier: MIT
#include "sim/explore/machine_difference.h"

#include <cstddef>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/config/text_file.h"
#include "sim/config/yaml_tree.h"

namespace nibble {

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

void flatten(const YamlTree& tree, std::size_t at, const std::string& name, Parameters& parameters) {
    const YamlTree::Node& node = tree.nodes[at];
    switch (node.kind) {
        case YamlTree::Kind::nothing:
        case YamlTree::Kind::text:
            parameters.emplace_back(name, node.text);
            break;
        case YamlTree::Kind::list:
            for (std::size_t i = 0; i < node.children.size(); ++i) {
                flatten(tree, node.children[i], fmt::format("{}[{}]", name, i), parameters);
            }
            break;
        case YamlTree::Kind::map:
            for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
                const std::string& key = tree.nodes[node.children[i]].text;
                flatten(tree, node.children[i + 1], name.empty() ? key : name + "." + key, parameters);
            }
            break;
    }
}

Parameters parameters_of(const std::filesystem::path& file) {
    constexpr std::size_t most_bytes = std::size_t{1} << 20;
    const YamlTree tree = parse_yaml_tree(read_text_file(file, most_bytes), file.string());
    Parameters parameters;
    flatten(tree, tree.root, "", parameters);
    std::erase_if(parameters, [](const auto& parameter) { return parameter.first == "name"; });
    return parameters;
}

}  // namespace

std::vector<ParameterChange> machine_differences(const std::filesystem::path& a, const std::filesystem::path& b) {
    const Parameters ours = parameters_of(a);
    const Parameters theirs = parameters_of(b);
    const std::map<std::string, std::string> in_a(ours.begin(), ours.end());
    const std::map<std::string, std::string> in_b(theirs.begin(), theirs.end());
    std::vector<ParameterChange> changes;
    for (const auto& [name, text] : ours) {
        const auto other = in_b.find(name);
        if (other == in_b.end()) {
            changes.push_back({name, text, std::nullopt});
        } else if (other->second != text) {
            changes.push_back({name, text, other->second});
        }
    }
    for (const auto& [name, text] : theirs) {
        if (!in_a.contains(name)) {
            changes.push_back({name, std::nullopt, text});
        }
    }
    return changes;
}

}  // namespace nibble
