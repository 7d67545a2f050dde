// SPDX-License-Identifier: MIT
#include "sim/input/workload_reader.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "sim/input/layer_reader.h"

namespace nibble {

namespace {

constexpr std::size_t most_layers = 10'000;
constexpr std::size_t most_block_depth = 8;
constexpr UnsignedRange repeats{1, 1000};

/// Names that a line may refer to, innermost block last.
using Scope = std::map<std::string, std::size_t>;

class WorkloadReader {
public:
    explicit WorkloadReader(const YamlDocument& document) : document_(document) {}

    Workload read() {
        YamlMap root = document_.root_map();
        workload_.name = root.required_string("name");
        workload_.optimizer = root.required_choice<Optimizer>(
            "optimizer",
            {{"sgd", Optimizer::sgd}, {"sgd_momentum", Optimizer::sgd_momentum}, {"adam", Optimizer::adam}});
        scopes_.emplace_back();
        if (const std::optional<YamlNode> image = root.find("image")) {
            add_image(*image);
        }
        for (auto& [name, lines] : root.optional_map("blocks").entries()) {
            blocks_.emplace(name, lines);
        }
        BlockParameters none;
        const std::vector<YamlNode> layers = root.required_list("layers");
        if (layers.empty() && document_.problems().empty()) {
            root.problem("layers", "expected at least one layer");
        }
        add_lines(layers, "", "", none);
        root.finish();
        for (const auto& [name, lines] : blocks_) {
            if (!used_blocks_.contains(name)) {
                lines.problem("the block is never used");
            }
        }
        document_.throw_if_any();
        return std::move(workload_);
    }

private:
    void add_image(const YamlNode& node) {
        const std::vector<YamlNode> sizes = node.as_list();
        if (sizes.size() != 3) {
            node.problem("expected [channels, height, width]");
            return;
        }
        const UnsignedRange range{1, std::uint64_t{1} << 32U};
        scopes_.back().emplace("image", 0);
        add({"image",
             "image",
             node.where(),
             {},
             ImageLayer{sizes[0].as_unsigned(range), sizes[1].as_unsigned(range), sizes[2].as_unsigned(range)}});
    }

    void add(Layer layer) {
        last_ = workload_.layers.size();
        workload_.layers.push_back(std::move(layer));
    }

    /// The layers of the network or of a block; `prefix` goes before their names.
    void add_lines(const std::vector<YamlNode>& lines, const std::string& prefix, const std::string& group,
                   BlockParameters& parameters) {
        for (const YamlNode& line : lines) {
            if (workload_.layers.size() > most_layers) {
                line.problem(fmt::format("more than {} layers", most_layers));
                return;
            }
            if (document_.problems().full()) {
                return;
            }
            YamlMap map = line.as_map();
            if (map.present() && map.has("block")) {
                add_block(map, prefix, group, parameters);
            } else if (map.present()) {
                add_line(line, map, prefix, group, parameters);
            }
        }
    }

    void add_line(const YamlNode& node, YamlMap& map, const std::string& prefix, const std::string& group,
                  BlockParameters& parameters) {
        std::optional<LayerLine> line = read_layer_line(node, map, parameters);
        if (!line) {
            last_.reset();
            return;
        }
        map.finish();
        Layer layer{prefix + line->name, line->group, node.where(), {}, std::move(line->kind)};
        if (layer.group.empty()) {
            layer.group = group.empty() ? line->name : group;
        }
        for (const YamlNode& from : line->from) {
            if (const std::optional<std::size_t> source = find(from)) {
                layer.from.push_back(*source);
            }
        }
        const bool begins = std::holds_alternative<EmbeddingLayer>(layer.kind);
        const std::size_t inputs = begins ? 0 : std::holds_alternative<AddLayer>(layer.kind) ? 2 : 1;
        if (line->from.empty() && inputs == 1) {
            if (last_) {
                layer.from = {*last_};
            } else if (document_.problems().empty()) {
                node.problem("there is no layer before this one to read from");
            }
        } else if (line->from.size() != inputs) {
            node.problem(fmt::format("expected {} layer{} in 'from', found {}", inputs, inputs == 1 ? "" : "s",
                                     line->from.size()));
        }
        if (line->memory) {
            if (const std::optional<std::size_t> memory = find(*line->memory)) {
                layer.from.push_back(*memory);
            }
        }
        if (line->shared_with) {
            const std::optional<std::size_t> owner = find(*line->shared_with);
            if (auto* linear = std::get_if<LinearLayer>(&layer.kind)) {
                linear->shared_with = owner;
            } else {
                std::get<EmbeddingLayer>(layer.kind).shared_with = owner;
            }
        }
        if (!scopes_.back().emplace(line->name, workload_.layers.size()).second) {
            node.problem(fmt::format("there is a layer '{}' already", layer.name));
        }
        add(std::move(layer));
    }

    void add_block(YamlMap& map, const std::string& prefix, const std::string& outer_group,
                   BlockParameters& outer_parameters) {
        const std::string block = map.required_string("block");
        const std::string name = map.required_string("name");
        const bool repeated = map.has("repeat");
        const std::uint64_t first = map.optional_unsigned("first", 0, {0, 1000});
        const std::uint64_t repeat = map.optional_unsigned("repeat", 1, repeats);
        std::string group = map.optional_string("group", outer_group);
        BlockParameters parameters;
        YamlMap with = map.optional_map("with");
        for (const auto& [parameter, value] : with.entries()) {
            parameters.values[parameter] = read_count(value, {0, std::uint64_t{1} << 32U}, outer_parameters);
        }
        const std::optional<YamlNode> from = map.find("from");
        map.finish();
        if (from) {
            last_ = find(*from);
        }
        const auto lines = blocks_.find(block);
        if (lines == blocks_.end()) {
            std::vector<std::string> names;
            for (const auto& [known, node] : blocks_) {
                names.push_back(known);
            }
            map.problem("block", fmt::format("there is no block '{}'{}", printable(block), suggestion(block, names)));
            last_.reset();
            return;
        }
        if (scopes_.size() > most_block_depth) {
            map.problem("block", fmt::format("blocks inside blocks more than {} deep", most_block_depth));
            return;
        }
        used_blocks_.insert(block);
        for (std::uint64_t i = first; i < first + repeat && document_.problems().empty(); ++i) {
            const std::string instance = repeated ? fmt::format("{}.{}", name, i) : name;
            scopes_.emplace_back();
            if (last_) {
                scopes_.back().emplace("input", *last_);
            }
            add_lines(lines->second.as_list(), prefix + instance + ".",
                      group.empty() ? instance.substr(0, instance.find('.')) : group, parameters);
            scopes_.pop_back();
        }
        for (const auto& [parameter, value] : with.entries()) {
            if (!parameters.used[parameter] && document_.problems().empty()) {
                value.problem(fmt::format("block '{}' has no parameter '{}'", block, parameter));
            }
        }
        if (last_) {
            scopes_.back()[name] = *last_;
        }
    }

    std::optional<std::size_t> find(const YamlNode& node) {
        const std::string name = node.as_string();
        std::vector<std::string> names;
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
            if (const auto layer = scope->find(name); layer != scope->end()) {
                return layer->second;
            }
            for (const auto& [known, layer] : *scope) {
                names.push_back(known);
            }
        }
        node.problem(fmt::format("no layer '{}' before this line{}", printable(name), suggestion(name, names)));
        return std::nullopt;
    }

    const YamlDocument& document_;
    Workload workload_;
    std::map<std::string, YamlNode> blocks_;
    std::set<std::string> used_blocks_;
    std::vector<Scope> scopes_;
    std::optional<std::size_t> last_;  // layer that the next one reads unless it says otherwise
};

}  // namespace

Workload read_workload(const std::filesystem::path& path) {
    return read_workload(YamlDocument::from_file(path));
}

Workload read_workload(const YamlDocument& document) {
    return WorkloadReader(document).read();
}

}  // namespace nibble
