// SPDX-License-Identifier: MIT
#include "sim/config/yaml_tree.h"

#include <limits>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

/// Builds the tree from yaml-cpp's events. The depth limit is enforced here, long before yaml-cpp's own recursion
/// could exhaust the stack.
class TreeBuilder : public YAML::EventHandler {
public:
    explicit TreeBuilder(const std::string& name) : name_(name) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(YamlTree::Kind::nothing, mark, anchor); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_tag(mark, tag);
        const std::size_t node = add(YamlTree::Kind::text, mark, anchor);
        tree_.nodes[node].text = value;
        tree_.nodes[node].quoted = tag == "!";
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        refuse_tag(mark, tag);
        open(add(YamlTree::Kind::list, mark, anchor), mark);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        refuse_tag(mark, tag);
        open(add(YamlTree::Kind::map, mark, anchor), mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const std::size_t node = anchors_.at(anchor);
        for (const std::size_t outer : open_) {
            if (outer == node) {
                fail(mark, "an alias cannot stand inside the node that it names");
            }
        }
        attach(node, mark);
    }

    YamlTree take() { return std::move(tree_); }

private:
    [[noreturn]] void fail(const YAML::Mark& mark, std::string what) const {
        throw InputError(
            {name_, static_cast<std::uint64_t>(mark.line) + 1, static_cast<std::uint64_t>(mark.column) + 1},
            std::move(what));
    }

    void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
        if (!tag.empty() && tag != "?" && tag != "!") {
            fail(mark, fmt::format("tags are not supported, found '{}'", printable(tag)));
        }
    }

    std::size_t add(YamlTree::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        const std::size_t node = tree_.nodes.size();
        tree_.nodes.push_back({kind,
                               false,
                               static_cast<std::uint64_t>(mark.line) + 1,
                               static_cast<std::uint64_t>(mark.column) + 1,
                               {},
                               {}});
        sizes_.push_back(1);
        if (anchor != 0) {
            anchors_[anchor] = node;
        }
        if (kind == YamlTree::Kind::nothing || kind == YamlTree::Kind::text) {
            attach(node, mark);
        }
        return node;
    }

    void open(std::size_t node, const YAML::Mark& mark) {
        if (open_.size() == YamlTree::most_depth) {
            fail(mark, fmt::format("nested more than {} levels deep", YamlTree::most_depth));
        }
        open_.push_back(node);
        last_mark_ = mark;
    }

    void close() {
        const std::size_t node = open_.back();
        open_.pop_back();
        attach(node, last_mark_);
    }

    /// Makes a finished node the child of the innermost open one, and counts it as often as it will be seen.
    void attach(std::size_t node, const YAML::Mark& mark) {
        if (open_.empty()) {
            tree_.root = node;
            return;
        }
        tree_.nodes[open_.back()].children.push_back(node);
        std::size_t& size = sizes_[open_.back()];
        size += sizes_[node];
        if (size > YamlTree::most_nodes) {
            fail(mark, fmt::format("more than {} values, counting every use of an alias", YamlTree::most_nodes));
        }
    }

    const std::string& name_;
    YamlTree tree_;
    std::vector<std::size_t> sizes_;  // of each node: itself and everything below, aliases written out
    std::vector<std::size_t> open_;   // lists and maps being read, outermost first
    YAML::Mark last_mark_;            // of the list or map opened last
    std::unordered_map<YAML::anchor_t, std::size_t> anchors_;
};

}  // namespace

YamlTree parse_yaml_tree(const std::string& text, const std::string& name) {
    TreeBuilder builder(name);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        if (!parser.HandleNextDocument(builder)) {
            throw InputError({name}, "the file holds no YAML value");
        }
        TreeBuilder rest(name);
        if (parser.HandleNextDocument(rest)) {
            const YamlTree second = rest.take();
            const YamlTree::Node& root = second.nodes.at(second.root);
            throw InputError({name, root.line, root.column}, "a second YAML document begins here; expected one a file");
        }
    } catch (const YAML::Exception& error) {
        if (error.mark.is_null()) {
            throw InputError({name}, "not valid YAML: " + error.msg);
        }
        throw InputError(
            {name, static_cast<std::uint64_t>(error.mark.line) + 1, static_cast<std::uint64_t>(error.mark.column) + 1},
            "not valid YAML: " + error.msg);
    }
    return builder.take();
}

}  // namespace nibble
