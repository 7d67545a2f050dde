// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/json_array_stream.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/call_recording.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;
using testing::UnorderedElementsAre;

struct Pieces {
    std::vector<std::string> elements;
    std::vector<std::uint64_t> positions;
    std::map<std::string, std::string, std::less<>> members;
    std::string problem;
};

Pieces split(const std::string& text) {
    const test::MemoryFile file(text);
    Pieces pieces;
    try {
        JsonArrayStream stream(test::open_file(file.path()), "nodes");
        while (stream.next()) {
            EXPECT_EQ(stream.index(), pieces.elements.size());
            pieces.elements.emplace_back(stream.element());
            pieces.positions.push_back(stream.position());
        }
        EXPECT_FALSE(stream.next());
        pieces.members = stream.members();
    } catch (const InputError& error) {
        pieces.problem = error.what();
        EXPECT_THAT(pieces.problem, StartsWith(file.path() + ": byte "));
    }
    return pieces;
}

TEST(JsonArrayStream, HandsOutElementsWithTheirPlacesAndTheMembersAround) {
    const Pieces pieces =
        split(R"({"schema": "1.0", "pid": 7 , "nodes":[{"a":[1,{}]} , 2,"x]"], "end": -1.5e3, "ok":true})");
    EXPECT_THAT(pieces.problem, IsEmpty());
    EXPECT_THAT(pieces.elements, ElementsAre(R"({"a":[1,{}]})", "2", R"("x]")"));
    // {"schema": "1.0" is 16 bytes; , "pid": 7 makes 27 with the space behind; , "nodes":[ ends before byte 38.
    EXPECT_THAT(pieces.positions, ElementsAre(38, 53, 55));
    EXPECT_THAT(pieces.members, UnorderedElementsAre(Pair("schema", "1.0"), Pair("pid", "7"), Pair("end", "-1.5e3"),
                                                     Pair("ok", "true")));
}

TEST(JsonArrayStream, TakesTheDocumentItselfForTheList) {
    EXPECT_THAT(split(" [ {} ,\n{} ] \n").elements, ElementsAre("{}", "{}"));
    EXPECT_THAT(split("[]").elements, IsEmpty());
    EXPECT_THAT(split("[]").problem, IsEmpty());
}

TEST(JsonArrayStream, BracketsAndQuotesInTextMeanNothing) {
    const Pieces pieces = split(R"({"nodes":[{"k":"}]\"\\"},["{"]]})");
    EXPECT_THAT(pieces.problem, IsEmpty());
    EXPECT_THAT(pieces.elements, ElementsAre(R"({"k":"}]\"\\"})", R"(["{"])"));
}

TEST(JsonArrayStream, SkipsListsOfOtherNames) {
    const Pieces pieces = split(R"({"devices":[{"nodes":[1,2]}],"nodes":[3],"more":{"nodes":[4]}})");
    EXPECT_THAT(pieces.problem, IsEmpty());
    EXPECT_THAT(pieces.elements, ElementsAre("3"));
    EXPECT_THAT(pieces.members, IsEmpty());
}

/// Elements and other members that are larger than what is read at once, so that they cross its borders.
TEST(JsonArrayStream, FindsElementsAcrossBlocks) {
    std::string text = R"({"skipped":[")" + std::string(700'000, '\\') + R"("],"nodes":[)";
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < 60; ++i) {
        // Escapes and brackets at every distance from the border.
        expected.push_back(R"({"t":")" + std::string(8191 * i, 'x') + R"(\"]","l":[[)" + std::to_string(i) + "]]}");
        text += (i == 0 ? "" : ",") + expected.back();
    }
    text += "]}";
    const Pieces pieces = split(text);
    EXPECT_THAT(pieces.problem, IsEmpty());
    ASSERT_EQ(pieces.elements.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(pieces.elements[i] == expected[i]) << i;
        EXPECT_EQ(text.substr(pieces.positions[i], expected[i].size()), expected[i]) << i;
    }
}

TEST(JsonArrayStream, NamesWhatIsWrongAndWhere) {
    EXPECT_THAT(split("").problem, HasSubstr("byte 0: cut short: expected a JSON document, found the end of the file"));
    EXPECT_THAT(split("hello").problem, HasSubstr("byte 0: expected a JSON document, found 'hello'"));
    EXPECT_THAT(split(R"({"a":1})").problem, HasSubstr("byte 6: expected a member \"nodes\" with a list"));
    EXPECT_THAT(split(R"({"nodes":{}})").problem, HasSubstr("byte 9: expected a list, found '{}}'"));
    EXPECT_THAT(split(R"({"nodes":[1 2]})").problem, HasSubstr("byte 12: expected ',', found '2]}'"));
    EXPECT_THAT(split(R"({"nodes":[1,]})").problem, HasSubstr("byte 12: expected an element, found ']}'"));
    EXPECT_THAT(split(R"({"nodes":[,1]})").problem, HasSubstr("byte 10: expected a value, found ',1]}'"));
    EXPECT_THAT(split(R"({"nodes":[{"a":[1}]})").problem, HasSubstr("byte 17: expected ']', found '}]}'"));
    EXPECT_THAT(split(R"({"nodes":[{"a":)").problem, HasSubstr("byte 15: cut short: expected '}'"));
    EXPECT_THAT(split(R"({"nodes":[{"abc)").problem,
                HasSubstr("byte 11: cut short: a string without its closing quote"));
    EXPECT_THAT(split(R"({"nodes":[1])").problem, HasSubstr("byte 12: cut short: expected ','"));
    EXPECT_THAT(split(R"({"nodes":[1],"nodes":[2]})").problem, HasSubstr("byte 13: a second member \"nodes\""));
    EXPECT_THAT(split(R"({"nodes":[1]} {})").problem, HasSubstr("byte 14: expected nothing behind the document"));
    EXPECT_THAT(split(R"({nodes:[1]})").problem, HasSubstr("byte 1: expected a key, found 'nodes:[1]}'"));
}

TEST(JsonArrayStream, RefusesDeepNesting) {
    const std::string deep = std::string(100'000, '[');
    EXPECT_THAT(split(R"({"nodes":[)" + deep).problem, HasSubstr("brackets lie more than 128 deep in one another"));
    EXPECT_THAT(split(R"({"other":)" + deep).problem, HasSubstr("brackets lie more than 128 deep in one another"));
    const std::string allowed = std::string(128, '[') + std::string(128, ']');
    EXPECT_THAT(split(R"({"nodes":[)" + allowed + "]}").elements, ElementsAre(allowed));
}

TEST(JsonArrayStream, RefusesEndlessElements) {
    const std::string long_text(JsonArrayStream::longest_element + 1, 'x');
    EXPECT_THAT(split(R"({"nodes":[")" + long_text + "\"]}").problem, HasSubstr("an element of more than 4 MiB"));
    EXPECT_THAT(split(R"({")" + long_text + "\":1}").problem, HasSubstr("an element of more than 4 MiB"));
    // What is skipped may be of any length.
    EXPECT_THAT(split(R"({"a":[")" + long_text + "\"],\"nodes\":[1]}").elements, ElementsAre("1"));
}

TEST(JsonArrayStream, ReadsOrRefusesDamagedText) {
    const std::string sound =
        R"({"schema":"1","x":{"y":[1,2]},"nodes":[{"a":"b\"c","d":[1,[2,{"e":null}]]},{"f":-1.5}],"z":1})";
    std::mt19937_64 random(1);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        refused += split(test::damaged(sound, random)).problem.empty() ? 0 : 1;
    }
    EXPECT_GT(refused, 1500);
}

}  // namespace
}  // namespace nibble
