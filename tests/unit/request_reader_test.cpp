// SPDX-License-Identifier: MIT
#include "sim/memtest/request_reader.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/memory_file.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

AddressSpace one_mebibyte() {
    return {1 << 20, [](std::uint64_t) { return std::string("is beyond 1 MiB"); }};
}

std::vector<TimedRequest> requests_of(std::string_view text) {
    const test::MemoryFile file(text);
    RequestReader reader(file.path(), one_mebibyte());
    std::vector<TimedRequest> requests;
    while (const std::optional<TimedRequest> request = reader.next()) {
        requests.push_back(*request);
    }
    return requests;
}

/// "line:column: what" of each problem.
std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> problems;
    try {
        static_cast<void>(requests_of(text));
    } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) {
            problems.push_back(fmt::format("{}:{}: {}", problem.where.line, problem.where.column, problem.what));
        }
    }
    return problems;
}

TEST(RequestReaderTest, ReadsRequests) {
    EXPECT_THAT(requests_of("0 R 0x0\n0 W 0xfffc0\n17\tR  0x1000 \r\n\n1000000000000000000 W 0X00000000000000000040"),
                ElementsAre(TimedRequest{0, 0, false}, TimedRequest{0, 0xfffc0, true}, TimedRequest{17, 0x1000, false},
                            TimedRequest{1'000'000'000'000'000'000, 0x40, true}));
}

TEST(RequestReaderTest, LinesMayLieAcrossReads) {
    // 20,000 lines of 12 to 17 bytes: whatever the reader's buffer, some line is cut by its end.
    std::string text;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        text += fmt::format("{} R {:#x}\n", 1000 * i, 64 * (i % 1000));
    }
    const std::vector<TimedRequest> requests = requests_of(text);
    ASSERT_THAT(requests, SizeIs(20'000));
    for (std::uint64_t i = 0; i < requests.size(); ++i) {
        ASSERT_EQ(requests[i], (TimedRequest{1000 * i, 64 * (i % 1000), false})) << i;
    }
}

TEST(RequestReaderTest, SaysWhatIsWrongWithEachField) {
    EXPECT_THAT(problems_of("0 R 0x0\nabc R 0x40\n"),
                ElementsAre("2:1: cycle: expected a whole number of memory clocks, found 'abc'"));
    EXPECT_THAT(problems_of("-1 R 0x40"), ElementsAre(HasSubstr("1:1: cycle: expected a whole number")));
    EXPECT_THAT(problems_of("1.5 R 0x40"), ElementsAre(HasSubstr("1:1: cycle: expected a whole number")));
    EXPECT_THAT(problems_of("1000000000000000001 R 0x40"),
                ElementsAre("1:1: cycle: expected at most 1000000000000000000, found '1000000000000000001'"));
    EXPECT_THAT(problems_of("99999999999999999999999 R 0x40"), ElementsAre(HasSubstr("cycle: expected at most")));
    EXPECT_THAT(problems_of("0 X 0x40"), ElementsAre("1:3: expected R or W, found 'X'"));
    EXPECT_THAT(problems_of("0 w 0x40"), ElementsAre("1:3: expected R or W, found 'w'; capital letters"));
    EXPECT_THAT(problems_of("0 R 40"), ElementsAre("1:5: address: expected 0x and hexadecimal digits, found '40'"));
    EXPECT_THAT(problems_of("0 R 0x"), ElementsAre(HasSubstr("1:5: address: expected 0x and hexadecimal digits")));
    EXPECT_THAT(problems_of("0 R 0xg"), ElementsAre(HasSubstr("1:5: address: expected 0x and hexadecimal digits")));
    EXPECT_THAT(problems_of("0 R 0x10000000000000000"),
                ElementsAre("1:5: address: expected at most 64 bits, found '0x10000000000000000'"));
    EXPECT_THAT(problems_of("0 R 0x7f"),
                ElementsAre("1:5: address: expected a multiple of 64, found '0x7f'; the request of 64 bytes that holds "
                            "it begins at 0x40"));
    EXPECT_THAT(problems_of("0 R 0x100000"), ElementsAre("1:5: address: '0x100000' is beyond 1 MiB"));
    EXPECT_THAT(problems_of("0 R 0xffffffffffffffc0"), ElementsAre(HasSubstr("is beyond 1 MiB")));
}

TEST(RequestReaderTest, CyclesNeverFall) {
    EXPECT_THAT(requests_of("5 R 0x0\n5 R 0x40"), SizeIs(2));
    EXPECT_THAT(
        problems_of("5 R 0x0\n4 R 0x40\n"),
        ElementsAre("2:1: cycle: expected at least 5, that of the request before, found 4; sort the requests by "
                    "cycle"));
}

TEST(RequestReaderTest, SaysWhatIsWrongWithALine) {
    EXPECT_THAT(problems_of("0"), ElementsAre("1:2: expected 'CYCLE R|W 0xADDRESS', found nothing after '0'"));
    EXPECT_THAT(problems_of("0 R"), ElementsAre("1:4: expected 'CYCLE R|W 0xADDRESS', found nothing after 'R'"));
    EXPECT_THAT(problems_of("0 R 0x40 more"), ElementsAre("1:10: expected the end of the line, found 'more'"));
    EXPECT_THAT(problems_of("0 R 0x40" + std::string(300, ' ')),
                ElementsAre("1:257: expected 'CYCLE R|W 0xADDRESS', found a line of more than 256 characters"));
    // However long: the next line is still found.
    EXPECT_THAT(problems_of(std::string(1'000'000, 'x') + "\n0 Q 0x40"),
                ElementsAre(HasSubstr("1:257: "), HasSubstr("2:3: expected R or W")));
    EXPECT_THAT(problems_of(std::string("0 \0 0x40", 8)), ElementsAre("1:3: expected R or W, found '\\x00'"));
}

TEST(RequestReaderTest, WhatIsNoTextIsNotReadToItsEnd) {
    EXPECT_THAT(problems_of("0 R 0x0\n" + std::string(8'000'000, '\0')),
                ElementsAre(HasSubstr("2:1: expected 'CYCLE R|W 0xADDRESS', found")));
}

TEST(RequestReaderTest, TellsAllProblemsUpToALimit) {
    EXPECT_THAT(problems_of("x Y 3\n0 R 0x0\n1 R 0x41\n"),
                ElementsAre(HasSubstr("1:1: cycle"), HasSubstr("1:3: expected R"), HasSubstr("1:5: address"),
                            HasSubstr("3:5: address")));
    std::string many;
    for (int i = 0; i < 1000; ++i) {
        many += "0 R 1\n";
    }
    EXPECT_THAT(problems_of(many), SizeIs(testing::AllOf(testing::Ge(20), testing::Le(21))));
}

TEST(RequestReaderTest, RefusesAFileWithoutRequests) {
    for (const std::string_view text : {"", "\n", " \n\t\r\n"}) {
        EXPECT_THAT(problems_of(text),
                    ElementsAre("0:0: expected 'CYCLE R|W 0xADDRESS' on each line, found no request"));
    }
}

TEST(RequestReaderTest, RefusesWhatCannotBeRead) {
    EXPECT_THROW(RequestReader("/no/such/file", one_mebibyte()), InputError);
}

}  // namespace
}  // namespace nibble
