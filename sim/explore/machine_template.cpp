// SPDX-License-Identifier: MIT
#include "sim/explore/machine_template.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/config/text_file.h"
#include "sim/config/yaml_reader.h"
#include "sim/config/yaml_tree.h"

namespace nibble {

namespace {

/// Plain scalars keep their meaning (a number, a truth value) wherever they stand; anything else is quoted.
bool is_plain(std::string_view text) {
    return !text.empty() &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-") ==
               std::string_view::npos;
}

std::string scalar_yaml(const YamlTree::Node& node) {
    return !node.quoted && is_plain(node.text) ? node.text : yaml_text(node.text);
}

std::string yaml_of(const YamlTree& tree, std::size_t index) {
    const YamlTree::Node& node = tree.nodes[index];
    switch (node.kind) {
        case YamlTree::Kind::text:
            return scalar_yaml(node);
        case YamlTree::Kind::list: {
            std::string text = "[";
            for (const std::size_t child : node.children) {
                text += (text.size() > 1 ? ", " : "") + yaml_of(tree, child);
            }
            return text + "]";
        }
        case YamlTree::Kind::map: {
            std::string text = "{";
            for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
                text += (text.size() > 1 ? ", " : "") + yaml_of(tree, node.children[i]) + ": " +
                        yaml_of(tree, node.children[i + 1]);
            }
            return text + "}";
        }
        case YamlTree::Kind::nothing:
            break;
    }
    return "~";
}

void list_parameters(const YamlTree& tree, std::size_t index, const std::string& path, std::vector<std::string>& out) {
    const YamlTree::Node& node = tree.nodes[index];
    if (node.kind != YamlTree::Kind::map) {
        out.push_back(path);
        return;
    }
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
        const std::string& key = tree.nodes[node.children[i]].text;
        list_parameters(tree, node.children[i + 1], path.empty() ? key : path + "." + key, out);
    }
}

}  // namespace

struct TemplateReader {
    const YamlTree& tree;

    [[nodiscard]] MachineTemplate::Value read(std::size_t index) const {
        MachineTemplate::Value value;
        const YamlTree::Node& node = tree.nodes[index];
        if (node.kind != YamlTree::Kind::map) {
            value.text = yaml_of(tree, index);
            return value;
        }
        value.is_map = true;
        for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
            value.keys.push_back(tree.nodes[node.children[i]].text);
            value.values.push_back(read(node.children[i + 1]));
        }
        return value;
    }
};

MachineTemplate::MachineTemplate(const std::string& name_or_path) {
    const std::filesystem::path file = find_data_file(DataKind::preset, name_or_path);
    const std::string text = read_text_file(file, YamlDocument::most_bytes);
    base_ = parse_machine(text, file.string());
    const YamlTree tree = parse_yaml_tree(text, file.string());
    root_ = TemplateReader{tree}.read(tree.root);
    const YamlTree all = parse_yaml_tree(effective_yaml(base_), file.string());
    list_parameters(all, all.root, "", parameters_);
}

MachineParameters MachineTemplate::with(const std::vector<Setting>& settings) const {
    Value root = root_;
    for (const auto& [parameter, text] : settings) {
        Value* value = &root;
        for (std::size_t begin = 0; begin <= parameter.size();) {
            const std::size_t end = std::min(parameter.find('.', begin), parameter.size());
            value = &value->at(parameter.substr(begin, end - begin));
            begin = end + 1;
        }
        *value = {text, {}, {}, false};
    }
    try {
        return parse_machine(root.yaml(), "");
    } catch (const InputError& error) {
        std::vector<Problem> problems = error.problems();
        for (Problem& problem : problems) {
            problem.where = {};  // lines of a text that nobody has seen
        }
        throw InputError(std::move(problems));
    }
}

MachineTemplate::Value& MachineTemplate::Value::at(const std::string& key) {
    if (!is_map) {
        *this = {{}, {}, {}, true};
    }
    const auto place = static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
    if (place == keys.size()) {
        keys.push_back(key);
        values.emplace_back();
    }
    return values[place];
}

std::string MachineTemplate::Value::yaml() const {
    if (!is_map) {
        return text;
    }
    std::string out = "{";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        out += (i > 0 ? ", " : "") + keys[i] + ": " + values[i].yaml();
    }
    return out + "}";
}

}  // namespace nibble
