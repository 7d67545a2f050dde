// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/report/output_directory.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

class OutputDirectoryTest : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(root); }
    void TearDown() override { fs::remove_all(root); }

    static std::string text_of(const fs::path& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static std::ptrdiff_t entries(const fs::path& path) {
        return std::distance(fs::directory_iterator(path), fs::directory_iterator());
    }

    fs::path root = fs::temp_directory_path() / ("output_directory_test." + std::to_string(getpid()));
};

TEST_F(OutputDirectoryTest, FilesAppearTogether) {
    OutputDirectory output(root / "a" / "b");
    output.create("one") << "1";
    output.create("two") << "2";
    EXPECT_FALSE(fs::exists(root / "a" / "b" / "one"));
    output.commit();
    EXPECT_EQ(text_of(root / "a" / "b" / "one"), "1");
    EXPECT_EQ(text_of(root / "a" / "b" / "two"), "2");
    EXPECT_EQ(entries(root / "a" / "b"), 2);
}

TEST_F(OutputDirectoryTest, NothingStaysWithoutCommit) {
    {
        OutputDirectory output(root / "a" / "b");
        output.create("one") << "1";
    }
    EXPECT_EQ(entries(root), 0);
}

TEST_F(OutputDirectoryTest, OldFilesSurviveWithoutCommit) {
    std::ofstream(root / "one") << "old";
    {
        OutputDirectory output(root);
        output.create("one") << "new";
    }
    EXPECT_EQ(text_of(root / "one"), "old");
    EXPECT_EQ(entries(root), 1);
}

TEST_F(OutputDirectoryTest, ReplacesOldFiles) {
    std::ofstream(root / "one") << "old";
    OutputDirectory output(root);
    output.create("one") << "new";
    output.commit();
    EXPECT_EQ(text_of(root / "one"), "new");
}

TEST_F(OutputDirectoryTest, RefusesAFile) {
    std::ofstream(root / "file") << "x";
    EXPECT_THROW(OutputDirectory(root / "file"), InputError);
    EXPECT_THROW(OutputDirectory(root / "file" / "below"), InputError);
}

TEST_F(OutputDirectoryTest, ADirectoryInTheWayLeavesNothing) {
    fs::create_directories(root / "two");
    {
        OutputDirectory output(root);
        output.create("one") << "1";
        output.create("two") << "2";
        EXPECT_THROW(output.commit(), InputError);
    }
    EXPECT_EQ(entries(root), 1);
}

}  // namespace
}  // namespace nibble
