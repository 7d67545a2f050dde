// SPDX-License-Identifier: MIT
#include "sim/config/yaml_reader.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What a user would see: the problems that `read` finds in `text`, or "" if there are none.
std::string problems_of(const std::string& text, const std::function<void(YamlMap&)>& read) {
    try {
        const YamlDocument document = YamlDocument::from_text(text, "machine.yaml");
        YamlMap root = document.root_map();
        read(root);
        root.finish();
        document.throw_if_any();
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

/// The same for text that is refused as a whole.
std::string refusal_of(const std::string& text) {
    return problems_of(text, [](YamlMap&) {});
}

std::string unsigned_problem(const std::string& value, UnsignedRange range = {1, 64}) {
    return problems_of("channels: " + value + "\n",
                       [&](YamlMap& map) { (void)map.required_unsigned("channels", range); });
}

std::string number_problem(const std::string& value, NumberRange range = positive_number) {
    return problems_of("volts: " + value + "\n", [&](YamlMap& map) { (void)map.required_number("volts", range); });
}

TEST(YamlReader, ReadsEveryKindOfValue) {
    const YamlDocument document = YamlDocument::from_text(
        "name: no\n"
        "title: \"12\"\n"
        "banks: 16\n"
        "volts: 1.1e0\n"
        "open_page: true\n"
        "policy: frfcfs\n"
        "timings: {t_rcd: 15}\n"
        "rows: [4, 8]\n",
        "machine.yaml");
    YamlMap root = document.root_map();
    EXPECT_EQ(root.required_string("name"), "no");
    EXPECT_EQ(root.required_string("title"), "12");
    EXPECT_EQ(root.required_unsigned("banks"), 16u);
    EXPECT_DOUBLE_EQ(root.required_number("volts"), 1.1);
    EXPECT_TRUE(root.required_bool("open_page"));
    EXPECT_EQ(root.required_choice<int>("policy", {{"fifo", 1}, {"frfcfs", 2}}), 2);
    YamlMap timings = root.required_map("timings");
    EXPECT_EQ(timings.required_unsigned("t_rcd"), 15u);
    timings.finish();
    std::vector<std::uint64_t> rows;
    for (const YamlNode& row : root.required_list("rows")) {
        rows.push_back(row.as_unsigned());
    }
    EXPECT_THAT(rows, ElementsAre(4u, 8u));
    root.finish();
    EXPECT_NO_THROW(document.throw_if_any());
}

TEST(YamlReader, OptionalValuesTakeTheirDefault) {
    const YamlDocument document = YamlDocument::from_text("given: 3\n", "machine.yaml");
    YamlMap root = document.root_map();
    EXPECT_EQ(root.optional_unsigned("given", 7), 3u);
    EXPECT_EQ(root.optional_unsigned("banks", 7), 7u);
    EXPECT_EQ(root.optional_string("name", "edge"), "edge");
    EXPECT_TRUE(root.optional_bool("open_page", true));
    EXPECT_DOUBLE_EQ(root.optional_number("volts", 0.6), 0.6);
    EXPECT_EQ(root.optional_choice<int>("policy", 2, {{"fifo", 1}}), 2);
    EXPECT_TRUE(root.optional_list("rows").empty());
    YamlMap absent = root.optional_map("timings");
    EXPECT_FALSE(absent.present());
    EXPECT_EQ(absent.required_unsigned("t_rcd", {4, 9}), 4u);
    absent.finish();
    root.finish();
    EXPECT_NO_THROW(document.throw_if_any());
}

TEST(YamlReader, SaysWhereWhatWasExpectedAndWhatWasFound) {
    EXPECT_EQ(problems_of("name: edge\ndram:\n    channels: abc\n",
                          [](YamlMap& map) {
                              (void)map.required_string("name");
                              YamlMap dram = map.required_map("dram");
                              (void)dram.required_unsigned("channels", {1, 64});
                              dram.finish();
                          }),
              "machine.yaml:3:15: dram.channels: expected a whole number from 1 to 64, found 'abc'");
}

TEST(YamlReader, RefusesWhatIsNotAWholeNumber) {
    const std::string start = "machine.yaml:1:11: channels: expected a whole number from 1 to 64, found ";
    EXPECT_EQ(unsigned_problem("0"), start + "'0'");
    EXPECT_EQ(unsigned_problem("65"), start + "'65'");
    EXPECT_EQ(unsigned_problem("-3"), start + "'-3'");
    EXPECT_EQ(unsigned_problem("1.5"), start + "'1.5'");
    EXPECT_EQ(unsigned_problem("0x10"), start + "'0x10'");
    EXPECT_EQ(unsigned_problem("012"), start + "'012' (write it without leading zeros)");
    EXPECT_EQ(unsigned_problem("\"12\""), start + "'12' in quotes");
    EXPECT_EQ(unsigned_problem("[1]"), start + "a list");
    EXPECT_EQ(unsigned_problem("{a: 1}"), start + "a map");
    EXPECT_EQ(unsigned_problem("99999999999999999999"), start + "'99999999999999999999'");
    EXPECT_EQ(unsigned_problem("1"), "");
    EXPECT_EQ(unsigned_problem("64"), "");
    EXPECT_THAT(unsigned_problem("x", {}), HasSubstr("expected a whole number, found"));
    EXPECT_THAT(unsigned_problem("x", {.min = 2}), HasSubstr("expected a whole number of at least 2, found"));
    EXPECT_THAT(unsigned_problem("~"), HasSubstr("expected a whole number from 1 to 64, found nothing"));
    EXPECT_THAT(unsigned_problem(""), HasSubstr("expected a whole number from 1 to 64, found nothing"));
}

TEST(YamlReader, RefusesWhatIsNotANumberOfTheRange) {
    const std::string start = "machine.yaml:1:8: volts: expected a number above 0, found ";
    for (const std::string bad : {"0", "-1", "nan", "inf", ".inf", "1e999", "1,5", "0x1p3", "fast"}) {
        EXPECT_EQ(number_problem(bad), start + "'" + bad + "'");
    }
    EXPECT_EQ(number_problem("01.5"), start + "'01.5' (write it without leading zeros)");
    EXPECT_EQ(number_problem("0", non_negative_number), "");
    EXPECT_THAT(number_problem("-1", non_negative_number), HasSubstr("expected a number of at least 0, found '-1'"));
    EXPECT_THAT(number_problem("2", {.min = 0, .max = 1}), HasSubstr("expected a number from 0 to 1, found '2'"));
    EXPECT_THAT(number_problem("0", {.min = 0, .max = 1, .min_excluded = true}),
                HasSubstr("expected a number above 0 and at most 1, found '0'"));
    EXPECT_EQ(number_problem("0.5"), "");
}

TEST(YamlReader, TruthIsTrueOrFalseOnly) {
    for (const std::string bad : {"yes", "no", "on", "True", "1", "\"true\""}) {
        EXPECT_THAT(problems_of("open: " + bad + "\n", [](YamlMap& map) { (void)map.required_bool("open"); }),
                    HasSubstr("machine.yaml:1:7: open: expected true or false, found '"));
    }
}

TEST(YamlReader, ChoicesListTheWordsAndSuggestTheNearest) {
    EXPECT_EQ(problems_of("page: opan\n",
                          [](YamlMap& map) {
                              (void)map.required_choice<int>("page", {{"open", 1}, {"closed", 2}});
                          }),
              "machine.yaml:1:7: page: expected one of open, closed, found 'opan' (did you mean 'open'?)");
}

TEST(YamlReader, ReportsMissingUnknownAndDuplicateKeys) {
    EXPECT_EQ(problems_of("banks: 4\nbanks: 5\ncolour: red\n",
                          [](YamlMap& map) {
                              (void)map.required_unsigned("banks");
                              (void)map.required_unsigned("rows");
                          }),
              "machine.yaml:2:1: duplicate key 'banks', first given on line 1\n"
              "machine.yaml:3:1: unknown key 'colour'\n"
              "machine.yaml:1:1: missing key 'rows'");
}

TEST(YamlReader, AMisspeltKeyIsOneProblem) {
    EXPECT_EQ(problems_of("dram:\n    chanels: 4\n",
                          [](YamlMap& map) {
                              YamlMap dram = map.required_map("dram");
                              (void)dram.required_unsigned("channels");
                              dram.finish();
                          }),
              "machine.yaml:2:5: dram: unknown key 'chanels' (did you mean 'channels'?)");
}

TEST(YamlReader, ListItemsCarryTheirIndex) {
    EXPECT_EQ(problems_of("rows: [1, two]\n",
                          [](YamlMap& map) {
                              for (const YamlNode& row : map.required_list("rows")) {
                                  (void)row.as_unsigned();
                              }
                          }),
              "machine.yaml:1:11: rows[1]: expected a whole number, found 'two'");
}

TEST(YamlReader, OwnRulesAreReportedAtTheValue) {
    EXPECT_EQ(problems_of("a: 4\n",
                          [](YamlMap& map) {
                              (void)map.required_unsigned("a");
                              map.problem("a", "must be odd");
                              map.problem("b", "is needed when a is even");
                          }),
              "machine.yaml:1:4: a: must be odd\nmachine.yaml:1:1: b: is needed when a is even");
}

TEST(YamlReader, EntriesAreNeverUnknown) {
    EXPECT_EQ(problems_of("x: 1\ny: 2\n",
                          [](YamlMap& map) {
                              std::vector<std::string> names;
                              for (const auto& [name, value] : map.entries()) {
                                  names.push_back(name);
                              }
                              EXPECT_THAT(names, ElementsAre("x", "y"));
                          }),
              "");
}

TEST(YamlReader, WrongContainers) {
    EXPECT_EQ(refusal_of("[1, 2]\n"), "machine.yaml:1:1: expected a map, found a list");
    EXPECT_EQ(refusal_of("hello\n"), "machine.yaml:1:1: expected a map, found 'hello'");
    EXPECT_EQ(refusal_of("[a]: 1\n"), "machine.yaml:1:1: expected a word as key, found a list");
    EXPECT_EQ(problems_of("rows: 1\n", [](YamlMap& map) { (void)map.required_list("rows"); }),
              "machine.yaml:1:7: rows: expected a list, found '1'");
    EXPECT_EQ(problems_of("name: {}\n", [](YamlMap& map) { (void)map.required_string("name"); }),
              "machine.yaml:1:7: name: expected text, found a map");
}

TEST(YamlReader, RefusesWhatYamlOffersBeyondPlainData) {
    EXPECT_EQ(refusal_of("a: !!int 3\n"), "machine.yaml:1:4: tags are not supported, found 'tag:yaml.org,2002:int'");
    EXPECT_EQ(refusal_of("a: 1\n---\nb: 2\n"),
              "machine.yaml:3:1: a second YAML document begins here; expected one a file");
    EXPECT_THAT(refusal_of("a: [1, 2\n"), HasSubstr("machine.yaml:2:1: not valid YAML: "));
    EXPECT_THAT(refusal_of("a: *nowhere\n"), HasSubstr("machine.yaml:1:4: not valid YAML: "));
    EXPECT_EQ(refusal_of("# only a comment\n"), "machine.yaml: the file holds no YAML value");
}

TEST(YamlReader, AliasesStandForTheirNode) {
    EXPECT_EQ(problems_of("a: &x {n: 1}\nb: *x\n",
                          [](YamlMap& map) {
                              YamlMap a = map.required_map("a");
                              YamlMap b = map.required_map("b");
                              EXPECT_EQ(a.required_unsigned("n"), b.required_unsigned("n"));
                          }),
              "");
    EXPECT_EQ(refusal_of("a: &x [*x]\n"), "machine.yaml:1:8: an alias cannot stand inside the node that it names");
}

TEST(YamlReader, AliasBombIsRefused) {
    // Each line holds ten of the line before: 10^8 values at the end, in 300 characters.
    std::string text = "l0: &l0 [x]\n";
    for (int i = 1; i <= 8; ++i) {
        const std::string before = "*l" + std::to_string(i - 1);
        text += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + before;
        for (int j = 1; j < 10; ++j) {
            text += ", " + before;
        }
        text += "]\n";
    }
    EXPECT_THAT(refusal_of(text), HasSubstr("more than 100000 values, counting every use of an alias"));
}

TEST(YamlReader, DepthBombIsRefused) {
    EXPECT_THAT(refusal_of(std::string(500'000, '[')), HasSubstr("nested more than 64 levels deep"));
    EXPECT_THAT(refusal_of(std::string(500'000, '{')), HasSubstr("nested more than 64 levels deep"));
    std::string dashes;
    for (int i = 0; i < 200'000; ++i) {
        dashes += "- ";
    }
    EXPECT_THAT(refusal_of(dashes), HasSubstr("nested more than 64 levels deep"));
}

TEST(YamlReader, TooManyValuesAreRefused) {
    std::string text = "a: [";
    for (int i = 0; i < 100'001; ++i) {
        text += "1,";
    }
    EXPECT_THAT(refusal_of(text + "]"), HasSubstr("more than 100000 values"));
}

TEST(YamlReader, RefusesWhatIsNotText) {
    EXPECT_EQ(refusal_of("a: 1\nb: \xff\n"), "machine.yaml:2:4: expected text in UTF-8, found byte 0xff");
    EXPECT_EQ(refusal_of("a: \xc0\xaf\n"), "machine.yaml:1:4: expected text in UTF-8, found byte 0xc0");  // overlong
    EXPECT_EQ(refusal_of("a: \xed\xa0\x80\n"),
              "machine.yaml:1:4: expected text in UTF-8, found byte 0xed");                             // surrogate
    EXPECT_EQ(refusal_of("a: \xe2\x82"), "machine.yaml:1:4: expected text in UTF-8, found byte 0xe2");  // cut short
    EXPECT_EQ(refusal_of(std::string("a: \0\n", 5)), "machine.yaml:1:4: expected text in UTF-8, found byte 0x00");
    EXPECT_EQ(problems_of("name: µm\n", [](YamlMap& map) { EXPECT_EQ(map.required_string("name"), "µm"); }), "");
}

TEST(YamlReader, ManyProblemsAreCounted) {
    std::string text;
    for (int i = 0; i < 25; ++i) {
        text += "key" + std::to_string(i) + ": 1\n";
    }
    EXPECT_THAT(refusal_of(text), HasSubstr("machine.yaml: 5 more problems not shown"));
}

class YamlFile : public testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    static std::string refusal(const std::filesystem::path& path) {
        try {
            (void)YamlDocument::from_file(path);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }

    const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "nibble_yaml_reader_test";
};

TEST(YamlReader, AnyTextIsReadBackAsItWasWritten) {
    std::string text = "\"quoted\", 'so' \\ {a: b} #c \u2028\u2029\u0085\u009f\u00a0\u202e\U0001f600";
    for (char c = 1; c < 0x20; ++c) {
        text += c;
    }
    text += '\x7f';
    const std::string written = yaml_text(text);
    EXPECT_EQ(written.find_first_of("\n\r\x1b\x7f"), std::string::npos) << written;
    EXPECT_EQ(written.find("\u2028"), std::string::npos) << "a line break in a comment";
    const YamlDocument document = YamlDocument::from_text("# " + written + "\na: " + written + "\n", "a.yaml");
    EXPECT_EQ(document.root_map().required_string("a"), text);
}

TEST_F(YamlFile, IsReadFromDisk) {
    const std::filesystem::path path = folder_ / "a.yaml";
    std::ofstream(path) << "a: 1\n";
    const YamlDocument document = YamlDocument::from_file(path);
    EXPECT_EQ(document.root_map().required_unsigned("a"), 1u);
}

TEST_F(YamlFile, UnreadableFilesAreRefused) {
    EXPECT_EQ(refusal(folder_ / "none.yaml"),
              (folder_ / "none.yaml").string() + ": cannot be opened: No such file or directory");
    EXPECT_EQ(refusal(folder_), folder_.string() + ": expected a file, found a directory");
    std::ofstream(folder_ / "empty.yaml").close();
    EXPECT_EQ(refusal(folder_ / "empty.yaml"), (folder_ / "empty.yaml").string() + ": the file is empty");
    EXPECT_EQ(refusal("/dev/zero"), "/dev/zero: the file is larger than 1024 KiB");
    EXPECT_EQ(refusal("/dev/null"), "/dev/null: the file is empty");
}

}  // namespace
}  // namespace nibble
