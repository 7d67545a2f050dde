// SPDX-License-Identifier: MIT
#include "sim/config/data_directory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

/// A directory with files, removed at the end; NIBBLESIM_DATA_DIR points to it meanwhile.
class DataDirectoryTest : public testing::Test {
protected:
    DataDirectoryTest() : root_(fs::path(testing::TempDir()) / fmt::format("nibble_data_directory_test_{}", getpid())) {
        fs::remove_all(root_);
        fs::create_directories(root_);
        setenv("NIBBLESIM_DATA_DIR", root_.c_str(), 1);
    }
    ~DataDirectoryTest() override {
        unsetenv("NIBBLESIM_DATA_DIR");
        fs::remove_all(root_);
    }
    void touch(const std::string& file) const {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << "x";
    }

    fs::path root_;
};

TEST_F(DataDirectoryTest, KnowsTheLayoutOfAnInstallation) {
    touch("presets/b.yaml");
    touch("presets/a.yaml");
    touch("presets/README.md");
    touch("energy/5nm.yaml");
    touch("workloads/net.yaml");
    EXPECT_EQ(data_directory(), root_);
    EXPECT_THAT(data_names(DataKind::preset), testing::ElementsAre("a", "b"));
    EXPECT_THAT(data_names(DataKind::energy), testing::ElementsAre("5nm"));
    EXPECT_THAT(data_names(DataKind::workload), testing::ElementsAre("net"));
    EXPECT_EQ(find_data_file(DataKind::preset, "b"), root_ / "presets" / "b.yaml");
}

TEST_F(DataDirectoryTest, KnowsTheLayoutOfTheSourceTree) {
    touch("models/presets/a.yaml");
    touch("models/energy/5nm.yaml");
    touch("workloads/net.yaml");
    EXPECT_EQ(find_data_file(DataKind::preset, "a"), root_ / "models" / "presets" / "a.yaml");
    EXPECT_EQ(find_data_file(DataKind::energy, "5nm"), root_ / "models" / "energy" / "5nm.yaml");
    EXPECT_EQ(find_data_file(DataKind::workload, "net"), root_ / "workloads" / "net.yaml");
}

TEST_F(DataDirectoryTest, TakesPathsAsTheyAre) {
    EXPECT_EQ(find_data_file(DataKind::preset, "mine.yaml"), "mine.yaml");
    EXPECT_EQ(find_data_file(DataKind::preset, "./mine"), "./mine");
}

TEST_F(DataDirectoryTest, SuggestsANameForAnUnknownOne) {
    touch("workloads/resnet18.yaml");
    try {
        static_cast<void>(find_data_file(DataKind::workload, "resnet81"));
        FAIL() << "expected an InputError";
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(),
                     "unknown workload 'resnet81' (did you mean 'resnet18'?); workloads are: resnet18; a "
                     "file's name ends in .yaml");
    }
}

TEST_F(DataDirectoryTest, RefusesAVariableThatNamesNoDirectory) {
    setenv("NIBBLESIM_DATA_DIR", "/no/such/directory", 1);
    try {
        static_cast<void>(data_directory());
        FAIL() << "expected an InputError";
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "NIBBLESIM_DATA_DIR: '/no/such/directory' is not a directory");
    }
}

TEST_F(DataDirectoryTest, ProgramsOfTheBuildTreeUseTheSourceTree) {
    unsetenv("NIBBLESIM_DATA_DIR");
    EXPECT_EQ(data_directory(), NIBBLE_SOURCE_DIR);
    EXPECT_EQ(data_directory_of(fs::read_symlink("/proc/self/exe")), NIBBLE_SOURCE_DIR);
}

TEST_F(DataDirectoryTest, InstalledProgramsUseTheirOwnFiles) {
    EXPECT_EQ(data_directory_of("/usr/bin/nibblesim"), "/usr/share/nibblesim");
    EXPECT_EQ(data_directory_of("/nibblesim"), "/share/nibblesim");
    // A prefix beside the build tree whose name begins with that of the build tree, and one around it.
    const fs::path build = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
    EXPECT_EQ(data_directory_of(build / "sim" / "app" / "x"), NIBBLE_SOURCE_DIR);
    EXPECT_EQ(data_directory_of(build.string() + "-installed/bin/nibblesim"),
              build.string() + "-installed/share/nibblesim");
    EXPECT_EQ(data_directory_of(build.parent_path() / "bin" / "nibblesim"),
              build.parent_path() / "share" / "nibblesim");
}

}  // namespace
}  // namespace nibble
