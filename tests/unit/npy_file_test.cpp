// SPDX-License-Identifier: MIT
#include "sim/input/npy_file.h"

#include <filesystem>
#include <limits>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/support/npy_bytes.h"

namespace nibble {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class NpyFiles : public testing::Test {
protected:
    std::string write(const std::string& bytes) { return directory_.write("a.npy", bytes); }
    std::vector<float> read(const std::string& bytes) { return NpyFile(write(bytes)).read(); }

    /// What reading the whole of a file with these bytes is refused with, which names the file.
    std::string refusal(const std::string& bytes) { return refusal_of(write(bytes)); }
    std::string refusal_of(const std::string& path) {
        try {
            static_cast<void>(NpyFile(path).read());
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), StartsWith(path + ": "));
            return error.what();
        }
        return "";
    }
    std::string header_refusal(const std::string& header) { return refusal(test::npy_with_header(header, "")); }

    test::TemporaryDirectory directory_;
};

// Encodings by hand: IEEE 754 binary32 1 = 0x3f800000, -2.5 = 0xc0200000 (sign, exponent 128, fraction 1/4).
TEST_F(NpyFiles, Binary32) {
    const NpyFile file(write(
        test::npy_with_header(test::npy_header("<f4", "(2,)"), std::string("\x00\x00\x80\x3f\x00\x00\x20\xc0", 8))));
    EXPECT_EQ(file.type(), NpyType::float32);
    EXPECT_THAT(file.shape(), ElementsAre(2));
    EXPECT_EQ(file.elements(), 2);
    EXPECT_THAT(file.read(), ElementsAre(1.0F, -2.5F));
}

// 0x3c00 = 1, 0xc000 = -2, 0x0001 = 2^-24, 0x7bff = 65504.
TEST_F(NpyFiles, Binary16) {
    EXPECT_THAT(read(test::npy_with_header(test::npy_header("<f2", "(4,)"),
                                           std::string("\x00\x3c\x00\xc0\x01\x00\xff\x7b", 8))),
                ElementsAre(1.0F, -2.0F, 0x1p-24F, 65504.0F));
}

// 0x3ff0000020000000 = 1 + 2^-23; 0x3ff0000010000000 = 1 + 2^-24, midway between 1 and 1 + 2^-23: to the even one, 1.
TEST_F(NpyFiles, Binary64IsRoundedToNearest) {
    EXPECT_THAT(
        read(test::npy_with_header(test::npy_header("<f8", "(2,)"), std::string("\x00\x00\x00\x20\x00\x00\xf0\x3f"
                                                                                "\x00\x00\x00\x10\x00\x00\xf0\x3f",
                                                                                16))),
        ElementsAre(1.0F + 0x1p-23F, 1.0F));
}

TEST_F(NpyFiles, Integers) {
    EXPECT_THAT(read(test::npy_with_header(test::npy_header("|i1", "(3,)"), std::string("\x80\x00\x7f", 3))),
                ElementsAre(-128.0F, 0.0F, 127.0F));
    // -2 and 2^24 + 1, which lies midway between two numbers of binary32.
    EXPECT_THAT(read(test::npy_with_header(test::npy_header("<i4", "(2,)"),
                                           std::string("\xfe\xff\xff\xff\x01\x00\x00\x01", 8))),
                ElementsAre(-2.0F, 16777216.0F));
}

TEST_F(NpyFiles, AllVersions) {
    for (const int major : {1, 2, 3}) {
        EXPECT_THAT(read(test::npy_with_header(test::npy_header("|i1", "(1,)"), "\x05", major)), ElementsAre(5.0F));
    }
}

TEST_F(NpyFiles, OtherFormsOfTheHeader) {
    for (const std::string header : {"{\"shape\":(1,),\"descr\":\"|i1\",\"fortran_order\":False}\n",
                                     "{ 'fortran_order' : False , 'shape' : ( 1 , 1 ) , 'descr' : '|i1' }\n",
                                     "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1,)}\n",
                                     "{'descr': '|i1', 'fortran_order': False, 'shape': ()}\n"}) {
        EXPECT_THAT(read(test::npy_with_header(header, "\x05")), ElementsAre(5.0F)) << header;
    }
}

TEST_F(NpyFiles, NoElements) {
    EXPECT_THAT(read(test::npy_with_header(test::npy_header("<f4", "(3, 0)"), "")), IsEmpty());
}

// More elements than one run of reading holds.
TEST_F(NpyFiles, LongerThanABuffer) {
    constexpr std::size_t count = 200'003;
    std::string data;
    for (std::size_t i = 0; i < count; ++i) {
        data += test::little_endian(i, 4);
    }
    const std::vector<float> values = read(test::npy_with_header(test::npy_header("<i4", "(200003,)"), data));
    ASSERT_EQ(values.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(values[i], static_cast<float>(i));  // exact: below 2^24
    }
}

TEST_F(NpyFiles, ShapesThatFit) {
    const NpyFile flat(write(test::npy_with_header(test::npy_header("|i1", "(6,)"), "abcdef")));
    EXPECT_NO_THROW(flat.require_shape(std::vector<std::uint64_t>{6}));
    EXPECT_NO_THROW(flat.require_shape(std::vector<std::uint64_t>{2, 3}));
    EXPECT_THROW(flat.require_shape(std::vector<std::uint64_t>{7}), InputError);
    const NpyFile matrix(write(test::npy_with_header(test::npy_header("|i1", "(2, 3)"), "abcdef")));
    EXPECT_NO_THROW(matrix.require_shape(std::vector<std::uint64_t>{2, 3}));
    for (const std::vector<std::uint64_t>& same : {std::vector<std::uint64_t>{6}, {1, 2, 3}, {2, 3, 1, 1}}) {
        EXPECT_NO_THROW(matrix.require_shape(same));
    }
    for (const std::vector<std::uint64_t>& other : {std::vector<std::uint64_t>{3, 2}, {2, 4}, {3, 1, 2}}) {
        EXPECT_THROW(matrix.require_shape(other), InputError);
    }
    try {
        matrix.require_shape(std::vector<std::uint64_t>{3, 2});
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("a.npy"), HasSubstr("expected shape (3, 2), found (2, 3)")));
    }
}

TEST_F(NpyFiles, FirstElementThatIsNotFiniteIsNamed) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT(refusal(test::npy_of_floats("(4,)", {0, 1, nan, infinity})),
                HasSubstr("element 2: expected a finite number in the range of binary32, found nan"));
    EXPECT_THAT(refusal(test::npy_of_floats("(2, 2)", {0, -infinity, nan, 0})), HasSubstr("element 1:"));
    // 0x7c00: infinity of binary16; 0x7fe0000000000000 = 2^1023.
    EXPECT_THAT(refusal(test::npy_with_header(test::npy_header("<f2", "(1,)"), std::string("\x00\x7c", 2))),
                HasSubstr("found inf"));
    EXPECT_THAT(refusal(test::npy_with_header(test::npy_header("<f8", "(1,)"),
                                              std::string("\x00\x00\x00\x00\x00\x00\xe0\x7f", 8))),
                HasSubstr("element 0: expected a finite number in the range of binary32, found 8.98"));
    const NpyFile file(write(test::npy_of_floats("(2,)", {1, nan})));
    EXPECT_THROW(file.require_finite(), InputError);
}

TEST_F(NpyFiles, NotAFile) {
    EXPECT_THAT(refusal_of(directory_.path("missing.npy")), HasSubstr("found no such file"));
    std::filesystem::create_directory(directory_.path("folder"));
    EXPECT_THAT(refusal_of(directory_.path("folder")), HasSubstr("found a directory"));
    ASSERT_EQ(mkfifo(directory_.path("pipe").c_str(), 0600), 0);
    EXPECT_THAT(refusal_of(directory_.path("pipe")), HasSubstr("found a device or pipe"));
}

TEST_F(NpyFiles, Beginning) {
    const std::string good = test::npy_with_header(test::npy_header("|i1", "(1,)"), "a");
    ASSERT_EQ(refusal(good), "");
    for (const std::size_t length : {0U, 5U, 8U, 9U, 10U, 30U}) {
        EXPECT_THAT(refusal(good.substr(0, length)), HasSubstr("ends within its header")) << length;
    }
    EXPECT_THAT(refusal("PK\x03\x04 a zip archive of arrays"), HasSubstr("does not start with \\x93NUMPY"));
    for (const int major : {0, 4, 255}) {
        EXPECT_THAT(refusal(test::npy_with_header(test::npy_header("|i1", "(1,)"), "a", major)),
                    HasSubstr("found " + std::to_string(major) + ".0"));
    }
    std::string minor = good;
    minor[7] = '\x01';
    EXPECT_THAT(refusal(minor), HasSubstr("found 1.1"));
}

TEST_F(NpyFiles, LengthOfTheHeader) {
    const std::string text = test::npy_header("|i1", "(1,)");
    const auto padded = [&](std::size_t length) {
        return text.substr(0, text.size() - 1) + std::string(length - text.size(), ' ') + "\n";
    };
    EXPECT_EQ(refusal(test::npy_with_header(padded(10000), "a")), "");
    EXPECT_THAT(refusal(test::npy_with_header(padded(10001), "a")), HasSubstr("10001 bytes, more than 10000"));
    // 4 GiB are announced: refused, not allocated.
    EXPECT_THAT(refusal(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)), HasSubstr("more than 10000"));
    // One byte longer than the file.
    EXPECT_THAT(refusal(std::string("\x93NUMPY\x01\x00\x05\x00{}  ", 14)), HasSubstr("ends within its header"));
    EXPECT_THAT(refusal(test::npy_with_header(text.substr(0, text.size() - 1), "a")), HasSubstr("line feed"));
}

TEST_F(NpyFiles, Types) {
    for (const std::string type : {">f4", "<i8", "|u1", "<i2", "|b1", "=f4", "f4", "<c8", "<M8[s]", "|S4", "", "<U3"}) {
        EXPECT_THAT(header_refusal(test::npy_header(type, "(1,)")),
                    HasSubstr("expected a type of <f4, <f2, <f8, |i1, <i4, found '" + type + "'"));
    }
    EXPECT_THAT(header_refusal(test::npy_header("|O", "(1,)")), HasSubstr("Python objects ('|O')"));
    EXPECT_THAT(header_refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n"),
                HasSubstr("structures"));
}

TEST_F(NpyFiles, FortranOrder) {
    EXPECT_THAT(header_refusal(test::npy_header("<f4", "(2, 3)", "True")),
                HasSubstr("expected C order, found Fortran order"));
    EXPECT_THAT(header_refusal(test::npy_header("<f4", "(2, 3)", "0")), HasSubstr("expected True or False, found '0,"));
}

TEST_F(NpyFiles, Dictionary) {
    EXPECT_THAT(header_refusal("{'descr': '<f4', 'shape': (1,)}\n"), HasSubstr("lacks the key 'fortran_order'"));
    EXPECT_THAT(header_refusal("{'fortran_order': False, 'shape': (1,)}\n"), HasSubstr("lacks the key 'descr'"));
    EXPECT_THAT(header_refusal("{'descr': '<f4', 'fortran_order': False}\n"), HasSubstr("lacks the key 'shape'"));
    EXPECT_THAT(header_refusal("{}\n"), HasSubstr("lacks the key 'descr'"));
    EXPECT_THAT(header_refusal("{'descr': '<f4', 'descr': '<f4'}\n"), HasSubstr("the key 'descr' twice"));
    EXPECT_THAT(header_refusal("{'desk': '<f4'}\n"), HasSubstr("unknown key 'desk'"));
    EXPECT_THAT(header_refusal("\n"), HasSubstr("byte 1 of the header: expected '{', found its end"));
    EXPECT_THAT(header_refusal("{'descr' '<f4'}\n"), HasSubstr("expected ':'"));
    EXPECT_THAT(header_refusal("{'descr': '<f4\n"), HasSubstr("expected a quoted word that ends"));
    EXPECT_THAT(header_refusal("{descr: '<f4'}\n"), HasSubstr("expected a quoted word"));
    EXPECT_THAT(header_refusal("{'descr': '<f4' 'shape': (1,)}\n"), HasSubstr("expected '}'"));
    EXPECT_THAT(header_refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x\n"),
                HasSubstr("expected the end of the header, found 'x"));
}

TEST_F(NpyFiles, Shapes) {
    for (const std::string shape :
         {"(3)", "(-1,)", "(1.5,)", "(1, 2", "(,)", "(1 2,)", "[1]", "3", "(3L,)", "(0x3,)"}) {
        EXPECT_THAT(header_refusal(test::npy_header("|i1", shape)), HasSubstr("of the header: expected")) << shape;
    }
    EXPECT_THAT(header_refusal(test::npy_header("|i1", "(18446744073709551616,)")), HasSubstr("beyond 64 bits"));
    // 2^32 * 2^32 is 0 in 64 bits.
    EXPECT_THAT(header_refusal(test::npy_header("|i1", "(4294967296, 4294967296)")), HasSubstr("more than 1073741824"));
    EXPECT_THAT(header_refusal(test::npy_header("|i1", "(32768, 32769)")), HasSubstr("more than 1073741824"));
    std::string many = "(";
    for (int i = 0; i < 65; ++i) {
        many += "1,";
    }
    EXPECT_THAT(header_refusal(test::npy_header("|i1", many + ")")), HasSubstr("more than 64 dimensions"));
}

TEST_F(NpyFiles, SizeOfTheData) {
    const std::string header = test::npy_header("<i4", "(2, 3)");
    EXPECT_EQ(refusal(test::npy_with_header(header, std::string(24, 'a'))), "");
    EXPECT_THAT(refusal(test::npy_with_header(header, std::string(23, 'a'))),
                HasSubstr("shape (2, 3) of <i4 takes 24 bytes, found 23 after the header"));
    EXPECT_THAT(refusal(test::npy_with_header(header, std::string(25, 'a'))), HasSubstr("found 25"));
    // 4 GiB are announced: refused, not allocated.
    EXPECT_THAT(refusal(test::npy_with_header(test::npy_header("<f4", "(1073741824,)"), "abcd")),
                HasSubstr("takes 4294967296 bytes, found 4"));
}

TEST_F(NpyFiles, TextOfTheFileCannotReachTheTerminal) {
    EXPECT_THAT(header_refusal("{'\x1b[2J': 1}\n"), HasSubstr("\\x1b[2J"));
    EXPECT_THAT(header_refusal("{'descr': '\x1b'}\n"), HasSubstr("\\x1b"));
    EXPECT_THAT(header_refusal("\x1b"
                               "\n"),
                HasSubstr("\\x1b"));
}

}  // namespace
}  // namespace nibble
