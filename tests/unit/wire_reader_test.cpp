// SPDX-License-Identifier: MIT
#include "sim/import/wire_reader.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string file = "model.bin";

std::string problem_of(const std::function<void()>& what) {
    try {
        what();
    } catch (const InputError& error) {
        return error.what();
    }
    return "none";
}

/// The bytes of the examples are those of protobuf.dev, "Encoding".
TEST(WireReader, ReadsEveryWireType) {
    // 1: varint 150; 2: text "testing"; 3: message {1: 150}; 4: float 1.5; 5: fixed64, 6: packed 3, 270, 86942
    const std::string bytes =
        "\x08\x96\x01"
        "\x12\x07testing"
        "\x1a\x03\x08\x96\x01"
        "\x25\x00\x00\xc0\x3f"
        "\x29\x01\x02\x03\x04\x05\x06\x07\x08"
        "\x32\x06\x03\x8e\x02\x9e\xa7\x05"s;
    WireReader reader(bytes, file);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.field(), 1U);
    EXPECT_EQ(reader.number(), 150U);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.field(), 2U);
    EXPECT_EQ(reader.position(), 3U);
    EXPECT_EQ(reader.text(), "testing");
    ASSERT_TRUE(reader.next());
    WireReader inner = reader.message();
    ASSERT_TRUE(inner.next());
    EXPECT_EQ(inner.position(), 14U);  // 3 and 9 bytes before, tag and length
    EXPECT_EQ(inner.number(), 150U);
    EXPECT_FALSE(inner.next());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.number32(), 1.5F);
    ASSERT_TRUE(reader.next());  // skipped where it lies
    ASSERT_TRUE(reader.next());
    std::vector<std::int64_t> all{-1};
    reader.append_to(all);
    EXPECT_THAT(all, ElementsAre(-1, 3, 270, 86942));
    EXPECT_FALSE(reader.next());
}

TEST(WireReader, ReadsSignedNumbers) {
    // int64 -2 is written in ten bytes; sint64 -2 as 3, 2 as 4; a repeated int64 that is not packed is appended.
    const std::string bytes =
        "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
        "\x10\x03"
        "\x10\x04"s;
    WireReader reader(bytes, file);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.signed_number(), -2);
    std::vector<std::int64_t> all;
    reader.append_to(all);
    EXPECT_THAT(all, ElementsAre(-2));
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.zigzag_number(), -2);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.zigzag_number(), 2);
}

TEST(WireReader, AnEmptyMessageHasNoFields) {
    EXPECT_FALSE(WireReader("", file).next());
}

TEST(WireReader, NamesFileByteAndFieldOfWhatIsWrong) {
    const auto read = [](const std::string& bytes) {
        return problem_of([&] {
            WireReader reader(bytes, file, 100);
            while (reader.next()) {
            }
        });
    };
    EXPECT_THAT(read("\x08"s), StartsWith("model.bin: byte 100: cut short inside a number"));
    EXPECT_THAT(read("\x08\x01\x12\x05test"s), HasSubstr("byte 102: cut short: field 2 has 5 bytes, 4 are left"));
    EXPECT_THAT(read("\x25\x00\x00"s), HasSubstr("cut short: field 4 has 4 bytes, 2 are left"));
    EXPECT_THAT(read("\x0b"s), HasSubstr("found wire type 3"));  // groups, which nobody writes any more
    EXPECT_THAT(read("\x02\x00"s), HasSubstr("found field number 0"));
    EXPECT_THAT(read("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s), HasSubstr("a number of more than 10 bytes"));
    EXPECT_THAT(read("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s),
                HasSubstr("cut short: field 2"));  // 2^64 - 1 bytes
}

TEST(WireReader, NamesTheFieldThatIsOfAnotherType) {
    const std::string bytes = "\x08\x01\x12\x01x"s;
    WireReader reader(bytes, file);
    ASSERT_TRUE(reader.next());
    EXPECT_THAT(problem_of([&] { (void)reader.text(); }),
                HasSubstr("byte 0: field 1: expected text, found wire type 0"));
    EXPECT_THAT(problem_of([&] { (void)reader.number32(); }), HasSubstr("field 1: expected a 32-bit number"));
    ASSERT_TRUE(reader.next());
    EXPECT_THAT(problem_of([&] { (void)reader.number(); }), HasSubstr("byte 2: field 2: expected a number"));
}

TEST(WireReader, RefusesMessagesThatLieTooDeep) {
    std::string bytes;
    for (unsigned i = 0; i <= WireReader::deepest; ++i) {
        std::string length;
        for (std::size_t left = bytes.size(); length.empty() || left != 0; left >>= 7U) {
            length += static_cast<char>((left & 0x7FU) | (left >= 128 ? 0x80U : 0U));
        }
        bytes.insert(0, "\x0a" + length);
    }
    const std::function<void(WireReader)> descend = [&](WireReader reader) {
        while (reader.next()) {
            descend(reader.message());
        }
    };
    EXPECT_THAT(problem_of([&] { descend(WireReader(bytes, file)); }), HasSubstr("more than 64 deep in one another"));
}

TEST(WireReader, ReadsOrRefusesAnyBytes) {
    std::mt19937_64 random(1);
    const std::function<std::size_t(WireReader)> count = [&](WireReader reader) {
        std::size_t fields = 0;
        while (reader.next()) {
            ++fields;
            if (problem_of([&] { (void)reader.text(); }) == "none") {
                problem_of([&] { fields += count(reader.message()); });
                std::vector<std::int64_t> all;
                problem_of([&] { reader.append_to(all); });
            }
        }
        return fields;
    };
    std::size_t fields = 0;
    for (int i = 0; i < 5000; ++i) {
        std::string bytes(random() % 60, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 32);
        }
        problem_of([&] { fields += count(WireReader(bytes, file)); });
    }
    EXPECT_GT(fields, 0U);
}

}  // namespace
}  // namespace nibble
