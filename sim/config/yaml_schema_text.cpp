// SPDX-License-Identifier: MIT
#include "sim/config/yaml_schema_text.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace nibble {

namespace {

using Json = nlohmann::ordered_json;
using Entry = YamlSchema::Entry;

/// As an upper bound this is no rule, only what fits into the program's numbers.
constexpr std::uint64_t no_bound = std::numeric_limits<std::uint32_t>::max();

/// What a value is, in words.
class KindInWords {
public:
    KindInWords(const YamlSchema& schema, const Entry& entry) : schema_(schema), entry_(entry) {}

    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(YamlSchema::Text) const { return "text"; }
    std::string operator()(YamlSchema::Boolean) const { return "`true` or `false`"; }
    std::string operator()(UnsignedRange range) const {
        return describe(range.max == no_bound ? UnsignedRange{range.min} : range);
    }
    std::string operator()(NumberRange range) const { return describe(range); }
    std::string operator()(const YamlSchema::Choice& choice) const {
        return fmt::format("`{}`", fmt::join(choice.words, "`, `"));
    }
    std::string operator()(YamlSchema::List) const {
        const std::vector<const Entry*> items = schema_.below(entry_.path);
        return "list of " +
               (items.empty() ? "values" : std::visit(KindInWords(schema_, *items.front()), items.front()->kind));
    }
    std::string operator()(YamlSchema::Map) const { return "map, see below"; }

private:
    const YamlSchema& schema_;
    const Entry& entry_;
};

/// The keys of one map, a row each.
std::string table_of(const YamlSchema& schema, std::string_view path) {
    std::string table = "| key | value | unit | default | meaning |\n|---|---|---|---|---|\n";
    for (const Entry* entry : schema.below(path)) {
        const std::string fallback = entry->required                ? "required"
                                     : !entry->otherwise.empty()    ? entry->otherwise
                                     : entry->default_value.empty() ? "its own defaults"
                                                                    : fmt::format("`{}`", entry->default_value);
        table += fmt::format("| `{}` | {} | {} | {} | {} |\n", entry->name,
                             std::visit(KindInWords(schema, *entry), entry->kind), entry->unit, fallback, entry->about);
    }
    return table;
}

/// Adds the JSON Schema of one value to `json`.
class KindInJson {
public:
    KindInJson(const YamlSchema& schema, const Entry& entry, Json& json)
        : schema_(schema), entry_(entry), json_(json) {}

    void operator()(std::monostate) const {}
    void operator()(YamlSchema::Text) const { json_["type"] = "string"; }
    void operator()(YamlSchema::Boolean) const { json_["type"] = "boolean"; }
    void operator()(UnsignedRange range) const {
        json_["type"] = "integer";
        json_["minimum"] = range.min;
        if (range.max < UnsignedRange{}.max) {
            json_["maximum"] = range.max;
        }
    }
    void operator()(NumberRange range) const {
        json_["type"] = "number";
        json_[range.min_excluded ? "exclusiveMinimum" : "minimum"] = range.min;
        if (range.max < NumberRange{}.max) {
            json_["maximum"] = range.max;
        }
    }
    void operator()(const YamlSchema::Choice& choice) const { json_["enum"] = choice.words; }
    void operator()(YamlSchema::List) const {
        json_["type"] = "array";
        for (const Entry* item : schema_.below(entry_.path)) {
            json_["items"] = of(schema_, *item);
        }
    }
    void operator()(YamlSchema::Map) const { add_keys(schema_, entry_.path, json_); }

    static Json of(const YamlSchema& schema, const Entry& entry) {
        Json json = Json::object();
        if (!entry.about.empty()) {
            json["description"] = entry.unit.empty() ? entry.about : fmt::format("{} [{}]", entry.about, entry.unit);
        }
        std::visit(KindInJson(schema, entry, json), entry.kind);
        return json;
    }

    static void add_keys(const YamlSchema& schema, std::string_view path, Json& json) {
        json["type"] = "object";
        json["additionalProperties"] = false;
        Json required = Json::array();
        for (const Entry* entry : schema.below(path)) {
            json["properties"][entry->name] = of(schema, *entry);
            if (entry->required) {
                required.push_back(entry->name);
            }
        }
        if (!required.empty()) {
            json["required"] = required;
        }
    }

private:
    const YamlSchema& schema_;
    const Entry& entry_;
    Json& json_;
};

}  // namespace

std::string schema_markdown(const YamlSchema& schema) {
    struct Section {
        std::vector<std::string> paths;
        std::string table;
    };
    std::vector<Section> sections;
    for (const Entry& entry : schema.entries()) {
        if (!std::holds_alternative<YamlSchema::Map>(entry.kind)) {
            continue;
        }
        std::string table = table_of(schema, entry.path);
        const auto same = std::ranges::find(sections, table, &Section::table);
        if (same == sections.end()) {
            sections.push_back({{entry.path}, std::move(table)});
        } else {
            same->paths.push_back(entry.path);
        }
    }
    std::string text;
    for (const Section& section : sections) {
        if (!section.paths.front().empty()) {
            text += fmt::format("## {}\n\n", fmt::join(section.paths, ", "));
        }
        text += section.table + '\n';
    }
    return text;
}

std::string schema_json(const YamlSchema& schema, std::string_view title) {
    Json json{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
    KindInJson::add_keys(schema, "", json);
    return json.dump(2) + '\n';
}

}  // namespace nibble
