// SPDX-License-Identifier: MIT
#include "sim/config/machine_schema.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/config/yaml_tree.h"

namespace nibble {
namespace {

/// Every path of a file, down to the values.
void collect(const YamlTree& tree, std::size_t index, const std::string& path, std::set<std::string>& paths) {
    const YamlTree::Node& node = tree.nodes[index];
    if (node.kind != YamlTree::Kind::map) {
        return;
    }
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
        const std::string& key = tree.nodes[node.children[i]].text;
        const std::string child = path.empty() ? key : path + "." + key;
        paths.insert(child);
        collect(tree, node.children[i + 1], child, paths);
    }
}

TEST(MachineSchema, DescribesEveryKey) {
    const YamlSchema schema = machine_schema();
    for (const YamlSchema::Entry& entry : schema.entries()) {
        if (!entry.path.empty() && entry.name != "[]") {
            EXPECT_NE(entry.about, "") << entry.path;
        }
    }
}

TEST(MachineSchema, HasTheKeysThatMachinesAreWrittenWith) {
    const YamlSchema schema = machine_schema();
    std::set<std::string> paths;
    for (const std::string& preset : data_names(DataKind::preset)) {
        MachineParameters machine = load_machine(preset);
        machine.scratchpad.buffers = TileBytes{1024, 1024, 1024, 1024};
        const std::string text = effective_yaml(machine);
        const YamlTree tree = parse_yaml_tree(text, preset);
        collect(tree, tree.root, "", paths);
    }
    for (const std::string& path : paths) {
        EXPECT_NE(schema.find(path), nullptr) << path;
    }
    for (const YamlSchema::Entry& entry : schema.entries()) {
        EXPECT_TRUE(entry.path.empty() || entry.name == "[]" || paths.contains(entry.path))
            << entry.path << " is not in effective_yaml()";
    }
}

TEST(MachineSchema, KnowsDefaultsAndWhatIsRequired) {
    const YamlSchema schema = machine_schema();
    EXPECT_EQ(schema.find("scratchpad.buffering")->default_value, "2");
    EXPECT_TRUE(schema.find("scratchpad.capacity_bytes")->required);
    EXPECT_FALSE(schema.find("dram")->required) << "an ideal memory needs none";
    EXPECT_FALSE(schema.find("mac_array.modes.int4.rows")->required) << "a shared array has no such key";
    EXPECT_TRUE(schema.find("mac_array.modes.int4.macs_per_pe")->required);
}

}  // namespace
}  // namespace nibble
