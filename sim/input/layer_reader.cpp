// SPDX-License-Identifier: MIT
#include "sim/input/layer_reader.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nibble {

namespace {

constexpr UnsignedRange extent{1, std::uint64_t{1} << 32U};
constexpr UnsignedRange window{1, 1U << 16U};  // also the longest sequence
constexpr UnsignedRange padding{0, 1U << 16U};

/// The keys of one layer.
class LineReader {
public:
    LineReader(YamlMap& map, BlockParameters& parameters) : map_(map), parameters_(parameters) {}

    std::uint64_t required(std::string_view key, UnsignedRange range = extent) {
        const std::optional<YamlNode> node = map_.required(key);
        return node ? read_count(*node, range, parameters_) : range.min;
    }
    std::uint64_t optional(std::string_view key, std::uint64_t otherwise, UnsignedRange range = extent) {
        const std::optional<YamlNode> node = map_.find(key);
        return node ? read_count(*node, range, parameters_) : otherwise;
    }
    Activation activation() {
        return map_.optional_choice<Activation>(
            "act", Activation::none,
            {{"relu", Activation::relu}, {"relu6", Activation::relu6}, {"gelu", Activation::gelu}});
    }
    bool flag(std::string_view key, bool otherwise) { return map_.optional_bool(key, otherwise); }

    ConvolutionLayer convolution(bool depthwise) {
        ConvolutionLayer conv;
        conv.kernel = required("kernel", window);
        conv.stride = optional("stride", 1, window);
        conv.pad = optional("pad", 0, padding);
        conv.dilation = optional("dilation", 1, window);
        if (!depthwise) {
            conv.out = required("out");
            conv.groups = optional("groups", 1);
        }
        conv.batch_norm = map_.has("norm");
        if (conv.batch_norm) {
            (void)map_.required_choice<int>("norm", {{"batch", 0}});
        } else {
            conv.bias = flag("bias", true);
        }
        conv.activation = activation();
        return conv;
    }
    EmbeddingLayer embedding() {
        return {required("length", window), required("rows"), required("width"), flag("trained", true), std::nullopt};
    }
    LinearLayer linear() { return {required("out"), flag("bias", true), activation(), std::nullopt}; }
    MaxPoolLayer max_pool() {
        const std::uint64_t kernel = required("kernel", {2, 16});
        return {kernel, optional("stride", kernel, window), optional("pad", 0, {0, kernel / 2})};
    }

private:
    YamlMap& map_;
    BlockParameters& parameters_;
};

using Kind = decltype(Layer::kind);

struct KindReader {
    const char* key;
    Kind (*read)(LineReader&);
};

constexpr std::array<KindReader, 14> kinds{{
    {"conv", [](LineReader& line) -> Kind { return line.convolution(false); }},
    {"depthwise", [](LineReader& line) -> Kind { return line.convolution(true); }},
    {"linear", [](LineReader& line) -> Kind { return line.linear(); }},
    {"max_pool", [](LineReader& line) -> Kind { return line.max_pool(); }},
    {"global_pool", [](LineReader&) -> Kind { return GlobalPoolLayer{}; }},
    {"flatten", [](LineReader&) -> Kind { return FlattenLayer{}; }},
    {"add", [](LineReader& line) -> Kind { return AddLayer{line.activation()}; }},
    {"dropout", [](LineReader&) -> Kind { return DropoutLayer{}; }},
    {"layer_norm", [](LineReader&) -> Kind { return LayerNormLayer{}; }},
    {"attention",
     [](LineReader& line) -> Kind {
         return AttentionLayer{line.required("heads"), line.flag("drop_probabilities", false)};
     }},
    {"lstm", [](LineReader& line) -> Kind { return LstmLayer{line.required("hidden")}; }},
    {"embedding", [](LineReader& line) -> Kind { return line.embedding(); }},
    {"select", [](LineReader& line) -> Kind { return SelectLayer{line.required("rows")}; }},
    {"loss", [](LineReader&) -> Kind { return LossLayer{}; }},
}};

}  // namespace

std::uint64_t read_count(const YamlNode& node, UnsignedRange range, BlockParameters& parameters) {
    if (!node.is_text() || !node.as_string().starts_with('$')) {
        return node.as_unsigned(range);
    }
    const std::string name = node.as_string().substr(1);
    const auto value = parameters.values.find(name);
    if (value == parameters.values.end()) {
        std::vector<std::string> names;
        for (const auto& [known, number] : parameters.values) {
            names.push_back(known);
        }
        node.problem(fmt::format("unknown parameter '${}'{}", printable(name), suggestion(name, names)));
        return range.min;
    }
    parameters.used[name] = true;
    if (value->second < range.min || value->second > range.max) {
        node.problem(fmt::format("expected a whole number from {} to {}, found ${} = {}", range.min, range.max, name,
                                 value->second));
        return range.min;
    }
    return value->second;
}

std::optional<LayerLine> read_layer_line(const YamlNode& node, YamlMap& map, BlockParameters& parameters) {
    const KindReader* kind = nullptr;
    for (const KindReader& each : kinds) {
        if (map.has(each.key)) {
            if (kind != nullptr) {
                map.problem(each.key, fmt::format("the layer is a '{}' already", kind->key));
                return std::nullopt;
            }
            kind = &each;
        }
    }
    if (kind == nullptr) {
        std::vector<std::string> names{"block"};
        for (const KindReader& each : kinds) {
            names.emplace_back(each.key);
        }
        node.problem(fmt::format("expected a layer with one of the keys {}", fmt::join(names, ", ")));
        return std::nullopt;
    }
    LayerLine line;
    line.name = map.required_string(kind->key);
    if (line.name.empty() || line.name.find_first_of("$. ") != std::string::npos) {
        map.problem(kind->key, "expected a name without '.', '$' and spaces");
    }
    line.group = map.optional_string("group", "");
    if (const std::optional<YamlNode> from = map.find("from")) {
        line.from = from->is_list() ? from->as_list() : std::vector<YamlNode>{*from};
    }
    LineReader reader(map, parameters);
    line.kind = kind->read(reader);
    if (std::holds_alternative<AttentionLayer>(line.kind)) {
        line.memory = map.find("memory");
    }
    if (std::holds_alternative<LinearLayer>(line.kind) || std::holds_alternative<EmbeddingLayer>(line.kind)) {
        line.shared_with = map.find("share");
    }
    return line;
}

}  // namespace nibble
