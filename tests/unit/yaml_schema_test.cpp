// SPDX-License-Identifier: MIT
#include "sim/config/yaml_schema.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/config/yaml_reader.h"
#include "sim/config/yaml_schema_text.h"

namespace nibble {
namespace {

using testing::HasSubstr;
using testing::Not;

enum class Shape { square, round };

/// A reader as readers are: some keys are only asked for in a square file.
YamlSchema read(const std::string& text) {
    YamlDocument document = YamlDocument::from_text(text, "file");
    YamlSchema schema;
    document.record(schema);
    YamlMap root = document.root_map();
    static_cast<void>(root.required_string({"name", "what it is called"}));
    const Shape shape = root.optional_choice<Shape>({"shape", "its outline"}, Shape::round,
                                                    {{"square", Shape::square}, {"round", Shape::round}});
    YamlMap size = root.required_map({"size", "how large"});
    if (shape == Shape::square) {
        static_cast<void>(size.required_unsigned({"side", "of the square", "mm", "required of a square"}, {1, 9}));
    }
    static_cast<void>(size.optional_number({"height", "above ground", "m"}, 1.5));
    size.finish();
    for (const YamlNode& item : root.optional_list({"colours", "from the inside out"})) {
        static_cast<void>(item.as_string());
    }
    root.problem("colours", "a rule of its own");
    static_cast<void>(root.has("weight"));  // a look is no question
    root.finish();
    return schema;
}

const std::string square = "{name: a, shape: square, size: {side: 3, height: 1}, colours: [red, blue]}";
const std::string round_one = "{name: a, shape: round, size: {height: 1}, colours: [red]}";

TEST(YamlSchema, HasWhatReadersAskFor) {
    const YamlSchema schema = read(square);
    std::vector<std::string> paths;
    for (const YamlSchema::Entry& entry : schema.entries()) {
        paths.push_back(entry.path);
    }
    EXPECT_THAT(paths,
                testing::ElementsAre("", "name", "shape", "size", "size.side", "size.height", "colours", "colours[]"));
    EXPECT_TRUE(schema.find("name")->required);
    EXPECT_FALSE(schema.find("shape")->required);
    EXPECT_EQ(schema.find("shape")->default_value, "round");
    EXPECT_EQ(schema.find("size.side")->unit, "mm");
    EXPECT_EQ(schema.find("weight"), nullptr);
}

TEST(YamlSchema, WhatOneDocumentDoesNotAskForIsNotRequired) {
    for (const bool square_first : {true, false}) {
        YamlSchema schema = read(square_first ? square : round_one);
        EXPECT_EQ(schema.find("size.side") != nullptr, square_first);
        schema.merge(read(square_first ? round_one : square));
        ASSERT_NE(schema.find("size.side"), nullptr);
        EXPECT_FALSE(schema.find("size.side")->required);
        EXPECT_TRUE(schema.find("size")->required);
    }
}

TEST(YamlSchema, TellsPeople) {
    YamlSchema schema = read(square);
    schema.merge(read(round_one));
    EXPECT_EQ(schema_markdown(schema),
              "| key | value | unit | default | meaning |\n"
              "|---|---|---|---|---|\n"
              "| `name` | text |  | required | what it is called |\n"
              "| `shape` | `square`, `round` |  | `round` | its outline |\n"
              "| `size` | map, see below |  | required | how large |\n"
              "| `colours` | list of text |  | its own defaults | from the inside out |\n"
              "\n"
              "## size\n"
              "\n"
              "| key | value | unit | default | meaning |\n"
              "|---|---|---|---|---|\n"
              "| `side` | a whole number from 1 to 9 | mm | required of a square | of the square |\n"
              "| `height` | a number above 0 | m | `1.5` | above ground |\n"
              "\n");
}

TEST(YamlSchema, TellsEditors) {
    const auto json = nlohmann::json::parse(schema_json(read(square), "things"));
    EXPECT_EQ(json["title"], "things");
    EXPECT_EQ(json["additionalProperties"], false);
    EXPECT_EQ(json["required"], (nlohmann::json{"name", "size"}));
    const auto& keys = json["properties"];
    EXPECT_EQ(keys["shape"]["enum"], (nlohmann::json{"square", "round"}));
    EXPECT_EQ(keys["colours"]["items"]["type"], "string");
    const auto& size = keys["size"]["properties"];
    EXPECT_EQ(
        size["side"],
        (nlohmann::json{{"description", "of the square [mm]"}, {"type", "integer"}, {"minimum", 1}, {"maximum", 9}}));
    EXPECT_EQ(size["height"]["exclusiveMinimum"], 0);
}

TEST(YamlSchema, NobodyListeningChangesNothing) {
    YamlDocument document = YamlDocument::from_text("{a: 1}", "file");
    YamlMap root = document.root_map();
    EXPECT_EQ(root.required_unsigned({"a", "described"}), 1U);
    root.finish();
    EXPECT_EQ(document.problems().count(), 0U);
}

}  // namespace
}  // namespace nibble
