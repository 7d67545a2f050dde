// SPDX-License-Identifier: MIT
#include "sim/import/tables/zigzag_layer.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "sim/import/tables/zigzag_equation.h"

namespace nibble {

namespace {

constexpr UnsignedRange positive{1};
constexpr UnsignedRange padding_range{0, std::uint64_t{1} << 20U};
constexpr UnsignedRange bits_range{0, 32};  // 0 of an operand that is not read, such as the weights of a pooling

std::string lower(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return word;
}

/// An optional list; ZigZag allows null for "none".
std::vector<YamlNode> list_of(YamlMap& map, std::string_view key) {
    const std::optional<YamlNode> node = map.find(key);
    return node && (node->is_list() || node->is_map() || node->is_text()) ? node->as_list() : std::vector<YamlNode>{};
}

class LayerReader {
public:
    LayerReader(const YamlNode& node, std::set<std::string>& unknown) : layer_(node), map_(node.as_map()) {
        find_unknown(unknown);
    }

    std::optional<ZigZagLayer> read() {
        layer_.id = map_.required_unsigned("id");
        layer_.operator_type = map_.required_string("operator_type");
        if (const auto name = map_.find("name"); name && name->is_text()) {
            layer_.name = name->as_string();
        }
        const bool sized = read_sizes();
        read_numbers("operand_precision", bits_range, layer_.bits);
        read_numbers("operand_source", {}, layer_.sources);
        read_extents();
        return read_equation(sized) ? std::optional(std::move(layer_)) : std::nullopt;
    }

private:
    void find_unknown(std::set<std::string>& unknown) {
        static const std::set<std::string> known{"id",
                                                 "name",
                                                 "operator_type",
                                                 "equation",
                                                 "loop_dims",
                                                 "loop_sizes",
                                                 "operand_precision",
                                                 "operand_source",
                                                 "pr_loop_dims",
                                                 "pr_loop_sizes",
                                                 "padding",
                                                 "time_dim",
                                                 "dimension_relations"};
        for (const auto& [key, value] : map_.entries()) {
            if (!known.contains(key)) {
                unknown.insert(key);
            }
        }
    }

    /// False if there is no size for each dimension; the problem is added.
    bool read_sizes() {
        const std::vector<YamlNode> dimensions = map_.required_list("loop_dims");
        const std::vector<YamlNode> sizes = map_.required_list("loop_sizes");
        if (dimensions.size() != sizes.size()) {
            map_.problem("loop_sizes", fmt::format("expected {} sizes, one for each of loop_dims, found {}",
                                                   dimensions.size(), sizes.size()));
            return false;
        }
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const std::string name = lower(dimensions[i].as_string());
            if (!layer_.einsum.sizes.emplace(name, sizes[i].as_unsigned(positive)).second) {
                dimensions[i].problem(fmt::format("a second dimension '{}'", printable(name)));
            }
        }
        return true;
    }

    void read_numbers(std::string_view key, UnsignedRange range, std::map<std::string, std::uint64_t>& numbers) {
        const std::optional<YamlNode> node = map_.find(key);
        if (!node) {
            return;
        }
        YamlMap entries = node->as_map();
        for (const auto& [name, value] : entries.entries()) {
            numbers[name] = value.as_unsigned(range);
        }
    }

    void read_extents() {
        const std::vector<YamlNode> indices = list_of(map_, "pr_loop_dims");
        const std::vector<YamlNode> sizes = list_of(map_, "pr_loop_sizes");
        const std::vector<YamlNode> paddings = list_of(map_, "padding");
        for (const auto& [key, found] : {std::pair("pr_loop_sizes", sizes.size()), {"padding", paddings.size()}}) {
            if (found != 0 && found != indices.size()) {
                map_.problem(key, fmt::format("expected {} values, one for each of pr_loop_dims, found {}",
                                              indices.size(), found));
                return;
            }
        }
        for (std::size_t i = 0; i < indices.size(); ++i) {
            ZigZagLayer::Extent& extent = layer_.extents[lower(indices[i].as_string())];
            if (!sizes.empty()) {
                extent.size = sizes[i].as_unsigned({1, std::uint64_t{1} << 32U});
            }
            if (!paddings.empty()) {
                const std::vector<YamlNode> sides = paddings[i].as_list();
                if (sides.size() != 2) {
                    paddings[i].problem(
                        fmt::format("expected padding before and after, found {} values", sides.size()));
                    continue;
                }
                extent.before = sides[0].as_unsigned(padding_range);
                extent.after = sides[1].as_unsigned(padding_range);
            }
        }
    }

    bool read_equation(bool sized) {
        const std::optional<YamlNode> text = map_.required("equation");
        map_.finish();
        if (!text || !text->is_text() || !sized) {
            if (text) {
                static_cast<void>(text->as_string());  // says what is wrong
            }
            return false;
        }
        const auto equation = parse_zigzag_equation(text->as_string());
        if (const auto* problem = std::get_if<std::string>(&equation)) {
            text->problem(*problem);
            return false;
        }
        std::vector<EinsumIndex> relations;
        for (const YamlNode& node : list_of(map_, "dimension_relations")) {
            const auto relation = parse_zigzag_relation(node.as_string());
            if (const auto* problem = std::get_if<std::string>(&relation)) {
                node.problem(*problem);
                return false;
            }
            relations.push_back(std::get<EinsumIndex>(relation));
        }
        const auto& parsed = std::get<ZigZagEquation>(equation);
        auto einsum = einsum_of(parsed, layer_.einsum.sizes, relations, "I");
        if (const auto* problem = std::get_if<std::string>(&einsum)) {
            text->problem(*problem);
            return false;
        }
        layer_.adds = parsed.adds;
        layer_.einsum = std::get<Einsum>(std::move(einsum));
        return true;
    }

    ZigZagLayer layer_;
    YamlMap map_;
};

}  // namespace

std::vector<ZigZagLayer> read_zigzag_layers(const YamlNode& root, std::vector<std::string>& notes) {
    std::vector<ZigZagLayer> layers;
    std::set<std::string> unknown;
    std::set<std::uint64_t> ids;
    for (const YamlNode& node : root.as_list()) {
        if (!node.is_map()) {
            static_cast<void>(node.as_map());  // says what is wrong
            continue;
        }
        std::optional<ZigZagLayer> layer = LayerReader(node, unknown).read();
        if (layer && !ids.insert(layer->id).second) {
            node.problem(fmt::format("a second layer with id {}", layer->id));
        } else if (layer) {
            layers.push_back(std::move(*layer));
        }
    }
    for (const std::string& key : unknown) {
        notes.push_back(fmt::format("key '{}' is not known and is left out", printable(key)));
    }
    return layers;
}

}  // namespace nibble
